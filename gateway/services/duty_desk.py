"""The part of the desk that is about people: who is on duty, and the shifts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gateway.model import Actor, Person, Roster, Shift
from gateway.model.changes import Record
from gateway.services.alerts import Alerts
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.handover import HandoverFiller
from gateway.services.moment import Moment
from gateway.services.people import People, PeopleActions
from gateway.services.plans import PlanRuns
from gateway.services.shifts import Shifts

Handler = Callable[[Arguments, Actor, Moment], Record | dict[str, Any]]


class DutyDesk:
    """People, rosters and shifts of all sites."""

    def __init__(self, common: Common, alerts: Alerts, plans: PlanRuns) -> None:
        self._common = common
        self.people = People(common)
        self.handover = HandoverFiller(common.world, alerts, plans, lambda site: ())
        self.shifts = Shifts(common, self.handover)

    def actions(self) -> dict[str, Handler]:
        """The actions it answers."""
        people, shifts = PeopleActions(self.people, self._common), self.shifts
        return {
            "person.put": people.put_person,
            "person.remove": people.remove_person,
            "roster.put": people.put_roster,
            "roster.cover": people.cover,
            "roster.remove": people.remove_roster,
            "shift.take_over": shifts.take_over,
            "shift.note": shifts.note,
            "shift.handover": shifts.handover,
            "shift.withdraw": shifts.withdraw,
            "shift.accept": shifts.accept,
        }

    def restore(
        self, *, people: Iterable[Person] = (), rosters: Iterable[Roster] = (), shifts: Iterable[Shift] = ()
    ) -> None:
        """Takes over what is stored."""
        self.people.restore(people, rosters)
        self.shifts.restore(shifts)
