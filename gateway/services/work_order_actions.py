"""What people do with work orders. All need the operator's role; each state admits only what leads on."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from gateway.errors import Conflict, NotFound
from gateway.model import Actor, OrderState, Role, Severity, WorkOrder
from gateway.services.alerts import Alerts
from gateway.services.arguments import NAME, Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.permission import demand, demand_fresh, demand_sight
from gateway.services.work_orders import WorkOrders

_S = OrderState

#: From which states an action is possible, and where it leads. `start` from `done` is work that was not good enough.
TRANSITIONS: dict[str, tuple[tuple[OrderState, ...], OrderState]] = {
    "assign": ((_S.OPEN, _S.ASSIGNED, _S.ACCEPTED), _S.ASSIGNED),
    "accept": ((_S.OPEN, _S.ASSIGNED), _S.ACCEPTED),
    "start": ((_S.ACCEPTED, _S.DONE), _S.IN_PROGRESS),
    "done": ((_S.IN_PROGRESS,), _S.DONE),
    "verify": ((_S.DONE,), _S.VERIFIED),
    "close": ((_S.VERIFIED,), _S.CLOSED),
}
_PRIORITIES = tuple(str(severity) for severity in Severity)


class WorkOrderActions:
    """The actions `work_order.*`."""

    def __init__(self, orders: WorkOrders, alerts: Alerts, common: Common) -> None:
        self._orders = orders
        self._alerts = alerts
        self._common = common

    def open(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.open{site, title, team?, device?, zone?, priority?, text?}`: a repair request, an observation."""
        site, title = args.ident("site"), args.words("title")
        team, text = args.maybe_text("team", NAME), args.maybe_text("text")
        device, zone = args.maybe_ident("device"), args.maybe_ident("zone")
        priority = args.choice("priority", _PRIORITIES, "medium")
        args.end()
        world = self._common.world
        world.site(site, actor)
        demand(actor, Role.OPERATOR, "opening a work order")
        placed = world.device(device, actor) if device is not None else None
        if placed is not None and placed.site != site:
            raise NotFound(f"device of site '{site}'", device)
        if zone is not None and (zone not in world.zones or world.zones[zone].site != site):
            raise NotFound(f"zone of site '{site}'", zone)
        order = WorkOrder(
            id=self._common.ids.next("wo"),
            number=self._orders.number(site, moment.wall),
            site=site,
            title=title,
            source="person",
            team=team,
            priority=priority,
            device=device,
            zone=zone if zone is not None or placed is None else placed.zone,
            opened_at=moment.wall,
            opened_by=actor.name,
        )
        order = self._orders.opened(order, actor.name, moment)
        return order if not text else self._save(order, actor, "comment", text, moment)

    def open_for_alert(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`alert.work_order{alert, team?}`: the alert's one order, opened if there is none."""
        ident, team = args.ident("alert"), args.maybe_text("team", NAME)
        args.end()
        alert = self._alerts.get(ident)
        demand_sight(actor, alert.site, "open alert", ident)
        demand(actor, Role.OPERATOR, "opening a work order")
        if ident not in self._alerts.open:
            raise Conflict(f"alert '{ident}' is closed: open a work order of its own for what remains")
        rule = self._alerts.rules.get(alert.rule)
        template = rule.then.work_order if rule is not None and rule.then is not None else None
        order = self._orders.open_for(alert, template, actor.name, moment)
        if team and team != order.team:
            order = self._save(replace(order, team=team), actor, "team", team, moment)
        self._alerts.link(ident, moment, work_order=order.id)
        return order

    def assign(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.assign{order, assignee, team?}`: to whom it is given."""
        assignee, team = args.text("assignee", NAME), args.maybe_text("team", NAME)

        def change(order: WorkOrder) -> WorkOrder:
            return replace(order, assignee=assignee, team=team or order.team)

        return self._step("assign", args, actor, moment, change=change, note=assignee)

    def accept(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.accept{order}`: it is taken on, by its assignee or, where there is none, by the actor."""

        def change(order: WorkOrder) -> WorkOrder:
            return replace(order, assignee=order.assignee or actor.name, responded_at=moment.wall)

        return self._step("accept", args, actor, moment, change=change)

    def start(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.start{order}`: work begins, or, after `done`, begins again."""
        return self._step("start", args, actor, moment, change=lambda order: replace(order, resolved_at=None))

    def done(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.done{order, text?}`: the work is finished."""
        return self._step("done", args, actor, moment, change=lambda order: replace(order, resolved_at=moment.wall))

    def verify(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.verify{order}`: the work is good. Refused while proof is demanded and the fault is there."""
        return self._step("verify", args, actor, moment, change=self._proven)

    def close(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.close{order}`: the end, until the fault returns."""
        reopens = self._common.settings.order_reopens_within

        def change(order: WorkOrder) -> WorkOrder:
            return replace(self._proven(order), closed_at=moment.wall, reopen_due=moment.now + reopens)

        return self._step("close", args, actor, moment, change=change)

    def comment(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.comment{order, text}`: also on a closed order."""
        key, text = args.ident("order"), args.text("text")
        args.end()
        order = self._find(key, actor)
        moment.note(actor.name, "work_order.comment", order.id, text=text)
        return self._save(order, actor, "comment", text, moment)

    def _find(self, key: str, actor: Actor) -> WorkOrder:
        order = self._orders.get(key)
        demand_sight(actor, order.site, "open work order", key)
        demand(actor, Role.OPERATOR, "changing a work order")
        return order

    def _step(
        self,
        action: str,
        args: Arguments,
        actor: Actor,
        moment: Moment,
        *,
        change: Callable[[WorkOrder], WorkOrder],
        note: str = "",
    ) -> WorkOrder:
        """One transition of `TRANSITIONS`. Raises `Conflict` naming the state and what it admits."""
        key, version, text = args.ident("order"), args.version(), args.maybe_text("text")
        args.end()
        order = self._find(key, actor)
        demand_fresh("work order", key, order.version, version)
        sources, target = TRANSITIONS[action]
        if order.state not in sources:
            possible = [name for name, (before, _) in TRANSITIONS.items() if order.state in before]
            raise Conflict(
                f"work order {order.number} is {order.state.replace('_', ' ')}; "
                + (f"possible now: {', '.join(possible)}" if possible else "nothing leads on from there"),
                state=str(order.state),
                possible=possible,
            )
        changed = replace(change(order), state=target)
        moment.note(actor.name, f"work_order.{action}", order.id, number=order.number, assignee=note, text=text)
        return self._save(changed, actor, action, text or note, moment)

    def _proven(self, order: WorkOrder) -> WorkOrder:
        if order.needs_proof and self._alerts.holds(order.rule, order.scope):
            raise Conflict(
                f"work order {order.number} needs proof: the condition of its alert '{order.alert}' still holds",
                alert=order.alert,
            )
        return order

    def _save(self, order: WorkOrder, actor: Actor, action: str, text: str, moment: Moment) -> WorkOrder:
        return self._orders.save(self._orders.logged(order, actor.name, action, text, moment), moment)
