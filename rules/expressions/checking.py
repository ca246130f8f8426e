"""From the text of an expression to its checked tree, or to everything that is wrong with it.

Bounded before it is compiled: a text of at most 500 characters, a tree of at most 120 nodes, numbers up to 10^15.
No loops, no powers, no attributes, no patterns: the cost of the longest expression is a few microseconds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import NoReturn, TypeVar

import msgspec

from gateway.model.catalogue import Catalogue, Field
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
    Scalar,
    Truth,
    TypeName,
    Value,
)

_T = TypeVar("_T")
LONGEST_TEXT = 500
MOST_NODES = 120
LARGEST_NUMBER = 1e15
FUNCTIONS = ("abs", "min", "max", "age", "changed", "previous", "latest")
_ARITHMETIC: Mapping[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_COMPARISONS: Mapping[type, str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_TYPES: Mapping[str, TypeName] = {
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "string": "text",
    "enum": "text",
    "time": "text",
}
_SPOKEN: Mapping[str, str] = {"number": "a number", "boolean": "true or false", "text": "a text"}
_TRUE_FALSE: Mapping[str, bool] = {"true": True, "false": False, "True": True, "False": False}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with an expression: the sentence, the offending part of the text, and what may be meant."""

    message: str
    text: str
    suggestion: str = ""


class Fields:
    """The fields an expression may name: those of some kinds of the catalogue."""

    def __init__(self, catalogue: Catalogue, kinds: Sequence[str]) -> None:
        self.kinds = tuple(kinds)
        self._catalogue = catalogue
        self._found: dict[str, Field] = {}
        for name in self.kinds:
            kind = catalogue.get(name)
            for field, known in (kind.fields if kind else {}).items():
                self._found[field] = _merged(self._found.get(field), known)

    def get(self, name: str) -> Field | None:
        """The field called `name` in the first of the kinds that has it."""
        return self._found.get(name)

    def missing(self, name: str) -> tuple[str, str]:
        """Why `name` is not a field, and what may be meant."""
        close = self.nearest(name)
        hint = f"did you mean '{close}'?" if close else f"it has {', '.join(sorted(self._found)) or 'no fields'}"
        if len(self.kinds) == 1:
            return f"{self.kinds[0]} has no field '{name}'", hint
        return f"none of {', '.join(self.kinds)} has a field '{name}'", hint

    def nearest(self, name: str) -> str | None:
        """The field whose name is most like `name`."""
        for kind in self.kinds:
            if self._catalogue.get(kind) and (close := self._catalogue.suggest(kind, name)):
                return close
        return None


@lru_cache(maxsize=1024)
def fields_in(catalogue: Catalogue, kinds: tuple[str, ...]) -> Fields:
    """The fields of these kinds, worked out once: thousands of expressions ask for the same few."""
    return Fields(catalogue, kinds)


def _merged(one: Field | None, other: Field) -> Field:
    """One field out of those of two kinds: the words of both where both are words, else the first."""
    if one is None:
        return other
    if one.type == other.type == "enum":
        return msgspec.structs.replace(one, values=tuple(dict.fromkeys(one.values + other.values)))
    return one


class _RefusedError(Exception):
    """The part being checked makes no sense; the complaint is already written."""


@dataclass(frozen=True, slots=True)
class _Typed:
    """A checked value with its type; `words` are the only texts it can be, "" names where it comes from."""

    node: Value
    type: TypeName
    words: tuple[str, ...] = ()
    origin: str = ""


def check(text: str, fields: Fields) -> tuple[Truth | None, Value | None, list[Complaint]]:
    """The tree of `text`, as a truth or else as a value; and all complaints. Where there are any, both are None."""
    checker = _Checker(text, fields)
    root = checker.parse()
    truth: Truth | None = None
    value: Value | None = None
    if root is not None:
        try:
            if checker.is_truth(root):
                truth = checker.truth(root)
            else:
                value = checker.value(root).node
        except _RefusedError:
            pass
    return (None, None, checker.complaints) if checker.complaints else (truth, value, [])


class _Checker:
    def __init__(self, text: str, fields: Fields) -> None:
        self.text = text
        self.fields = fields
        self.complaints: list[Complaint] = []

    def parse(self) -> ast.expr | None:
        """Python's tree of the text, if it is short enough and an expression at all."""
        if len(self.text) > LONGEST_TEXT:
            self._note(f"longer than {LONGEST_TEXT} characters", self.text[:40] + "…", "split it into two rules")
            return None
        try:
            root = ast.parse(self.text.strip(), mode="eval").body
        except SyntaxError as error:
            hint = "write one like `voltage_v > 253 and not occupied`"
            self._note(f"not an expression: {error.msg}", self.text, hint)
            return None
        except (ValueError, RecursionError, MemoryError):
            self._note("not an expression", self.text)
            return None
        if sum(1 for _ in ast.walk(root)) > MOST_NODES:
            self._note(f"more than {MOST_NODES} parts", self.text[:40] + "…", "split it into two rules")
            return None
        return root

    def is_truth(self, node: ast.expr) -> bool:
        """Whether the node says something that is true or false, rather than naming a value."""
        match node:
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
                return True
            case ast.Name(id=name):
                field = self.fields.get(name)
                return name in _TRUE_FALSE or (field is not None and field.type == "boolean")
            case ast.Call(func=ast.Name(id="changed")):
                return True
            case ast.Call(func=ast.Name(id="previous" | "latest"), args=[ast.Name(id=name), *_]):
                field = self.fields.get(name)
                return field is not None and field.type == "boolean"
            case _:
                return False

    def truth(self, node: ast.expr) -> Truth:
        """The checked tree of something true or false."""
        match node:
            case ast.BoolOp(op=operator, values=values):
                parts = self._all([partial(self.truth, part) for part in values])
                return Both(parts) if isinstance(operator, ast.And) else Either(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.truth(operand))
            case ast.Compare():
                return self._comparison(node)
            case ast.Call(func=ast.Name(id="changed")):
                return Changed(self._field_argument(node, "changed"))
            case ast.Name(id=name) if name in _TRUE_FALSE:
                return Compare("==", Constant(1), Constant(1 if _TRUE_FALSE[name] else 0))
            case ast.Constant(value=bool(value)):
                return Compare("==", Constant(1), Constant(1 if value else 0))
        typed = self.value(node)
        if typed.type != "boolean":
            self._refuse(
                f"{typed.origin or self._source(node)} is {_SPOKEN[typed.type]}, not true or false",
                node,
                "compare it with something",
            )
        return Flag(typed.node)

    def _comparison(self, node: ast.Compare) -> Truth:
        parts: list[Truth] = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn):
                member = self._member(left, right)
                parts.append(Not(member) if isinstance(operator, ast.NotIn) else member)
            elif type(operator) in _COMPARISONS:
                parts.append(self._compare(_COMPARISONS[type(operator)], left, right, node))
            else:
                self._refuse("'is' does not compare values", node, "write '==' or '!='")
            left = right
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _compare(self, operator: str, left: ast.expr, right: ast.expr, node: ast.Compare) -> Truth:
        one, other = self._all([partial(self.value, left), partial(self.value, right)])
        if one.type != other.type:
            if isinstance(one.node, Constant):
                one, other = other, one
            name = one.origin or "the left side"
            self._refuse(
                f"{name} is {_SPOKEN[one.type]} and cannot be compared with {_SPOKEN[other.type]}",
                node,
                _unquoted(other.node) if one.type == "number" else "",
            )
        if operator not in ("==", "!=") and one.type != "number":
            self._refuse(f"'{operator}' compares numbers; {one.origin or 'this'} is {_SPOKEN[one.type]}", node)
        for typed, literal in ((one, other), (other, one)):
            if typed.words and isinstance(literal.node, Constant):
                self._known_word(typed, literal.node.value, right if literal is other else left)
        if one.type == "boolean" and isinstance(other.node, Constant):
            return Flag(one.node) if other.node.value is (operator == "==") else Not(Flag(one.node))
        return Compare(operator, one.node, other.node)

    def _member(self, left: ast.expr, right: ast.expr) -> Truth:
        if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
            self._refuse("'in' needs a list of words or numbers", right, "write it like `motion in ('up', 'down')`")
        typed, *items = self._all([partial(self.value, part) for part in (left, *right.elts)])
        found: list[Scalar] = []
        for item, element in zip(items, right.elts, strict=True):
            if not isinstance(item.node, Constant):
                self._refuse("the list after 'in' holds only words and numbers as they are", element)
            if item.type != typed.type:
                name = typed.origin or "the left side"
                self._refuse(f"{name} is {_SPOKEN[typed.type]} and is never {_SPOKEN[item.type]}", element)
            if typed.words:
                self._known_word(typed, item.node.value, element)
            found.append(item.node.value)
        return Member(typed.node, tuple(found))

    def value(self, node: ast.expr) -> _Typed:
        """The checked tree of a number, text or flag, with its type."""
        match node:
            case ast.Constant(value=bool(value)):
                return _Typed(Constant(value), "boolean")
            case ast.Constant(value=int() | float() as number):
                if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
                    self._refuse("a number out of all proportion", node)
                return _Typed(Constant(number), "number")
            case ast.Constant(value=str(word)):
                return _Typed(Constant(word), "text")
            case ast.Name(id=name) if name in _TRUE_FALSE:
                return _Typed(Constant(_TRUE_FALSE[name]), "boolean")
            case ast.Name(id=name):
                return self._field(name, node, FieldOf(name))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _Typed(Negative(self._number(operand)), "number")
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return _Typed(self._number(operand), "number")
            case ast.BinOp(op=operator, left=left, right=right) if type(operator) in _ARITHMETIC:
                one, other = self._all([partial(self._number, left), partial(self._number, right)])
                return _Typed(Arithmetic(_ARITHMETIC[type(operator)], one, other), "number")
            case ast.BinOp(op=ast.Pow()):
                self._refuse("there are no powers", node, "write the product out")
            case ast.Call():
                return self._call(node)
        if self.is_truth(node):
            self._refuse("a comparison is not a value", node, "join conditions with 'and' and 'or'")
        self._refuse(f"not part of the language: {self._source(node)}", node, "see docs/rules.md, Expressions")

    def _call(self, node: ast.Call) -> _Typed:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            close = get_close_matches(name, FUNCTIONS, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(FUNCTIONS)}"
            self._refuse(f"no function '{self._source(node.func)}'", node.func, hint)
        if name == "changed":
            self._refuse("changed(…) is true or false, not a value", node, "join conditions with 'and' and 'or'")
        if name == "previous":
            field = self._field_argument(node, name)
            return self._field(field, node, Previous(field))
        if name == "latest":
            return self._latest(node)
        if name == "age":
            return _Typed(Age(self._field_argument(node, name)), "number", origin="age(…)")
        least = 1 if name == "abs" else 2
        if node.keywords or len(node.args) < least or (name == "abs" and len(node.args) > 1):
            self._refuse(f"{name} takes {'one number' if name == 'abs' else 'two numbers or more'}", node)
        arguments = self._all([partial(self._number, part) for part in node.args])
        return _Typed(Call(name, arguments), "number", origin=f"{name}(…)")

    def _latest(self, node: ast.Call) -> _Typed:
        if len(node.args) != 2:
            field = self._field_argument(node, "latest")
            return self._field(field, node, Latest(field))
        field = self._field_argument(ast.Call(node.func, node.args[:1], node.keywords), "latest")
        otherwise = self.value(node.args[1])
        typed = self._field(field, node, Latest(field))
        if not isinstance(otherwise.node, Constant) or otherwise.type != typed.type:
            self._refuse(f"what stands in for {field} is {_SPOKEN[typed.type]}, written as it is", node.args[1])
        if typed.words:
            self._known_word(typed, otherwise.node.value, node.args[1])
        return _Typed(Latest(field, otherwise.node.value), typed.type, typed.words, field)

    def _field_argument(self, node: ast.Call, function: str) -> str:
        if node.keywords or len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
            self._refuse(f"{function} takes the name of one field", node, f"write it like `{function}(floor)`")
        argument = node.args[0]
        assert isinstance(argument, ast.Name)  # noqa: S101 - told to the type checker, decided in the line above
        if self.fields.get(argument.id) is None:
            self._refuse(self.fields.missing(argument.id)[0], argument, self.fields.missing(argument.id)[1])
        return argument.id

    def _field(self, name: str, node: ast.expr, found: FieldOf | Previous | Latest) -> _Typed:
        field = self.fields.get(name)
        if field is None:
            message, hint = self.fields.missing(name)
            self._refuse(message, node, hint)
        return _Typed(found, _TYPES[field.type], field.values, name)

    def _number(self, node: ast.expr) -> Value:
        typed = self.value(node)
        if typed.type != "number":
            name = typed.origin or self._source(node)
            self._refuse(f"{name} is {_SPOKEN[typed.type]}; arithmetic needs numbers", node, _unquoted(typed.node))
        return typed.node

    def _known_word(self, typed: _Typed, word: Scalar, node: ast.expr) -> None:
        if word not in typed.words:
            close = get_close_matches(str(word), typed.words, n=1, cutoff=0.5)
            hint = f"did you mean '{close[0]}'?" if close else f"it is one of {', '.join(typed.words)}"
            self._refuse(f"{typed.origin} is never '{word}'", node, hint)

    def _all(self, checks: Sequence[Callable[[], _T]]) -> tuple[_T, ...]:
        """Runs every check, so that each part complains for itself; refuses afterwards if any was refused."""
        results: list[_T] = []
        refused = False
        for one in checks:
            try:
                results.append(one())
            except _RefusedError:
                refused = True
        if refused:
            raise _RefusedError
        return tuple(results)

    def _source(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text.strip(), node) or ""

    def _refuse(self, message: str, node: ast.AST, suggestion: str = "") -> NoReturn:
        self._note(message, self._source(node), suggestion)
        raise _RefusedError

    def _note(self, message: str, text: str, suggestion: str = "") -> None:
        self.complaints.append(Complaint(message, text, suggestion))


def _unquoted(node: Value) -> str:
    """What to write instead of a number in quotes."""
    if isinstance(node, Constant) and isinstance(node.value, str):
        try:
            float(node.value)
        except ValueError:
            return ""
        return f"write {node.value} without quotes"
    return ""
