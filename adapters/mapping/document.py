"""A mapping file as a tree that knows its lines, so that every complaint names the place and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

import yaml
from yaml.constructor import SafeConstructor

from gateway.errors import GatehouseError
from gateway.nesting import compose

T = TypeVar("T")


class MappingError(GatehouseError):
    """A mapping file is wrong: file, line, column, what, and what was probably meant."""

    code = "mapping"
    exit_code = 2

    def __init__(self, file: str, line: int, column: int, reason: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {reason}", file=file, line=line, column=column, reason=reason)
        self.file, self.line, self.column, self.reason = file, line, column, reason


class Part:
    """One node of the file: a mapping, a list or a scalar, with its place."""

    def __init__(self, node: yaml.Node, file: str, constructor: SafeConstructor) -> None:
        self._node = node
        self._file = file
        self._constructor = constructor

    def wrong(self, reason: str) -> MappingError:
        """The error that says `reason` of this place."""
        mark = self._node.start_mark
        return MappingError(self._file, mark.line + 1, mark.column + 1, reason)

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether this is a list."""
        return isinstance(self._node, yaml.SequenceNode)

    def value(self) -> Any:
        """The plain value, with all that is in it."""
        try:
            return self._constructor.construct_object(self._node, deep=True)
        except yaml.YAMLError as error:
            raise self.wrong(f"not plain YAML: {getattr(error, 'problem', None) or error}") from None

    def items(self) -> list[Part]:
        """The parts of a list; a single value stands for a list of one."""
        if isinstance(self._node, yaml.SequenceNode):
            return [self._child(node) for node in self._node.value]
        return [self]

    def pairs(self) -> Iterator[tuple[str, Part, Part]]:
        """Key as text, key and value of a mapping, in order. Keys may be numbers or flags in YAML's eyes."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.wrong("expected a mapping (word: value)")
        seen: set[str] = set()
        for key, inner in self._node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._child(key).wrong("expected a word before the colon")
            # The text as written: YAML would read `on`, `1` and `null` as something else.
            text = str(key.value)
            if text in seen:
                raise self._child(key).wrong(f"{text!r} stands here twice")
            seen.add(text)
            yield text, self._child(key), self._child(inner)

    def words(self, known: Iterable[str], what: str) -> dict[str, Part]:
        """The entries of a mapping whose words must all be `known`; an unknown one is refused with a suggestion."""
        known = tuple(known)
        found: dict[str, Part] = {}
        for word, key, inner in self.pairs():
            if word not in known:
                close = get_close_matches(word, known, n=1, cutoff=0.5)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
                raise key.wrong(f"unknown word {word!r} in {what}; {hint}")
            found[word] = inner
        return found

    def text(self, what: str) -> str:
        """A text that is not empty."""
        value = self.value()
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{what}: expected a text, got {value!r}")
        return value

    def texts(self, what: str) -> tuple[str, ...]:
        """One text or a list of them."""
        return tuple(part.text(what) for part in self.items())

    def flag(self, what: str) -> bool:
        """True or false."""
        value = self.value()
        if not isinstance(value, bool):
            raise self.wrong(f"{what}: expected true or false, got {value!r}")
        return value

    def number(self, what: str) -> float:
        """A number."""
        value = self.value()
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(f"{what}: expected a number, got {value!r}")
        return value

    def choice(self, what: str, allowed: Iterable[str]) -> str:
        """One of the allowed words."""
        allowed = tuple(allowed)
        value = self.value()
        if value not in allowed:
            close = get_close_matches(str(value), allowed, n=1, cutoff=0.5)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise self.wrong(f"{what}: {value!r} is not one of {', '.join(allowed)}{hint}")
        return str(value)

    def titles(self, what: str) -> dict[str, str]:
        """Texts by language."""
        return {language: inner.text(what) for language, _, inner in self.pairs()}

    def compiled(self, build: Callable[[str], T], what: str) -> T:
        """`build(text)`, its `ValueError` told with this place."""
        text = self.text(what)
        try:
            return build(text)
        except ValueError as error:
            raise self.wrong(f"{what}: {error}") from None

    def _child(self, node: yaml.Node) -> Part:
        return Part(node, self._file, self._constructor)


def read_document(text: str, file: str) -> Part:
    """The root of a YAML file. Raises `MappingError` where it is no YAML or empty."""
    try:
        node = compose(text)
    except yaml.MarkedYAMLError as error:
        mark, lines = error.problem_mark, text.splitlines() or [""]
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if line > len(lines):
            # What is not closed at the end of the text is told of its last line.
            line, column = len(lines), len(lines[-1]) + 1
        hint = " (put texts with braces in quotes)" if "{" in lines[line - 1][:column] else ""
        raise MappingError(file, line, column, f"not YAML: {error.problem or error}{hint}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise MappingError(file, line, 1, f"not YAML: {error.reason}") from None
    if node is None:
        raise MappingError(file, 1, 1, "the file is empty")
    return Part(node, file, SafeConstructor())
