"""Patrol and inspection rounds 巡逻/巡检: points with windows and an order; what is missed goes to the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from gateway.errors import Conflict, NotFound
from gateway.model import Actor, Event, PointState, Role, Round, RoundPoint
from gateway.services.arguments import NAME, Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.permission import demand, demand_sight
from gateway.services.schedule_book import ScheduleDefinition

WINDOW = "round.window"
CHECKIN, MISSED = "patrol.checkin", "patrol.missed"
#: The gateway's own device: it tells what no device of a point can.
SELF = "gateway"
#: The states of a round whose points may still be visited.
OPEN = ("running", "overdue")
_ENDED = (PointState.DONE, PointState.LATE)


class Rounds:
    """The rounds that are being walked, or whose missing points may still be made good."""

    def __init__(self, common: Common) -> None:
        self.running: dict[str, Round] = {}
        self._common = common

    def restore(self, rounds: Iterable[Round]) -> None:
        """Takes over the rounds that were not finished."""
        self.running = {one.id: one for one in rounds if one.state in OPEN}
        for one in self.running.values():
            self._set_timer(one)

    def begin(self, definition: ScheduleDefinition, planned: float, moment: Moment) -> str:
        """Begins a round; the one before, if it still runs, ends as it stands. The round's id."""
        for before in [one for one in self.running.values() if one.schedule == definition.id]:
            self._end(self._miss(before, moment, everything=True), moment, superseded=True)
        # A round that is begun late has its windows from now: nobody walks it in the past.
        points = tuple(
            RoundPoint(
                id=point.id,
                title=point.title,
                device=point.device,
                from_at=moment.wall + point.start,
                until_at=moment.wall + point.end,
                from_due=moment.now + point.start,
                until_due=moment.now + point.end,
            )
            for point in definition.points
        )
        one = Round(
            id=self._common.ids.next("rd"),
            schedule=definition.id,
            site=definition.site,
            title=definition.title,
            kind=definition.does,
            ordered=definition.ordered,
            started_at=moment.wall,
            points=points,
            version=0,
        )
        self._save(one, moment)
        return one.id

    # Visits

    def observe(self, event: Event, moment: Moment) -> None:
        """A check-in at a point: by the point's name, or by the device that stands there."""
        if event.kind != CHECKIN or event.late or event.replay:
            return
        by = str(event.data.get("person") or event.data.get("guard") or event.device)
        result, text = str(event.data.get("result") or "ok"), str(event.data.get("finding") or "")
        for one in list(self.running.values()):
            if one.site != event.site:
                continue
            point = self._waiting(one, event.data.get("point"), event.device, moment)
            if point is not None:
                self._visit(one, point, by, result, text, moment)

    def check(self, args: Arguments, actor: Actor, moment: Moment) -> Round:
        """`round.check{round, point, result?: ok|abnormal, text?}`: somebody was there, told by hand."""
        ident, name = args.ident("round"), args.text("point", NAME)
        result, text = args.choice("result", ("ok", "abnormal"), "ok"), args.maybe_text("text")
        args.end()
        one = self.running.get(ident)
        if one is None:
            raise NotFound("running round", ident)
        demand_sight(actor, one.site, "running round", ident)
        demand(actor, Role.OPERATOR, "checking a point")
        point = next((point for point in one.points if point.id == name), None)
        if point is None:
            raise NotFound("point of this round", name)
        if point.state in _ENDED:
            raise Conflict(f"point '{name}' was visited by {point.visited_by}")
        if moment.now < point.from_due:
            raise Conflict(f"point '{name}' is to be visited later: its window has not begun")
        moment.note(actor.name, "round.check", ident, point=name, result=result, text=text)
        return self._visit(one, point, actor.name, result, text, moment)

    def actions(self) -> dict[str, Callable[[Arguments, Actor, Moment], Any]]:
        """The actions it answers."""
        return {"round.check": self.check}

    def _waiting(self, one: Round, name: object, device: str, moment: Moment) -> RoundPoint | None:
        """The point that this check-in is for, of those that may be visited now."""
        for point in one.points:
            named = point.id == name if name else point.device == device
            if named and point.state not in _ENDED and moment.now >= point.from_due:
                return point
        return None

    def _visit(self, one: Round, point: RoundPoint, by: str, result: str, text: str, moment: Moment) -> Round:
        index = one.points.index(point)
        before = one.points[:index]
        in_order = not one.ordered or all(other.state is not PointState.WAITING for other in before)
        late = moment.now > point.until_due
        visited = replace(
            point,
            state=PointState.LATE if late else PointState.DONE,
            visited_at=moment.wall,
            visited_by=by,
            in_order=in_order,
            result=result,
            text=text,
        )
        self._tell(one, point, moment, missed=False, out_of_order=not in_order)
        one = replace(one, points=(*before, visited, *one.points[index + 1 :]))
        if all(other.state is not PointState.WAITING for other in one.points):
            return self._end(one, moment)
        return self._save(one, moment)

    # Windows

    def window_ended(self, ident: str, moment: Moment) -> None:
        """A window has closed: the points that nobody visited are missed."""
        one = self.running.get(ident)
        if one is None:
            return
        one = self._miss(one, moment)
        if all(point.state is not PointState.WAITING for point in one.points):
            self._end(one, moment)
        else:
            self._save(one, moment)

    def _miss(self, one: Round, moment: Moment, *, everything: bool = False) -> Round:
        points = []
        for point in one.points:
            if point.state is PointState.WAITING and (everything or point.until_due <= moment.now):
                self._tell(one, point, moment, missed=True)
                points.append(replace(point, state=PointState.MISSED))
            else:
                points.append(point)
        return replace(one, points=tuple(points))

    def _tell(self, one: Round, point: RoundPoint, moment: Moment, *, missed: bool, out_of_order: bool = False) -> None:
        """Tells the rules: they say whether an alert follows."""
        device = point.device if point.device in self._common.world.devices else SELF
        data = {
            "route": one.schedule,
            "point": f"{one.schedule}/{point.id}",
            "place": point.title.get("en", point.id),
            "missed": missed,
            "out_of_order": out_of_order,
        }
        moment.out.tell(str(device), MISSED, data, one.site)

    def _end(self, one: Round, moment: Moment, *, superseded: bool = False) -> Round:
        missed = any(point.state is PointState.MISSED for point in one.points)
        # What was missed may be made good until the next round begins.
        state = "finished" if not missed else "missed" if superseded else "overdue"
        return self._save(replace(one, state=state, finished_at=moment.wall), moment)

    def _save(self, one: Round, moment: Moment) -> Round:
        one = replace(one, version=one.version + 1)
        if one.state not in OPEN:
            self.running.pop(one.id, None)
        else:
            self.running[one.id] = one
        self._set_timer(one)
        moment.out.put(one)
        return one

    def _set_timer(self, one: Round) -> None:
        waiting = [point.until_due for point in one.points if point.state is PointState.WAITING]
        self._common.timers.set(WINDOW, one.id, min(waiting) if waiting and one.state == "running" else None)
