"""Plan files read with every mistake named: file, line, what is wrong, and what was perhaps meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from gateway.errors import GatehouseError
from gateway.services.command_words import WORDS
from gateway.services.document_reading import Document, Path
from gateway.services.plan_book import PlanBook, PlanDefinition
from rules.errors import Problem

PLAN_WORDS = ("id", "title", "advice", "scope", "escalate", "drill", "steps")
STEP_WORDS = ("id", "title", "advice", "role", "within", "after", "command", "ask", "if", "escalate")
_DRILL_WORDS = ("scenario", "watch")
_ESCALATION_WORDS = ("to", "after")
_ENDS = ("done", "failed", "skipped")
_COMMAND_WORDS = ("name", "to", "args")
_SELECTOR_WORDS = ("device", "type", "scope")
_SCOPES = ("device", "building", "zone", "site")


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


class _Reader(Document):
    """Checks one file of plans, and turns durations into seconds on the way."""

    def plan(self, plan: Any, path: Path) -> None:
        """One plan."""
        if not self.words(plan, path, PLAN_WORDS, ("id", "title", "steps")):
            return
        self.ident(plan.get("id"), (*path, "id"))
        self.texts(plan, path, ("title", "advice"))
        scope = plan.get("scope", "device")
        if scope not in _SCOPES:
            self.wrong((*path, "scope"), f"'{scope}' is none of {', '.join(_SCOPES)}", scope, _SCOPES)
        self._escalation(plan, path)
        if "drill" in plan and self.words(plan["drill"], (*path, "drill"), _DRILL_WORDS, ("scenario",)):
            self.texts(plan["drill"], (*path, "drill"), _DRILL_WORDS)
        steps = plan.get("steps")
        if not isinstance(steps, list) or not steps:
            self.wrong((*path, "steps"), "expected a list of steps")
            return
        for number, step in enumerate(steps):
            self._step(step, (*path, "steps", number))
        known = {str(step.get("id")): step for step in steps if isinstance(step, dict)}
        for number, step in enumerate(steps):
            if isinstance(step, dict) and "if" in step:
                self._branch(step, known, (*path, "steps", number, "if"))
        self._order([step for step in steps if isinstance(step, dict)], (*path, "steps"))

    def _step(self, step: Any, path: Path) -> None:
        if not self.words(step, path, STEP_WORDS, ("id", "title")):
            return
        self.ident(step.get("id"), (*path, "id"))
        self.texts(step, path, ("title", "advice"))
        self.duration(step, "within", path)
        after = step.get("after", [])
        step["after"] = [after] if isinstance(after, str) else after
        if "command" in step:
            self._command(step["command"], (*path, "command"))
        else:
            for word, why in (("role", "who does it"), ("within", "how soon it must be done")):
                if word not in step:
                    self.wrong(path, f"a manual step needs '{word}': {why}")

        self._escalation(step, path)
        if "ask" in step:
            self._ask(step, (*path, "ask"))

    def _escalation(self, owner: dict[str, Any], path: Path) -> None:
        """Who is told when a step is overdue, later ones later."""
        levels = owner.get("escalate", [])
        if not isinstance(levels, list):
            self.wrong((*path, "escalate"), "expected a list of {to: ROLE, after: 5m}")
            return
        last = 0.0
        for number, level in enumerate(levels):
            place = (*path, "escalate", number)
            if not self.words(level, place, _ESCALATION_WORDS, _ESCALATION_WORDS):
                continue
            self.duration(level, "after", place)
            if isinstance(level["after"], float):
                if level["after"] < last:
                    self.wrong((*place, "after"), "comes before the one above it", level["after"])
                last = level["after"]

    def _ask(self, step: dict[str, Any], path: Path) -> None:
        """A question: at least two answers, in both languages."""
        answers = step["ask"]
        if "command" in step:
            self.wrong(path, "an automatic step asks nothing")
        if not isinstance(answers, dict) or len(answers) < 2:
            self.wrong(path, "expected at least two answers: {ID: {en: ..., zh: ...}}")
            return
        self.texts(answers, path, tuple(answers))
        for answer in answers:
            self.ident(answer, (*path, answer))
            if answer in _ENDS:
                self.wrong((*path, answer), f"'{answer}' says how a step ended: call the answer something else", answer)

    def _branch(self, step: dict[str, Any], known: dict[str, Any], path: Path) -> None:
        """The answers or ends of other steps under which this one is needed."""
        if not isinstance(step["if"], dict) or not step["if"]:
            self.wrong(path, "expected the answer of an earlier step: {STEP: ANSWER}")
            step["if"] = {}
            return
        for ident, wanted in step["if"].items():
            words = [wanted] if isinstance(wanted, str) else wanted
            step["if"][ident] = words
            if ident not in known:
                self.wrong((*path, ident), f"there is no step '{ident}'", ident, known)
                continue
            answers = known[ident].get("ask", {})
            for word in words if isinstance(words, list) else [words]:
                if word not in _ENDS and word not in (answers if isinstance(answers, dict) else ()):
                    message = f"step '{ident}' has no answer '{word}'"
                    self.wrong((*path, ident), message, word, [*answers, *_ENDS])

    def _command(self, command: Any, path: Path) -> None:
        if not self.words(command, path, _COMMAND_WORDS, ("name", "to")):
            return
        if command["name"] not in WORDS:
            self.wrong((*path, "name"), f"'{command['name']}' is no command word", command["name"], WORDS)
        if not isinstance(command.get("args", {}), dict):
            self.wrong((*path, "args"), "expected names with values")
        to = command["to"]
        if not self.words(to, (*path, "to"), _SELECTOR_WORDS, ()):
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
            branch = step.get("if", {})
            waits[ident] = [*(str(other) for other in after), *(branch if isinstance(branch, dict) else ())]
            for other in waits[ident]:
                if other not in known:
                    self.wrong((*path, number, "after"), f"there is no step '{other}'", other, known)
        ready: set[str] = set()
        while grown := {ident for ident in waits if ident not in ready and set(waits[ident]) <= ready}:
            ready |= grown
        stuck = sorted(ident for ident in waits if ident not in ready and set(waits[ident]) <= set(known))
        if stuck:
            self.wrong((*path, known.index(stuck[0]), "after"), f"steps wait for each other: {', '.join(stuck)}")
