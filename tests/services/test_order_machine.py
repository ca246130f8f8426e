"""Work orders against a slow and obvious model of them, with restarts, clock steps and refusals at random points."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.errors import GatehouseError
from gateway.model import WorkOrder
from tests.services.story import ANNA, BEN, Story

DAY = 86_400.0
STEPS = ("accept", "start", "done", "verify", "close", "take", "cancel", "reopen", "pause", "resume", "defer", "arrive")


class Model:
    """One order as somebody would keep it on paper. Times are steady seconds; nothing is clever."""

    def __init__(self, now: float, respond: float, resolve: float) -> None:
        self.respond, self.resolve = respond, resolve
        self.owner: str | None = None
        self.reopened = 0
        self.closed_at: float | None = None
        self.begin(now)

    def begin(self, now: float) -> None:
        self.state = "open"
        self.responded = self.arrived = self.resolved = self.deferred = False
        self.respond_late = self.resolve_late = False
        self.respond_at: float = now + self.respond
        self.resolve_at: float | None = now + self.resolve
        self.left: float | None = None
        self.paused = False

    def passes(self, now: float) -> None:
        if self.state == "closed":
            return
        if not self.responded and now >= self.respond_at:
            self.respond_late = True
        if not self.resolved and self.resolve_at is not None and now >= self.resolve_at:
            self.resolve_late = True

    def admits(self, step: str, now: float) -> bool:
        working = self.state in ("open", "accepted", "in_progress")
        finished = self.state in ("done", "verified", "closed")
        sources = {"accept": ("open",), "start": ("accepted", "done"), "done": ("in_progress",),
                   "verify": ("done",), "close": ("verified",)}  # fmt: skip
        if step in sources:
            return self.state in sources[step] and not self.paused
        if step == "pause":
            return self.state in ("accepted", "in_progress") and not self.paused
        if step == "resume":
            return self.paused
        if step == "defer":
            return working and not self.deferred and not self.paused
        if step == "arrive":
            return self.state in ("accepted", "in_progress")
        if step == "reopen":
            recent = self.closed_at is None or self.state != "closed" or now <= self.closed_at + 7 * DAY
            return finished and recent
        return self.state != "closed"

    def does(self, step: str, by: str, now: float) -> None:
        if step == "accept":
            self.state, self.responded, self.owner = "accepted", True, self.owner or by
        elif step == "start":
            self.state, self.arrived, self.resolved = "in_progress", True, False
        elif step == "done":
            self.state, self.resolved = "done", True
        elif step == "verify":
            self.state = "verified"
        elif step in ("close", "cancel"):
            self.state, self.closed_at, self.paused = "closed", now, False
        elif step == "pause":
            self.paused, self.left = True, self.resolve_at - now if self.resolve_at is not None else None
            self.resolve_at = None
        elif step == "resume":
            self.paused, self.resolve_at = False, now + self.left if self.left is not None else None
        elif step == "defer":
            self.deferred, self.resolve_late = True, False
            self.resolve_at = now + 20 * DAY
        elif step == "arrive":
            self.arrived = True
        elif step == "take":
            self.owner = by
        elif step == "reopen":
            self.reopened += 1
            self.begin(now)


class OrderMachine(RuleBasedStateMachine):
    """One gateway that dies now and then, and the paper beside it."""

    @initialize()
    def begin(self) -> None:
        self.story = Story()
        self.paper: dict[str, Model] = {}

    @precondition(lambda self: len(self.paper) < 3)
    @rule(respond=st.sampled_from([60.0, 3600.0]), resolve=st.sampled_from([600.0, 2 * DAY]))
    def somebody_opens_one(self, respond: float, resolve: float) -> None:
        order = self.story.act(
            "work_order.open", site="garden", title="Lamp", respond_within=respond, resolve_within=resolve
        )
        self.paper[order.id] = Model(self.story.now, respond, resolve)

    @precondition(lambda self: self.paper)
    @rule(which=st.integers(0, 9), step=st.sampled_from(STEPS), who=st.sampled_from([ANNA, BEN]))
    def somebody_does_something(self, which: int, step: str, who: Any) -> None:
        ident = sorted(self.paper)[which % len(self.paper)]
        model, now = self.paper[ident], self.story.now
        more: dict[str, dict[str, Any]] = {
            "cancel": {"reason": "other", "text": "x"},
            "reopen": {"text": "x"},
            "pause": {"reason": "part"},
            "defer": {"reason": "part", "text": "x", "until": self.story.wall + 20 * DAY},
        }
        admitted = model.admits(step, now)
        if step == "take" and model.owner not in (None, who.name):
            admitted = False
        refused = ""
        try:
            self.story.act(f"work_order.{step}", who, order=ident, **more.get(step, {}))
        except GatehouseError as error:
            refused = error.message
        assert admitted is (not refused), f"{step} of {model.state}: {refused or 'was not refused'}"
        if admitted:
            model.does(step, who.name, now)

    @rule(
        seconds=st.sampled_from([1.0, 59.0, 61.0, 700.0, 4000.0, DAY, 6 * DAY]),
        step=st.sampled_from([0.0, 0.0, 3600.0, -3600.0]),
    )
    def time_passes(self, seconds: float, step: float) -> None:
        self.story.after(seconds, wall_step=step)
        for model in self.paper.values():
            model.passes(self.story.now)

    @rule()
    def the_gateway_dies(self) -> None:
        self.story.restart()

    @invariant()
    def every_order_stands_as_on_paper(self) -> None:
        for ident, model in self.paper.items():
            order: WorkOrder = self.story.record(WorkOrder, ident)
            have = (
                str(order.state), order.owner, order.reopened, order.responded_at is not None,
                order.resolved_at is not None, order.arrived_at is not None, order.pause is not None,
                order.deferral is not None, order.respond_overdue, order.resolve_overdue,
            )  # fmt: skip
            want = (
                model.state, model.owner, model.reopened, model.responded, model.resolved, model.arrived,
                model.paused, model.deferred, model.respond_late, model.resolve_late,
            )  # fmt: skip
            assert have == want, self.story.tale()
            assert (ident in self.story.desk.work_orders.open) is (model.state != "closed")


TestOrderMachine = OrderMachine.TestCase
TestOrderMachine.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
