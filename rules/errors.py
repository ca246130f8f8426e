"""What is wrong with a pack: every problem with its place, the offending text and a suggestion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from gateway.errors import GatehouseError


class Problem(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing wrong in a pack. `line` and `column` count from 1; `text` is the offending text as it stands there."""

    file: str
    line: int
    column: int
    message: str
    text: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        hint = f"; {self.suggestion}" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class PackError(GatehouseError):
    """A pack was refused whole. `problems` lists everything wrong with it, in the order of the file."""

    code: ClassVar[str] = "pack_refused"
    status: ClassVar[int] = 422
    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        listing = "\n".join(f"  {problem}" for problem in self.problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(
            f"rules refused, {len(self.problems)} {noun}; the running rules stay:\n{listing}",
            problems=[msgspec.to_builtins(problem) for problem in self.problems],
        )
