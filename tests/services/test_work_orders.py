"""The life of a work order."""

from __future__ import annotations

import re

import pytest

from gateway.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from gateway.model import OrderState, WorkOrder
from tests.services.story import ANNA, BEN, SITES, START, STRANGER, VERA, Story

S = OrderState
WHOLE_LIFE = ("assign", "accept", "start", "done", "verify", "close")


def order_of(story: Story) -> WorkOrder:
    orders = story.records(WorkOrder)
    assert len(orders) == 1, f"{[one.number for one in orders]}; the audit: {story.tale()}"
    assert isinstance(orders[0], WorkOrder)
    return orders[0]


def live(story: Story, order: str, *actions: str) -> WorkOrder:
    for action in actions:
        more = {"assignee": "Li"} if action == "assign" else {}
        changed = story.act(f"work_order.{action}", order=order, **more)
    assert isinstance(changed, WorkOrder)
    return changed


def test_a_rule_opens_one_order_with_its_promises_and_links_it_to_the_alert() -> None:
    story = Story()
    alert = story.raised("elevator.entrapment", "lift-1")
    order = order_of(story)
    assert alert is not None
    assert alert.work_order == order.id and order.alert == alert.id
    assert (order.state, order.team, order.priority, order.device) == (S.OPEN, "elevator", "critical", "lift-1")
    assert (order.respond_by, order.respond_due) == (START + 190, START + 180)
    assert (order.resolve_by, order.resolve_due) == (START + 1810, START + 1800)
    assert order.title == alert.title
    story.raised("elevator.entrapment", "lift-1", again=True)
    assert order_of(story).version == order.version


def test_an_order_goes_its_way_and_its_log_tells_it() -> None:
    story = Story()
    story.raised("access.forced")
    number = order_of(story).number
    for action, state in zip(
        WHOLE_LIFE, (S.ASSIGNED, S.ACCEPTED, S.IN_PROGRESS, S.DONE, S.VERIFIED, S.CLOSED), strict=True
    ):
        story.after(60)
        assert live(story.restart(), number, action).state is state
    order = order_of(story)
    assert [one.action for one in order.log] == ["open", *WHOLE_LIFE]
    assert (order.responded_at, order.resolved_at, order.closed_at) == (START + 130, START + 250, START + 370)
    assert order.assignee == "Li"
    assert story.desk.work_orders.open == {}


@pytest.mark.parametrize("done", range(len(WHOLE_LIFE) + 1))
def test_what_a_state_does_not_admit_is_refused_naming_the_state_and_what_is_possible(done: int) -> None:
    story = Story()
    story.raised("access.forced")
    ident = order_of(story).id
    if done:
        live(story, ident, *WHOLE_LIFE[:done])
    possible = {
        0: {"assign", "accept"},
        1: {"assign", "accept"},
        2: {"assign", "start"},
        3: {"done"},
        4: {"start", "verify"},
        5: {"close"},
        6: set(),
    }[done]
    for action in set(WHOLE_LIFE) - possible:
        more = {"assignee": "Li"} if action == "assign" else {}
        with pytest.raises(
            Conflict, match=r"WO-\d{8}-0001 is (open|assigned|accepted|in progress|done|ver|clo)"
        ) as info:
            story.act(f"work_order.{action}", order=ident, **more)
        assert set(info.value.facts["possible"]) == possible  # type: ignore[call-overload]


def test_who_accepts_an_open_order_has_it() -> None:
    story = Story()
    story.raised("access.forced")
    assert story.act("work_order.accept", BEN, order=order_of(story).id).assignee == "user:ben"


def test_work_that_was_not_good_enough_is_begun_again() -> None:
    story = Story()
    story.raised("access.forced")
    ident = order_of(story).id
    live(story, ident, *WHOLE_LIFE[:4])
    again = story.act("work_order.start", order=ident, text="door still rattles")
    assert (again.state, again.resolved_at, again.log[-1].text) == (S.IN_PROGRESS, None, "door still rattles")


def test_promises_that_pass_are_flagged_once_and_kept_promises_are_not() -> None:
    story = Story()
    story.raised("elevator.entrapment", "lift-1")
    ident = order_of(story).id
    assert not story.after(179).restart().after(0.5).records(WorkOrder)[0].respond_overdue
    assert story.after(0.5).records(WorkOrder)[0].respond_overdue
    live(story.restart(), ident, *WHOLE_LIFE[:4])
    story.after(86400)
    order = order_of(story)
    assert (order.respond_overdue, order.resolve_overdue) == (True, False)
    assert story.actions().count("work_order.respond_overdue") == 1


@pytest.mark.parametrize("step", [-3600.0, 7200.0, -86400.0])
def test_fault_044_a_step_of_the_wall_clock_leaves_a_promise_its_length(step: float) -> None:
    story = Story()
    story.raised("access.forced")
    assert not story.after(179, wall_step=step).records(WorkOrder)[0].respond_overdue
    assert story.after(1).records(WorkOrder)[0].respond_overdue


def test_an_order_that_needs_proof_is_not_verified_while_the_fault_is_there() -> None:
    story = Story()
    story.raised("elevator.entrapment", "lift-1")
    ident = order_of(story).id
    live(story, ident, *WHOLE_LIFE[:4])
    with pytest.raises(Conflict, match="needs proof"):
        story.act("work_order.verify", order=ident)
    story.cleared("elevator.entrapment", "lift-1")
    live(story, ident, "verify")
    story.raised("elevator.entrapment", "lift-1")
    order = order_of(story)
    assert (order.state, order.reopened) == (S.OPEN, 1), "the fault came back before the order was closed"


@pytest.mark.parametrize(("days", "reopened"), [(6.99, True), (7.01, False)])
def test_the_fault_that_returns_within_seven_days_reopens_the_order_under_its_number(
    days: float, reopened: bool
) -> None:
    story = Story()
    alert = story.raised("access.forced")
    assert alert is not None
    first = live(story, order_of(story).id, *WHOLE_LIFE)
    story.cleared("access.forced")
    story.act("alert.acknowledge", alert=alert.id)
    story.after(days * 86400).restart()
    new = story.raised("access.forced")
    assert new is not None and new.id != alert.id
    orders = {one.id: one for one in story.records(WorkOrder)}
    assert (len(orders) == 1) is reopened
    order = orders[new.work_order or ""]
    assert (order.id == first.id, order.number == first.number) == (reopened, reopened)
    assert (order.state, order.reopened, order.alert) == (S.OPEN, int(reopened), new.id)
    assert order.respond_due == story.now + 180


def test_a_new_alert_of_the_same_fault_joins_the_order_that_is_still_open() -> None:
    story = Story()
    first = story.raised("access.forced")
    assert first is not None
    story.act("alert.acknowledge", alert=first.id)
    story.cleared("access.forced")
    second = story.raised("access.forced")
    order = order_of(story)
    assert second is not None and second.id != first.id
    assert (second.work_order, order.alert, order.reopened) == (order.id, second.id, 0)


def test_numbers_count_through_the_day_of_the_site_and_go_on_after_a_restart() -> None:
    story = Story()
    # 2026-11-18 23:59 in Shanghai is 15:59 UTC.
    story.after(15 * 3600 + 59 * 60 - (11 * 3600 + 6 * 60 + 50))

    def number() -> str:
        return str(story.restart().act("work_order.open", site="garden", title="Lamp broken").number)

    assert [number(), number()] == ["WO-20261118-0001", "WO-20261118-0002"]
    story.after(120)
    assert number() == "WO-20261119-0001"
    story.after(10, wall_step=-3600)
    assert number() == "WO-20261118-0003", "the wall clock stepped back into yesterday: no number is given twice"


def test_the_highest_numbers_of_days_can_be_given_instead_of_their_orders() -> None:
    story = Story()
    story.desk.restore(last_numbers=["WO-20261118-0041", "nonsense"], sites=SITES)
    assert story.act("work_order.open", site="garden", title="Lamp").number == "WO-20261118-0042"


def test_people_open_orders_for_what_they_see() -> None:
    story = Story()
    order = story.act(
        "work_order.open",
        site="garden",
        title={"en": "Lamp broken", "zh": "灯坏了"},
        device="door-1",
        priority="low",
        team="electric",
        text="third floor",
    )
    assert (order.source, order.zone, order.priority, order.opened_by) == ("person", "b1-lobby", "low", "user:anna")
    assert [(one.action, one.text) for one in order.log] == [("open", ""), ("comment", "third floor")]
    for bad, error in (
        ({"site": "nowhere"}, NotFound),
        ({"device": "far-1"}, NotFound),
        ({"zone": "moon"}, NotFound),
        ({"priority": "urgent"}, Invalid),
        ({"title": ""}, Invalid),
        ({"state": "closed"}, Invalid),
    ):
        with pytest.raises(error):
            story.act("work_order.open", **{"site": "garden", "title": "x", **bad})
    assert order_of(story).id == order.id


def test_an_order_for_an_alert_is_opened_once_whoever_asks() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    order = story.act("alert.work_order", alert=alert.id, team="doors")
    assert (order.team, order.rule, order.source, order.opened_by) == ("doors", "access.held", "person", "user:anna")
    assert story.act("alert.work_order", BEN, alert=alert.id).id == order.id
    assert story.alert("access.held").work_order == order.id
    story.cleared("access.held")
    story.act("alert.acknowledge", alert=alert.id)
    with pytest.raises(Conflict, match="is closed"):
        story.act("alert.work_order", alert=alert.id)


def test_orders_are_changed_by_operators_of_the_site_on_what_they_have_seen() -> None:
    story = Story()
    story.raised("access.forced")
    order = order_of(story)
    with pytest.raises(Forbidden):
        story.act("work_order.accept", VERA, order=order.id)
    with pytest.raises(NotFound):
        story.act("work_order.accept", STRANGER, order=order.id)
    with pytest.raises(NotFound):
        story.act("work_order.accept", order="wo-none")
    story.act("work_order.comment", ANNA, order=order.number, text="who has the key?")
    with pytest.raises(StaleVersion):
        story.act("work_order.accept", BEN, order=order.id, version=order.version)
    assert re.fullmatch(r"WO-\d{8}-\d{4}", order.number)


def test_after_a_restart_the_open_order_of_a_fault_is_found_and_not_its_closed_one() -> None:
    story = Story()
    story.raised("access.forced")
    first = live(story, order_of(story).id, *WHOLE_LIFE)
    story.after(8 * 86400)
    story.cleared("access.forced")
    story.act("alert.acknowledge", alert=story.alert("access.forced").id)
    second = story.raised("access.forced")
    assert second is not None and second.work_order != first.id
    story.act("alert.acknowledge", alert=second.id)
    story.cleared("access.forced")
    third = story.restart().raised("access.forced")
    assert third is not None and third.work_order == second.work_order
    assert len(story.records(WorkOrder)) == 2
