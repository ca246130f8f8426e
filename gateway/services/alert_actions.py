"""What people do with alerts: acknowledge, shelve, comment, reset. All need the operator's role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from gateway.errors import Conflict, Forbidden, GatehouseError, Invalid
from gateway.model import Actor, Alert, AlertState, Role, Severity, Shelving, ShelvingAsk
from gateway.services.alerts import SHELVING, Alerts
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.folding import Folding
from gateway.services.moment import Moment, rfc3339
from gateway.services.permission import demand, demand_fresh, demand_sight

_BULK = 500


class AlertActions:
    """The actions `alert.*`, except those that touch work orders."""

    def __init__(self, alerts: Alerts, common: Common, folding: Folding) -> None:
        self._alerts = alerts
        self._folding = folding
        self._settings = common.settings
        self._timers = common.timers

    def find(self, ident: str, actor: Actor, what: str) -> Alert:
        """The open alert for an operator who may see it. Raises `NotFound`, `Forbidden`, or `Conflict` if closed."""
        alert = self._alerts.get(ident)
        demand_sight(actor, alert.site, "open alert", ident)
        demand(actor, Role.OPERATOR, what)
        if alert.state is AlertState.CLOSED:
            who = alert.closed_by or "the system"
            when = rfc3339(alert.closed_at) if alert.closed_at is not None else "before"
            raise Conflict(f"alert '{ident}' was closed by {who} at {when}", by=who, at=alert.closed_at)
        return alert

    def acknowledge(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.acknowledge{alert, version?, comment?}`: exactly one of two who race wins; the other learns who."""
        ident, version, comment = args.ident("alert"), args.version(), args.maybe_text("comment")
        args.end()
        return self._acknowledge(self.find(ident, actor, "acknowledging an alert"), version, comment, actor, moment)

    def _acknowledge(self, alert: Alert, version: int | None, comment: str, actor: Actor, moment: Moment) -> Alert:
        if alert.state is AlertState.ACKNOWLEDGED:
            when = rfc3339(alert.acknowledged_at) if alert.acknowledged_at is not None else "before"
            raise Conflict(
                f"alert '{alert.id}' was acknowledged by {alert.acknowledged_by} at {when}",
                by=alert.acknowledged_by,
                at=alert.acknowledged_at,
            )
        demand_fresh("alert", alert.id, alert.version, version, alert.state_version)
        moment.note(actor.name, "alert.acknowledge", alert.id, comment=comment)
        self._seen_with(alert.id, actor, moment)
        alert = self._alerts.open[alert.id]
        over = alert.momentary or not alert.active
        alert = self._alerts.commented(alert, actor.name, comment, moment)
        alert = replace(alert, acknowledged_at=moment.wall, acknowledged_by=actor.name)
        if over and not alert.latched and (alert.momentary or not alert.chattering):
            return self._alerts.close(alert, actor.name, moment)
        following = alert.version + 1
        alert = replace(
            alert,
            state=AlertState.ACKNOWLEDGED,
            active=alert.active and not alert.momentary,
            version=following,
            state_version=following,
        )
        return self._alerts.save(alert, moment)

    def _seen_with(self, parent: str, actor: Actor, moment: Moment) -> None:
        """Who has seen the cause has seen what is folded under it."""
        for folded in list(self._folding.folded(parent)):
            if folded.state is not AlertState.ACKNOWLEDGED:
                self._acknowledge(folded, None, "", actor, moment)

    def acknowledge_many(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`alert.acknowledge_many{alerts}`: ids, or `{alert, version}`. Says which were refused, and why.

        Critical alerts are refused: each of them is looked at.
        """
        items = args.items("alerts", _BULK)
        args.end()
        demand(actor, Role.OPERATOR, "acknowledging alerts")
        done: list[str] = []
        refused: dict[str, str] = {}
        for item in items:
            one = Arguments(item if isinstance(item, Mapping) else {"alert": item})
            ident, version = one.ident("alert"), one.version()
            one.end()
            try:
                alert = self.find(ident, actor, "acknowledging an alert")
                if alert.severity is Severity.CRITICAL:
                    raise Forbidden(f"alert '{ident}' is critical: acknowledge it on its own")
                self._acknowledge(alert, version, "", actor, moment)
                done.append(ident)
            except GatehouseError as error:
                refused[ident] = error.message
        return {"acknowledged": done, "refused": refused}

    def shelve(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.shelve{alert, reason, minutes}`: aside for a time, never fire, duress, entrapment (FAULTS 56).

        A critical one is shelved by two: the first asks, and the second does it by asking for the same.
        """
        ident, reason, version = args.ident("alert"), args.text("reason"), args.version()
        minutes = args.number("minutes", 0, 1e9)
        args.end()
        alert = self.find(ident, actor, "shelving an alert")
        demand_fresh("alert", ident, alert.version, version, alert.state_version)
        longest = self._settings.shelve_longest
        if not 0 < minutes * 60 <= longest:
            raise Invalid("minutes", f"is {minutes:g}; an alert is shelved for at most {longest / 60:g}")
        if self._alerts.never_shelved(alert.rule):
            raise Forbidden(
                f"alerts of '{alert.rule}' are never shelved: fire, duress, panic and entrapment stay visible"
            )
        if alert.shelving is not None:
            until, word = rfc3339(alert.shelving.until_at), alert.shelving.kind.replace("_", " ")
            raise Conflict(f"alert '{ident}' is {word} by {alert.shelving.by} until {until}: unshelve it first")
        seconds = minutes * 60
        asked = self._asked(alert, minutes, actor, moment) if alert.severity is Severity.CRITICAL else None
        if alert.severity is Severity.CRITICAL and asked is None:
            return self._ask(alert, reason, minutes, actor, moment)
        second = None if asked is None else actor.name
        shelving = Shelving(
            by=actor.name if asked is None else asked.by,
            second=second,
            reason=reason if asked is None else asked.reason,
            from_at=moment.wall,
            until_at=moment.wall + seconds,
            until_due=moment.now + seconds,
        )
        self._timers.set(SHELVING, ident, shelving.until_due)
        moment.note(actor.name, "alert.shelve", ident, reason=reason, minutes=minutes, first=shelving.by)
        following = alert.version + 1
        alert = replace(alert, shelving=shelving, shelving_asked=None, version=following, state_version=following)
        return self._alerts.save(alert, moment)

    def _asked(self, alert: Alert, minutes: float, actor: Actor, moment: Moment) -> ShelvingAsk | None:
        """What a first person asked for and this one agrees to; None where this one is the first."""
        if not self._settings.shelve_second_person:
            raise Forbidden(f"alert '{alert.id}' is critical, and critical alerts are never shelved here")
        asked = alert.shelving_asked
        if asked is None or asked.until_due <= moment.now:
            return None
        if asked.by == actor.name:
            until = rfc3339(asked.until_at)
            raise Conflict(
                f"you asked to shelve alert '{alert.id}': a second person must ask the same by {until}", by=asked.by
            )
        if asked.minutes != minutes:
            raise Conflict(f"{asked.by} asked to shelve alert '{alert.id}' for {asked.minutes:g} minutes", by=asked.by)
        return asked

    def _ask(self, alert: Alert, reason: str, minutes: float, actor: Actor, moment: Moment) -> Alert:
        """Keeps the first person's wish. The alert goes on ringing."""
        within = self._settings.shelve_second_within
        asked = ShelvingAsk(
            by=actor.name,
            reason=reason,
            minutes=minutes,
            until_at=moment.wall + within,
            until_due=moment.now + within,
        )
        moment.note(actor.name, "alert.shelve", alert.id, "asked", reason=reason, minutes=minutes)
        return self._alerts.save(replace(alert, shelving_asked=asked, version=alert.version + 1), moment, publish=False)

    def unshelve(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.unshelve{alert}`: back among the open ones, ringing if its condition holds."""
        ident, version = args.ident("alert"), args.version()
        args.end()
        alert = self.find(ident, actor, "unshelving an alert")
        demand_fresh("alert", ident, alert.version, version, alert.state_version)
        if alert.shelving is None:
            raise Conflict(f"alert '{ident}' is not shelved")
        if alert.shelving.outage is not None:
            raise Conflict(f"alert '{ident}' is out of service by '{alert.shelving.outage}': end that to have it back")
        return self._alerts.unshelve(alert, actor.name, moment)

    def comment(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.comment{alert, text}`."""
        ident, text = args.ident("alert"), args.text("text")
        args.end()
        alert = self.find(ident, actor, "commenting on an alert")
        moment.note(actor.name, "alert.comment", ident, text=text)
        alert = replace(self._alerts.commented(alert, actor.name, text, moment), version=alert.version + 1)
        return self._alerts.save(alert, moment, publish=False)

    def close(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.close{alert, comment?}`: resets a latched alert, or closes one that has returned.

        Refused while the condition holds. Fire, duress and panic are reset by an engineer, the rest by an operator.
        """
        ident, comment, version = args.ident("alert"), args.maybe_text("comment"), args.version()
        args.end()
        alert = self.find(ident, actor, "closing an alert")
        grave = self._alerts.belongs(alert.rule, self._settings.engineer_resets, self._settings.grave_kinds)
        if alert.latched and grave:
            demand(actor, Role.ENGINEER, f"resetting '{alert.rule}'")
        demand_fresh("alert", ident, alert.version, version, alert.state_version)
        if alert.active and not alert.momentary:
            raise Conflict(
                f"the condition of alert '{ident}' still holds: acknowledge it now; it can be closed when it has ended"
            )
        moment.note(actor.name, "alert.close", ident, comment=comment)
        alert = self._alerts.commented(alert, actor.name, comment, moment)
        if alert.acknowledged_by is None:
            alert = replace(alert, acknowledged_at=moment.wall, acknowledged_by=actor.name)
        return self._alerts.close(alert, actor.name, moment)
