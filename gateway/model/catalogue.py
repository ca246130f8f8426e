"""The catalogue of kinds: which events exist, which fields they carry, in which units. Data, and pure look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal

import msgspec

FieldType = Literal["number", "integer", "boolean", "string", "enum", "time"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a kind. `unit` is a UCUM-like word (`V`, `kWh`, `m3`), `personal` marks personal data."""

    type: FieldType
    title: dict[str, str]
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    personal: bool = False
    history: bool = False
    required: bool = False


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of event. `record` says where it is kept: `event` (one by one) or `reading` (history)."""

    name: str
    title: dict[str, str]
    fields: dict[str, Field]
    record: Literal["event", "reading"] = "event"
    interval: float = 0.0
    """How often a healthy device is expected to say it, in seconds; 0 where it speaks only when something happens."""
    state: bool = False
    """True where the event tells a standing state, so that a condition over it can end; False for an occurrence."""


class Misfit(msgspec.Struct, frozen=True):
    """Why a value does not fit the catalogue. `field` is its name, `reason` a sentence."""

    field: str
    reason: str


class Catalogue:
    """All known kinds by name. Immutable after construction."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.kinds: Mapping[str, Kind] = {kind.name: kind for kind in kinds}
        self._checks = {kind.name: _checks_of(kind) for kind in self.kinds.values()}

    def get(self, name: str) -> Kind | None:
        """The kind called `name`, or None."""
        return self.kinds.get(name)

    def suggest(self, name: str, field: str | None = None) -> str | None:
        """The nearest known kind, or field of the kind `name`, to a misspelt one."""
        known: Iterable[str] = self.kinds if field is None else self.kinds[name].fields
        close = get_close_matches(name if field is None else field, list(known), n=1, cutoff=0.5)
        return close[0] if close else None

    def misfit(self, kind: str, data: Mapping[str, Any]) -> Misfit | None:
        """The first field of `data` whose value has the wrong type; None where all fit.

        Unknown kinds and unknown fields fit: they are kept and shown as not in the catalogue. A value out of range
        fits too, as a meter that reads 600 V says something true about itself: ranges are for rules and charts.
        """
        checks = self._checks.get(kind)
        if checks is None:
            return None
        for name, value in data.items():
            allowed = checks.get(name)
            if allowed is None or value is None or type(value) in allowed[0]:
                if allowed is not None and allowed[1] and value is not None and value not in allowed[1]:
                    return Misfit(name, f"{value!r} is not one of {', '.join(sorted(allowed[1]))}")
                continue
            return Misfit(name, f"expected {allowed[2]}, got {value!r}"[:200])
        for name in checks.get("", ((), frozenset(), ""))[1]:
            if data.get(name) is None:
                return Misfit(name, f"missing; every {kind} carries it")
        return None

    def unknown_fields(self, kind: str, data: Mapping[str, Any]) -> list[str]:
        """The fields of `data` which the catalogue lacks; all of them where it lacks the kind."""
        known = self.kinds.get(kind)
        return [name for name in data if known is None or name not in known.fields]


_PYTHON_TYPES: dict[str, tuple[frozenset[type], str]] = {
    "number": (frozenset((int, float)), "a number"),
    "integer": (frozenset((int,)), "a whole number"),
    "boolean": (frozenset((bool,)), "true or false"),
    "string": (frozenset((str,)), "a text"),
    "enum": (frozenset((str,)), "one of the listed words"),
    "time": (frozenset((str,)), "an RFC 3339 time"),
}


def _checks_of(kind: Kind) -> dict[str, tuple[frozenset[type], frozenset[str], str]]:
    """Per field: accepted Python types, accepted words, and how to say it. Under "" the required fields."""
    checks = {
        name: (_PYTHON_TYPES[field.type][0], frozenset(field.values), _PYTHON_TYPES[field.type][1])
        for name, field in kind.fields.items()
    }
    required = frozenset(name for name, field in kind.fields.items() if field.required)
    if required:
        checks[""] = (frozenset(), required, "")
    return checks
