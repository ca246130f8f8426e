"""A resident's request against a slow and obvious model: asked once, done, rated, asked again within its week."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import GatehouseError
from gateway.model import Actor, WorkOrder
from tests.services.story import ANNA, Story

TRACKING = "R0123456789AB"
WEEK = 7 * 86_400.0
RESIDENT = Actor("resident")
STEPS = ("accept", "start", "done", "verify", "close", "cancel")
SOURCES = {
    "accept": ("open",), "start": ("accepted", "done"), "done": ("in_progress",), "verify": ("done",),
    "close": ("verified",), "cancel": ("open", "accepted", "in_progress", "done", "verified"),
}  # fmt: skip
LEADS_TO = {
    "accept": "accepted", "start": "in_progress", "done": "done", "verify": "verified", "close": "closed",
    "cancel": "closed",
}  # fmt: skip


class RequestMachine(RuleBasedStateMachine):
    """One tracking number, and everything a resident and the desk may do with it."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.state: str | None = None
        self.score: int | None = None
        self.reopened = 0
        self.ended: float | None = None
        self.cancelled = False

    def tries(self, name: str, person: Any, /, **args: Any) -> bool:
        try:
            self.story.act(name, person, **args)
        except GatehouseError:
            return False
        return True

    @rule()
    def the_resident_asks(self) -> None:
        assert self.tries(
            "request.open",
            RESIDENT,
            site="garden",
            tracking=TRACKING,
            kind="repair",
            text="no light",
            name="Li",
            phone="1",
        )
        self.state = self.state or "open"

    @rule(step=st.sampled_from(STEPS))
    def the_desk_does(self, step: str) -> None:
        orders = self.story.records(WorkOrder)
        if not orders:
            return
        wanted = self.state in SOURCES[step]
        more = {"reason": "mistaken", "text": "a mistake"} if step == "cancel" else {}
        done = self.tries(f"work_order.{step}", ANNA, order=orders[0].id, **more)
        assert done == wanted, (step, self.state, self.story.tale())
        if done:
            self.state = LEADS_TO[step]
            self.cancelled = step == "cancel"
            if self.state == "closed":
                self.ended = self.story.now

    @rule(score=st.integers(1, 5))
    def the_resident_rates(self, score: int) -> None:
        wanted = self.state in ("done", "verified", "closed")
        if self.state == "closed" and self.story.now - (self.ended or 0.0) > WEEK:
            return
        done = self.tries("request.rate", RESIDENT, tracking=TRACKING, score=score)
        assert done == wanted, (self.state, self.story.tale())
        if done:
            self.score = score

    @rule()
    def the_resident_says_that_it_did_not_help(self) -> None:
        wanted = self.state in ("done", "verified", "closed") and not self.cancelled
        if self.state == "closed":
            wanted = wanted and self.story.now - (self.ended or 0.0) <= WEEK
        done = self.tries("request.reopen", RESIDENT, tracking=TRACKING, text="still dark")
        assert done == wanted, (self.state, self.story.tale())
        if done:
            self.state, self.ended = "open", None
            self.reopened += 1

    @rule(seconds=st.sampled_from([60.0, 3 * 86_400.0]), step=st.sampled_from([0.0, 3600.0, -3600.0]))
    def time_passes(self, seconds: float, step: float) -> None:
        self.story.after(seconds, step)

    @rule()
    def the_gateway_stops_and_starts(self) -> None:
        self.story.restart()

    @invariant()
    def there_is_one_order_and_it_is_where_it_should_be(self) -> None:
        orders = self.story.records(WorkOrder)
        assert len(orders) == (0 if self.state is None else 1), "a request asked twice is one order"
        for order in orders:
            assert (str(order.state), order.reopened) == (self.state, self.reopened), self.story.tale()
            assert (order.rating.score if order.rating is not None else None) == self.score or self.reopened


TestRequestMachine = RequestMachine.TestCase
TestRequestMachine.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
