"""The part of the desk that is about work orders: the orders themselves, who gets them, and every action on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gateway.model import Actor, Alert, WorkOrder
from gateway.model.changes import Record
from gateway.services.alerts import Alerts
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.dispatch import Dispatch, RosteredTeams
from gateway.services.moment import Moment
from gateway.services.order_care import OrderCare
from gateway.services.order_import import OrderImport
from gateway.services.order_outside import OrderOutside
from gateway.services.order_work import OrderWork
from gateway.services.people import People
from gateway.services.ports import OrderTemplate
from gateway.services.requests import Requests
from gateway.services.teams import TeamBook
from gateway.services.work_order_actions import WorkOrderActions
from gateway.services.work_orders import PROMISES, WorkOrders

Handler = Callable[[Arguments, Actor, Moment], Record | dict[str, Any]]

_LED = ("open", "assign", "dispatch", "accept", "start", "done", "verify", "close", "comment")
_CARED = ("take", "answer", "defer", "pause", "resume", "cancel", "reopen", "found", "rate", "visit")
_WORKED = ("arrive", "part", "labour", "attach")


class OrderDesk:
    """Work orders and residents' requests of all sites."""

    def __init__(self, common: Common, orders: WorkOrders, alerts: Alerts, people: People) -> None:
        self._common = common
        self._alerts = alerts
        self.orders = orders
        self.dispatch = Dispatch(orders, common, RosteredTeams(people, common.teams))
        self._opening = WorkOrderActions(orders, alerts, common, self.dispatch)

    def take_teams(self, teams: TeamBook) -> None:
        """Other teams from now on; the deadlines that orders have stay."""
        self._common.teams.become(teams)

    def actions(self) -> dict[str, Handler]:
        """The actions it answers."""
        orders, alerts, common, opening = self.orders, self._alerts, self._common, self._opening
        care, work = OrderCare(orders, alerts, common), OrderWork(orders, alerts, common)
        requests = Requests(orders, alerts, common, care, opening)
        rooms: tuple[tuple[object, tuple[str, ...]], ...] = ((opening, _LED), (care, _CARED), (work, _WORKED))
        outside = OrderOutside(orders, alerts, common)
        return {
            "work_order.told": outside.told,
            "work_order.outside": outside.said,
            "alert.work_order": opening.open_for_alert,
            **{f"work_order.{name}": getattr(room, name) for room, names in rooms for name in names},
            "work_order.import": OrderImport(orders, alerts, common).take_in,
            "request.open": requests.open,
            "request.rate": requests.rate,
            "request.reopen": requests.reopen,
        }

    def timed(self) -> dict[str, Callable[[str, Moment], None]]:
        """What comes due: the orders' promises."""
        return {promise: partial(self.orders.overdue, promise) for promise in PROMISES}

    def open_for(self, alert: Alert, template: OrderTemplate, by: str, moment: Moment) -> WorkOrder:
        """The alert's one order, given out where its team gives orders out at once."""
        return self.given_out(self.orders.open_for(alert, template, by, moment), moment)

    def given_out(self, order: WorkOrder, moment: Moment) -> WorkOrder:
        """The order, dispatched where its team gives orders out at once."""
        return self._opening.dispatched(order, moment)
