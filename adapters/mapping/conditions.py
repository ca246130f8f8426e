"""`when`: a mapping of paths to what is expected there (all must hold), or a list of such mappings (one must hold)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.mapping.coercion import as_text
from adapters.mapping.document import Part
from adapters.mapping.paths import Getter, compile_path
from adapters.mapping.scope import MISSING, Scope

Condition = Callable[[Scope], bool]

_TESTS = ("is", "not", "present", "same", "begins", "ends")


def text_or_none(value: Any) -> str | None:
    """How values are compared: "1" and 1 and 1.0 are the same, and so are true and "true". None for no scalar."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if value is None or value is MISSING:
        return None
    try:
        return as_text(value)
    except ValueError:
        return None


def compile_when(part: Part) -> Condition:
    """The condition that `part` writes down."""
    options = [_all_of(item) for item in part.items()]
    if len(options) == 1:
        return options[0]
    return lambda scope: any(option(scope) for option in options)


def _all_of(part: Part) -> Condition:
    tests: list[Condition] = []
    for path, key, inner in part.pairs():
        try:
            get = compile_path(path)
        except ValueError as error:
            raise key.wrong(f"when: {error}") from None
        tests.append(_test(get, inner))
    if len(tests) == 1:
        return tests[0]
    return lambda scope: all(test(scope) for test in tests)


def _test(get: Getter, part: Part) -> Condition:
    if not part.is_mapping:
        return _is(get, part)
    tests: list[Condition] = []
    for word, inner in part.words(_TESTS, "a condition").items():
        tests.append(_worded(get, word, inner))
    if len(tests) == 1:
        return tests[0]
    return lambda scope: all(test(scope) for test in tests)


def _worded(get: Getter, word: str, part: Part) -> Condition:
    if word == "is":
        return _is(get, part)
    if word == "not":
        inner = _is(get, part)
        return lambda scope: not inner(scope)
    if word == "present":
        wanted = part.flag("present")
        return lambda scope: (get(scope) not in (MISSING, None, "")) is wanted
    if word == "same":
        other = part.compiled(compile_path, "same")
        return lambda scope: _same(text_or_none(get(scope)), text_or_none(other(scope)))
    affixes = part.texts(word)
    if word == "begins":
        return lambda scope: (text_or_none(get(scope)) or "").startswith(affixes)
    return lambda scope: (text_or_none(get(scope)) or "").endswith(affixes)


def _same(left: str | None, right: str | None) -> bool:
    return left is not None and left == right


def _is(get: Getter, part: Part) -> Condition:
    """One value, or a list of which one must be there. `null` stands for missing or null."""
    wanted: set[str | None] = set()
    for item in part.items():
        value = item.value()
        if isinstance(value, dict | list):
            raise item.wrong("a condition compares with single values")
        wanted.add(text_or_none(value))
    if len(wanted) == 1:
        (only,) = wanted
        return lambda scope: text_or_none(get(scope)) == only
    return lambda scope: text_or_none(get(scope)) in wanted
