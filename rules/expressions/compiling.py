"""From a checked tree to a Python function.

A truth becomes two functions, `holds` and `fails`: that it is known to be true, and that it is known to be false. Each
is a plain two-valued expression: negation is pushed down to the comparisons, and each comparison first asks whether
what it reads is known. So unknown costs nothing, and an event whose `holds` is false needs no second look unless
something stands open.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable
from types import CodeType, FunctionType
from typing import Any, Literal, NamedTuple, Protocol

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
    Not,
    Previous,
    Truth,
    Value,
)


class Reader(Protocol):
    """Looks back on a device's earlier events of one kind; None where there is nothing to look back on."""

    def previous(self, field: str) -> Any:
        """The field's last value before the present event."""

    def changed(self, field: str, value: Any) -> bool | None:
        """Whether `value` differs from the field's last one."""

    def latest(self, field: str, value: Any, otherwise: Any) -> Any:
        """`value`, or the field's last one where the event does not carry it, or `otherwise`."""

    def age(self, field: str, value: Any) -> float | None:
        """Seconds for which the field has had `value`; 0 where it just came."""


Getter = Callable[[str], Any]
Truthful = Callable[[Getter, Reader], bool]
Valuer = Callable[[Getter, Reader], Any]


class Predicate(NamedTuple):
    """A compiled truth. `holds` is whether it is known to be true, `fails` whether it is known to be false.

    `source` is what `holds` was made of, for `compile_any`.
    """

    holds: Truthful
    fails: Truthful
    source: str

    def verdict(self, get: Getter, past: Reader) -> bool | None:
        """True, False, or None for unknown."""
        try:
            return True if self.holds(get, past) else False if self.fails(get, past) else None
        except (TypeError, ArithmeticError, ValueError):
            return None


_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_FUNCTIONS: dict[str, Any] = {"__builtins__": {}, "abs": abs, "min": min, "max": max}


def compile_truth(tree: Truth, name: str = "expression") -> Predicate:
    """The two functions of a truth."""
    source = _true(tree, False)
    return Predicate(_function(source, name), _function(_true(tree, True), name), source)


def compile_any(predicates: Iterable[Predicate], name: str = "any of many") -> Truthful:
    """One function for many predicates: whether any of them holds. It reads each field once for all of them.

    It raises what one of them raises, whatever the others would say.
    """
    sources = list(dict.fromkeys(predicate.source for predicate in predicates if predicate.source != NEVER.source))
    if not sources:
        return NEVER.holds
    tree = ast.parse(" or ".join(f"({source})" for source in sources), mode="eval")
    reads = Counter(field for node in ast.walk(tree) if (field := _field_read(node)) is not None)
    shared = {field: f"field_{number}" for number, (field, times) in enumerate(sorted(reads.items())) if times > 1}
    body = ast.unparse(_Sharing(shared).visit(tree))
    lines = [f"    {local} = get({field!r})\n" for field, local in shared.items()]
    return _first_function(f"def holds(get, past):\n{''.join(lines)}    return {body}\n", "exec", name)


def _field_read(node: ast.AST) -> str | None:
    """The field that `node` reads by `get('field')`; None where it is something else."""
    match node:
        case ast.Call(func=ast.Name(id="get"), args=[ast.Constant(value=str(field))]):
            return field
    return None


class _Sharing(ast.NodeTransformer):
    """Puts local names in the place of `get('field')`."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A call that reads a shared field becomes its name; in any other one the arguments are looked at."""
        name = self._names.get(_field_read(node) or "")
        if name is not None:
            return ast.Name(id=name, ctx=ast.Load())
        self.generic_visit(node)
        return node


def compile_value(tree: Value, name: str = "expression") -> Valuer:
    """The function of a value; it answers None for unknown."""
    known = _Known()
    source = known.value(tree)
    guards = " and ".join(known.guards)
    return _function(f"({source} if {guards} else None)" if guards else source, name)


def _yes(_get: Getter, _past: Reader) -> bool:
    return True


def _no(_get: Getter, _past: Reader) -> bool:
    return False


ALWAYS = Predicate(_yes, _no, "True")
"""True of every event: a rule without `when`."""
NEVER = Predicate(_no, _no, "False")
"""A predicate of which nothing is ever known."""


def _function(source: str, name: str) -> Valuer:
    return _first_function(f"lambda get, past: {source}", "eval", name)


def _first_function(source: str, mode: Literal["eval", "exec"], name: str) -> Valuer:
    code = compile(source, f"<{name}>", mode, dont_inherit=True, optimize=2)
    body = next(constant for constant in code.co_consts if isinstance(constant, CodeType))
    return FunctionType(body, _FUNCTIONS, name)


def _true(node: Truth, negated: bool) -> str:
    """Python source that is true where `node` (or its contrary) is known to be true."""
    match node:
        case Not(part):
            return _true(part, not negated)
        case Both(parts) | Either(parts):
            joined = " and " if isinstance(node, Both) is not negated else " or "
            return "(" + joined.join(_true(part, negated) for part in parts) + ")"
        case Flag(FieldOf(field)):
            return f"get({field!r}) is {not negated}"
        case Flag(value):
            return f"{_unguarded(value)} is {not negated}"
        case Changed(field):
            return f"past.changed({field!r}, get({field!r})) is {not negated}"
        case Compare(operator, left, right):
            known = _Known()
            one, other = known.value(left), known.value(right)
            return known.guarded(f"{one} {_OPPOSITE[operator] if negated else operator} {other}")
        case Member(value, items):
            known = _Known()
            return known.guarded(f"{known.value(value)} {'not in' if negated else 'in'} {items!r}")


def _unguarded(value: Value) -> str:
    """Python source of a flag, which may be None: `is True` and `is False` ask whether it is known as well."""
    match value:
        case Previous(field):
            return f"past.previous({field!r})"
        case Latest(field, otherwise):
            return _latest(field, otherwise)
        case _:
            return _Known().value(value)


def _latest(field: str, otherwise: object) -> str:
    return f"past.latest({field!r}, get({field!r}), {otherwise!r})"


class _Known:
    """Collects, while a value is written out, what must be known before it may be computed."""

    def __init__(self) -> None:
        self.guards: list[str] = []
        self._names: dict[str, str] = {}

    def guarded(self, source: str) -> str:
        """`source`, asked only where everything it reads is known."""
        return "(" + " and ".join([*self.guards, source]) + ")"

    def value(self, node: Value) -> str:
        """Python source of the value; the guards it needs are collected."""
        match node:
            case Constant(value):
                return repr(value)
            case FieldOf(field):
                return self._known(f"get({field!r})", "is not None")
            case Previous(field):
                return self._known(f"past.previous({field!r})", "is not None")
            case Latest(field, otherwise):
                return self._known(_latest(field, otherwise), "is not None")
            case Age(field):
                return self._known(f"past.age({field!r}, get({field!r}))", "is not None")
            case Negative(value):
                return f"(-{self.value(value)})"
            case Call(function, arguments):
                return f"{function}({', '.join(self.value(argument) for argument in arguments)})"
            case Arithmetic(operator, left, right):
                one, other = self.value(left), self.value(right)
                if operator in ("/", "//", "%"):
                    other = self._known(other, "!= 0")
                return f"({one} {operator} {other})"

    def _known(self, source: str, test: str) -> str:
        name = self._names.get(source)
        if name is None:
            name = self._names[source] = f"_{len(self._names)}"
            self.guards.append(f"({name} := {source}) {test}")
        return name
