"""Profiles: tables that differ from maker to maker, chosen per device by one of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from adapters.mapping.conditions import text_or_none
from adapters.mapping.document import Part, read_document
from adapters.mapping.paths import Getter, compile_path
from adapters.mapping.scope import Scope
from gateway.errors import Undecodable

Tables = dict[str, dict[str, Any]]
_WORDS = ("from", "default", "sets")
_PROFILE_WORDS = ("title", "source", "tables")


class Profiles:
    """All profiles of one adapter. `choose` gives the tables of the one that a device's settings name."""

    def __init__(self, path: str, get: Getter, default: str, sets: Mapping[str, Tables]) -> None:
        self._path, self._get, self._default = path, get, default
        self.sets = dict(sets)

    @property
    def tables(self) -> frozenset[str]:
        """The names of all tables."""
        return frozenset(name for tables in self.sets.values() for name in tables)

    def choose(self, scope: Scope) -> Mapping[str, Mapping[str, Any]]:
        """The tables for the device of `scope`; raises `Undecodable` for a profile that nobody wrote."""
        wanted = text_or_none(self._get(scope)) or self._default
        tables = self.sets.get(wanted)
        if tables is None:
            close = get_close_matches(wanted, list(self.sets), n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(self.sets))}"
            raise Undecodable(self._path, f"there is no profile {wanted!r}; {hint}")
        return tables


def read_profile(text: str, file: str) -> Tables:
    """The tables of a profile file. Raises `MappingError`."""
    words = read_document(text, file).words(_PROFILE_WORDS, "a profile")
    if "tables" not in words:
        raise read_document(text, file).wrong("a profile needs `tables`")
    return _tables(words["tables"])


def read_profiles(part: Part, files: Mapping[str, Tables]) -> Profiles:
    """The entry `profiles` of a mapping, with the profiles that lie in files of their own."""
    words = part.words(_WORDS, "profiles")
    for needed in ("from", "default"):
        if needed not in words:
            raise part.wrong(f"profiles need `{needed}`")
    sets = dict(files)
    if "sets" in words:
        sets.update({name: _tables(inner) for name, _, inner in words["sets"].pairs()})
    default = words["default"].choice("default", sorted(sets))
    return Profiles(words["from"].text("from"), words["from"].compiled(compile_path, "from"), default, sets)


def _tables(part: Part) -> Tables:
    return {name: {word: value.value() for word, _, value in inner.pairs()} for name, _, inner in part.pairs()}
