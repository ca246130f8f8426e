"""The part of the desk that is about people: who is on duty, the shifts, and who is told of what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gateway.model import Actor, Alert, Notification, Person, Roster, Shift
from gateway.model.changes import Record
from gateway.services.alerts import Alerts
from gateway.services.arguments import Arguments
from gateway.services.chains import EscalationBook
from gateway.services.common import Common
from gateway.services.escalations import ESCALATE, Escalations
from gateway.services.handover import HandoverFiller
from gateway.services.moment import Moment
from gateway.services.notification_actions import NotificationActions
from gateway.services.notifications import DIGEST, NOTIFY, Notifications
from gateway.services.people import People, PeopleActions
from gateway.services.plans import PlanRuns
from gateway.services.shifts import Shifts

Handler = Callable[[Arguments, Actor, Moment], Record | dict[str, Any]]


class DutyDesk:
    """People, rosters, shifts, escalation and messages of all sites."""

    def __init__(self, common: Common, alerts: Alerts, plans: PlanRuns, book: EscalationBook) -> None:
        self._common = common
        self.people = People(common)
        self.notifications = Notifications(common, self.people, book)
        self.handover = HandoverFiller(common.world, alerts, plans, self.notifications.failed)
        self.shifts = Shifts(common, self.handover)
        self.escalations = Escalations(common, alerts, self.people, self.shifts, self.notifications, book)
        alerts.watch = self.escalations.watch

    def may_own(self, site: str, account: str) -> bool:
        """Whether somebody can be given alerts of the site: of its people, or at its desk. Anybody if it has none."""
        people = self.people.at(site)
        at_desk = any(shift.operator == f"user:{account}" for shift in self.shifts.at(site))
        return not people or at_desk or any(one.id == account for one in people)

    def actions(self) -> dict[str, Handler]:
        """The actions it answers."""
        people, shifts = PeopleActions(self.people, self._common), self.shifts
        messages = NotificationActions(self.notifications, self.people, self._common)
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
            "notification.retry": messages.retry,
            "notification.test": messages.test,
            "notification.outcome": messages.outcome,
        }

    def timed(self) -> dict[str, Callable[[str, Moment], None]]:
        """What it does when something is due."""
        return {
            ESCALATE: self.escalations.due,
            NOTIFY: self.notifications.due,
            DIGEST: self.notifications.digest,
        }

    def restore(
        self,
        *,
        alerts: Iterable[Alert] = (),
        people: Iterable[Person] = (),
        rosters: Iterable[Roster] = (),
        shifts: Iterable[Shift] = (),
        notifications: Iterable[Notification] = (),
    ) -> None:
        """Takes over what is stored. `alerts` are those that may escalate."""
        self.people.restore(people, rosters)
        self.shifts.restore(shifts)
        self.notifications.restore(notifications)
        self.escalations.restore(alerts)

    def recover(self, moment: Moment) -> None:
        """Once after a restart: messages that were under way are handed out again."""
        self.notifications.recover(moment)
        self.escalations.recover(moment)
