"""Whose an alert is: taken, given, and given back. Who takes it stops its escalation; they have not acknowledged it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from gateway.errors import Conflict, Invalid
from gateway.model import Actor, Alert
from gateway.services.alert_actions import AlertActions
from gateway.services.alerts import Alerts
from gateway.services.arguments import Arguments
from gateway.services.moment import Moment, rfc3339


class OwnerActions:
    """The actions `alert.take`, `alert.assign` and `alert.release`. All need the operator's role."""

    def __init__(self, alerts: Alerts, actions: AlertActions, known: Callable[[str, str], bool]) -> None:
        """`known` tells whether an account may be given alerts of a site."""
        self._alerts = alerts
        self._actions = actions
        self._known = known

    def take(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.take{alert}`: exactly one of two who race gets it; the other learns who."""
        ident = args.ident("alert")
        args.end()
        alert = self._actions.find(ident, actor, "taking an alert")
        if alert.owner is not None:
            raise _taken(alert)
        return self._own(alert, actor.name, actor, "alert.take", moment)

    def assign(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.assign{alert, to, before?}`: gives it to the account `to`.

        `before` is whose it was when the caller looked, "" for nobody's: one of two who race wins, the other learns so.
        `to` must be somebody who can answer: an alert given to nobody would escalate no more.
        """
        ident, to, before = args.ident("alert"), args.account("to"), _before(args)
        args.end()
        alert = self._actions.find(ident, actor, "assigning an alert")
        _demand_unchanged(alert, before)
        if f"user:{to}" != actor.name and not self._known(alert.site, to):
            raise Invalid(
                "to", f"'{to}' is nobody who is told of alerts at '{alert.site}': see 'gatehouse person list'"
            )
        return self._own(alert, f"user:{to}", actor, "alert.assign", moment)

    def release(self, args: Arguments, actor: Actor, moment: Moment) -> Alert:
        """`alert.release{alert, before?}`: nobody's again; unacknowledged, it escalates anew."""
        ident, before = args.ident("alert"), _before(args)
        args.end()
        alert = self._actions.find(ident, actor, "giving an alert back")
        _demand_unchanged(alert, before)
        if alert.owner is None:
            raise Conflict(f"alert '{ident}' is nobody's")
        return self._own(alert, None, actor, "alert.release", moment)

    def _own(self, alert: Alert, owner: str | None, actor: Actor, action: str, moment: Moment) -> Alert:
        moment.note(actor.name, action, alert.id, to=owner, before=alert.owner)
        owned = replace(alert, owner=owner, owner_at=None if owner is None else moment.wall, version=alert.version + 1)
        return self._alerts.save(owned, moment, publish=False)


def _before(args: Arguments) -> str | None:
    return args.maybe_text("before", 100) if args.given("before") else None


def _demand_unchanged(alert: Alert, before: str | None) -> None:
    """Raises `Conflict` where somebody else became its owner, or it became nobody's, since the caller looked."""
    if before is None or before == (alert.owner or ""):
        return
    if alert.owner is None:
        raise Conflict(f"alert '{alert.id}' was given back by {before}: it is nobody's")
    raise _taken(alert)


def _taken(alert: Alert) -> Conflict:
    when = rfc3339(alert.owner_at or 0.0)
    return Conflict(f"alert '{alert.id}' was taken by {alert.owner} at {when}", by=alert.owner, at=alert.owner_at)
