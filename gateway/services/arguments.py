"""Reading an action's arguments: typed, bounded, and nothing unknown (FAULTS 87)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from gateway.errors import Invalid

#: FAULTS 65: the ids that may appear in topics, URLs and logs.
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
#: The name of an account, as `gateway.core.accounts` admits it.
_ACCOUNT = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")

#: How long a name and a text may be.
NAME, TEXT = 128, 2000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Arguments:
    """An action's arguments. Each reader raises `Invalid` naming the argument; `end` refuses what nobody read."""

    def __init__(self, args: Mapping[str, Any]) -> None:
        self._args = args
        self._read: set[str] = set()

    def _take(self, name: str, required: bool) -> Any:
        self._read.add(name)
        value = self._args.get(name)
        if value is None and required:
            raise Invalid(name, "missing")
        return value

    def ident(self, name: str) -> str:
        """A required id."""
        value = self._take(name, True)
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise Invalid(name, "expected an id of letters, digits, '_', '-', '.' and ':'")
        return value

    def account(self, name: str) -> str:
        """The required name of a person's account."""
        value = self._take(name, True)
        if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
            raise Invalid(name, "expected the name of an account: letters, digits, '_', '-', '.' and '@'")
        return value

    def given(self, name: str) -> bool:
        """Whether the argument is there."""
        return self._take(name, False) is not None

    def take(self, name: str) -> Any:
        """The argument as it came, None where it is absent: for who reads it by other means."""
        return self._take(name, False)

    def maybe_ident(self, name: str) -> str | None:
        """An id, or None."""
        return None if self._take(name, False) in (None, "") else self.ident(name)

    def text(self, name: str, longest: int = TEXT) -> str:
        """A required text that is not blank, without control and direction characters."""
        value = self._take(name, True)
        if not isinstance(value, str):
            raise Invalid(name, "expected a text")
        value = _CONTROL.sub("", value).strip()
        if not value:
            raise Invalid(name, "is empty; write a few words")
        if len(value) > longest:
            raise Invalid(name, f"has {len(value)} characters; at most {longest} are kept")
        return value

    def maybe_text(self, name: str, longest: int = TEXT) -> str:
        """A text, or ""."""
        value = self._take(name, False)
        return "" if value is None or (isinstance(value, str) and not value.strip()) else self.text(name, longest)

    def words(self, name: str, longest: int = 300) -> dict[str, str]:
        """A required text by language; one text alone is taken for both."""
        value = self._take(name, True)
        if isinstance(value, str):
            text = self.text(name, longest)
            return {"en": text, "zh": text}
        known = isinstance(value, Mapping) and all(_LANGUAGE.fullmatch(str(one)) for one in value)
        if not known or not 1 <= len(value) <= 8:
            raise Invalid(name, "expected a text, or a text for each language (en, zh)")
        inner = Arguments(value)
        return {language: inner.text(language, longest) for language in value}

    def number(self, name: str, least: float, most: float) -> float:
        """A required number within its bounds."""
        value = self._take(name, True)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Invalid(name, "expected a number")
        if not least <= value <= most:
            raise Invalid(name, f"is {value:g}; expected {least:g} to {most:g}")
        return float(value)

    def maybe_number(self, name: str, least: float, most: float) -> float | None:
        """A number within its bounds, or None."""
        return None if self._take(name, False) is None else self.number(name, least, most)

    def version(self) -> int | None:
        """The version the caller has seen, or None."""
        value = self._take("version", False)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise Invalid("version", "expected a whole number")
        return value

    def flag(self, name: str) -> bool:
        """True or false; false where it is absent."""
        value = self._take(name, False)
        if value is not None and not isinstance(value, bool):
            raise Invalid(name, "expected true or false")
        return bool(value)

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of the allowed words; `default` where it is absent."""
        value = self._take(name, default is None)
        if value is None and default is not None:
            return default
        if value not in allowed:
            raise Invalid(name, f"{str(value)[:40]!r} is not one of {', '.join(allowed)}")
        return str(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """A mapping with text keys; empty where it is absent."""
        value = self._take(name, False)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or len(value) > 50 or not all(isinstance(key, str) for key in value):
            raise Invalid(name, "expected names with values, at most 50")
        return dict(value)

    def items(self, name: str, most: int) -> list[Any]:
        """A list of at most `most` things; empty where it is absent."""
        value = self._take(name, False)
        if value is None:
            return []
        if not isinstance(value, list | tuple) or len(value) > most:
            raise Invalid(name, f"expected a list of at most {most}")
        return list(value)

    def idents(self, name: str, most: int) -> tuple[str, ...]:
        """A list of ids; empty where it is absent."""
        return tuple(Arguments({name: value}).ident(name) for value in self.items(name, most))

    def end(self) -> None:
        """Raises `Invalid` for the first argument that nobody read, with the one that was perhaps meant."""
        for name in self._args:
            if name not in self._read:
                close = get_close_matches(str(name), sorted(self._read), n=1, cutoff=0.5)
                hint = f"; did you mean '{close[0]}'?" if close else ""
                raise Invalid(str(name)[:40], f"is not known here{hint}")
