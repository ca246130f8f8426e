"""The path syntax: a root, then `.name`, `[0]`, `['any text']`; where many are meant also `[*]` and `.*`.

Roots: `$` the payload, `item` the item of `each` or `within`, `keys` the names that `.*` went through, `topic` the
whole topic or with `.name` one of its captures, `settings` the registered device's settings, `device` its `id`, `site`
and `external_id`, `command` and `args` in commands, `shadow` the merged state.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from adapters.mapping.scope import MISSING, Scope
from gateway.errors import Undecodable

Getter = Callable[[Scope], Any]
Step = str | int | None
"""A name, an index, or None for "all of them"."""

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]{}|'"\s]+) | \[(?P<index>-?\d+)\] | \[(?P<all>\*)\] | \['(?P<single>[^']*)'\]""", re.VERBOSE
)
_ROOT = re.compile(r"\$|[a-z]+")
_ROOTS: dict[str, Getter] = {
    "$": lambda scope: scope.payload,
    "item": lambda scope: scope.item,
    "keys": lambda scope: scope.keys,
    "topic": lambda scope: scope.topic,
    "settings": lambda scope: scope.settings,
    "device": lambda scope: scope.device,
    "command": lambda scope: scope.command,
    "args": lambda scope: scope.args,
    "shadow": lambda scope: scope.shadow,
}


def split(text: str) -> tuple[str, tuple[Step, ...]]:
    """Root and steps. Raises `ValueError` saying what is wrong."""
    root = _ROOT.match(text)
    if root is None or root.group() not in _ROOTS:
        raise ValueError(
            f"{text!r} is no path: it begins with {', '.join(_ROOTS)} (a constant is written `value: {text}`)"
        )
    steps: list[Step] = []
    position = root.end()
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise ValueError(f"{text!r} is no path: cannot read {text[position:]!r}")
        if step["index"] is not None:
            steps.append(int(step["index"]))
        elif step["all"] or step["name"] == "*":
            steps.append(None)
        else:
            steps.append(step["name"] or step["single"] or "")
        position = step.end()
    return root.group(), tuple(steps)


def compile_path(text: str) -> Getter:
    """A function from a scope to the value there, or MISSING. Raises `ValueError` for what is no path."""
    root, steps = split(text)
    if None in steps:
        raise ValueError(f"{text!r} means many values; that is for `each` only")
    start = _ROOTS[root]
    if not steps:
        return _whole_topic if root == "topic" else start
    if all(type(step) is str for step in steps):
        return _names(start, tuple(str(step) for step in steps))

    def follow(scope: Scope) -> Any:
        value = start(scope)
        for step in steps:
            if type(step) is int:
                if not isinstance(value, list | tuple) or not -len(value) <= step < len(value):
                    return MISSING
                value = value[step]
            elif isinstance(value, dict):
                value = value.get(step, MISSING)
            else:
                return MISSING
        return value

    return follow


def _whole_topic(scope: Scope) -> Any:
    return scope.topic.get("", MISSING)


def _names(start: Getter, names: tuple[str, ...]) -> Getter:
    """The common case: names only."""

    def follow(scope: Scope) -> Any:
        value = start(scope)
        for name in names:
            if type(value) is not dict:
                return MISSING
            value = value.get(name, MISSING)
        return value

    return follow


Items = Iterator[tuple[Any, str, tuple[str, ...]]]


def compile_each(text: str) -> Callable[[Scope], Items]:
    """A function giving every value that a path with `[*]` and `.*` means: the value, its place, the names passed.

    A list that is missing or null has no items; something else in its place is `Undecodable`.
    """
    root, steps = split(text)
    start = _ROOTS[root]

    def walk(value: Any, place: str, keys: tuple[str, ...], at: int) -> Items:
        if at == len(steps):
            yield value, place, keys
            return
        step = steps[at]
        if step is None:
            if value is MISSING or value is None:
                return
            if isinstance(value, list):
                for index, inner in enumerate(value):
                    yield from walk(inner, f"{place}[{index}]", keys, at + 1)
            elif isinstance(value, dict):
                for name, inner in value.items():
                    yield from walk(inner, f"{place}.{name}", (*keys, name), at + 1)
            else:
                raise Undecodable(place, "expected a list or an object")
        elif isinstance(value, dict) and isinstance(step, str):
            yield from walk(value.get(step, MISSING), f"{place}.{step}", keys, at + 1)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            yield from walk(value[step], f"{place}[{step}]", keys, at + 1)
        elif value is not MISSING and value is not None and not isinstance(value, dict | list):
            raise Undecodable(place, "expected a list or an object")

    def items(scope: Scope) -> Items:
        return walk(start(scope), root, (), 0)

    return items
