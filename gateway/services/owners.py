"""Whose an alert is: taken, given, and given back. Who takes it stops its escalation; they have not acknowledged it."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.errors import Conflict
from gateway.model import Actor, Alert
from gateway.services.alert_actions import AlertActions
from gateway.services.alerts import Alerts
from gateway.services.arguments import Arguments
from gateway.services.moment import Moment, rfc3339


class OwnerActions:
    """The actions `alert.take`, `alert.assign` and `alert.release`. All need the operator's role."""

    def __init__(self, alerts: Alerts, actions: AlertActions) -> None:
        self._alerts = alerts
        self._actions = actions

    def take(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.take{alert}`: exactly one of two who race gets it; the other learns who."""
        ident = args.ident("alert")
        args.end()
        alert = self._actions.find(ident, actor, "taking an alert")
        if alert.owner is not None:
            when = rfc3339(alert.owner_at or 0.0)
            raise Conflict(f"alert '{ident}' was taken by {alert.owner} at {when}", by=alert.owner, at=alert.owner_at)
        return self._own(alert, actor.name, actor, "alert.take", moment)

    def assign(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.assign{alert, to}`: gives it to the account `to`, whoever had it."""
        ident, to = args.ident("alert"), args.account("to")
        args.end()
        alert = self._actions.find(ident, actor, "assigning an alert")
        return self._own(alert, f"user:{to}", actor, "alert.assign", moment)

    def release(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.release{alert}`: nobody's again; unacknowledged, it escalates anew."""
        ident = args.ident("alert")
        args.end()
        alert = self._actions.find(ident, actor, "giving an alert back")
        if alert.owner is None:
            raise Conflict(f"alert '{ident}' is nobody's")
        return self._own(alert, None, actor, "alert.release", moment)

    def _own(self, alert: Alert, owner: str | None, actor: Actor, action: str, moment: Moment) -> Alert:
        moment.note(actor.name, action, alert.id, to=owner, before=alert.owner)
        owned = replace(alert, owner=owner, owner_at=None if owner is None else moment.wall, version=alert.version + 1)
        return self._alerts.save(owned, moment, publish=False)
