"""Two marks of ISA-18.1 and 18.2 that tell an operator where to look: first-out, and stale.

First-out: of alerts of one place and one system that come close together, the one that came first is most often the
cause. Stale: a condition that has stood for a day is no news to anybody, and wants a work order. Neither mark changes
how an alert rings or escalates.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from gateway.model import Alert, AlertState
from gateway.services.alerts import Alerts
from gateway.services.common import Common
from gateway.services.moment import Moment

STALE = "alert.stale"
Group = tuple[str, str, str]
"""Site, zone (or device where it has none), and system."""


class Marks:
    """Which open alert came first of its group, and which have stood for too long."""

    def __init__(self, common: Common, alerts: Alerts) -> None:
        self._alerts = alerts
        self._timers = common.timers
        self._settings = common.settings
        self._first: dict[Group, str] = {}

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Takes over the open alerts."""
        self._first.clear()
        standing = [alert for alert in alerts if alert.state is not AlertState.CLOSED]
        for alert in sorted(standing, key=lambda one: (one.came_due, one.id)):
            if alert.first_out in (None, alert.id) and self._alerts.rules.get(alert.rule) is not None:
                self._first[self._group(alert)] = alert.id
            self._set_timer(alert)

    # First-out

    def came(self, alert: Alert, moment: Moment) -> Alert:
        """A new alert: it is the first of a group, or names the one that was. A lone one has no mark."""
        group = self._group(alert)
        first = self._alerts.open.get(self._first.get(group, ""))
        if first is None or moment.now - first.came_due > self._settings.first_out_window:
            self._first[group] = alert.id
            return alert
        if first.first_out is None:
            self._alerts.save(replace(first, first_out=first.id, version=first.version + 1), moment, publish=False)
        marked = replace(alert, first_out=first.id, version=alert.version + 1)
        return self._alerts.save(marked, moment, publish=False)

    def _group(self, alert: Alert) -> Group:
        return alert.site, alert.zone or alert.device or alert.scope, alert.rule.partition(".")[0]

    # Stale

    def watch(self, alert: Alert, moment: Moment) -> Alert:
        """The alert, about to be saved, with the steady instant since when its condition stands."""
        before = self._alerts.open.get(alert.id)
        if not alert.active or alert.momentary or alert.state is AlertState.CLOSED:
            if alert.standing_due is not None or alert.stale:
                alert = replace(alert, standing_due=None, stale=False)
        elif before is None or not before.active:
            alert = replace(alert, standing_due=moment.now, stale=False)
        self._set_timer(alert)
        return alert

    def due(self, ident: str, moment: Moment) -> None:
        """The timer of a condition: it has stood for too long."""
        alert = self._alerts.open.get(ident)
        if alert is not None and alert.standing_due is not None and not alert.stale:
            self._alerts.save(replace(alert, stale=True, version=alert.version + 1), moment, publish=False)

    def _set_timer(self, alert: Alert) -> None:
        since = None if alert.stale or alert.state is AlertState.CLOSED else alert.standing_due
        self._timers.set(STALE, alert.id, None if since is None else since + self._settings.stale_after)
