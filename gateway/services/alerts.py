"""Alerts after ISA-18.2 / IEC 62682: raised, repeated, returned, closed; chattering; shelved.

Two facts make the state: is the condition there (`active`), and has a person acknowledged it. A returned alert stays
until a named person acknowledges it (promise P6). A latched one stays until a person resets it by `alert.close`: it is
then `acknowledged` and not `active`. A momentary one has no end of its own, and closes when it is acknowledged.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from gateway.errors import NotFound
from gateway.model import (
    Alert,
    AlertState,
    Catalogue,
    Cleared,
    Comment,
    Evidence,
    Outgoing,
    Raised,
    Severity,
    Withheld,
)
from gateway.services.common import Common
from gateway.services.moment import Moment, rfc3339
from gateway.services.ports import RuleBook
from gateway.services.settings import matches
from gateway.services.templates import Templates, plain

#: What a raised condition was: the first of its alert, back after it had ended, or one more of the same.
Coming = Literal["new", "returned", "repeat"]

SHELVING = "alert.shelving"
CHATTER = "alert.chatter"

_UNACKNOWLEDGED = AlertState.UNACKNOWLEDGED
_ACKNOWLEDGED = AlertState.ACKNOWLEDGED
_RETURNED = AlertState.RETURNED
_CLOSED = AlertState.CLOSED


class Alerts:
    """All open alerts: at most one per rule and scope."""

    def __init__(self, common: Common, rules: RuleBook, catalogue: Catalogue) -> None:
        self.rules = rules
        self.watch: Callable[[Alert, Moment], Alert] = lambda alert, moment: alert
        """Looks at each alert before it is saved: the escalation, which lives in the alert."""
        self.cover: Callable[[Alert, Moment], Alert] = lambda alert, moment: alert
        """Looks at each before that: whether something takes it out of service."""
        self.open: dict[str, Alert] = {}
        self.closed: OrderedDict[str, Alert] = OrderedDict()
        self.on_closed: Callable[[Alert, Moment], None] = lambda alert, moment: None
        """Told of each alert that closes."""
        self._by_condition: dict[tuple[str, str], str] = {}
        self._world = common.world
        self._ids = common.ids
        self._settings = common.settings
        self._timers = common.timers
        self._templates = Templates(common.world, catalogue)
        self._periodic = frozenset(kind.name for kind in catalogue.kinds.values() if kind.interval > 0)

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Takes over stored alerts: open ones live on, closed ones are remembered for who was first."""
        self.open.clear()
        self.closed.clear()
        self._by_condition.clear()
        for alert in alerts:
            if alert.state is _CLOSED:
                self._remember(alert)
                continue
            self.open[alert.id] = alert
            self._by_condition[alert.rule, alert.scope] = alert.id
            if alert.shelving is not None and alert.shelving.outage is None:
                self._timers.set(SHELVING, alert.id, alert.shelving.until_due)
            if alert.chattering:
                self._timers.set(CHATTER, alert.id, self._calm_due(alert))

    def get(self, ident: str) -> Alert:
        """An open alert, or one closed lately. Raises `NotFound`."""
        alert = self.open.get(ident) or self.closed.get(ident)
        if alert is None:
            raise NotFound("open alert", ident)
        return alert

    def of(self, rule: str, scope: str) -> Alert | None:
        """The open alert of that condition."""
        ident = self._by_condition.get((rule, scope))
        return None if ident is None else self.open[ident]

    def holds(self, rule: str | None, scope: str | None) -> bool:
        """Whether the condition of that rule and scope is there now; an occurrence is over when it is told."""
        alert = self.of(rule or "", scope or "")
        return alert is not None and alert.active and not alert.momentary

    def fire(self, site: str) -> Alert | None:
        """An open fire alert of the site: one that has not been reset."""
        for alert in self.open.values():
            if alert.site == site and self.belongs(alert.rule, self._settings.fire_rules, ("fire.alarm",)):
                return alert
        return None

    def standing(self, site: str, patterns: tuple[str, ...]) -> Alert | None:
        """An open alert of the site whose rule fits one of the patterns."""
        return next((one for one in self.open.values() if one.site == site and matches(one.rule, patterns)), None)

    def never_shelved(self, rule: str) -> bool:
        """Whether the rule's alerts are of fire, duress, panic or entrapment: those stay visible (FAULTS 56)."""
        return self.belongs(rule, self._settings.never_shelved, self._settings.grave_kinds)

    def belongs(self, rule: str, patterns: tuple[str, ...], kinds: tuple[str, ...]) -> bool:
        """Whether the rule fits one of the patterns, or listens to one of the kinds."""
        if matches(rule, patterns):
            return True
        known = self.rules.get(rule)
        return known is not None and any(kind in kinds for kind in known.kinds)

    # What the rules say

    def raised(self, change: Raised, moment: Moment) -> tuple[Alert, Coming]:
        """The condition holds: a new alert, or one more count of the open one."""
        ident = self._by_condition.get((change.rule, change.scope))
        if ident is None:
            return self._raise_new(change, moment), "new"
        alert = self.open[ident]
        back = not alert.active
        recent, chattering = self._activations(alert, change, back, moment.now)
        # A latched alert that waits for its reset rings again; a chattering one that was acknowledged does not.
        waiting = back and alert.state is _ACKNOWLEDGED and (alert.latched or not alert.chattering)
        rings = alert.state is _RETURNED or waiting
        state = _UNACKNOWLEDGED if rings else alert.state
        version = alert.version + 1
        news = (back or alert.momentary) and not alert.chattering
        alert = replace(
            alert,
            state=state,
            active=True,
            returned_at=None,
            count=alert.count + 1,
            last_at=moment.wall_of(change.at),
            evidence=self._evidence(alert.evidence, change.evidence),
            values=change.values or alert.values,
            recent_due=recent,
            chattering=chattering or alert.chattering,
            chattered=chattering or alert.chattered,
            acknowledged_at=None if rings else alert.acknowledged_at,
            acknowledged_by=None if rings else alert.acknowledged_by,
            version=version,
            state_version=version if news or rings else alert.state_version,
        )
        if alert.chattering:
            self._timers.set(CHATTER, alert.id, self._calm_due(alert))
        published = back and (not alert.chattering or waiting)
        return self.save(alert, moment, publish=published), "returned" if back else "repeat"

    def titled(self, change: Raised | Withheld) -> dict[str, str]:
        """The title that an alert of the condition has."""
        rule = self.rules.get(change.rule)
        device = self._world.devices.get(change.device) if change.device is not None else None
        return self._templates.title(
            rule.title if rule is not None else {"en": change.rule, "zh": change.rule}, change, device
        )

    def of_its_own(self, change: Raised, moment: Moment, severity: Severity, *texts: Mapping[str, str]) -> Alert:
        """An alert of the desk itself, which no rule has: its title, reason, advice and consequence."""
        title, reason, advice, consequence = (dict(text) for text in texts)
        alert = self.of(change.rule, change.scope)
        if alert is not None:
            return self.raised(change, moment)[0]
        alert = Alert(
            id=self._ids.next("al"),
            site=change.site,
            rule=change.rule,
            scope=change.scope,
            severity=severity,
            state=_UNACKNOWLEDGED,
            title=title,
            reason=reason,
            advice=advice,
            consequence=consequence,
            raised_at=moment.wall,
            last_at=moment.wall,
            values=change.values,
            recent_due=(moment.now,),
            came_due=moment.now,
        )
        moment.note(f"rule:{alert.rule}", "alert.raise", alert.id, scope=plain(alert.scope), severity=alert.severity)
        return self.save(alert, moment)

    def _raise_new(self, change: Raised, moment: Moment) -> Alert:
        rule = self.rules.get(change.rule)
        device = self._world.devices.get(change.device) if change.device is not None else None
        zone = device.zone if device is not None else change.scope if change.scope in self._world.zones else None
        render = self._templates.render
        at = moment.wall_of(change.at)
        alert = Alert(
            id=self._ids.next("al"),
            site=change.site,
            rule=change.rule,
            scope=change.scope,
            severity=rule.severity if rule is not None else Severity.MEDIUM,
            state=_UNACKNOWLEDGED,
            title=self.titled(change),
            reason=render(rule.reason, change, device) if rule is not None else {},
            advice=render(rule.advice, change, device) if rule is not None else {},
            consequence=render(rule.consequence, change, device) if rule is not None else {},
            device=change.device,
            zone=zone,
            building=device.building if device is not None else None,
            raised_at=at,
            last_at=at,
            latched=rule.latched if rule is not None else False,
            never_shelved=self.never_shelved(change.rule),
            momentary=change.momentary,
            values=change.values,
            evidence=self._evidence((), change.evidence),
            recent_due=(moment.now,),
            came_due=moment.now,
        )
        moment.note(f"rule:{alert.rule}", "alert.raise", alert.id, scope=plain(alert.scope), severity=alert.severity)
        return self.save(alert, moment)

    def cleared(self, change: Cleared, moment: Moment) -> Alert | None:
        """The condition has ended: the alert returns, and closes if it was acknowledged and is not latched."""
        alert = self.of(change.rule, change.scope)
        if alert is None or not alert.active:
            return alert
        version = alert.version + 1
        alert = replace(
            alert,
            active=False,
            returned_at=moment.wall_of(change.at),
            evidence=self._evidence(alert.evidence, change.evidence),
            version=version,
            state_version=alert.state_version if alert.chattering else version,
        )
        if alert.state is _UNACKNOWLEDGED:
            return self.save(replace(alert, state=_RETURNED), moment, publish=not alert.chattering)
        if alert.state is _ACKNOWLEDGED and not alert.latched and not alert.chattering:
            return self.close(alert, f"rule:{alert.rule}", moment)
        return self.save(alert, moment, publish=False)

    # Chattering

    def _activations(self, alert: Alert, change: Raised, back: bool, now: float) -> tuple[tuple[float, ...], bool]:
        """The last activations, this one included, and whether they are so many that the alert chatters."""
        settings = self._settings
        told = change.evidence[-1].kind if change.evidence else ""
        if not back and told in self._periodic:
            # A periodic report that the condition goes on is no activation.
            return alert.recent_due, False
        recent = (*alert.recent_due, now)[-settings.chatter_count :]
        return recent, len(recent) == settings.chatter_count and now - recent[0] <= settings.chatter_window

    def _calm_due(self, alert: Alert) -> float:
        return (alert.recent_due[-1] if alert.recent_due else 0.0) + self._settings.chatter_window

    def calm(self, ident: str, moment: Moment) -> None:
        """The timer of a chattering alert: ends the chattering if a calm minute has passed."""
        alert = self.open.get(ident)
        if alert is None or not alert.chattering:
            return
        if self._calm_due(alert) > moment.now:
            self._timers.set(CHATTER, ident, self._calm_due(alert))
            return
        alert = replace(alert, chattering=False, version=alert.version + 1)
        if alert.state is _ACKNOWLEDGED and not alert.active and not alert.latched:
            self.close(alert, f"rule:{alert.rule}", moment)
        else:
            self.save(alert, moment)

    # Shelving's end, for the timer and for people

    def unshelve(self, alert: Alert, by: str, moment: Moment) -> Alert:
        """Puts the alert back. Where its condition holds, or it was never acknowledged, it rings anew."""
        self._timers.set(SHELVING, alert.id, None)
        version = alert.version + 1
        alert = replace(alert, shelving=None, version=version, state_version=version)
        if alert.state is _ACKNOWLEDGED and alert.active:
            alert = replace(alert, state=_UNACKNOWLEDGED, acknowledged_at=None, acknowledged_by=None)
        moment.note(by, "alert.unshelve", alert.id)
        return self.save(alert, moment)

    def shelving_ended(self, ident: str, moment: Moment) -> None:
        """The timer of a shelved alert."""
        alert = self.open.get(ident)
        if alert is not None and alert.shelving is not None:
            self.unshelve(alert, "system", moment)

    # Keeping

    def link(self, ident: str, moment: Moment, work_order: str | None = None, plan_run: str | None = None) -> Alert:
        """Notes the order and the plan run that came of the alert."""
        alert = self.open[ident]
        if (work_order or alert.work_order, plan_run or alert.plan_run) == (alert.work_order, alert.plan_run):
            return alert
        linked = replace(
            alert,
            work_order=work_order or alert.work_order,
            plan_run=plan_run or alert.plan_run,
            version=alert.version + 1,
        )
        return self.save(linked, moment, publish=False)

    def close(self, alert: Alert, by: str, moment: Moment) -> Alert:
        """The end of an alert."""
        version = alert.version + 1
        closed = replace(
            alert,
            state=_CLOSED,
            active=False,
            closed_at=moment.wall,
            closed_by=by,
            shelving=None,
            shelving_asked=None,
            chattering=False,
            version=version,
            state_version=version,
        )
        if by.startswith("rule:"):
            moment.note(by, "alert.close", closed.id)
        closed = self.save(closed, moment)
        self.on_closed(closed, moment)
        return closed

    def commented(self, alert: Alert, by: str, text: str, moment: Moment) -> Alert:
        """The alert with one more comment, not yet saved; the oldest are dropped beyond the limit."""
        if not text:
            return alert
        comments = (*alert.comments, Comment(by, moment.wall, text))[-self._settings.comments_kept :]
        return replace(alert, comments=comments)

    def save(self, alert: Alert, moment: Moment, *, publish: bool = True) -> Alert:
        """Keeps the alert's newest state, and tells the outside of it where that changed."""
        alert = self.watch(self.cover(alert, moment), moment)
        if alert.state is _CLOSED:
            self.open.pop(alert.id, None)
            self._by_condition.pop((alert.rule, alert.scope), None)
            self._timers.set(SHELVING, alert.id, None)
            self._timers.set(CHATTER, alert.id, None)
            self._remember(alert)
        else:
            self.open[alert.id] = alert
            self._by_condition[alert.rule, alert.scope] = alert.id
        moment.out.put(alert)
        if publish:
            moment.out.send(announcement(alert))
        return alert

    def keep(self, alert: Alert, moment: Moment) -> None:
        """Keeps what does not concern its life, of an open alert or one closed lately."""
        if alert.state is _CLOSED:
            self.closed[alert.id] = alert
            moment.out.put(alert)
        else:
            self.save(alert, moment, publish=False)

    def _remember(self, alert: Alert) -> None:
        self.closed[alert.id] = alert
        while len(self.closed) > self._settings.remembered:
            self.closed.popitem(last=False)

    def _evidence(self, old: tuple[Evidence, ...], new: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        """Old and new events in order, each once; the first few and the newest where they are too many."""
        last = old[-1].seq if old else 0
        together = (*old, *(event for event in new if event.seq > last or event.seq == 0))
        settings = self._settings
        if len(together) <= settings.evidence_kept:
            return together
        newest = settings.evidence_kept - settings.evidence_first
        return (*together[: settings.evidence_first], *together[-newest:])


def announcement(alert: Alert) -> Outgoing:
    """The alert as its retained MQTT message; an empty one, which removes it from the broker, when it is closed."""
    body: dict[str, object] = {
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "state": alert.state,
        "title": alert.title,
        "device": alert.device,
        "raised_at": rfc3339(alert.raised_at),
    }
    if alert.parent is not None:
        body["parent"] = alert.parent
    payload = b"" if alert.state is _CLOSED else msgspec.json.encode(body)
    return Outgoing(topic=f"gatehouse/v1/{alert.site}/alerts/{alert.id}", payload=payload, retain=True, durable=True)
