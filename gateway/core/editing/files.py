"""Plans, interlocks, schedules, teams, chains and channels: another edition of them is taken while the core runs.

A thread beside the core reads the files; what it made of them is offered here, and taken by an action through the door
like everything else. A refused file changes nothing; the rules are told, and so is the audit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gateway.core.journal import EventEntry
from gateway.core.pipeline import Pipeline
from gateway.core.sheet import Sheet
from gateway.errors import Forbidden, Invalid
from gateway.model import Action, AuditEntry
from gateway.services.books import Books, put_in_force
from gateway.services.desk import Desk
from gateway.services.moment import Moment
from gateway.services.templates import plain

TOLD = "gateway.files"
#: What is told of the mistakes of a file: the first, and how many there are.
_LONGEST = 300


class Offer(msgspec.Struct, frozen=True):
    """What was read. `then` is called on the core's thread when it is taken."""

    books: Books
    then: Callable[[], None] = lambda: None


class Files:
    """The actions `files.*`; the core's own alone."""

    def __init__(self, desk: Desk, pipeline: Pipeline) -> None:
        self.offered: dict[str, Offer] = {}
        """By part (`plans`, `teams`...): put here by the thread that reads, before it asks."""
        self.refused: dict[str, list[dict[str, Any]]] = {}
        """The parts whose newest edition is refused, each with everything wrong."""
        self._desk = desk
        self._pipeline = pipeline
        self._handlers = {"files.take": self._take, "files.refuse": self._refuse}

    @property
    def action_names(self) -> frozenset[str]:
        """The actions that are carried out here."""
        return frozenset(self._handlers)

    def carry_out(self, action: Action, sheet: Sheet) -> dict[str, Any]:
        """Does one. Raises `Forbidden` to whoever is not the core itself."""
        if action.actor.name != "system" or action.actor.sites:
            raise Forbidden("files are taken by the gateway itself: save them in its home")
        part = action.args.get("part")
        if not isinstance(part, str):
            raise Invalid("part", "is missing")
        self._handlers[action.name](part, action.args, sheet)
        return {"part": part}

    def _take(self, part: str, args: dict[str, Any], sheet: Sheet) -> None:
        """`files.take{part, files}`: the offered edition is in force."""
        offer = self.offered.pop(part, None)
        if offer is None:
            raise Invalid("part", f"nothing is offered for {part!r}")
        put_in_force(self._desk, offer.books, Moment(sheet.at, sheet.wall, sheet.changes))
        if offer.books.safety is not None:
            states = self._pipeline.states.devices.items()
            known = {device: {kind: told["data"] for kind, told in one.kinds.items()} for device, one in states}
            self._desk.know(known)
        offer.then()
        self.refused.pop(part, None)
        self._tell(part, "take", sheet, {"files": list(args.get("files") or ())[:20]}, refused=False)

    def _refuse(self, part: str, args: dict[str, Any], sheet: Sheet) -> None:
        """`files.refuse{part, problems}`: the edition before stays in force."""
        problems = [one for one in args.get("problems") or () if isinstance(one, dict)]
        self.refused[part] = problems
        first = str(problems[0].get("message", "")) if problems else ""
        place = f"{problems[0].get('file', '')}:{problems[0].get('line', '')}: " if problems else ""
        detail = plain(f"{place}{first}", _LONGEST)
        more = {"detail": detail, "problems": len(problems)}
        self._tell(part, "refuse", sheet, more, refused=True)

    def _tell(self, part: str, what: str, sheet: Sheet, detail: dict[str, Any], *, refused: bool) -> None:
        outcome = "refused" if refused else "done"
        sheet.changes.note(
            AuditEntry(
                time=sheet.wall, actor="system", action=f"files.{what}", target=part, outcome=outcome, detail=detail
            )
        )
        shown = {name: value for name, value in detail.items() if name in ("detail", "problems")}
        data = {"part": part, "refused": refused, **shown}
        self._pipeline.own(EventEntry(sheet.at, sheet.wall, TOLD, data), sheet)
