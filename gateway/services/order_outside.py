"""The outside maintenance system: what it was told of an order, and what it says. Each of its messages counts once."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.errors import Conflict, Invalid, NotFound
from gateway.model import Actor, OrderState, Outside, Role, WorkOrder
from gateway.services.arguments import NAME, Arguments
from gateway.services.moment import Moment
from gateway.services.order_room import OrderRoom
from gateway.services.permission import demand, demand_sight

_S = OrderState
#: What the other system may report, in the order of an order's life.
REPORTED = ("accepted", "in_progress", "done")
_LIFE = tuple(OrderState)
_EVENTS_KEPT = 50


class OrderOutside(OrderRoom):
    """The actions `work_order.told` (by the gateway's own messenger) and `work_order.outside` (by the other system)."""

    def told(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.told{order, wanted, id?, problem?}`: the other system took the state `wanted`, or did not."""
        key, wanted = args.ident("order"), int(args.number("wanted", 0, 1e9))
        ident, problem = args.maybe_text("id", NAME), args.maybe_text("problem", 300)
        args.end()
        demand(actor, Role.ADMIN, "saying what another system was told")
        order = self._orders.get(key)
        known = order.outside or Outside()
        if problem:
            changed = replace(known, attempts=known.attempts + 1, problem=problem)
        else:
            changed = replace(known, sent=max(known.sent, wanted), id=known.id or ident, attempts=0, problem="")
        if problem and not known.problem:
            moment.note("system", "work_order.told", order.id, "failed", number=order.number, why=problem)
        return self._orders.save(replace(order, outside=changed, version=order.version + 1), moment, told=True)

    def said(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.outside{event, external, order?, state?, text?, site?, title?, team?}`: the other system's word.

        `event` names the message: the same one again changes nothing. An order that neither `order` nor `external`
        names is opened, for which `site` and `title` are wanted.
        """
        event, external = args.text("event", NAME), args.text("external", NAME)
        key, text = args.maybe_ident("order"), args.maybe_text("text")
        state = args.choice("state", ("", *REPORTED), "")
        site, team = args.maybe_ident("site"), args.maybe_text("team", NAME)
        title = args.words("title") if args.given("title") else None
        args.end()
        demand(actor, Role.OPERATOR, "reporting on a work order")
        order = self._named(key, external, actor)
        if order is None:
            if site is None or title is None:
                raise Invalid("site", f"'{external}' is not known: send 'site' and 'title' to open an order for it")
            self._common.world.site(site, actor)
            order = self._opened(external, site, title, team, actor, moment)
            # It is theirs: they need not be told of it.
            opened = order.outside or Outside()
            order = replace(order, outside=replace(opened, sent=opened.wanted))
        known = order.outside or Outside()
        if event in known.events:
            return order
        if known.id not in ("", external):
            raise Conflict(f"work order {order.number} is '{known.id}' in the other system, not '{external}'")
        order = self._reported(order, state, moment)
        events = (*known.events, event)[-_EVENTS_KEPT:]
        order = replace(order, external=order.external or external, outside=replace(known, id=external, events=events))
        moment.note(actor.name, "work_order.outside", order.id, number=order.number, state=state, text=text)
        logged = self._orders.logged(order, actor.name, "outside", f"{state} {text}".strip(), moment)
        return self._orders.save(logged, moment, told=True)

    def _named(self, key: str | None, external: str, actor: Actor) -> WorkOrder | None:
        ident = key or self._orders.external(external)
        if ident is None:
            return None
        try:
            order = self._orders.get(ident)
        except NotFound:
            raise Conflict(f"the order of '{external}' was closed too long ago") from None
        demand_sight(actor, order.site, "open work order", ident)
        return order

    def _opened(
        self, external: str, site: str, title: dict[str, str], team: str, actor: Actor, moment: Moment
    ) -> WorkOrder:
        order = WorkOrder(
            id=self._common.ids.next("wo"),
            number=self._orders.number(site, moment.wall),
            site=site,
            title=title,
            source="outside",
            team=team,
            external=external,
            opened_at=moment.wall,
            opened_by=actor.name,
            outside=Outside(id=external),
        )
        return self._orders.opened(order, actor.name, moment)

    def _reported(self, order: WorkOrder, state: str, moment: Moment) -> WorkOrder:
        """The order as far as the other system says it is; what it says of the past changes nothing."""
        if not state or order.state in (_S.VERIFIED, _S.CLOSED):
            return order
        target = OrderState(state)
        if _LIFE.index(target) <= _LIFE.index(order.state):
            return order
        if order.pause is not None:
            order = self._common.promises.resumed(order, moment)
        begun, done = target is not _S.ACCEPTED, target is _S.DONE
        return replace(
            order,
            state=target,
            responded_at=order.responded_at or moment.wall,
            arrived_at=order.arrived_at or (moment.wall if begun else None),
            resolved_at=moment.wall if done else None,
        )
