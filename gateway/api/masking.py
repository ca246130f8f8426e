"""Personal data is masked wherever it is shown, unless a person with the role gave a reason for seeing it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.model import Catalogue

#: A mainland Chinese plate, seven or eight characters. Free texts from elsewhere may quote one.
_PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][·\s]?[A-Z0-9]{4,5}[A-Z0-9\u4e00-\u9fff]")
#: Fewer characters than this hide nothing by keeping three.
_SHORT = 5


def mask(value: Any) -> Any:
    """`京A12345` as `京A****5`: the first two characters and the last; short ones wholly. Only None stays."""
    if value is None:
        return None
    if isinstance(value, dict):
        return {name: mask(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [mask(inner) for inner in value]
    text = str(value)
    if len(text) < _SHORT:
        return "*" * len(text)
    return text[:2] + "*" * (len(text) - 3) + text[-1]


def scrub(text: str) -> str:
    """A free text with the plates in it masked."""
    return _PLATE.sub(lambda found: str(mask(found.group())), text)


class Masking:
    """Which fields are personal, by kind, out of the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._by_kind: dict[str, frozenset[str]] = {}
        names: set[str] = set()
        for kind in catalogue.kinds.values():
            personal = frozenset(name for name, field in kind.fields.items() if field.personal)
            self._by_kind[kind.name] = personal
            names |= personal
        #: Names that are personal in any kind: used where the kind is not known.
        self.anywhere = frozenset(names)

    def data(self, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """An event's data with its personal fields masked. Fields of unknown kinds are judged by their names."""
        personal = self._by_kind.get(kind, self.anywhere)
        return _masked(data, personal) if not personal.isdisjoint(data) else data

    def named(self, data: Mapping[str, Any], also: frozenset[str] = frozenset()) -> Mapping[str, Any]:
        """A mapping of unknown make with everything masked, at any depth, whose name is personal somewhere."""
        return _deeply(data, self.anywhere | also) if data else data

    def secrets(self, kind: str, data: Mapping[str, Any]) -> set[str]:
        """The personal texts in an event's data, to be struck from texts made of it."""
        personal = self._by_kind.get(kind, self.anywhere) if kind else self.anywhere
        found = {str(data[name]) for name in personal if name in data and isinstance(data[name], str | int)}
        return {text for text in found if len(text) > 2}


def _masked(data: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: mask(value) if name in names else value for name, value in data.items()}


def _deeply(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: mask(inner) if name in names else _deeply(inner, names) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_deeply(inner, names) for inner in value]
    return value


def strike(texts: Mapping[str, str], secrets: set[str]) -> Mapping[str, str]:
    """Texts by language with each secret in them masked."""
    if not secrets or not any(secret in text for text in texts.values() for secret in secrets):
        return texts
    struck = dict(texts)
    for language, text in texts.items():
        for secret in secrets:
            text = text.replace(secret, mask(secret))  # noqa: PLW2901 - each secret is struck from the last result
        struck[language] = text
    return struck
