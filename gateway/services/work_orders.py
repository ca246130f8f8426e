"""Work orders 工单: open, assigned, accepted, in progress, done, verified, closed; reopened when the fault returns."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from gateway.errors import NotFound
from gateway.model import Alert, LogEntry, OrderState, WorkOrder
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.ports import OrderTemplate

RESPOND = "order.respond"
RESOLVE = "order.resolve"

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
        self._last: dict[str, int] = {}
        self._common = common

    def restore(self, orders: Iterable[WorkOrder], last_numbers: Iterable[str] = ()) -> None:
        """Takes over stored orders, closed ones included as far as given, and the highest number of each day."""
        self.open.clear()
        self.closed.clear()
        self._by_condition.clear()
        self._by_number.clear()
        self._last.clear()
        for order in sorted(orders, key=lambda one: (one.state is not OrderState.CLOSED, one.closed_at or 0.0)):
            self._count(order.number)
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
        respond = template.respond_within if template is not None else None
        resolve = template.resolve_within if template is not None else None
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
        )
        return self.opened(_promised(order, respond, resolve, moment), by, moment)

    def opened(self, order: WorkOrder, by: str, moment: Moment) -> WorkOrder:
        """Keeps a new order."""
        moment.note(by, "work_order.open", order.id, number=order.number, alert=order.alert, team=order.team)
        order = self.logged(order, by, "open", "", moment)
        return self.save(replace(order, version=1), moment)

    def _reopen(
        self, order: WorkOrder, alert: Alert, template: OrderTemplate | None, by: str, moment: Moment
    ) -> WorkOrder:
        respond = template.respond_within if template is not None else None
        resolve = template.resolve_within if template is not None else None
        moment.note(by, "work_order.reopen", order.id, number=order.number, alert=alert.id)
        order = replace(
            order,
            state=OrderState.OPEN,
            assignee=None,
            alert=alert.id,
            closed_at=None,
            reopen_due=None,
            responded_at=None,
            resolved_at=None,
            respond_overdue=False,
            resolve_overdue=False,
            reopened=order.reopened + 1,
        )
        order = _promised(order, respond, resolve, moment)
        return self.save(self.logged(order, by, "reopen", alert.id, moment), moment)

    def number(self, site: str, wall: float) -> str:
        """The next number of the site's day. Numbers are unique over all sites."""
        place = self._common.world.sites.get(site)
        day = f"{datetime.fromtimestamp(wall, _zone(place.timezone if place is not None else 'UTC')):%Y%m%d}"
        self._last[day] = self._last.get(day, 0) + 1
        return f"WO-{day}-{self._last[day]:04d}"

    # Deadlines

    def overdue(self, what: str, ident: str, moment: Moment) -> None:
        """The timer of a promise: flags it, once."""
        order = self.open.get(ident)
        if order is None:
            return
        if what == RESPOND:
            late, order = order.responded_at is None, replace(order, respond_overdue=True)
        else:
            late, order = order.resolved_at is None, replace(order, resolve_overdue=True)
        if late:
            action = "respond_overdue" if what == RESPOND else "resolve_overdue"
            moment.note("system", f"work_order.{action}", ident, number=order.number)
            self.save(self.logged(order, "system", action, "", moment), moment)

    def _set_timers(self, order: WorkOrder) -> None:
        timers = self._common.timers
        waits = order.state is not OrderState.CLOSED
        responds = waits and order.responded_at is None and not order.respond_overdue
        resolves = waits and order.resolved_at is None and not order.resolve_overdue
        timers.set(RESPOND, order.id, order.respond_due if responds else None)
        timers.set(RESOLVE, order.id, order.resolve_due if resolves else None)

    # Keeping

    def logged(self, order: WorkOrder, by: str, action: str, text: str, moment: Moment) -> WorkOrder:
        """The order with one more line of its log and the next version, not yet saved."""
        log = (*order.log, LogEntry(by, moment.wall, action, text))[-_LOG_KEPT:]
        return replace(order, log=log, version=order.version + 1)

    def save(self, order: WorkOrder, moment: Moment) -> WorkOrder:
        """Keeps the order's newest state."""
        self._index(order)
        self._set_timers(order)
        moment.out.put(order)
        return order

    def _index(self, order: WorkOrder) -> None:
        self._by_number[order.number] = order.id
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
            if self._by_condition.get((gone.rule or "", gone.scope or "")) == gone.id:
                del self._by_condition[gone.rule or "", gone.scope or ""]

    def _count(self, number: str) -> None:
        found = _NUMBER.fullmatch(number)
        if found is not None:
            self._last[found[1]] = max(self._last.get(found[1], 0), int(found[2]))


def _promised(order: WorkOrder, respond: float | None, resolve: float | None, moment: Moment) -> WorkOrder:
    """The order with its deadlines counted from now, on both clocks."""
    return replace(
        order,
        respond_by=None if respond is None else moment.wall + respond,
        respond_due=None if respond is None else moment.now + respond,
        resolve_by=None if resolve is None else moment.wall + resolve,
        resolve_due=None if resolve is None else moment.now + resolve,
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):
        return UTC
