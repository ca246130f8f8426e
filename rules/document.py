"""Reading YAML so that every mistake can be shown where it stands: nodes with places, a list that problems go to.

Packs are data. Tags, anchors and merges are refused, and so is a file of more than 2 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

import yaml

from gateway.nesting import Depth, Loader
from rules.durations import parse_duration
from rules.errors import Problem

LARGEST = 2_000_000
_PLAIN = "tag:yaml.org,2002:"


class Document:
    """One pack's text. Problems are collected in `problems`; nothing is raised."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Problem] = []
        self._lines = text.split("\n")
        self._read = False
        self._root: Node | None = None

    def root(self) -> Node | None:
        """The whole document, read once; None where it is empty or no YAML."""
        if not self._read:
            self._read, self._root = True, self._compose()
        return self._root

    def _compose(self) -> Node | None:
        if len(self.text) > LARGEST:
            self.note(1, 1, f"larger than {LARGEST:,} characters", suggestion="split the pack")
            return None
        try:
            depth = Depth()
            for event in yaml.parse(self.text, Loader=Loader):
                depth.see(event)
                if getattr(event, "anchor", None):
                    place = _place(event.start_mark)
                    self.note(*place, "anchors and aliases are not used", suggestion="write it out")
                    return None
            node = yaml.compose(self.text, Loader=Loader)
        except yaml.MarkedYAMLError as error:
            line, column = _place(error.problem_mark or error.context_mark)
            shown = self._lines[line - 1].strip() if line <= len(self._lines) else ""
            self.note(line, column, f"not YAML: {error.problem or error}", shown)
            return None
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            self.note(1, 1, f"not YAML: {str(error).splitlines()[0]}")
            return None
        return None if node is None else Node(self, node)

    def note(self, line: int, column: int, message: str, text: str = "", suggestion: str = "") -> None:
        """One more thing wrong."""
        shown = text if len(text) <= 80 else text[:79] + "…"
        self.problems.append(
            Problem(file=self.file, line=line, column=column, message=message, text=shown, suggestion=suggestion)
        )

    def find(self, text: str, node: yaml.Node) -> tuple[int, int]:
        """Where `text` first stands inside `node`, counting from 1; the node's own place where it cannot be found."""
        first, last = node.start_mark, node.end_mark
        for line in range(first.line, min(last.line, len(self._lines) - 1) + 1):
            column = self._lines[line].find(text, first.column if line == first.line else 0) if text else -1
            if column >= 0:
                return line + 1, column + 1
        return first.line + 1, first.column + 1


def _place(mark: Any) -> tuple[int, int]:
    """Line and column counting from 1, of a mark that may be missing."""
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


class Node:
    """One value of a document, with its place. Readers answer None where the value does not fit, after noting why."""

    def __init__(self, document: Document, node: yaml.Node) -> None:
        self.document = document
        self.node = node

    @property
    def line(self) -> int:
        """The line it stands on, counting from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def is_mapping(self) -> bool:
        """Whether it is words with values."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def shown(self) -> str:
        """How it stands there, if it is short."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else ""

    def problem(self, message: str, suggestion: str = "", text: str = "") -> None:
        """Something is wrong with it, or with the part of it that reads `text`."""
        line, column = self.document.find(text or self.shown, self.node)
        self.document.note(line, column, message, text or self.shown, suggestion)

    def words(self, known: Iterable[str], what: str) -> dict[str, Node]:
        """Its words with their values. Unknown and repeated ones are problems."""
        found: dict[str, Node] = {}
        if not isinstance(self.node, yaml.MappingNode):
            self.problem(f"{what} is written as words with values", "write `word: value`")
            return found
        names = list(known)
        for key, value in self.node.value:
            name = str(key.value)
            place = Node(self.document, key)
            if name in found:
                place.problem(f"'{name}' stands here twice")
            elif name not in names:
                close = get_close_matches(name, names, n=1, cutoff=0.6)
                hint = f"did you mean '{close[0]}'?" if close else f"{what} has {', '.join(names)}"
                place.problem(f"{what} has no word '{name}'", hint)
            else:
                found[name] = Node(self.document, value)
        return found

    def pairs(self, what: str) -> Iterator[tuple[Node, Node]]:
        """Its words and values, whatever the words are."""
        if not isinstance(self.node, yaml.MappingNode):
            self.problem(f"{what} is written as words with values", "write `word: value`")
            return
        for key, value in self.node.value:
            yield Node(self.document, key), Node(self.document, value)

    def items(self) -> list[Node]:
        """The items of a list; a single value is a list of one."""
        if isinstance(self.node, yaml.SequenceNode):
            return [Node(self.document, item) for item in self.node.value]
        return [self]

    def text(self, what: str) -> str | None:
        """A text, as it stands there."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.value == "":
            self.problem(f"{what} is a text")
            return None
        return str(self.node.value)

    def texts(self, what: str) -> tuple[str, ...]:
        """One text, or a list of them."""
        return tuple(text for item in self.items() if (text := item.text(what)) is not None)

    def one_of(self, choices: Iterable[str], what: str) -> str | None:
        """One of a few words."""
        word = self.text(what)
        names = list(choices)
        if word is None or word in names:
            return word
        close = get_close_matches(word, names, n=1, cutoff=0.5)
        self.problem(
            f"{what} is never '{word}'", f"did you mean '{close[0]}'?" if close else f"it is one of {', '.join(names)}"
        )
        return None

    def boolean(self, what: str) -> bool | None:
        """`true` or `false`."""
        value = self.plain()
        if isinstance(value, bool):
            return value
        self.problem(f"{what} is true or false")
        return None

    def whole(self, what: str, least: int, most: int) -> int | None:
        """A whole number between two others."""
        value = self.plain()
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.problem(f"{what} is a whole number from {least} to {most}")
        return None

    def number(self, what: str, least: float, most: float) -> float | None:
        """A number between two others."""
        value = self.plain()
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        self.problem(f"{what} is a number from {least:g} to {most:g}")
        return None

    def duration(self, what: str) -> float | None:
        """Seconds, from a duration like `30s`. `0s` is allowed where time is told, not where it passes."""
        text = self.text(what)
        if text is None:
            return None
        try:
            return parse_duration(text)
        except ValueError as error:
            self.problem(f"{what}: {error}")
            return None

    def plain(self) -> Any:
        """The value as Python data: text, number, truth, None, list or dict with texts as keys."""
        if self.is_mapping:
            return {str(key.node.value): value.plain() for key, value in self.pairs("it")}
        if self.is_list:
            return [item.plain() for item in self.items()]
        kind = self.node.tag.removeprefix(_PLAIN)
        if kind not in ("bool", "int", "float", "null", "str", "timestamp"):
            self.problem(f"tags are not used: {self.node.tag}")
            return None
        if kind in ("str", "timestamp"):
            return self.node.value
        try:
            return yaml.safe_load(self.node.value)
        except (yaml.YAMLError, ValueError):
            return self.node.value
