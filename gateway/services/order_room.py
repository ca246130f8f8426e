"""What all rooms of order actions share: finding an order, refusing what its state does not admit, saving it."""

from __future__ import annotations

from collections.abc import Collection

from gateway.errors import Conflict
from gateway.model import Actor, OrderState, Role, WorkOrder
from gateway.services.alerts import Alerts
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.permission import demand, demand_fresh, demand_sight
from gateway.services.work_orders import WorkOrders


class OrderRoom:
    """Base of the rooms. All of them need the operator's role, and refuse what was changed meanwhile."""

    def __init__(self, orders: WorkOrders, alerts: Alerts, common: Common) -> None:
        self._orders = orders
        self._alerts = alerts
        self._common = common

    def _find(self, key: str, actor: Actor) -> WorkOrder:
        order = self._orders.get(key)
        demand_sight(actor, order.site, "open work order", key)
        demand(actor, Role.OPERATOR, "changing a work order")
        return order

    def _known(self, args: Arguments, actor: Actor) -> WorkOrder:
        """The order of the arguments `order` and `version`. Reads them, so `args.end()` comes after it."""
        key, version = args.ident("order"), args.version()
        order = self._find(key, actor)
        demand_fresh("work order", key, order.version, version)
        return order

    def _admit(self, order: WorkOrder, states: Collection[OrderState], what: str) -> None:
        """Raises `Conflict` where the order's state does not admit it, or where its clock stands still."""
        if order.state not in states:
            admitted = ", ".join(state.replace("_", " ") for state in states)
            raise Conflict(
                f"work order {order.number} is {order.state.replace('_', ' ')}; {what} is for what is {admitted}",
                state=str(order.state),
            )

    def _proven(self, order: WorkOrder) -> WorkOrder:
        if order.needs_proof and self._alerts.holds(order.rule, order.scope):
            raise Conflict(
                f"work order {order.number} needs proof: the condition of its alert '{order.alert}' still holds",
                alert=order.alert,
            )
        return order

    def _done(self, order: WorkOrder, actor: Actor, action: str, text: str, moment: Moment) -> WorkOrder:
        """Saves what an action changed, and notes it in the audit."""
        moment.note(actor.name, f"work_order.{action}", order.id, number=order.number, text=text)
        return self._save(order, actor, action, text, moment)

    def _save(self, order: WorkOrder, actor: Actor, action: str, text: str, moment: Moment) -> WorkOrder:
        return self._orders.save(self._orders.logged(order, actor.name, action, text, moment), moment)
