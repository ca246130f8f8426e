"""Plan files read with every mistake named: file, line, what is wrong, and what was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar

import msgspec
import yaml

from gateway.errors import GatehouseError
from gateway.services.command_words import WORDS
from gateway.services.plan_book import PlanBook, PlanDefinition
from rules.durations import parse_duration
from rules.errors import Problem

_PLAN_WORDS = ("id", "title", "advice", "scope", "steps")
_STEP_WORDS = ("id", "title", "advice", "role", "within", "after", "command")
_COMMAND_WORDS = ("name", "to", "args")
_SELECTOR_WORDS = ("device", "type", "scope")
_SCOPES = ("device", "building", "zone", "site")
_LANGUAGES = ("en", "zh")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MOST_NODES = 20_000

Path = tuple[str | int, ...]


class PlanBookError(GatehouseError):
    """Plans were refused, all together. `problems` lists everything wrong, in the order of the files."""

    code: ClassVar[str] = "plans_refused"
    status: ClassVar[int] = 422
    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        noun = "problem" if len(self.problems) == 1 else "problems"
        listing = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"plans refused, {len(self.problems)} {noun}; the running plans stay:\n{listing}",
            problems=[msgspec.to_builtins(problem) for problem in self.problems],
        )


def read_plans(texts: Mapping[str, str]) -> PlanBook:
    """The plans of all files, given as name and text: each file holds one plan or a list of them.

    Raises `PlanBookError` with every problem of every file.
    """
    problems: list[Problem] = []
    plans: list[PlanDefinition] = []
    owners: dict[str, str] = {}
    for file, text in texts.items():
        reader = _Reader(file, problems)
        before = len(problems)
        document = reader.load(text)
        several = isinstance(document, list)
        for number, plan in enumerate(document if several else [document]):
            path: Path = (number,) if several else ()
            reader.plan(plan, path)
            ident = plan.get("id") if isinstance(plan, dict) else None
            if isinstance(ident, str) and owners.setdefault(ident, file) is not file:
                reader.wrong((*path, "id"), f"plan '{ident}' is also in {owners[ident]}", ident)
            if len(problems) == before:
                try:
                    plans.append(msgspec.convert(plan, PlanDefinition))
                except msgspec.ValidationError as error:
                    reader.wrong(path, str(error))
    if problems:
        raise PlanBookError(problems)
    return PlanBook(plans)


class _Reader:
    """Checks one file, and turns durations into seconds on the way."""

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
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            return [] if node is None else self._value(node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            self._places[()] = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
            self.wrong((), f"this is not YAML: {error.problem or error.context}")
        except RecursionError:
            self.wrong((), "this cannot be read: it is nested too deeply")
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
        return yaml.safe_load(yaml.serialize(node)) if node.tag != "tag:yaml.org,2002:str" else node.value

    # The checks

    def plan(self, plan: Any, path: Path) -> None:
        """One plan."""
        if not self._words(plan, path, _PLAN_WORDS, ("id", "title", "steps")):
            return
        self._ident(plan.get("id"), (*path, "id"))
        self._texts(plan, path)
        scope = plan.get("scope", "device")
        if scope not in _SCOPES:
            self.wrong((*path, "scope"), f"'{scope}' is none of {', '.join(_SCOPES)}", scope, _SCOPES)
        steps = plan.get("steps")
        if not isinstance(steps, list) or not steps:
            self.wrong((*path, "steps"), "expected a list of steps")
            return
        for number, step in enumerate(steps):
            self._step(step, (*path, "steps", number))
        self._order([step for step in steps if isinstance(step, dict)], (*path, "steps"))

    def _step(self, step: Any, path: Path) -> None:
        if not self._words(step, path, _STEP_WORDS, ("id", "title")):
            return
        self._ident(step.get("id"), (*path, "id"))
        self._texts(step, path)
        if "within" in step:
            try:
                step["within"] = parse_duration(str(step["within"]))
            except ValueError as error:
                self.wrong((*path, "within"), str(error), step["within"])
        after = step.get("after", [])
        step["after"] = [after] if isinstance(after, str) else after
        if "command" in step:
            self._command(step["command"], (*path, "command"))
        else:
            for word, why in (("role", "who does it"), ("within", "how soon it must be done")):
                if word not in step:
                    self.wrong(path, f"a manual step needs '{word}': {why}")

    def _command(self, command: Any, path: Path) -> None:
        if not self._words(command, path, _COMMAND_WORDS, ("name", "to")):
            return
        if command["name"] not in WORDS:
            self.wrong((*path, "name"), f"'{command['name']}' is no command word", command["name"], WORDS)
        if not isinstance(command.get("args", {}), dict):
            self.wrong((*path, "args"), "expected names with values")
        to = command["to"]
        if not self._words(to, (*path, "to"), _SELECTOR_WORDS, ()):
            return
        if ("device" in to) == ("type" in to):
            self.wrong((*path, "to"), "expected either 'device' (self, or an id) or 'type' with 'scope'")
        if to.get("scope", "building") not in _SCOPES[1:]:
            self.wrong((*path, "to", "scope"), f"'{to['scope']}' is none of {', '.join(_SCOPES[1:])}", to["scope"])

    def _order(self, steps: list[dict[str, Any]], path: Path) -> None:
        """Ids are unique, `after` names earlier known steps, and no step waits for itself."""
        known = [str(step.get("id")) for step in steps]
        waits: dict[str, list[str]] = {}
        for number, step in enumerate(steps):
            ident = known[number]
            if known.index(ident) != number:
                self.wrong((*path, number, "id"), f"two steps are called '{ident}'", ident)
            after = step.get("after", [])
            if not isinstance(after, list):
                self.wrong((*path, number, "after"), "expected a step's id, or a list of them")
                continue
            waits[ident] = [str(other) for other in after]
            for other in waits[ident]:
                if other not in known:
                    self.wrong((*path, number, "after"), f"there is no step '{other}'", other, known)
        ready: set[str] = set()
        while grown := {ident for ident in waits if ident not in ready and set(waits[ident]) <= ready}:
            ready |= grown
        stuck = sorted(ident for ident in waits if ident not in ready and set(waits[ident]) <= set(known))
        if stuck:
            self.wrong((*path, known.index(stuck[0]), "after"), f"steps wait for each other: {', '.join(stuck)}")

    def _words(self, value: Any, path: Path, known: tuple[str, ...], needed: tuple[str, ...]) -> bool:
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

    def _ident(self, value: Any, path: Path) -> None:
        if not isinstance(value, str) or not _ID.fullmatch(value):
            self.wrong(path, f"'{value}' is no id: small letters, digits, '-' and '_'", value)

    def _texts(self, owner: dict[str, Any], path: Path) -> None:
        for word in ("title", "advice"):
            texts = owner.get(word)
            if texts is None:
                continue
            if (
                not isinstance(texts, dict)
                or set(texts) != set(_LANGUAGES)
                or not all(isinstance(text, str) and text.strip() for text in texts.values())
            ):
                self.wrong((*path, word), f"expected {word} in both languages: {{en: ..., zh: ...}}")


class _TooMuchError(Exception):
    """The document unfolds to more than a plan can be."""
