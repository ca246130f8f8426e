"""Escalation: level by level until somebody has acknowledged or taken the alert. The alert says where it stands.

Levels are due by the steady clock, counted from the instant at which the escalation began: a step of the wall clock
moves none, and a restart tells those that came due meanwhile, in their order. Shelved, suppressed and folded alerts do
not escalate; when they are back, they begin anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec.structs import replace

from gateway.model import Alert, AlertState, Call, Escalation, Notification, NotificationState, Person
from gateway.services.alerts import Alerts
from gateway.services.chains import Chain, EscalationBook, Level, Target
from gateway.services.common import Common
from gateway.services.messages import alert_message
from gateway.services.moment import Moment
from gateway.services.notifications import Notifications
from gateway.services.people import People
from gateway.services.shifts import Shifts

ESCALATE = "alert.escalate"
_TOLD_KEPT = 50
_RUNNING, _STOPPED, _EXHAUSTED = "running", "stopped", "exhausted"


class Escalations:
    """Watches every alert that is saved, and owns the timers of those that escalate."""

    def __init__(
        self, common: Common, alerts: Alerts, people: People, shifts: Shifts, notifications: Notifications,
        book: EscalationBook,
    ) -> None:  # fmt: skip
        self.book = book
        self._common = common
        self._alerts = alerts
        self._people = people
        self._shifts = shifts
        self._notifications = notifications

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Sets the timers of stored alerts."""
        for alert in alerts:
            escalation = alert.escalation
            if alert.state is not AlertState.CLOSED and escalation is not None and escalation.state == _RUNNING:
                self._common.timers.set(ESCALATE, alert.id, escalation.next_due)

    def recover(self, moment: Moment) -> None:
        """Once after a restart: repetitions that came due while nothing ran are one, as nobody could have answered."""
        for alert in self._alerts.open.values():
            escalation = alert.escalation
            chain = self.book.chains.get(escalation.chain) if escalation is not None else None
            if escalation is None or chain is None or chain.repeat is None or escalation.state != _RUNNING:
                continue
            due = escalation.next_due
            if due is not None and escalation.level >= len(chain.levels) and moment.now - due >= chain.repeat:
                due += chain.repeat * math.floor((moment.now - due) / chain.repeat)
                self._alerts.open[alert.id] = replace(alert, escalation=replace(escalation, next_due=due))
                self._common.timers.set(ESCALATE, alert.id, due)

    def watch(self, alert: Alert, moment: Moment) -> Alert:
        """The alert, about to be saved, with its escalation begun, resumed or stopped as its state demands."""
        escalation = alert.escalation
        if escalation is None:
            return alert if self._halted(alert, None) else self._begin(alert, (), moment)
        halted = self._halted(alert, self.book.chains.get(escalation.chain))
        if halted and escalation.state != _STOPPED:
            self._common.timers.set(ESCALATE, alert.id, None)
            return replace(alert, escalation=replace(escalation, state=_STOPPED, stopped_by=halted, next_at=None))
        if halted or escalation.state != _STOPPED:
            return alert
        if escalation.stopped_by == "returned" and escalation.next_due is not None:
            # It comes and goes, and nobody has acknowledged it since: its three minutes run on.
            return self._wait(alert, replace(escalation, state=_RUNNING, stopped_by=""), moment)
        return self._begin(alert, escalation.told, moment)

    @staticmethod
    def _halted(alert: Alert, chain: Chain | None) -> str:
        """Why the alert does not escalate; empty where it does."""
        if alert.state is AlertState.CLOSED:
            return "closed"
        if alert.state is AlertState.ACKNOWLEDGED:
            return "acknowledged"
        if alert.owner is not None:
            return "taken"
        if alert.shelving is not None:
            return alert.shelving.kind
        if alert.parent is not None:
            return "folded"
        if alert.state is AlertState.RETURNED and chain is not None and chain.on_return == "stop":
            return "returned"
        return ""

    def _begin(self, alert: Alert, told: tuple[Call, ...], moment: Moment) -> Alert:
        chain = self._choose(alert, moment)
        if chain is None:
            return alert
        escalation = Escalation(
            chain=chain.id, levels=len(chain.levels), started_at=moment.wall, started_due=moment.now,
            next_due=moment.now + chain.levels[0].after, told=told,
        )  # fmt: skip
        if chain.levels[0].after > 0:
            return self._wait(alert, escalation, moment)
        return self._reach(replace(alert, escalation=escalation), escalation, chain, moment)

    def _choose(self, alert: Alert, moment: Moment) -> Chain | None:
        rule = self._alerts.rules.get(alert.rule)
        kinds = rule.kinds if rule is not None else ()
        systems = {kind.partition(".")[0] for kind in kinds} | {alert.rule.partition(".")[0]}
        device = self._common.world.devices.get(alert.device or "")
        places = {place for place in (alert.zone, alert.building) if place is not None}
        if device is not None:
            places |= set(self._common.world.places(device))
        return self.book.choose(alert, systems, places, moment.wall, self._people.timezone(alert.site))

    # Levels

    def due(self, ident: str, moment: Moment) -> None:
        """The timer of an alert that escalates."""
        alert = self._alerts.open.get(ident)
        escalation = alert.escalation if alert is not None else None
        if alert is None or escalation is None or escalation.state != _RUNNING:
            return
        chain = self.book.chains.get(escalation.chain)
        if chain is None:
            # The chain was taken out of the file meanwhile: the alert goes through the one that is for it now.
            alert = self._begin(replace(alert, escalation=None), escalation.told, moment)
            if alert.escalation is None:
                alert = replace(alert, escalation=replace(escalation, state=_EXHAUSTED, next_at=None, next_due=None))
        else:
            alert = self._reach(alert, escalation, chain, moment)
        self._alerts.save(replace(alert, version=alert.version + 1), moment, publish=False)

    def _reach(self, alert: Alert, escalation: Escalation, chain: Chain, moment: Moment) -> Alert:
        """The next level is due: those of it are told, and the one after it is awaited."""
        index = min(escalation.level, len(chain.levels) - 1)
        told = self._tell(alert, chain, index, moment)
        escalation = replace(
            escalation,
            level=index + 1,
            levels=len(chain.levels),
            told=(*escalation.told, told)[-_TOLD_KEPT:],
            next_due=self._following(escalation, chain, index, moment.now),
        )
        moment.note(
            "system", "alert.escalate", alert.id, chain=chain.id, level=index + 1, people=list(told.people),
            by=list(told.by), note=told.note,
        )  # fmt: skip
        if escalation.next_due is None:
            return replace(alert, escalation=replace(escalation, state=_EXHAUSTED, next_at=None))
        return self._wait(alert, escalation, moment)

    @staticmethod
    def _following(escalation: Escalation, chain: Chain, index: int, now: float) -> float | None:
        if index + 1 < len(chain.levels):
            return escalation.started_due + chain.levels[index + 1].after
        if chain.repeat is None:
            return None
        return (escalation.next_due if escalation.next_due is not None else now) + chain.repeat

    def _wait(self, alert: Alert, escalation: Escalation, moment: Moment) -> Alert:
        due = escalation.next_due if escalation.next_due is not None else moment.now
        self._common.timers.set(ESCALATE, alert.id, due)
        return replace(alert, escalation=replace(escalation, next_due=due, next_at=moment.wall + due - moment.now))

    def _tell(self, alert: Alert, chain: Chain, index: int, moment: Moment) -> Call:
        level = chain.levels[index]
        people, note = self.resolve(level, alert.site, moment.wall)
        zone = self._people.timezone(alert.site)
        title, text = alert_message(alert, index + 1, len(chain.levels), self._common.world, zone)
        draft = Notification(
            id="", site=alert.site, kind="alert", title=title, text=text, alert=alert.id,
            severity=str(alert.severity), chain=chain.id, level=index + 1,
        )  # fmt: skip
        settings = self._common.settings
        alone = self._alerts.belongs(alert.rule, settings.never_shelved, settings.grave_kinds)
        sent = self._notifications.tell(draft, [one.id for one in people], level.by, moment, alone=alone)
        reached = {name for one in sent if one.state is not NotificationState.FAILED for name in one.people}
        return Call(
            level=index + 1,
            told_at=moment.wall,
            people=tuple(one.id for one in people),
            by=tuple(dict.fromkeys(channel for one in sent for channel in one.channels)),
            note=note,
            missed=tuple(one.id for one in people if sent and one.id not in reached),
            ids=tuple(one.id for one in sent),
        )

    # Who

    def resolve(self, level: Level, site: str, wall: float) -> tuple[list[Person], str]:
        """The people of a level, and a note where they are not those it asks for: an empty desk is no end."""
        everybody = self._people.at(site)
        asked = [one for one in everybody if any(self._is_meant(one, target, site, wall) for target in level.tell)]
        if asked:
            return asked, ""
        off = [one for one in everybody if any(_belongs(one, target) for target in level.tell)]
        if off:
            return off, "off_duty"
        return (everybody, "everyone") if everybody else ([], "nobody")

    def _is_meant(self, person: Person, target: Target, site: str, wall: float) -> bool:
        if target.kind == "everyone":
            return True
        if target.kind == "user":
            return person.id == target.user
        if target.kind == "team":
            return _belongs(person, target)
        at_desk = any(shift.operator == f"user:{person.id}" for shift in self._shifts.at(site))
        if at_desk and _belongs(person, replace(target, kind="team"), at_desk=True):
            return True
        return any(
            duty.person == person.id
            and target.team in ("", duty.team)
            and (target.role in ("", duty.role) or target.role in person.roles)
            for duty in self._people.on_duty(site, wall)
        )


def _belongs(person: Person, target: Target, *, at_desk: bool = False) -> bool:
    """Whether the person is of the team and role that a target names; a target that names neither is for nobody."""
    if target.kind not in ("on_duty", "team") or not (target.team or target.role or at_desk):
        return False
    return (not target.team or target.team in person.teams) and (not target.role or target.role in person.roles)
