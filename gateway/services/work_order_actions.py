"""What people do with work orders. All need the operator's role; each state admits only what leads on."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from gateway.errors import Conflict, NotFound
from gateway.model import Actor, OrderKind, OrderState, Requester, Role, Severity, WorkOrder
from gateway.services.alerts import Alerts
from gateway.services.arguments import NAME, Arguments
from gateway.services.common import Common
from gateway.services.dispatch import Dispatch
from gateway.services.moment import Moment
from gateway.services.order_room import OrderRoom
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
_KINDS = tuple(str(kind) for kind in OrderKind)
_CHANNELS = ("phone", "desk", "messaging", "web")


class WorkOrderActions(OrderRoom):
    """The actions `work_order.*` that open an order and lead it through its states."""

    def __init__(self, orders: WorkOrders, alerts: Alerts, common: Common, dispatch: Dispatch) -> None:
        super().__init__(orders, alerts, common)
        self._dispatch = dispatch

    def open(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.open{site, title, team?, skill?, kind?, device?, zone?, priority?, text?, within…?, requester?}`.

        A repair request, an observation. `respond_within` and `resolve_within` are seconds of the team's working time.
        With a `requester{name?, phone?, address?, channel?}` it is a resident's request that came by phone or at the
        desk: who writes it down owns it.
        """
        site, title = args.ident("site"), args.words("title")
        team, text = args.maybe_text("team", NAME), args.maybe_text("text")
        skill, kind = args.maybe_text("skill", NAME), OrderKind(args.choice("kind", _KINDS, "repair"))
        device, zone = args.maybe_ident("device"), args.maybe_ident("zone")
        priority = args.choice("priority", _PRIORITIES, "medium")
        respond, resolve = args.maybe_number("respond_within", 1, 3e7), args.maybe_number("resolve_within", 1, 3e7)
        requester = _requester(args)
        args.end()
        world = self._common.world
        world.site(site, actor)
        demand(actor, Role.OPERATOR, "opening a work order")
        placed = world.device(device, actor) if device is not None else None
        if placed is not None and placed.site != site:
            raise NotFound(f"device of site '{site}'", device)
        if zone is not None and (zone not in world.zones or world.zones[zone].site != site):
            raise NotFound(f"zone of site '{site}'", zone)
        settings = self._common.settings
        order = WorkOrder(
            id=self._common.ids.next("wo"),
            number=self._orders.number(site, moment.wall),
            site=site,
            title=title,
            source="person" if requester is None else "resident",
            kind=kind,
            team=team,
            skill=skill,
            priority=priority,
            device=device,
            zone=zone if zone is not None or placed is None else placed.zone,
            opened_at=moment.wall,
            opened_by=actor.name,
            respond_within=respond,
            resolve_within=resolve,
        )
        if requester is not None:
            order = replace(
                order,
                requester=requester,
                owner=actor.name,
                taken_at=moment.wall,
                responded_at=moment.wall,
                respond_within=respond or settings.request_responds_within,
                answer_within=settings.request_answers_within,
                resolve_within=resolve or settings.request_resolves_within,
            )
        order = self._orders.opened(order, actor.name, moment)
        if text:
            order = self._save(order, actor, "comment", text, moment)
        return self.dispatched(order, moment)

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

    def dispatch(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.dispatch{order}` 派单: to the least busy of those on duty who can do it and work there."""
        order = self._known(args, actor)
        args.end()
        self._admit(order, TRANSITIONS["assign"][0], "dispatching")
        choice = self._dispatch.choose(order, moment.wall)
        order = replace(order, state=_S.ASSIGNED, assignee=choice.member.id)
        return self._done(order, actor, "dispatch", f"{choice.member.id}: {choice.reason}", moment)

    def dispatched(self, order: WorkOrder, moment: Moment) -> WorkOrder:
        """A new order of a team that gives its orders out at once, given out; where nobody is there, it stays open."""
        team = self._common.teams.get(order.team)
        if team is None or team.dispatch != "auto" or order.state is not _S.OPEN:
            return order
        try:
            choice = self._dispatch.choose(order, moment.wall)
        except Conflict as error:
            return self._orders.save(self._orders.logged(order, "system", "dispatch", error.message, moment), moment)
        moment.note("system", "work_order.dispatch", order.id, number=order.number, assignee=choice.member.id)
        order = replace(order, state=_S.ASSIGNED, assignee=choice.member.id)
        told = f"{choice.member.id}: {choice.reason}"
        return self._orders.save(self._orders.logged(order, "system", "dispatch", told, moment), moment)

    def assign(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.assign{order, assignee, team?}`: to whom it is given."""
        assignee, team = args.text("assignee", NAME), args.maybe_text("team", NAME)

        def change(order: WorkOrder) -> WorkOrder:
            return replace(order, assignee=assignee, team=team or order.team)

        return self._step("assign", args, actor, moment, change=change, note=assignee)

    def accept(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.accept{order}`: it is taken on, by its assignee or, where there is none, by the actor."""

        def change(order: WorkOrder) -> WorkOrder:
            return replace(
                order,
                assignee=order.assignee or actor.name,
                owner=order.owner or actor.name,
                responded_at=order.responded_at or moment.wall,
            )

        return self._step("accept", args, actor, moment, change=change)

    def start(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.start{order}`: work begins, or, after `done`, begins again. Who begins is there."""

        def change(order: WorkOrder) -> WorkOrder:
            return replace(order, resolved_at=None, arrived_at=order.arrived_at or moment.wall)

        return self._step("start", args, actor, moment, change=change)

    def done(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.done{order, text?}`: the work is finished."""
        return self._step("done", args, actor, moment, change=lambda order: replace(order, resolved_at=moment.wall))

    def verify(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.verify{order}`: the work is good. Refused while proof is demanded and the fault is there."""

        def change(order: WorkOrder) -> WorkOrder:
            return replace(self._proven(order), verified_at=moment.wall)

        return self._step("verify", args, actor, moment, change=change)

    def close(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.close{order}`: the end, until the fault returns.

        A resident's request closes once they were answered, a complaint once it is founded or not.
        """

        def change(order: WorkOrder) -> WorkOrder:
            if order.requester is not None and order.answered_at is None:
                raise Conflict(f"work order {order.number}: the resident was not answered yet")
            if order.kind is OrderKind.COMPLAINT and order.founded is None:
                raise Conflict(f"work order {order.number}: say first whether the complaint is founded")
            return self._orders.ended(self._proven(order), "done", moment)

        return self._step("close", args, actor, moment, change=change)

    def comment(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.comment{order, text}`: also on a closed order."""
        key, text = args.ident("order"), args.text("text")
        args.end()
        order = self._find(key, actor)
        moment.note(actor.name, "work_order.comment", order.id, text=text)
        return self._save(order, actor, "comment", text, moment)

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
        if order.pause is not None:
            raise Conflict(f"work order {order.number} is paused: resume it first", possible=["resume"])
        changed = replace(change(order), state=target)
        moment.note(actor.name, f"work_order.{action}", order.id, number=order.number, assignee=note, text=text)
        return self._save(changed, actor, action, text or note, moment)


def _requester(args: Arguments) -> Requester | None:
    """The resident of the argument `requester`, or None."""
    given = args.mapping("requester")
    if not given:
        return None
    inner = Arguments(given)
    requester = Requester(
        name=inner.maybe_text("name", NAME),
        phone=inner.maybe_text("phone", 40),
        address=inner.maybe_text("address", 200),
        channel=inner.choice("channel", _CHANNELS, "phone"),
        language=inner.choice("language", ("zh", "en"), "zh"),
    )
    inner.end()
    return requester
