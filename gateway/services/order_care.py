"""What is owed to who asked: taking it on, answering, deferring once, pausing, cancelling, judging a complaint."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.errors import Conflict, Invalid
from gateway.model import Actor, Deferral, OrderKind, OrderPause, OrderState, Rating, Role, Visit, WorkOrder
from gateway.services.arguments import Arguments
from gateway.services.moment import Moment
from gateway.services.order_room import OrderRoom
from gateway.services.permission import demand

_S = OrderState
WORKING = (_S.OPEN, _S.ASSIGNED, _S.ACCEPTED, _S.IN_PROGRESS)
UNDER_WAY = (_S.ACCEPTED, _S.IN_PROGRESS)
FINISHED = (_S.DONE, _S.VERIFIED, _S.CLOSED)
UNCLOSED = (*WORKING, _S.DONE, _S.VERIFIED)

DEFERRALS = ("dispute", "part", "other")
PAUSES = ("part", "access", "resident", "weather", "other")
CANCELLATIONS = ("duplicate", "not_needed", "mistaken", "other")


class OrderCare(OrderRoom):
    """The actions around the work itself."""

    def take(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.take{order}` 接洽: the first who takes it stays responsible for telling who asked."""
        order = self._known(args, actor)
        args.end()
        self._admit(order, UNCLOSED, "taking")
        if order.owner == actor.name:
            return order
        if order.owner is not None:
            raise Conflict(
                f"work order {order.number} was taken by {order.owner}, who stays responsible", owner=order.owner
            )
        responded = order.responded_at if order.requester is None else order.responded_at or moment.wall
        order = replace(order, owner=actor.name, taken_at=moment.wall, responded_at=responded)
        return self._done(order, actor, "take", "", moment)

    def answer(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.answer{order, text}`: what the resident is told, and reads by the tracking number."""
        order = self._known(args, actor)
        text = args.text("text")
        args.end()
        if order.requester is None:
            raise Conflict(f"nobody asked for work order {order.number}: write a comment")
        owner, taken = order.owner or actor.name, order.taken_at or moment.wall
        order = replace(
            order,
            owner=owner,
            taken_at=taken,
            responded_at=order.responded_at or moment.wall,
            answered_at=order.answered_at or moment.wall,
        )
        return self._done(order, actor, "answer", text, moment)

    def defer(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.defer{order, reason: dispute|part|other, text, until}`: once; `until` in Unix seconds."""
        order = self._known(args, actor)
        reason, text = args.choice("reason", DEFERRALS), args.text("text")
        until = args.number("until", 0.0, 1e12)
        args.end()
        self._admit(order, WORKING, "deferring")
        if order.deferral is not None:
            raise Conflict(
                f"work order {order.number} was deferred once already, by {order.deferral.by}: it is not deferred again"
            )
        if order.pause is not None:
            raise Conflict(f"work order {order.number} is paused: resume it first")
        longest = self._common.settings.deferral_longest
        earliest = max(moment.wall, order.resolve_by or 0.0)
        if not earliest < until <= moment.wall + longest:
            raise Invalid("until", f"must be after the present deadline and within {longest / 86400:g} days")
        deferral = Deferral(
            by=actor.name,
            reason=reason,
            text=text,
            deferred_at=moment.wall,
            from_by=order.resolve_by,
            until_by=until,
        )
        order = self._common.promises.resolve_at(replace(order, deferral=deferral), until, moment)
        return self._done(order, actor, "defer", f"{reason}: {text}", moment)

    def pause(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.pause{order, reason: part|access|resident|weather|other, text?}`: its clock stands still."""
        order = self._known(args, actor)
        reason, text = args.choice("reason", PAUSES), args.maybe_text("text")
        args.end()
        self._admit(order, UNDER_WAY, "pausing")
        if order.pause is not None:
            raise Conflict(f"work order {order.number} is paused already, since {order.pause.by} paused it")
        if reason == "other" and not text:
            raise Invalid("text", "say in a few words why")
        promises = self._common.promises
        pause = OrderPause(
            by=actor.name, reason=reason, text=text, paused_at=moment.wall, left_s=promises.left(order, moment)
        )
        told = f"{reason}: {text}" if text else reason
        return self._done(promises.paused(order, pause), actor, "pause", told, moment)

    def resume(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.resume{order}`: the clock goes on with the working time that was left."""
        order = self._known(args, actor)
        args.end()
        if order.pause is None:
            raise Conflict(f"work order {order.number} is not paused")
        return self._done(self._common.promises.resumed(order, moment), actor, "resume", "", moment)

    def cancel(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.cancel{order, reason: duplicate|not_needed|mistaken|other, text}`: closed without the work.

        While proof is demanded and the fault is there, only an engineer may.
        """
        order = self._known(args, actor)
        reason, text = args.choice("reason", CANCELLATIONS), args.text("text")
        args.end()
        self._admit(order, UNCLOSED, "cancelling")
        if order.needs_proof and self._alerts.holds(order.rule, order.scope):
            demand(actor, Role.ENGINEER, "cancelling an order whose fault still holds")
        order = self._orders.ended(order, "cancelled", moment)
        return self._done(order, actor, "cancel", f"{reason}: {text}", moment)

    def reopen(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.reopen{order, text}`: under its number, within 7 days of its end."""
        order = self._known(args, actor)
        text = args.text("text")
        args.end()
        return self._orders.reopen(order, actor.name, text, moment)

    def found(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.found{order, founded, text}`: whether a complaint is founded 投诉属实, with the finding."""
        order = self._known(args, actor)
        founded, text = args.flag("founded"), args.text("text")
        args.end()
        if order.kind is not OrderKind.COMPLAINT:
            raise Conflict(f"work order {order.number} is no complaint")
        word = "founded" if founded else "unfounded"
        return self._done(replace(order, founded=founded), actor, "found", f"{word}: {text}", moment)

    def rate(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.rate{order, score: 1..5, text?}`: what who asked thinks of the work."""
        order = self._known(args, actor)
        order = self.rated(order, args, actor.name, moment)
        return self._done(order, actor, "rate", self.said(order), moment)

    def rated(self, order: WorkOrder, args: Arguments, by: str, moment: Moment) -> WorkOrder:
        """The order with the rating of the arguments `score` and `text`."""
        score, text = args.number("score", 1, 5), args.maybe_text("text")
        args.end()
        if score != int(score):
            raise Invalid("score", "expected a whole number from 1 to 5")
        self._admit(order, FINISHED, "rating")
        return replace(order, rating=Rating(score=int(score), text=text, rated_at=moment.wall, rated_by=by))

    @staticmethod
    def said(order: WorkOrder) -> str:
        """The rating as its line of the log."""
        rating = order.rating
        return "" if rating is None else f"{rating.score}/5 {rating.text}".strip()

    def visit(self, args: Arguments, actor: Actor, moment: Moment) -> WorkOrder:
        """`work_order.visit{order, satisfied, text?}` 回访: the return visit or call was made."""
        order = self._known(args, actor)
        satisfied, text = args.flag("satisfied"), args.maybe_text("text")
        args.end()
        self._admit(order, FINISHED, "a return visit")
        if order.visit is not None:
            raise Conflict(f"the return visit of work order {order.number} was made by {order.visit.visited_by}")
        visit = Visit(satisfied=satisfied, text=text, visited_at=moment.wall, visited_by=actor.name)
        told = "satisfied" if satisfied else "not satisfied"
        return self._done(replace(order, visit=visit), actor, "visit", f"{told} {text}".strip(), moment)
