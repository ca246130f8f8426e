"""What the work leaves behind: the arrival, parts and labour with their cost, photos and documents."""

from __future__ import annotations

import re

from msgspec.structs import replace

from gateway.errors import Conflict, Invalid
from gateway.model import Actor, OrderFile, OrderState, Part, WorkOrder
from gateway.services.arguments import NAME, Arguments
from gateway.services.moment import Moment
from gateway.services.order_care import UNCLOSED
from gateway.services.order_room import OrderRoom

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_PARTS = 100
MOST_FILES = 30
#: The only types of file that are kept: what a camera and a scanner make. Nothing that a browser would run.
FILE_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
_MOST_CENTS = 10**10


class OrderWork(OrderRoom):
    """The actions of who does the work."""

    def arrive(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.arrive{order}` 到场: somebody is there. Saying it again changes nothing."""
        order = self._known(args, actor)
        args.end()
        self._admit(order, (OrderState.ACCEPTED, OrderState.IN_PROGRESS), "arriving")
        if order.arrived_at is not None:
            return order
        return self._done(replace(order, arrived_at=moment.wall), actor, "arrive", "", moment)

    def part(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.part{order, name, quantity?, price_cents?}`: material that was used, at the price of one."""
        order = self._known(args, actor)
        name = args.text("name", NAME)
        quantity, price = args.maybe_number("quantity", 0.001, 1e6), args.maybe_number("price_cents", 0, 1e9)
        args.end()
        self._admit(order, UNCLOSED, "adding a part")
        if len(order.parts) >= _MOST_PARTS:
            raise Conflict(f"work order {order.number} has {_MOST_PARTS} parts: open another order")
        part = Part(name=name, quantity=1.0 if quantity is None else quantity, price_cents=_cents("price_cents", price))
        order = self._costed(replace(order, parts=(*order.parts, part)), order, _worth(part))
        return self._done(order, actor, "part", f"{part.quantity:g} × {name}", moment)

    def labour(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.labour{order, minutes, cost_cents?}`: time that was spent, added to what there is."""
        order = self._known(args, actor)
        minutes, cost = args.number("minutes", 1, 100_000), args.maybe_number("cost_cents", 0, 1e9)
        args.end()
        self._admit(order, UNCLOSED, "adding labour")
        spent = replace(order, labour_minutes=order.labour_minutes + round(minutes))
        order = self._costed(spent, order, _cents("cost_cents", cost))
        return self._done(order, actor, "labour", f"{round(minutes)} min", moment)

    def attach(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.attach{order, sha256, name, type, size}`: a file whose bytes are in the home already.

        The same bytes again change nothing.
        """
        order = self._known(args, actor)
        digest, name = args.text("sha256", 64), args.text("name", NAME)
        kind, size = args.choice("type", FILE_TYPES), args.number("size", 1, 1e9)
        args.end()
        if not _SHA256.fullmatch(digest):
            raise Invalid("sha256", "expected 64 hexadecimal digits")
        if any(file.sha256 == digest for file in order.files):
            return order
        if len(order.files) >= MOST_FILES:
            raise Conflict(f"work order {order.number} has {MOST_FILES} files already")
        file = OrderFile(sha256=digest, name=name, type=kind, size=int(size), added_at=moment.wall, added_by=actor.name)
        return self._done(replace(order, files=(*order.files, file)), actor, "attach", name, moment)

    def _costed(self, order: WorkOrder, before: WorkOrder, cents: int) -> WorkOrder:
        total = before.cost_cents + cents
        if total > _MOST_CENTS:
            raise Invalid("price_cents", "the order would cost more than is plausible")
        return replace(order, cost_cents=total)


def _cents(name: str, value: float | None) -> int:
    if value is not None and value != int(value):
        raise Invalid(name, "expected whole cents")
    return int(value or 0)


def _worth(part: Part) -> int:
    return round(part.quantity * part.price_cents)
