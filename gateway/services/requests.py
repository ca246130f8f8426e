"""What residents ask for by the public form 报修投诉: no account, a tracking number, the three-minute promise.

Whoever knows the tracking number may look the request up, rate the work and say that it did not help. The number is
made by the API: it must be random, and nothing here is.
"""

from __future__ import annotations

import re

from gateway.errors import Conflict, Invalid, NotFound
from gateway.model import Actor, OrderKind, Requester, WorkOrder
from gateway.services.alerts import Alerts
from gateway.services.arguments import NAME, Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.order_care import OrderCare
from gateway.services.order_room import OrderRoom
from gateway.services.templates import plain
from gateway.services.work_order_actions import WorkOrderActions
from gateway.services.work_orders import WorkOrders

#: What the public form offers.
KINDS = ("repair", "request", "complaint")
TRACKING = re.compile(r"R[0-9A-HJKMNP-TV-Z]{12}")
_TITLE = 80
#: Who acts for a resident: the form has no accounts.
RESIDENT = "resident"


class Requests(OrderRoom):
    """The actions `request.*`. They need no role: the API's public routes alone hand them on, behind a rate limit."""

    def __init__(
        self, orders: WorkOrders, alerts: Alerts, common: Common, care: OrderCare, opening: WorkOrderActions
    ) -> None:
        super().__init__(orders, alerts, common)
        self._care = care
        self._opening = opening

    def open(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`request.open{site, tracking, kind, category, text, place?, name?, phone?, language?}`.

        The same tracking number again changes nothing.
        """
        site, tracking = args.ident("site"), args.text("tracking", 32)
        kind, category = OrderKind(args.choice("kind", KINDS)), args.maybe_text("category", NAME)
        text, address = args.text("text"), args.maybe_text("place", 200)
        name, phone = args.maybe_text("name", NAME), args.maybe_text("phone", 40)
        language = args.choice("language", ("zh", "en"), "zh")
        args.end()
        if not TRACKING.fullmatch(tracking):
            raise Invalid("tracking", "is not a tracking number")
        self._common.world.site(site, actor)
        try:
            return self._orders.tracked(tracking)
        except NotFound:
            pass
        teams, settings = self._common.teams, self._common.settings
        team = teams.for_category(category) if category else None
        if category and team is None:
            raise Invalid("category", f"{plain(category, 40)!r} is not one of {', '.join(teams.categories())}")
        title = plain(text, _TITLE)
        order = WorkOrder(
            id=self._common.ids.next("wo"),
            number=self._orders.number(site, moment.wall),
            site=site,
            title={"en": title, "zh": title},
            kind=kind,
            source="resident",
            team=team.id if team is not None else "",
            opened_at=moment.wall,
            opened_by=RESIDENT,
            text=text,
            tracking=tracking,
            requester=Requester(name=name, phone=phone, address=address, channel="web", language=language),
            respond_within=settings.request_responds_within,
            answer_within=settings.request_answers_within,
            resolve_within=settings.request_resolves_within,
        )
        return self._opening.dispatched(self._orders.opened(order, RESIDENT, moment), moment)

    def rate(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`request.rate{tracking, score: 1..5, text?}`: once the work is done; the newest rating counts."""
        order = self._orders.tracked(args.text("tracking", 32))
        order = self._care.rated(order, args, RESIDENT, moment)
        return self._done(order, Actor(RESIDENT), "rate", OrderCare.said(order), moment)

    def reopen(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`request.reopen{tracking, text}`: it did not help; within 7 days, under the same number."""
        order = self._orders.tracked(args.text("tracking", 32))
        text = args.text("text")
        args.end()
        if order.outcome == "cancelled":
            raise Conflict("this request was cancelled: make a new one")
        return self._orders.reopen(order, RESIDENT, text, moment)
