"""The desk behind the real engine and the shipped packs: from what a device says to what people get."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from gateway.model import Alert, AlertState, OrderState, PlanRun, WorkOrder
from gateway.services.command_words import WORDS
from rules import Engine, RuleSet, load_packs, shipped_packs
from tests.services.story import CATALOGUE, DEVICES, PLANS, Story, states_of

SHIPPED: RuleSet = load_packs(shipped_packs(), CATALOGUE)


class Live(Story):
    """A story in which the devices speak and the engine judges."""

    def __init__(self) -> None:
        super().__init__(SHIPPED)
        self.engine = Engine(SHIPPED, CATALOGUE, DEVICES)

    def tells(self, device: str, kind: str, **data: Any) -> None:
        self.seq += 1
        event = replace(self.event(device, kind, **data), seq=self.seq)
        self.says_event(event)
        for change in self.engine.process(event):
            self.judged(change)

    def goes_on(self, seconds: float) -> None:
        for change in [*self.engine.advance(self.now + seconds)]:
            self.judged(change)
        self.after(seconds)


def test_what_the_shipped_rules_start_exists() -> None:
    for one in SHIPPED:
        assert one.then.plan is None or one.then.plan in PLANS.plans, one.id
        assert one.then.command is None or one.then.command.name in WORDS, one.id


def test_a_lift_that_stops_between_floors_brings_alert_plan_and_order_and_its_end_proves_the_repair() -> None:
    story = Live()
    for _ in range(4):
        story.tells(
            "lift-1", "elevator.status", motion="stopped", door="closed", in_door_zone=False, occupied=True, floor=7
        )
        story.goes_on(10)
    (alert,) = story.records(Alert)
    (order,) = story.records(WorkOrder)
    (run,) = story.records(PlanRun)
    assert (alert.state, alert.title["en"], alert.device) == (
        AlertState.UNACKNOWLEDGED,
        "Passenger trapped in Lift-1",
        "lift-1",
    )
    assert alert.advice["zh"].startswith("立即通过轿厢对讲安抚乘客")
    assert (alert.work_order, alert.plan_run) == (order.id, run.id)
    assert order.needs_proof and states_of(run.steps)["call-car"] == "active"
    story.act("alert.acknowledge", alert=alert.id)
    story.tells("lift-1", "elevator.status", motion="stopped", door="open", in_door_zone=True, occupied=True, floor=7)
    assert story.record(Alert, alert.id).state is AlertState.CLOSED
    for action in ("accept", "start", "done", "verify", "close"):
        story.act(f"work_order.{action}", order=order.number)
    assert story.record(WorkOrder, order.id).state is OrderState.CLOSED


def test_a_fire_alarm_is_latched_starts_the_fire_plan_and_keeps_doors_from_being_locked() -> None:
    story = Live()
    story.tells("smoke-1", "fire.alarm", active=True, source="smoke", loop=1, point="017")
    (alert,) = story.records(Alert)
    assert alert.latched and alert.plan_run is not None
    assert {one.name for one in story.sent} == {"unlock", "recall", "raise"}
    assert "point 017" in alert.reason["en"]
    story.tells("smoke-1", "fire.alarm", active=False, source="panel")
    story.act("alert.acknowledge", alert=alert.id)
    assert story.record(Alert, alert.id).state is AlertState.ACKNOWLEDGED
