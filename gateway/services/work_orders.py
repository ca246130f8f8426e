"""Work orders 工单: open, assigned, accepted, in progress, done, verified, closed; reopened when the fault returns."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace

from gateway.errors import Conflict, NotFound
from gateway.model import Alert, LogEntry, OrderKind, OrderState, Outside, WorkOrder
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.ports import OrderTemplate
from gateway.services.settings import matches
from gateway.services.working_time import zone_of

RESPOND = "order.respond"
ANSWER = "order.answer"
RESOLVE = "order.resolve"
#: Each promise: what it is called, and the field that says it was kept.
PROMISES = {
    RESPOND: ("respond", "responded_at"),
    ANSWER: ("answer", "answered_at"),
    RESOLVE: ("resolve", "resolved_at"),
}
#: What return visits are drawn from: work that somebody waited for.
VISITED = (OrderKind.REPAIR, OrderKind.REQUEST, OrderKind.COMPLAINT)

_NUMBER = re.compile(r"WO-(\d{8})-(\d{4,9})")
_LOG_KEPT = 300
Condition = tuple[str, str]


class WorkOrders:
    """All orders that are not closed, and those closed lately, which the return of their fault reopens."""

    def __init__(self, common: Common) -> None:
        self.open: dict[str, WorkOrder] = {}
        self.closed: OrderedDict[str, WorkOrder] = OrderedDict()
        self._by_condition: dict[Condition, str] = {}
        self._by_number: dict[str, str] = {}
        self._by_tracking: dict[str, str] = {}
        self._by_external: dict[str, str] = {}
        self._last: dict[str, int] = {}
        self._closings: dict[str, int] = {}
        self._common = common
        self.on_saved: Callable[[WorkOrder, Moment], None] = lambda order, moment: None
        """Told of each order's newest state."""

    def restore(
        self,
        orders: Iterable[WorkOrder],
        last_numbers: Iterable[str] = (),
        externals: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Takes over stored orders, closed ones included as far as given, and the highest number of each day.

        `externals` are the names of all orders in other systems, with their ids.
        """
        self.open.clear()
        self.closed.clear()
        self._by_condition.clear()
        self._by_number.clear()
        self._by_tracking.clear()
        self._by_external.clear()
        self._last.clear()
        self._closings.clear()
        self._by_external.update(externals)
        for order in sorted(orders, key=lambda one: (one.state is not OrderState.CLOSED, one.closed_at or 0.0)):
            self._count(order.number)
            self._closings[order.site] = max(self._closings.get(order.site, 0), order.closing)
            self._index(order)
            if order.state is not OrderState.CLOSED:
                self._set_timers(order)
        for number in last_numbers:
            self._count(number)

    def get(self, key: str) -> WorkOrder:
        """The order with that id or number. Raises `NotFound`."""
        ident = self._by_number.get(key, key)
        order = self.open.get(ident) or self.closed.get(ident)
        if order is None:
            raise NotFound("open work order", key)
        return order

    def tracked(self, tracking: str) -> WorkOrder:
        """The order that a resident looks up. Raises `NotFound`."""
        ident = self._by_tracking.get(tracking)
        order = None if ident is None else self.open.get(ident) or self.closed.get(ident)
        if order is None:
            raise NotFound("request", tracking)
        return order

    def external(self, external: str) -> str | None:
        """The id of the order that came from elsewhere, or went there, under that name; however long ago."""
        return self._by_external.get(external)

    def of(self, rule: str, scope: str) -> WorkOrder | None:
        """The order of that condition: the open one, or the closed one that its return would reopen."""
        ident = self._by_condition.get((rule, scope))
        return None if ident is None else self.open.get(ident) or self.closed.get(ident)

    # Opening

    def open_for(self, alert: Alert, template: OrderTemplate | None, by: str, moment: Moment) -> WorkOrder:
        """The one order of the alert's condition: the open one, the one closed within 7 days, or a new one."""
        order = self.of(alert.rule, alert.scope)
        if order is not None and order.state is OrderState.CLOSED and (order.reopen_due or 0.0) < moment.now:
            order = None
        if order is None:
            return self._open_new(alert, template, by, moment)
        if order.state in (OrderState.DONE, OrderState.VERIFIED, OrderState.CLOSED):
            return self._reopen(order, alert, template, by, moment)
        if order.alert != alert.id:
            return self.save(self.logged(replace(order, alert=alert.id), by, "again", alert.id, moment), moment)
        return order

    def returned(self, alert: Alert, template: OrderTemplate | None, moment: Moment) -> WorkOrder | None:
        """The alert's condition is back: its order is reopened if it was taken for mended."""
        order = self.of(alert.rule, alert.scope)
        if order is None or order.state not in (OrderState.DONE, OrderState.VERIFIED, OrderState.CLOSED):
            return None
        return self.open_for(alert, template, f"rule:{alert.rule}", moment)

    def _open_new(self, alert: Alert, template: OrderTemplate | None, by: str, moment: Moment) -> WorkOrder:
        title = template.title if template is not None else None
        order = WorkOrder(
            id=self._common.ids.next("wo"),
            number=self.number(alert.site, moment.wall),
            site=alert.site,
            title=dict(title) if title else alert.title,
            source="rule" if by.startswith("rule:") else "person",
            team=template.team if template is not None else "",
            priority=str(alert.severity),
            device=alert.device,
            zone=alert.zone,
            alert=alert.id,
            rule=alert.rule,
            scope=alert.scope,
            needs_proof=template.needs_proof if template is not None else False,
            opened_at=moment.wall,
            opened_by=by,
            respond_within=template.respond_within if template is not None else None,
            resolve_within=template.resolve_within if template is not None else None,
        )
        return self.opened(order, by, moment)

    def opened(self, order: WorkOrder, by: str, moment: Moment, text: str = "") -> WorkOrder:
        """Keeps a new order, its promises counted from now."""
        moment.note(by, "work_order.open", order.id, number=order.number, alert=order.alert, team=order.team)
        order = self.logged(self._common.promises.promised(order, moment), by, "open", text, moment)
        return self.save(replace(order, version=1), moment)

    def _reopen(
        self, order: WorkOrder, alert: Alert, template: OrderTemplate | None, by: str, moment: Moment
    ) -> WorkOrder:
        order = replace(
            order,
            alert=alert.id,
            respond_within=template.respond_within if template is not None else order.respond_within,
            resolve_within=template.resolve_within if template is not None else order.resolve_within,
        )
        return self._begin_again(order, by, alert.id, moment)

    def reopen(self, order: WorkOrder, by: str, text: str, moment: Moment) -> WorkOrder:
        """The work was not good: it begins again under the same number. Raises `Conflict` after 7 days."""
        if order.state not in (OrderState.DONE, OrderState.VERIFIED, OrderState.CLOSED):
            raise Conflict(f"work order {order.number} is {order.state.replace('_', ' ')}: it is not finished yet")
        if order.state is OrderState.CLOSED and (order.reopen_due or 0.0) < moment.now:
            raise Conflict(f"work order {order.number} was closed too long ago to be reopened: open another")
        return self._begin_again(order, by, text, moment)

    def _begin_again(self, order: WorkOrder, by: str, text: str, moment: Moment) -> WorkOrder:
        moment.note(by, "work_order.reopen", order.id, number=order.number, alert=order.alert, text=text)
        order = replace(
            order,
            state=OrderState.OPEN,
            assignee=None,
            closed_at=None,
            reopen_due=None,
            responded_at=None,
            answered_at=None,
            arrived_at=None,
            resolved_at=None,
            verified_at=None,
            respond_overdue=False,
            answer_overdue=False,
            resolve_overdue=False,
            deferral=None,
            pause=None,
            outcome="",
            rating=None,
            visit=None,
            visit_wanted=False,
            reopened=order.reopened + 1,
        )
        order = self._common.promises.promised(order, moment)
        return self.save(self.logged(order, by, "reopen", text, moment), moment)

    # Ending

    def ended(self, order: WorkOrder, outcome: str, moment: Moment) -> WorkOrder:
        """The order closed, with whether it gets a return visit; not yet saved.

        At any time at least `visit_share` of a site's closings have been drawn; complaints and what was reopened are
        drawn besides.
        """
        order = replace(
            order,
            state=OrderState.CLOSED,
            outcome=outcome,
            pause=None,
            closed_at=moment.wall,
            reopen_due=moment.now + self._common.settings.order_reopens_within,
        )
        if outcome != "done" or order.kind not in VISITED:
            return order
        number = self._closings.get(order.site, 0) + 1
        share = self._common.settings.visit_share
        drawn = math.ceil(share * number - 1e-9) > math.ceil(share * (number - 1) - 1e-9)
        drawn = drawn or order.kind is OrderKind.COMPLAINT or order.reopened > 0
        return replace(order, closing=number, visit_wanted=drawn)

    def number(self, site: str, wall: float) -> str:
        """The next number of the site's day. Numbers are unique over all sites."""
        place = self._common.world.sites.get(site)
        day = f"{datetime.fromtimestamp(wall, zone_of(place.timezone if place is not None else 'UTC')):%Y%m%d}"
        self._last[day] = self._last.get(day, 0) + 1
        return f"WO-{day}-{self._last[day]:04d}"

    # Deadlines

    def overdue(self, what: str, ident: str, moment: Moment) -> None:
        """The timer of a promise: flags it, once."""
        order = self.open.get(ident)
        promise, kept = PROMISES[what]
        if order is None or getattr(order, kept) is not None:
            return
        action = f"{promise}_overdue"
        moment.note("system", f"work_order.{action}", ident, number=order.number)
        self.save(self.logged(replace(order, **{action: True}), "system", action, "", moment), moment)

    def _set_timers(self, order: WorkOrder) -> None:
        timers = self._common.timers
        waits = order.state is not OrderState.CLOSED
        for what, (promise, kept) in PROMISES.items():
            open_ = waits and getattr(order, kept) is None and not getattr(order, f"{promise}_overdue")
            timers.set(what, order.id, getattr(order, f"{promise}_due") if open_ else None)

    # Keeping

    def logged(self, order: WorkOrder, by: str, action: str, text: str, moment: Moment) -> WorkOrder:
        """The order with one more line of its log and the next version, not yet saved."""
        log = (*order.log, LogEntry(by, moment.wall, action, text))[-_LOG_KEPT:]
        return replace(order, log=log, version=order.version + 1)

    def save(self, order: WorkOrder, moment: Moment, *, told: bool = False) -> WorkOrder:
        """Keeps the order's newest state. `told` is a change that an outside system knows of, as it made it."""
        if not told and self._concerns_outside(order):
            known = order.outside or Outside()
            order = replace(order, outside=replace(known, wanted=known.wanted + 1, attempts=0, problem=""))
        if order.state is OrderState.CLOSED:
            self._closings[order.site] = max(self._closings.get(order.site, 0), order.closing)
        self._index(order)
        self._set_timers(order)
        moment.out.put(order)
        self.on_saved(order, moment)
        return order

    def _concerns_outside(self, order: WorkOrder) -> bool:
        return order.outside is not None or matches(order.team, self._common.settings.outside_teams)

    def _index(self, order: WorkOrder) -> None:
        self._by_number[order.number] = order.id
        if order.tracking is not None:
            self._by_tracking[order.tracking] = order.id
        if order.external is not None:
            self._by_external[order.external] = order.id
        if order.rule is not None and order.scope is not None:
            self._by_condition[order.rule, order.scope] = order.id
        if order.state is not OrderState.CLOSED:
            self.closed.pop(order.id, None)
            self.open[order.id] = order
            return
        self.open.pop(order.id, None)
        self.closed[order.id] = order
        self.closed.move_to_end(order.id)
        while len(self.closed) > self._common.settings.remembered:
            _, gone = self.closed.popitem(last=False)
            self._by_number.pop(gone.number, None)
            self._by_tracking.pop(gone.tracking or "", None)
            if self._by_condition.get((gone.rule or "", gone.scope or "")) == gone.id:
                del self._by_condition[gone.rule or "", gone.scope or ""]

    def _count(self, number: str) -> None:
        found = _NUMBER.fullmatch(number)
        if found is not None:
            self._last[found[1]] = max(self._last.get(found[1], 0), int(found[2]))
