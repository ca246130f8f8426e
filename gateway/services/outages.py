"""Out of service, after ISA-18.2: a window takes a device, a rule or a zone out, with an owner, a reason and an end.

What it hides is still judged and listed, rings nobody and starts nothing. What lives depend on, and what is critical,
stays on its own: such work is done with the alert in sight. When the window ends, what still holds is raised anew;
what came and went within it closes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from gateway.errors import Conflict, Invalid, NotFound
from gateway.model import Actor, Alert, AlertState, OrderState, Outage, Role, Shelving, WorkOrder
from gateway.services.alerts import Alerts
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment, rfc3339
from gateway.services.permission import demand, demand_fresh, demand_sight
from gateway.services.work_orders import WorkOrders

OUTAGE = "outage"
SCOPES = ("device", "rule", "zone")
PLANNED, ACTIVE, ENDED = "planned", "active", "ended"
_OVER = (OrderState.DONE, OrderState.VERIFIED, OrderState.CLOSED)


class Outages:
    """The windows that are planned or active, and what each of them hides."""

    def __init__(self, common: Common, alerts: Alerts, orders: WorkOrders, may_hide: Callable[[Alert], bool]) -> None:
        self.open: dict[str, Outage] = {}
        self.on_back: Callable[[Alert, Moment], None] = lambda alert, moment: None
        """Told of each alert that still holds when its window ends: what its rule starts was withheld."""
        self._common = common
        self._alerts = alerts
        self._orders = orders
        self._may_hide = may_hide
        self._active: dict[tuple[str, str, str], list[str]] = {}
        self._hidden: dict[str, set[str]] = {}
        alerts.cover = self.cover
        orders.on_saved = self._order_saved

    def restore(self, outages: Iterable[Outage], alerts: Iterable[Alert]) -> None:
        """Takes over the stored windows that have not ended, and which alerts they hide."""
        self.open = {}
        self._active.clear()
        self._hidden.clear()
        for outage in sorted(outages, key=lambda one: one.id):
            if outage.state == ENDED:
                continue
            self.open[outage.id] = outage
            if outage.state == ACTIVE:
                self._active.setdefault((outage.site, outage.scope, outage.target), []).append(outage.id)
            self._set_timer(outage)
        for alert in alerts:
            if alert.shelving is not None and alert.shelving.outage is not None:
                self._hidden.setdefault(alert.shelving.outage, set()).add(alert.id)

    # Alerts

    def cover(self, alert: Alert, moment: Moment) -> Alert:
        """The alert, about to be saved, out of service where a window takes it out; counts what is hidden.

        What may not be hidden is marked by the window that would have hidden it.
        """
        if not self._active and alert.outage is None:
            return alert
        outage = self._covering(alert) if alert.state is not AlertState.CLOSED else None
        if outage is not None and alert.shelving is None and self._may_hide(alert):
            shelving = Shelving(
                kind="out_of_service", by=outage.by, reason=outage.reason, from_at=moment.wall,
                until_at=outage.until_at, until_due=outage.until_due, outage=outage.id,
            )  # fmt: skip
            moment.note(f"outage:{outage.id}", "alert.out_of_service", alert.id, reason=outage.reason)
            alert = replace(alert, shelving=shelving)
        in_sight = outage is not None and (alert.shelving is None or alert.shelving.outage is None)
        mark = outage.id if outage is not None and in_sight else None
        if mark != alert.outage:
            alert = replace(alert, outage=mark)
        self._count(alert, moment)
        return alert

    def _covering(self, alert: Alert) -> Outage | None:
        """The active window that is for the alert; of several the one that ends last."""
        device = self._common.world.devices.get(alert.device or "")
        places = self._common.world.places(device) if device is not None else ()
        keys = [("device", alert.device or ""), ("rule", alert.rule)]
        keys += [("zone", place) for place in {*places, alert.zone, alert.building} if place is not None]
        found = [self.open[ident] for key in keys for ident in self._active.get((alert.site, *key), ())]
        return max(found, key=lambda one: (one.until_due, one.id), default=None)

    def _is_for(self, outage: Outage, alert: Alert) -> bool:
        covering = self._covering(alert)
        return covering is not None and covering.id == outage.id

    def _count(self, alert: Alert, moment: Moment) -> None:
        by = alert.shelving.outage if alert.shelving is not None and alert.state is not AlertState.CLOSED else None
        for ident in [one for one, hidden in self._hidden.items() if alert.id in hidden and one != by]:
            self._hidden[ident].discard(alert.id)
            self._recount(ident, moment)
        if by is not None and alert.id not in self._hidden.setdefault(by, set()):
            self._hidden[by].add(alert.id)
            self._recount(by, moment)

    def _recount(self, ident: str, moment: Moment) -> None:
        outage = self.open.get(ident)
        if outage is not None:
            self._save(replace(outage, hidden=len(self._hidden.get(ident, ())), version=outage.version + 1), moment)

    # Windows

    def begin(self, args: Arguments, actor: Actor, moment: Moment) -> Outage:
        """`outage.begin{site, scope, target, reason, minutes, after?, work_order?}`: from now, or from `after` minutes.

        Needs the engineer's role. With `work_order`, an order in work, it ends with that.
        """
        site, target, reason = args.ident("site"), args.ident("target"), args.text("reason")
        scope = args.choice("scope", SCOPES)
        minutes, after = args.number("minutes", -1e9, 1e9), args.maybe_number("after", -1e9, 1e9) or 0.0
        number = args.maybe_ident("work_order")
        args.end()
        self._common.world.site(site, actor)
        demand(actor, Role.ENGINEER, "taking something out of service")
        self._demand_times(minutes, after)
        self._demand_target(site, scope, target)
        order = self._order(number, site) if number is not None else None
        self._demand_free(site, scope, target, moment.now + after * 60, moment.now + (after + minutes) * 60)
        ends = (after + minutes) * 60
        outage = Outage(
            id=self._common.ids.next("oo"), site=site, scope=scope, target=target, by=actor.name, reason=reason,
            from_at=moment.wall + after * 60, from_due=moment.now + after * 60, until_at=moment.wall + ends,
            until_due=moment.now + ends, work_order=order.id if order is not None else None,
        )  # fmt: skip
        moment.note(
            actor.name, "outage.begin", outage.id, scope=scope, thing=target, reason=reason, minutes=minutes,
            after=after, work_order=outage.work_order,
        )  # fmt: skip
        self._save(outage, moment)
        if after == 0:
            self._start(outage, moment)
        else:
            self._set_timer(outage)
        return self.open[outage.id]

    def _demand_times(self, minutes: float, after: float) -> None:
        longest, ahead = self._common.settings.outage_longest / 60, self._common.settings.outage_ahead / 60
        if not 0 < minutes <= longest:
            raise Invalid(
                "minutes", f"is {minutes:g}; nothing is out for 0 minutes or less, nor longer than {longest:g}"
            )
        if not 0 <= after <= ahead:
            raise Invalid("after", f"is {after:g}; a window begins now, or at most {ahead:g} minutes ahead")

    def _demand_free(self, site: str, scope: str, target: str, begins: float, ends: float) -> None:
        for one in self.open.values():
            same = (one.site, one.scope, one.target) == (site, scope, target)
            if same and one.from_due < ends and begins < one.until_due:
                until = rfc3339(one.until_at)
                raise Conflict(
                    f"{scope} '{target}' is out of service by {one.by} until {until}: end '{one.id}' first", by=one.by
                )

    def _demand_target(self, site: str, scope: str, target: str) -> None:
        world = self._common.world
        if scope == "rule":
            if self._alerts.rules.get(target) is None:
                raise NotFound("rule", target, [rule.id for rule in self._alerts.rules])
            return
        known = world.devices.get(target) if scope == "device" else world.zones.get(target)
        if known is None or known.site != site:
            there = world.devices.values() if scope == "device" else world.zones.values()
            raise NotFound(f"{scope} of site '{site}' called", target, [one.id for one in there if one.site == site])

    def _order(self, ident: str, site: str) -> WorkOrder:
        order = self._orders.open.get(ident)
        if order is None or order.site != site:
            raise NotFound("open work order", ident)
        if order.state is not OrderState.IN_PROGRESS:
            raise Conflict(f"work order '{order.number}' is {order.state}: only one in progress takes out of service")
        return order

    def end(self, args: Arguments, actor: Actor, moment: Moment) -> Outage:
        """`outage.end{outage}`: back in service before its time. Needs the operator's role."""
        ident, version = args.ident("outage"), args.version()
        args.end()
        outage = self.open.get(ident)
        if outage is None:
            raise NotFound("window that is planned or active called", ident)
        demand_sight(actor, outage.site, "window that is planned or active called", ident)
        demand(actor, Role.OPERATOR, "ending what is out of service")
        demand_fresh("outage", ident, outage.version, version)
        return self._finish(outage, actor.name, moment)

    def due(self, ident: str, moment: Moment) -> None:
        """The timer of a window: it begins, or it is over."""
        outage = self.open.get(ident)
        if outage is None:
            return
        if outage.until_due <= moment.now:
            self._finish(outage, "system", moment)
        elif outage.state == PLANNED and outage.from_due <= moment.now:
            self._start(outage, moment)

    def _order_saved(self, order: WorkOrder, moment: Moment) -> None:
        if order.state not in _OVER:
            return
        for outage in [one for one in self.open.values() if one.work_order == order.id]:
            self._finish(outage, "system", moment)

    def _start(self, outage: Outage, moment: Moment) -> None:
        outage = self._save(replace(outage, state=ACTIVE, version=outage.version + 1), moment)
        self._active.setdefault((outage.site, outage.scope, outage.target), []).append(outage.id)
        self._set_timer(outage)
        moment.note(outage.by, "outage.start", outage.id, scope=outage.scope, thing=outage.target)
        for alert in [*self._alerts.open.values()]:
            if alert.site == outage.site and alert.shelving is None and self._is_for(outage, alert):
                following = alert.version + 1
                self._alerts.save(replace(alert, version=following, state_version=following), moment)

    def _finish(self, outage: Outage, by: str, moment: Moment) -> Outage:
        key = (outage.site, outage.scope, outage.target)
        self._active[key] = [one for one in self._active.get(key, ()) if one != outage.id]
        if not self._active[key]:
            del self._active[key]
        self._common.timers.set(OUTAGE, outage.id, None)
        del self.open[outage.id]
        hidden = sorted(self._hidden.pop(outage.id, ()))
        outage = replace(outage, state=ENDED, ended_at=moment.wall, ended_by=by, hidden=0, version=outage.version + 1)
        moment.out.put(outage)
        moment.note(by, "outage.end", outage.id, scope=outage.scope, thing=outage.target, hid=len(hidden))
        for ident in hidden:
            self._back(self._alerts.open[ident], outage, moment)
        for alert in [one for one in self._alerts.open.values() if one.outage == outage.id]:
            self._alerts.save(replace(alert, version=alert.version + 1), moment, publish=False)
        return outage

    def _back(self, alert: Alert, outage: Outage, moment: Moment) -> None:
        came_within = alert.came_due >= outage.from_due
        if came_within and not alert.latched and (alert.momentary or not alert.active):
            self._alerts.close(alert, "system", moment)
            return
        alert = self._alerts.unshelve(alert, "system", moment)
        if came_within and alert.shelving is None and alert.active:
            self.on_back(alert, moment)

    def _set_timer(self, outage: Outage) -> None:
        due = outage.from_due if outage.state == PLANNED else outage.until_due
        self._common.timers.set(OUTAGE, outage.id, due)

    def _save(self, outage: Outage, moment: Moment) -> Outage:
        self.open[outage.id] = outage
        moment.out.put(outage)
        return outage
