"""Symptoms under their cause: what explains the rest stands in the list, what it explains is folded under it.

A condition that the rules withhold is a `Child` of its cause's alert, and of no other: of the alert at the top, where
causes have causes. An alert that stood before its cause came is folded: it keeps its state, rings nobody and is not
counted among what needs a person. What lives depend on, and what is critical, is never folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec.structs import replace

from gateway.model import Alert, AlertState, Child, Cleared, Raised, Severity, Withheld
from gateway.services.alerts import Alerts
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.work_orders import WorkOrders

Key = tuple[str, str]
"""A rule's id and a scope."""

#: Children that the alert's record itself names; the others are looked up.
SYMPTOMS_SHOWN = 10


class Folding:
    """Which condition stands under which alert."""

    def __init__(self, common: Common, alerts: Alerts, orders: WorkOrders) -> None:
        self._alerts = alerts
        self._orders = orders
        self._ids = common.ids
        self._settings = common.settings
        self._children: dict[Key, Child] = {}
        self._under: dict[str, dict[Key, Child]] = {}
        self._explained: dict[Key, set[Key]] = {}
        alerts.on_closed = self._closed

    def restore(self, children: Iterable[Child]) -> None:
        """Takes over the stored children that stand, in the order in which they came."""
        self._children.clear()
        self._under.clear()
        self._explained.clear()
        for child in sorted(children, key=lambda one: one.id):
            self._children[child.rule, child.scope] = child
            self._explained.setdefault(child.nearest, set()).add((child.rule, child.scope))
            self._under.setdefault(child.alert, {})[child.rule, child.scope] = child

    def folded(self, parent: str) -> Iterator[Alert]:
        """The open alerts under an alert, in the order in which they were folded."""
        for child in list(self._under.get(parent, {}).values()):
            alert = self._alerts.open.get(child.folded or "")
            if alert is not None:
                yield alert

    def may_fold(self, rule: str, severity: Severity) -> bool:
        """Whether alerts of the rule may stand under another: not where lives depend on them, nor critical ones."""
        known = self._alerts.rules.get(rule)
        if severity is Severity.CRITICAL or (known is not None and known.stands_alone):
            return False
        return not self._alerts.never_shelved(rule)

    # What the rules say

    def withheld(self, change: Withheld, moment: Moment) -> bool:
        """Puts the condition under its cause's alert. False where it must be raised: it may not be hidden."""
        rule = self._alerts.rules.get(change.rule)
        parent = self._top(change.cause, change.cause_scope)
        own = self._alerts.of(change.rule, change.scope)
        severity = own.severity if own is not None else rule.severity if rule is not None else Severity.MEDIUM
        if parent is None or parent is own or not self.may_fold(change.rule, severity):
            return False
        if own is not None:
            own = self._fold(own, parent, moment)
        at = moment.wall_of(change.at)
        nearest = change.nearest if change.nearest[0] else (change.cause, change.cause_scope)
        known = self._children.get((change.rule, change.scope))
        if known is None:
            child = Child(
                id=self._ids.next("ch"),
                alert=parent.id,
                site=change.site,
                rule=change.rule,
                scope=change.scope,
                severity=severity,
                title=self._alerts.titled(change),
                nearest=nearest,
                device=change.device,
                came_at=at,
                momentary=change.momentary,
                folded=own.id if own is not None else None,
                values=change.values,
            )
        else:
            count = known.count + 1 if known.momentary else known.count
            folded = own.id if own is not None else known.folded
            child = replace(known, alert=parent.id, nearest=nearest, count=count, folded=folded)
        self._put(child, moment)
        if own is not None:
            self._move(self._all_under(own.id), parent, moment)
        return True

    def raised(self, change: Raised, moment: Moment) -> Alert | None:
        """A condition is told on its own: where it stood under a cause that has ended, it comes out.

        Gives the alert that was folded and now stands on its own, None where there was none.
        """
        child = self._children.get((change.rule, change.scope))
        if child is None or child.nearest[0] == STORM_RULE:
            return None
        self._take_out(child, moment)
        alert = self._alerts.open.get(child.folded or "")
        return None if alert is None else self.unfold(alert, moment, rings=True)

    def gather(self, alert: Alert, moment: Moment) -> None:
        """What an alert explains at first hand, and stood under a cause above it, stands under it now."""
        row, found = [(alert.rule, alert.scope)], set[Key]()
        while row:
            below = {key for cause in row for key in self._explained.get(cause, ())} - found
            found |= below
            row = sorted(below)
        children = (self._children[key] for key in sorted(found))
        self._move([child for child in children if child.alert != alert.id], alert, moment)

    def cleared(self, change: Cleared, moment: Moment) -> None:
        """A condition has ended: it is no symptom any more. What occurred under a cause that ended is history."""
        child = self._children.get((change.rule, change.scope))
        if child is not None and child.nearest[0] != STORM_RULE:
            self._take_out(child, moment)
            alert = self._alerts.open.get(child.folded or "")
            if alert is not None:
                self.unfold(alert, moment, rings=False)
        cause = self._alerts.of(change.rule, change.scope)
        if cause is not None:
            for occurrence in [one for one in self._under.get(cause.id, {}).values() if one.momentary]:
                self._take_out(occurrence, moment)

    # For a storm

    def adopt(self, alert: Alert, parent: Alert, moment: Moment) -> None:
        """Folds an alert whose cause no rule knows."""
        self._put(
            Child(
                id=self._ids.next("ch"),
                alert=parent.id,
                site=alert.site,
                rule=alert.rule,
                scope=alert.scope,
                severity=alert.severity,
                title=alert.title,
                nearest=(parent.rule, parent.scope),
                device=alert.device,
                came_at=alert.raised_at,
                momentary=alert.momentary,
                folded=alert.id,
                values=alert.values,
            ),
            moment,
        )
        self._fold(self._alerts.open[alert.id], parent, moment)

    def release(self, parent: str, moment: Moment) -> None:
        """All that is folded under the alert stands on its own."""
        for child in self._all_under(parent):
            self._take_out(child, moment)
            alert = self._alerts.open.get(child.folded or "")
            if alert is not None:
                self.unfold(alert, moment, rings=False)

    # Folding and unfolding

    def _fold(self, alert: Alert, parent: Alert, moment: Moment) -> Alert:
        if alert.parent == parent.id:
            return alert
        moment.note(f"rule:{parent.rule}", "alert.fold", alert.id, parent=parent.id)
        self._link(alert, parent, moment)
        version = alert.version + 1
        state = AlertState.UNACKNOWLEDGED if alert.state is AlertState.RETURNED and not alert.momentary else alert.state
        folded = replace(
            alert, parent=parent.id, state=state, active=True, returned_at=None, version=version, state_version=version
        )
        return self._alerts.save(folded, moment)

    def unfold(self, alert: Alert, moment: Moment, *, rings: bool) -> Alert:
        """The alert stands on its own; one that was acknowledged rings anew where its cause left it behind."""
        self._link(alert, None, moment)
        version = alert.version + 1
        alert = replace(alert, parent=None, version=version, state_version=version)
        if rings and alert.state is AlertState.ACKNOWLEDGED and alert.active:
            alert = replace(alert, state=AlertState.UNACKNOWLEDGED, acknowledged_at=None, acknowledged_by=None)
        moment.note(f"rule:{alert.rule}", "alert.unfold", alert.id)
        return self._alerts.save(alert, moment)

    def _link(self, alert: Alert, parent: Alert | None, moment: Moment) -> None:
        """The order that came of the symptom belongs to the cause's order, as long as it is one."""
        order = self._orders.open.get(alert.work_order or "")
        above = parent.work_order if parent is not None else None
        if order is None or above in (order.part_of, order.id):
            return
        by = f"rule:{(parent or alert).rule}"
        number = self._orders.open[above].number if above in self._orders.open else above or ""
        action = "part_of" if above is not None else "on_its_own"
        self._orders.save(self._orders.logged(replace(order, part_of=above), by, action, number, moment), moment)

    def _closed(self, alert: Alert, moment: Moment) -> None:
        """A folded alert is closed: by its condition's end, or by a person."""
        child = self._children.get((alert.rule, alert.scope))
        if child is not None and child.folded == alert.id:
            self._take_out(child, moment)

    def _top(self, rule: str, scope: str) -> Alert | None:
        """The open alert of the cause, or the one that it stands under."""
        alert = self._alerts.of(rule, scope)
        while alert is not None and alert.parent is not None:
            alert = self._alerts.open.get(alert.parent)
        return alert

    # Keeping

    def _all_under(self, parent: str) -> list[Child]:
        return list(self._under.get(parent, {}).values())

    def _move(self, children: Iterable[Child], parent: Alert, moment: Moment) -> None:
        for child in children:
            alert = self._alerts.open.get(child.folded or "")
            if alert is not None and alert.parent != parent.id:
                self._alerts.save(replace(alert, parent=parent.id, version=alert.version + 1), moment)
            self._put(replace(child, alert=parent.id), moment)

    def _put(self, child: Child, moment: Moment) -> None:
        key = (child.rule, child.scope)
        before = self._children.get(key)
        self._children[key] = child
        if before is not None:
            self._forget_cause(before)
            if before.alert != child.alert:
                self._drop(before, moment)
        self._explained.setdefault(child.nearest, set()).add(key)
        self._under.setdefault(child.alert, {})[key] = child
        moment.out.put(child)
        self._tell(child.alert, moment)

    def _take_out(self, child: Child, moment: Moment) -> None:
        self._children.pop((child.rule, child.scope), None)
        self._forget_cause(child)
        self._drop(child, moment)
        moment.out.put(replace(child, ended_at=moment.wall))

    def _forget_cause(self, child: Child) -> None:
        explained = self._explained.get(child.nearest, set())
        explained.discard((child.rule, child.scope))
        if not explained:
            self._explained.pop(child.nearest, None)

    def _drop(self, child: Child, moment: Moment) -> None:
        under = self._under.get(child.alert, {})
        under.pop((child.rule, child.scope), None)
        if not under:
            self._under.pop(child.alert, None)
        self._tell(child.alert, moment)

    def _tell(self, parent: str, moment: Moment) -> None:
        """The parent's record: how many stand under it, and the first of them."""
        alert = self._alerts.open.get(parent) or self._alerts.closed.get(parent)
        if alert is None:
            return
        under = self._under.get(parent, {})
        symptoms = tuple(islice(under.values(), SYMPTOMS_SHOWN))
        self._alerts.keep(replace(alert, children=len(under), symptoms=symptoms, version=alert.version + 1), moment)


#: The rule's name of a storm that no rule explains.
STORM_RULE = "gateway.alert-storm"
