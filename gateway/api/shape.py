"""How the model's structs look outside: which fields are shown, which are times, what they hold."""

from __future__ import annotations

import functools
import types
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

Look = Literal["plain", "time", "struct", "structs"]

_TIME_NAMES = frozenset(("time", "received", "expires"))
_TIME_ENDINGS = ("_at", "_by")


class Part(NamedTuple):
    """One shown field: its look, the struct it holds where it holds one, and its type for the schema."""

    name: str
    look: Look
    struct: type[msgspec.Struct] | None
    type: Any


@functools.cache
def parts_of(struct: type[msgspec.Struct]) -> tuple[Part, ...]:
    """The shown fields of a struct. What ends in `_due` and `at` are seconds of the steady clock and are not shown."""
    found = []
    for field in msgspec.structs.fields(struct):
        if not (field.name.endswith("_due") or field.name == "at"):
            found.append(_part(field.name, field.type))
    return tuple(found)


def _part(name: str, declared: Any) -> Part:
    inner = _without_none(declared)
    if inner is float and (name in _TIME_NAMES or name.endswith(_TIME_ENDINGS)):
        return Part(name, "time", None, declared)
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        return Part(name, "struct", inner, declared)
    if get_origin(inner) is tuple:
        item = get_args(inner)[0]
        if isinstance(item, type) and issubclass(item, msgspec.Struct):
            return Part(name, "structs", item, declared)
    return Part(name, "plain", None, declared)


def _without_none(declared: Any) -> Any:
    if get_origin(declared) in (Union, types.UnionType):
        rest = [item for item in get_args(declared) if item is not type(None)]
        return rest[0] if len(rest) == 1 else declared
    return declared


def may_be_none(declared: Any) -> bool:
    """Whether None is among a type's values."""
    return get_origin(declared) in (Union, types.UnionType) and type(None) in get_args(declared)


def schema_type(declared: Any) -> Any:
    """A plain field's type in words that pydantic's schema shows well: tuples as lists."""
    inner = _without_none(declared)
    if get_origin(inner) is tuple:
        inner = list[get_args(inner)[0]]  # type: ignore[misc]
    elif isinstance(inner, type) and issubclass(inner, StrEnum):
        inner = Literal[tuple(str(member.value) for member in inner)]
    return inner | None if may_be_none(declared) else inner
