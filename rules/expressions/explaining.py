"""An expression part by part: what each truth in it was, and the values it was made of."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.expressions.compiling import Getter, Reader, compile_truth, compile_value
from rules.expressions.tree import (
    Age,
    Arithmetic,
    Both,
    Call,
    Changed,
    Compare,
    Constant,
    Either,
    FieldOf,
    Flag,
    Latest,
    Member,
    Negative,
    Node,
    Not,
    Previous,
    Truth,
    Value,
    walk,
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One truth of an expression, as a pack would have it in `text`. `truth` is None where it is unknown.

    `values` are what it read, by how it is written (`flow_lpm`, `previous(state)`); None stands for what is missing.
    """

    text: str
    truth: bool | None
    values: dict[str, Any] = {}
    parts: tuple[Part, ...] = ()


def explain_truth(tree: Truth, get: Getter, past: Reader) -> Part:
    """The truth with all truths below it, in the order of the text."""
    truth = compile_truth(tree).verdict(get, past)
    match tree:
        case Both(parts) | Either(parts):
            below = tuple(explain_truth(part, get, past) for part in parts)
            return Part(text=written(tree), truth=truth, parts=below)
        case Not(part) if not isinstance(part, Flag | Changed):
            return Part(text=written(tree), truth=truth, parts=(explain_truth(part, get, past),))
        case _:
            return Part(text=written(tree), truth=truth, values=_values(tree, get, past))


def written(node: Node) -> str:
    """The node as a pack would have it."""
    match node:
        case Constant(value):
            return repr(value)
        case FieldOf(name):
            return name
        case Previous(name) | Age(name) | Changed(name):
            return f"{type(node).__name__.lower()}({name})"
        case Latest(name, otherwise):
            return f"latest({name})" if otherwise is None else f"latest({name}, {otherwise!r})"
        case Negative(value):
            return f"-{written(value)}"
        case Call(function, arguments):
            return f"{function}({', '.join(written(argument) for argument in arguments)})"
        case Arithmetic(operator, left, right):
            return f"({written(left)} {operator} {written(right)})"
        case Compare(operator, left, right):
            return f"{written(left)} {operator} {written(right)}"
        case Member(value, items):
            return f"{written(value)} in ({', '.join(repr(item) for item in items)})"
        case Flag(value):
            return written(value)
        case Not(part):
            return f"not {_bracketed(part)}"
        case Both(parts):
            return " and ".join(_bracketed(part) for part in parts)
        case Either(parts):
            return " or ".join(_bracketed(part) for part in parts)


def _bracketed(part: Truth) -> str:
    return f"({written(part)})" if isinstance(part, Both | Either) else written(part)


def _values(tree: Truth, get: Getter, past: Reader) -> dict[str, Any]:
    """What a truth reads; of `changed(x)` both values."""
    found: dict[str, Any] = {}
    for node in walk(tree):
        reads: tuple[Value, ...] = ()
        if isinstance(node, FieldOf | Previous | Latest | Age):
            reads = (node,)
        elif isinstance(node, Changed):
            reads = (FieldOf(node.name), Previous(node.name))
        for value in reads:
            try:
                found[written(value)] = compile_value(value)(get, past)
            except (TypeError, ArithmeticError, ValueError):
                found[written(value)] = None
    return found
