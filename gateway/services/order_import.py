"""Orders from elsewhere: many at once out of a sheet, all or none, each known by its name in the other system."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.errors import GatehouseError, Invalid, NotFound
from gateway.model import Actor, OrderKind, Role, Severity, WorkOrder
from gateway.services.arguments import NAME, Arguments
from gateway.services.moment import Moment
from gateway.services.order_room import OrderRoom
from gateway.services.permission import demand

MOST = 5000
_PRIORITIES = tuple(str(severity) for severity in Severity)
_KINDS = tuple(str(kind) for kind in OrderKind)


class OrderImport(OrderRoom):
    """The action `work_order.import`."""

    def take_in(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`work_order.import{orders: [{external, site, title, …}], check?}`.

        Raises `Invalid` whose fact `wrong` is JSON `[[index, reason], …]` of every wrong one; then nothing was opened.
        An order whose `external` is known is left as it is, so that the same sheet may be sent again.
        """
        given, check = args.items("orders", MOST), args.flag("check")
        args.end()
        demand(actor, Role.ENGINEER, "importing work orders")
        drafts: list[WorkOrder] = []
        wrong: list[tuple[int, str]] = []
        names: set[str] = set()
        for index, one in enumerate(given):
            try:
                draft = self._draft(one, actor, moment)
                if draft.external in names:
                    raise Invalid("external", f"'{draft.external}' stands in the sheet twice")
                names.add(str(draft.external))
                drafts.append(draft)
            except GatehouseError as error:
                wrong.append((index, error.message))
        if wrong:
            raise Invalid(
                "orders",
                f"{len(wrong)} of {len(given)} are wrong, nothing was imported; the first: {wrong[0][1]}",
                wrong=msgspec.json.encode(wrong).decode(),
            )
        fresh = [draft for draft in drafts if self._orders.external(str(draft.external)) is None]
        if check:
            return {"checked": len(drafts), "opened": 0, "known": len(drafts) - len(fresh)}
        for draft in fresh:
            numbered = msgspec.structs.replace(
                draft, id=self._common.ids.next("wo"), number=self._orders.number(draft.site, moment.wall)
            )
            self._orders.opened(numbered, actor.name, moment)
        moment.note(actor.name, "work_order.import", "", opened=len(fresh), known=len(drafts) - len(fresh))
        return {"opened": len(fresh), "known": len(drafts) - len(fresh), "checked": len(drafts)}

    def _draft(self, given: object, actor: Actor, moment: Moment) -> WorkOrder:
        if not isinstance(given, dict):
            raise Invalid("orders", "expected names with values")
        args = Arguments(given)
        external, site, title = args.text("external", NAME), args.ident("site"), args.words("title")
        team, skill, text = args.maybe_text("team", NAME), args.maybe_text("skill", NAME), args.maybe_text("text")
        kind, priority = args.choice("kind", _KINDS, "repair"), args.choice("priority", _PRIORITIES, "medium")
        device, zone = args.maybe_ident("device"), args.maybe_ident("zone")
        args.end()
        world = self._common.world
        world.site(site, actor)
        placed = world.device(device, actor) if device is not None else None
        if placed is not None and placed.site != site:
            raise NotFound(f"device of site '{site}'", device)
        if zone is not None and (zone not in world.zones or world.zones[zone].site != site):
            raise NotFound(f"zone of site '{site}'", zone)
        return WorkOrder(
            id="",
            number="",
            site=site,
            title=title,
            kind=OrderKind(kind),
            source="import",
            team=team,
            skill=skill,
            priority=priority,
            device=device,
            zone=zone if zone is not None or placed is None else placed.zone,
            external=external,
            opened_at=moment.wall,
            opened_by=actor.name,
            text=text,
        )
