"""The answer to "why, or why not": clause by clause, and the first that stands in the way."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from rules.expressions.explaining import Part
from rules.language import Text

Code = Literal[
    "",
    "other_device",
    "disabled",
    "outside_schedule",
    "no_data",
    "unknown",
    "false",
    "samples",
    "learning",
    "usual",
    "figure",
    "gap",
    "hold",
    "count",
    "waiting",
    "sequence",
    "heard",
    "away",
    "together",
    "inhibited",
    "settling",
    "shelved",
    "already_open",
]
"""Why a clause stands in the way; docs/looking-back.md says what each means."""


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the judging. `word` is the rule's own word, `truth` None where it is not known.

    `code` says why it stands in the way, `said` tells it in both languages; `values` are the figures in it, durations
    in seconds; `parts` are the truths of its expression.
    """

    word: str
    truth: bool | None
    said: Text
    code: Code = ""
    values: dict[str, Any] = {}
    parts: tuple[Part, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Why a rule has, or has not, an alert for a device at a moment (wall time).

    `came` is whether its condition holds, or came at this very moment; `blocked` is the first clause that is not true,
    which for an alert that stands open already is that it does. `remembered_from` is from when on the engine's memory
    is complete.
    """

    rule: str
    device: str
    scope: str
    at: float
    came: bool
    blocked: Clause | None
    clauses: tuple[Clause, ...]
    alert: str | None = None
    remembered_from: float | None = None
    notes: tuple[Text, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For programs: JSON-able."""
        body: dict[str, Any] = msgspec.to_builtins(self)
        return body

    def text(self, language: str = "en") -> str:
        """For people, as a tree."""
        lines = [f"{self.rule} for {self.scope}"]
        for clause in self.clauses:
            mark = "<- " if clause == self.blocked else ""
            lines.append(f"  {_sign(clause.truth)} {clause.word}: {mark}{clause.said.get(language, clause.said['en'])}")
            for part in clause.parts:
                lines += _part_lines(part, 3)
        lines += [f"note: {note.get(language, note['en'])}" for note in self.notes]
        return "\n".join(lines)


def _part_lines(part: Part, depth: int) -> list[str]:
    told = ", ".join(f"{name} is {'missing' if value is None else repr(value)}" for name, value in part.values.items())
    lines = [f"{'  ' * depth}{_sign(part.truth)} {part.text}" + (f"   ({told})" if told else "")]
    for below in part.parts:
        lines += _part_lines(below, depth + 1)
    return lines


def _sign(truth: bool | None) -> str:
    return "?" if truth is None else "+" if truth else "-"
