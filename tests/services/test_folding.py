"""Symptoms under their cause, and storms that no rule knows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.errors import Conflict
from gateway.model import Alert, AlertState, Child, Severity, Withheld, WorkOrder
from gateway.services.folding import STORM_RULE
from rules.language import RuleSet, Then, WorkOrderRequest
from tests.services.story import RULES, Story, rule

A = AlertState
CAUSE, MIDDLE = "power.out", "switch.lost"
STORMY = RuleSet((
    *RULES,
    rule(CAUSE, then=Then(work_order=WorkOrderRequest(team="electrical"))),
    rule(MIDDLE, then=Then(work_order=WorkOrderRequest(team="network"))),
    rule("lost", Severity.LOW),
    rule("panic", Severity.HIGH, stands_alone=True),
))  # fmt: skip


def story() -> Story:
    return Story(STORMY)


def withheld(told: Story, name: str, scope: str, cause: tuple[str, str] = (CAUSE, "b1"), **more: Any) -> Alert | None:
    change = Withheld(
        rule=name, scope=scope, at=told.now, site="garden", cause=cause[0], cause_scope=cause[1], device=scope, **more
    )
    return told.judged(change)


def children(told: Story, alert: str) -> set[str]:
    return {one.scope for one in told.records(Child) if one.alert == alert and one.ended_at is None}


def counted(told: Story, name: str = CAUSE, scope: str = "b1") -> int:
    """The parent's own count, held against the children that are stored."""
    parent = told.alert(name, scope)
    assert parent.children == len(children(told, parent.id))
    assert {one.scope for one in parent.symptoms} <= children(told, parent.id)
    return parent.children


def test_what_is_withheld_is_a_child_of_its_causes_alert_and_no_alert_of_its_own() -> None:
    told = story()
    told.raised(CAUSE, "b1")
    for number in range(30):
        assert withheld(told, "lost", f"d{number}") is None
    assert len(told.records(Alert)) == 1
    assert counted(told) == 30
    assert [one.scope for one in told.alert(CAUSE, "b1").symptoms] == [f"d{number}" for number in range(10)]
    told.cleared("lost", "d3")
    assert counted(told) == 29
    assert told.restart().cleared("lost", "d4") is None
    assert counted(told) == 28


def test_an_alert_that_stood_is_folded_with_its_order_and_comes_out_when_the_cause_ends() -> None:
    told = story()
    stood = told.raised("access.forced")
    assert stood is not None
    told.act("alert.acknowledge", alert=stood.id)
    cause = told.raised(CAUSE, "b1")
    assert cause is not None and cause.work_order is not None
    folded = withheld(told, "access.forced", "door-1")
    assert folded is not None and (folded.parent, folded.state, folded.id) == (cause.id, A.ACKNOWLEDGED, stood.id)
    order = told.record(WorkOrder, folded.work_order or "")
    assert (order.part_of, order.log[-1].action) == (cause.work_order, "part_of")
    assert counted(told) == 1
    assert msgspec.json.decode(told.told[-1].payload)["parent"] == cause.id
    told.cleared(CAUSE, "b1")
    out = told.restart().raised("access.forced")
    assert out is not None and (out.id, out.parent, out.state, out.count) == (stood.id, None, A.UNACKNOWLEDGED, 1)
    assert told.record(WorkOrder, out.work_order or "").part_of is None
    assert counted(told) == 0
    assert len(told.records(WorkOrder)) == 2


def test_a_child_that_outlives_its_cause_is_raised_as_an_alert_of_its_own() -> None:
    told = story()
    told.raised(CAUSE, "b1")
    withheld(told, "lost", "door-1")
    told.cleared(CAUSE, "b1")
    alert = told.after(60).raised("lost")
    assert alert is not None and alert.state is A.UNACKNOWLEDGED and alert.parent is None
    assert counted(told) == 0
    (child,) = told.records(Child)
    assert child.ended_at == told.wall


def test_causes_of_causes_fold_under_the_one_at_the_top_and_take_their_own_back() -> None:
    told = story()
    middle = told.raised(MIDDLE, "b1")
    assert middle is not None
    withheld(told, "lost", "door-1", (MIDDLE, "b1"), nearest=(MIDDLE, "b1"))
    top = told.raised(CAUSE, "b1")
    assert top is not None
    withheld(told, MIDDLE, "b1", nearest=(CAUSE, "b1"))
    withheld(told, "lost", "door-2", (CAUSE, "b1"), nearest=(MIDDLE, "b1"))
    assert children(told, top.id) == {"b1", "door-1", "door-2"} and counted(told) == 3
    assert counted(told, MIDDLE) == 0
    assert [told.record(WorkOrder, one.work_order or "").part_of for one in (middle, top)] == [top.work_order, None]
    told.restart()
    told.cleared(CAUSE, "b1")
    assert told.raised(MIDDLE, "b1") is not None
    assert children(told, middle.id) == {"door-1", "door-2"} and counted(told, MIDDLE) == 2
    assert counted(told) == 0


def test_who_acknowledges_the_cause_has_seen_what_is_folded_under_it() -> None:
    told = story()
    told.raised("lost")
    cause = told.raised(CAUSE, "b1")
    assert cause is not None
    withheld(told, "lost", "door-1")
    told.act("alert.acknowledge", alert=cause.id)
    assert told.alert("lost").acknowledged_by == "user:anna"
    with pytest.raises(Conflict, match="user:anna"):
        told.act("alert.acknowledge", alert=told.alert("lost").id)
    assert told.cleared("lost") is None
    assert counted(told) == 0


def test_a_folded_alert_that_nobody_saw_stands_as_returned_when_it_ends_under_its_cause() -> None:
    told = story()
    told.raised("lost")
    told.raised(CAUSE, "b1")
    withheld(told, "lost", "door-1")
    ended = told.cleared("lost")
    assert ended is not None and (ended.state, ended.parent) == (A.RETURNED, None)
    assert counted(told) == 0


@pytest.mark.parametrize("name", ["panic", "access.duress", "fire.alarm", "elevator.entrapment"])
def test_what_lives_depend_on_is_never_folded_whatever_the_rules_say(name: str) -> None:
    told = story()
    told.raised(CAUSE, "b1")
    alert = withheld(told, name, "lift-1")
    assert alert is not None and alert.parent is None and alert.state is A.UNACKNOWLEDGED
    assert counted(told) == 0


def test_what_is_withheld_under_a_cause_that_has_no_alert_is_raised() -> None:
    told = story()
    assert withheld(told, "lost", "door-1") is not None


def test_occurrences_under_a_cause_are_counted_and_are_history_when_it_ends() -> None:
    told = story()
    told.raised(CAUSE, "b1")
    for _ in range(3):
        withheld(told, "access.denied_often", "door-1", momentary=True)
    (child,) = told.records(Child)
    assert (child.count, counted(told)) == (3, 1)
    told.cleared(CAUSE, "b1")
    assert counted(told) == 0


def storm_of(told: Story) -> Alert:
    return told.alert(STORM_RULE, "garden")


def test_a_flood_that_no_rule_knows_folds_the_minor_ones_under_one_alert_and_lets_them_out_when_it_ends() -> None:
    told = story()
    for number in range(10):
        told.after(1).raised("lost", f"d{number}")
    assert all(one.rule != STORM_RULE for one in told.records(Alert))
    told.raised("lost", "d10")
    storm = storm_of(told)
    assert (storm.severity, storm.state, storm.title["en"]) == (
        Severity.HIGH,
        A.UNACKNOWLEDGED,
        "Alert flood: 11 alerts in 10 minutes",
    )
    told.raised("lost", "d11")
    told.raised("access.forced")
    told.raised("access.duress", "door-2")
    told.restart().raised("lost", "d12")
    folded = {one.scope for one in told.records(Alert) if one.parent == storm.id}
    assert folded == {"d10", "d11", "d12"}
    assert counted(told, STORM_RULE, "garden") == 3
    assert told.actions().count("alert.raise") == 16
    told.after(599)
    assert storm_of(told).active
    told.after(20)
    ended = storm_of(told)
    assert (ended.state, ended.children) == (A.RETURNED, 0)
    assert all(one.parent is None for one in told.records(Alert))


def test_a_storm_goes_on_as_long_as_five_come_in_ten_minutes() -> None:
    told = story()
    for number in range(11):
        told.raised("lost", f"d{number}")
    for number in range(20):
        told.after(110).raised("lost", f"e{number}")
        assert storm_of(told).active
    assert counted(told, STORM_RULE, "garden") == 21
    told.after(700)
    assert not storm_of(told).active


def test_an_alert_that_closes_in_a_storm_leaves_it() -> None:
    told = story()
    for number in range(11):
        told.raised("lost", f"d{number}")
    told.act("alert.acknowledge", alert=told.alert("lost", "d10").id)
    assert told.cleared("lost", "d10") is None
    assert counted(told, STORM_RULE, "garden") == 0


def test_a_cause_takes_over_what_a_storm_had_folded() -> None:
    told = story()
    for number in range(12):
        told.raised("lost", f"d{number}")
    cause = told.raised(CAUSE, "b1")
    assert cause is not None
    withheld(told, "lost", "d11")
    assert told.alert("lost", "d11").parent == cause.id
    assert counted(told) == 1 and counted(told, STORM_RULE, "garden") == 1
