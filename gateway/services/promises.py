"""An order's promises on both clocks: told in wall time, kept on the steady clock, counted in working time."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.model import OrderPause, WorkOrder
from gateway.services.moment import Moment
from gateway.services.teams import TeamBook
from gateway.services.working_time import Workdays, WorkingTime, weekdays, zone_of
from gateway.services.world import World

#: Promises this short are kept at night too: who answers within minutes is on duty.
URGENT = 900.0


class Promises:
    """Sets, stops and moves deadlines. A step of the wall clock neither shortens nor lengthens one that is set."""

    def __init__(self, world: World, teams: TeamBook, workdays: Workdays = weekdays) -> None:
        self._world = world
        self.teams = teams
        self._workdays = workdays

    def working_time(self, order: WorkOrder) -> WorkingTime:
        """The clock of the order's team at its site."""
        site = self._world.sites.get(order.site)
        zone = zone_of(site.timezone if site is not None else "UTC")
        return WorkingTime(self.teams.hours(order.team), zone, self._workdays)

    def promised(self, order: WorkOrder, moment: Moment) -> WorkOrder:
        """The order with its deadlines counted from now, out of its `…_within`.

        What is critical, and whatever is promised within minutes, is promised round the clock.
        """
        respond_by, respond_due = self._due(order, order.respond_within, moment)
        answer_by, answer_due = self._due(order, order.answer_within, moment)
        resolve_by, resolve_due = self._due(order, order.resolve_within, moment)
        return replace(
            order,
            respond_by=respond_by,
            respond_due=respond_due,
            answer_by=answer_by,
            answer_due=answer_due,
            resolve_by=resolve_by,
            resolve_due=resolve_due,
        )

    def resolve_at(self, order: WorkOrder, wall: float, moment: Moment) -> WorkOrder:
        """The order with another deadline to resolve it, given in wall time."""
        return replace(
            order, resolve_by=wall, resolve_due=moment.now + (wall - moment.wall), resolve_overdue=wall <= moment.wall
        )

    def left(self, order: WorkOrder, moment: Moment) -> float | None:
        """The working time left to resolve it, negative where it is late; None without such a promise."""
        if order.resolve_due is None:
            return None
        by = moment.wall + (order.resolve_due - moment.now)
        return self.working_time(order).between(moment.wall, by)

    def paused(self, order: WorkOrder, pause: OrderPause) -> WorkOrder:
        """The order with its clock stopped: nothing comes due meanwhile."""
        return replace(order, pause=pause, resolve_by=None, resolve_due=None)

    def resumed(self, order: WorkOrder, moment: Moment) -> WorkOrder:
        """The order with what was left of its working time before it again."""
        left = order.pause.left_s if order.pause is not None else None
        order = replace(order, pause=None)
        if left is None:
            return order
        wall = self.working_time(order).add(moment.wall, left) if left > 0 else moment.wall + left
        return replace(order, resolve_by=wall, resolve_due=moment.now + (wall - moment.wall))

    def _due(self, order: WorkOrder, seconds: float | None, moment: Moment) -> tuple[float | None, float | None]:
        if seconds is None:
            return None, None
        wall = self._by(order, seconds, moment.wall)
        return wall, moment.now + (wall - moment.wall)

    def _by(self, order: WorkOrder, seconds: float, wall: float) -> float:
        urgent = seconds <= URGENT or order.priority == "critical"
        return wall + seconds if urgent else self.working_time(order).add(wall, seconds)
