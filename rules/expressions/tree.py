"""The checked form of an expression: small frozen nodes, values below and truths above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

Scalar = bool | int | float | str
TypeName = OneOf["number", "boolean", "text"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, text or truth as written."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of the event."""

    name: str


@dataclass(frozen=True, slots=True)
class Previous:
    """The field's last value in the device's earlier events of this kind."""

    name: str


@dataclass(frozen=True, slots=True)
class Latest:
    """The field's value in this event or else in the last earlier one that carried it; `otherwise` where none did."""

    name: str
    otherwise: Scalar | None = None


@dataclass(frozen=True, slots=True)
class Age:
    """For how many seconds the field has had its present value."""

    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right`; `operator` is one of + - * / // %."""

    operator: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Negative:
    """`-value`."""

    value: Value


@dataclass(frozen=True, slots=True)
class Call:
    """`abs`, `min` or `max` of numbers."""

    function: str
    arguments: tuple[Value, ...]


Value = Constant | FieldOf | Previous | Latest | Age | Arithmetic | Negative | Call


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`; `operator` is one of == != < <= > >=."""

    operator: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Member:
    """`value in (…)`."""

    value: Value
    items: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean field, or the previous value of one, taken as it is."""

    value: Value


@dataclass(frozen=True, slots=True)
class Changed:
    """Whether the field differs from its previous value."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of `part`."""

    part: Truth


@dataclass(frozen=True, slots=True)
class Both:
    """`and` of all parts."""

    parts: tuple[Truth, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """`or` of all parts."""

    parts: tuple[Truth, ...]


Truth = Compare | Member | Flag | Changed | Not | Both | Either
Node = Value | Truth


def parts_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly below `node`."""
    match node:
        case Arithmetic(_, left, right) | Compare(_, left, right):
            return (left, right)
        case Negative(value) | Flag(value) | Member(value, _):
            return (value,)
        case Not(part):
            return (part,)
        case Call(_, parts) | Both(parts) | Either(parts):
            return parts
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything below it, in the order of the text."""
    yield node
    for part in parts_of(node):
        yield from walk(part)


def fields_of(node: Node) -> tuple[str, ...]:
    """The fields an expression reads, each once, in the order of the text."""
    named = (part.name for part in walk(node) if isinstance(part, FieldOf | Previous | Latest | Age | Changed))
    return tuple(dict.fromkeys(named))


def looks_back(node: Node) -> tuple[str, ...]:
    """The fields whose earlier values an expression needs."""
    named = (part.name for part in walk(node) if isinstance(part, Previous | Latest | Age | Changed))
    return tuple(dict.fromkeys(named))
