"""Shifts 班次: who has the desk, what they noted, and how it goes to the next: handed over, signed by both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from gateway.errors import Conflict, NotFound
from gateway.model import Actor, Comment, Handover, Role, Shift, ShiftState
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.handover import HandoverFiller
from gateway.services.moment import Moment, rfc3339
from gateway.services.permission import demand, demand_fresh, demand_sight

_NOTES_KEPT = 500
_NAMED = 20


class Shifts:
    """The shifts that are not closed: at most one a desk. All actions need the operator's role."""

    def __init__(self, common: Common, filler: HandoverFiller) -> None:
        self.open: dict[str, Shift] = {}
        self._common = common
        self._filler = filler

    def restore(self, shifts: Iterable[Shift]) -> None:
        """Takes over the stored shifts that are not closed."""
        self.open = {shift.id: shift for shift in shifts if shift.state is not ShiftState.CLOSED}

    def at(self, site: str, desk: str | None = None) -> list[Shift]:
        """The open shifts of a site, or of one of its desks."""
        return [one for one in self.open.values() if one.site == site and desk in (None, one.desk)]

    # Actions

    def take_over(self, args: Arguments, actor: Actor, moment: Moment) -> Shift:
        """`shift.take_over{site, desk?, note?}`: begins a shift at a desk that nobody has."""
        site, desk = args.ident("site"), args.maybe_ident("desk") or "main"
        note = args.maybe_text("note")
        args.end()
        self._common.world.site(site, actor)
        demand(actor, Role.OPERATOR, "taking over a shift")
        for shift in self.at(site, desk):
            since = rfc3339(shift.started_at)
            if shift.operator == actor.name:
                raise Conflict(f"you have the desk '{desk}' since {since}", shift=shift.id, by=shift.operator)
            how = (
                "sign the hand-over they prepared"
                if shift.state is ShiftState.HANDOVER
                else "they hand it over, or an engineer signs in their place"
            )
            raise Conflict(
                f"{shift.operator} has the desk '{desk}' since {since}: {how}", shift=shift.id, by=shift.operator
            )
        return self._begin(Shift(id="", site=site, desk=desk, operator=actor.name), note, moment)

    def _begin(self, draft: Shift, note: str, moment: Moment) -> Shift:
        shift = replace(draft, id=self._common.ids.next("sh"), started_at=moment.wall)
        moment.note(shift.operator, "shift.take_over", shift.id, site=shift.site, desk=shift.desk, before=shift.before)
        return self._save(_noted(shift, shift.operator, note, moment), moment)

    def note(self, args: Arguments, actor: Actor, moment: Moment) -> Shift:
        """`shift.note{shift, text}`: a line of the shift log."""
        ident, text = args.ident("shift"), args.text("text")
        args.end()
        shift = self._find(ident, actor)
        shift = _noted(shift, actor.name, text, moment)
        moment.note(actor.name, "shift.note", ident, text=text)
        return self._save(replace(shift, version=shift.version + 1), moment)

    def handover(self, args: Arguments, actor: Actor, moment: Moment) -> Shift:
        """`shift.handover{shift, notes?, reason?, version?}`: who leaves signs what stands open.

        Refused while a critical alert is unacknowledged. An engineer signs in the place of somebody who is not there,
        with a reason. Signing again, before the next shift has, makes the list anew.
        """
        ident, notes, reason = args.ident("shift"), args.maybe_text("notes"), args.maybe_text("reason", 300)
        version = args.version()
        args.end()
        shift = self._find(ident, actor)
        demand_fresh("shift", ident, shift.version, version)
        absent = ""
        if actor.name != shift.operator:
            demand(actor, Role.ENGINEER, f"signing in the place of {shift.operator}")
            if not reason:
                raise Conflict(f"{shift.operator} has this shift: say in 'reason' why you sign in their place")
            absent = shift.operator
        self._demand_seen(shift.site)
        handover = Handover(
            chapters=self._filler.fill(shift.site),
            notes=notes,
            signed_by=actor.name,
            signed_at=moment.wall,
            in_place_of=absent,
            reason=reason if absent else "",
        )
        moment.note(
            actor.name, "shift.handover", ident, in_place_of=absent, reason=handover.reason,
            open={chapter.name: chapter.total for chapter in handover.chapters if chapter.total},
        )  # fmt: skip
        shift = replace(shift, state=ShiftState.HANDOVER, handover=handover, version=shift.version + 1)
        return self._save(shift, moment)

    def withdraw(self, args: Arguments, actor: Actor, moment: Moment) -> Shift:
        """`shift.withdraw{shift}`: who signed stays at the desk after all."""
        ident = args.ident("shift")
        args.end()
        shift = self._find(ident, actor)
        if shift.state is not ShiftState.HANDOVER or shift.handover is None:
            raise Conflict(f"shift '{ident}' was not handed over")
        if actor.name not in (shift.operator, shift.handover.signed_by):
            raise Conflict(f"{shift.handover.signed_by} signed this hand-over, and takes it back")
        moment.note(actor.name, "shift.withdraw", ident)
        shift = replace(shift, state=ShiftState.OPEN, handover=None, version=shift.version + 1)
        return self._save(shift, moment)

    def accept(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`shift.accept{shift, note?, version?}`: the second signature ends the shift and begins the next."""
        ident, note, version = args.ident("shift"), args.maybe_text("note"), args.version()
        args.end()
        shift = self._find(ident, actor)
        demand_fresh("shift", ident, shift.version, version)
        handover = shift.handover
        if shift.state is not ShiftState.HANDOVER or handover is None:
            raise Conflict(f"{shift.operator} has not signed the hand-over of shift '{ident}' yet")
        if actor.name in (handover.signed_by, shift.operator):
            raise Conflict("a hand-over is signed by two people: the next shift signs here")
        self._demand_seen(shift.site)
        following = self._begin(
            Shift(id="", site=shift.site, desk=shift.desk, operator=actor.name, before=shift.id), note, moment
        )
        handover = replace(
            handover,
            accepted_by=actor.name,
            accepted_at=moment.wall,
            since=self._filler.raised_since(shift.site, handover),
        )
        ended = replace(
            shift,
            state=ShiftState.CLOSED,
            ended_at=moment.wall,
            handover=handover,
            after=following.id,
            version=shift.version + 1,
        )
        moment.note(actor.name, "shift.accept", ident, after=following.id)
        self._save(ended, moment)
        return {"shift": ended.id, "next": following.id}

    def _demand_seen(self, site: str) -> None:
        blocking = self._filler.blocking(site)
        if not blocking:
            return
        named = ", ".join(
            f"{alert.id} ({alert.title.get('en') or next(iter(alert.title.values()), alert.rule)})"
            for alert in blocking[:_NAMED]
        )
        count = "1 critical alert is" if len(blocking) == 1 else f"{len(blocking)} critical alerts are"
        raise Conflict(
            f"{count} not acknowledged, so nothing is handed over: {named}",
            alerts=[alert.id for alert in blocking[:_NAMED]],
        )

    def _find(self, ident: str, actor: Actor) -> Shift:
        shift = self.open.get(ident)
        if shift is None:
            raise NotFound("open shift", ident)
        demand_sight(actor, shift.site, "open shift", ident)
        demand(actor, Role.OPERATOR, "keeping the shift log")
        return shift

    def _save(self, shift: Shift, moment: Moment) -> Shift:
        if shift.state is ShiftState.CLOSED:
            self.open.pop(shift.id, None)
        else:
            self.open[shift.id] = shift
        moment.out.put(shift)
        return shift


def _noted(shift: Shift, by: str, text: str, moment: Moment) -> Shift:
    if not text:
        return shift
    return replace(shift, notes=(*shift.notes, Comment(by, moment.wall, text))[-_NOTES_KEPT:])
