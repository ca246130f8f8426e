"""YAML read with the line of each part remembered, so that every mistake is told with file, line and what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from gateway.nesting import TooDeepError, compose
from rules.durations import parse_duration
from rules.errors import Problem

_LANGUAGES = ("en", "zh")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MOST_NODES = 20_000

Path = tuple[str | int, ...]


class Document:
    """One file under examination. `problems` is shared by all files of a kind."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._places: dict[Path, tuple[int, int]] = {}
        self._nodes = 0

    def wrong(self, path: Path, message: str, text: object = "", known: Iterable[str] = ()) -> None:
        """Notes a problem at the nearest place that is known."""
        place = path
        while place and place not in self._places:
            place = place[:-1]
        line, column = self._places.get(place, (1, 1))
        close = get_close_matches(str(text), list(known), n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else ""
        self._problems.append(
            Problem(file=self._file, line=line, column=column, message=message, text=str(text)[:80], suggestion=hint)
        )

    # From text to plain data

    def load(self, text: str) -> Any:
        """The document as lists, dicts and scalars, with the line of each remembered; [] where it is no YAML."""
        try:
            node = compose(text)
            return [] if node is None else self._value(node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            self._places[()] = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
            what = "this cannot be read: it is" if isinstance(error, TooDeepError) else "this is not YAML:"
            self.wrong((), f"{what} {error.problem or error.context}")
        except (yaml.YAMLError, _TooMuchError) as error:
            self.wrong((), f"this cannot be read: {error}")
        return []

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _TooMuchError(f"it has more than {_MOST_NODES} parts")
        self._places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.startswith("tag:yaml.org,2002:python"):
            self.wrong(path, f"the tag '{node.tag}' means nothing here", node.tag)
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self._value(child, (*path, number)) for number, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            result: dict[str, Any] = {}
            for key_node, child in node.value:
                key = str(key_node.value)
                if key in result:
                    self.wrong((*path, key), f"'{key}' stands here twice", key)
                result[key] = self._value(child, (*path, key))
                self._places[*path, key] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            return result
        return SafeConstructor().construct_object(node) if node.tag != "tag:yaml.org,2002:str" else node.value

    # What many documents have

    def words(self, value: Any, path: Path, known: tuple[str, ...], needed: tuple[str, ...]) -> bool:
        """Whether `value` is a mapping of known words with all the needed ones."""
        if not isinstance(value, dict):
            self.wrong(path, f"expected {', '.join(known)}, got {str(value)[:40]!r}")
            return False
        for word in value:
            if word not in known:
                self.wrong((*path, word), f"'{word}' is not a word here", word, known)
        missing = [word for word in needed if word not in value]
        for word in missing:
            self.wrong(path, f"'{word}' is missing")
        return not missing

    def ident(self, value: Any, path: Path) -> None:
        """An id."""
        if not isinstance(value, str) or not _ID.fullmatch(value):
            self.wrong(path, f"'{value}' is no id: small letters, digits, '-' and '_'", value)

    def texts(self, owner: dict[str, Any], path: Path, names: tuple[str, ...]) -> None:
        """The named texts, where they are given, are there in both languages."""
        for word in names:
            texts = owner.get(word)
            if texts is None:
                continue
            if (
                not isinstance(texts, dict)
                or set(texts) != set(_LANGUAGES)
                or not all(isinstance(text, str) and text.strip() for text in texts.values())
            ):
                self.wrong((*path, word), f"expected {word} in both languages: {{en: ..., zh: ...}}")

    def duration(self, owner: dict[str, Any], word: str, path: Path) -> None:
        """Turns `owner[word]`, where it is given, into seconds."""
        if word not in owner:
            return
        try:
            owner[word] = parse_duration(str(owner[word]))
        except ValueError as error:
            self.wrong((*path, word), str(error), owner[word])


class _TooMuchError(Exception):
    """The document unfolds to more than such a file can be."""
