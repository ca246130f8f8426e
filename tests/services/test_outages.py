"""Out of service: windows with an owner, a reason and an end, what they hide, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.model import AlertState, Outage
from tests.services.story import ANNA, BEN, ERIKA, STRANGER, Story

A = AlertState


def begin(story: Story, target: str = "door-1", scope: str = "device", minutes: float = 60, **more: Any) -> Outage:
    outage = story.act(
        "outage.begin", ERIKA, site="garden", scope=scope, target=target, reason="new lock", minutes=minutes, **more
    )
    assert isinstance(outage, Outage)
    return outage


def outage_of(story: Story, ident: str) -> Outage:
    outage = story.record(Outage, ident)
    assert isinstance(outage, Outage)
    return outage


@pytest.mark.parametrize(("scope", "target"), [("device", "door-1"), ("rule", "access.held"), ("zone", "b1")])
def test_what_a_window_hides_is_listed_with_owner_reason_and_end_and_is_counted(scope: str, target: str) -> None:
    story = Story()
    stood = story.raised("access.held")
    outage = begin(story, target, scope)
    hidden, other = story.alert("access.held"), story.raised("access.held", "door-9")
    assert stood and other and hidden.shelving
    assert (hidden.shelving.kind, hidden.shelving.by, hidden.shelving.reason) == (
        "out_of_service",
        "user:erika",
        "new lock",
    )
    assert hidden.shelving.until_at == outage.until_at
    expected = 2 if scope == "rule" else 1
    assert outage_of(story, outage.id).hidden == expected
    assert (other.shelving is None) == (scope != "rule")


def test_what_holds_when_the_window_ends_is_raised_anew_and_what_came_and_went_within_it_closes_with_it() -> None:
    story = Story()
    outage = begin(story)
    story.raised("access.held")
    story.raised("access.denied_often")
    story.cleared("access.denied_often")
    story.raised("access.forced", momentary=True)
    assert outage_of(story, outage.id).hidden == 3
    story.after(3599).restart()
    assert story.alert("access.held").shelving is not None
    story.after(1)
    back = story.alert("access.held")
    assert (back.shelving, back.state) == (None, A.UNACKNOWLEDGED)
    assert story.alert("access.denied_often").state is A.CLOSED
    assert story.alert("access.forced").state is A.CLOSED
    ended = outage_of(story, outage.id)
    assert (ended.state, ended.ended_by, ended.hidden) == ("ended", "system", 0)


def test_what_stood_before_the_window_and_went_within_it_still_wants_to_be_acknowledged() -> None:
    story = Story()
    story.raised("access.held")
    story.after(1)
    begin(story)
    story.cleared("access.held")
    back = story.after(3600).alert("access.held")
    assert (back.shelving, back.state) == (None, A.RETURNED)


def test_a_window_starts_no_orders_until_it_has_ended_and_the_fault_is_still_there() -> None:
    story = Story()
    outage = begin(story)
    story.raised("access.forced")
    assert story.alert("access.forced").work_order is None
    story.after(60)
    story.act("outage.end", BEN, outage=outage.id)
    assert story.alert("access.forced").work_order is not None
    assert outage_of(story, outage.id).ended_by == "user:ben"


def test_fire_duress_entrapment_and_critical_alerts_stay_in_sight_whatever_is_out_of_service() -> None:
    story = Story()
    for target in ("smoke-1", "lift-1", "door-1"):
        begin(story, target)
    begin(story, "fire.alarm", "rule")
    fire, trapped = story.raised("fire.alarm", "smoke-1"), story.raised("elevator.entrapment", "lift-1")
    duress = story.raised("access.duress", momentary=True)
    assert fire and trapped and duress
    assert [one.shelving for one in (fire, trapped, duress)] == [None, None, None]
    assert None not in [one.outage for one in (fire, trapped, duress)], "they say that somebody works there"


def test_what_stays_in_sight_is_marked_as_long_as_its_window_is_there() -> None:
    story = Story()
    fire = story.raised("fire.alarm", "smoke-1")
    assert fire is not None and fire.outage is None
    first, second = begin(story, "smoke-1"), begin(story, "b1", "zone", minutes=30)
    assert story.alert("fire.alarm", "smoke-1").outage == first.id
    story.restart().act("outage.end", BEN, outage=first.id)
    marked = story.alert("fire.alarm", "smoke-1")
    assert (marked.outage, marked.state, marked.shelving) == (second.id, A.UNACKNOWLEDGED, None)
    assert story.after(1800).alert("fire.alarm", "smoke-1").outage is None


def test_a_planned_window_begins_by_itself_and_covers_what_stands_then() -> None:
    story = Story()
    story.raised("access.held")
    outage = begin(story, after=30)
    assert (outage.state, story.alert("access.held").shelving) == ("planned", None)
    story.restart().after(1800)
    assert outage_of(story, outage.id).state == "active"
    assert story.alert("access.held").shelving is not None
    assert story.after(3600).alert("access.held").shelving is None


def test_a_window_of_an_order_ends_when_its_work_is_done() -> None:
    story = Story()
    story.raised("access.forced", "door-2")
    order = story.alert("access.forced", "door-2").work_order
    with pytest.raises(Conflict, match="only one in progress"):
        begin(story, work_order=order)
    for verb in ("assign", "accept", "start"):
        more = {"assignee": "anna"} if verb == "assign" else {}
        story.act(f"work_order.{verb}", ANNA, order=order, **more)
    outage = begin(story, work_order=order)
    story.raised("access.held")
    assert story.restart().alert("access.held").shelving is not None
    story.act("work_order.done", ANNA, order=order, text="lock changed")
    assert outage_of(story, outage.id).state == "ended"
    assert story.alert("access.held").shelving is None


def test_bad_windows_are_refused_with_what_to_do() -> None:
    story = Story()
    with pytest.raises(Forbidden, match="role 'engineer'"):
        story.act("outage.begin", ANNA, site="garden", scope="device", target="door-1", reason="x", minutes=5)
    with pytest.raises(Invalid, match="longer than 10080"):
        begin(story, minutes=10081)
    with pytest.raises(Invalid, match="after"):
        begin(story, after=1e6)
    with pytest.raises(Invalid, match="is -1; nothing is out for 0 minutes or less"):
        begin(story, minutes=-1)
    with pytest.raises(Invalid, match="is -5; a window begins now"):
        begin(story, after=-5)
    with pytest.raises(NotFound, match="did you mean 'door-1'"):
        begin(story, "doors-1", "device")
    with pytest.raises(NotFound, match=r"did you mean 'access\.held'"):
        begin(story, "access.hold", "rule")
    with pytest.raises(NotFound, match="no window that is planned or active called 'oo-nothing'"):
        story.act("outage.end", ANNA, outage="oo-nothing")
    for scope, target in (("device", "far-1"), ("zone", "nowhere"), ("rule", "no.rule")):
        with pytest.raises(NotFound):
            begin(story, target, scope)
    outage = begin(story)
    with pytest.raises(Conflict, match=f"end '{outage.id}' first"):
        begin(story)
    with pytest.raises(NotFound):
        story.act("outage.end", STRANGER, outage=outage.id)
    hidden = story.raised("access.held")
    assert hidden is not None
    with pytest.raises(Conflict, match="out of service"):
        story.act("alert.unshelve", alert=hidden.id)
    with pytest.raises(Conflict, match="out of service by user:erika"):
        story.act("alert.shelve", alert=hidden.id, reason="too", minutes=5)


def test_two_windows_over_one_alert_let_it_back_when_the_last_has_ended() -> None:
    story = Story()
    first, second = begin(story), begin(story, "b1", "zone", minutes=30)
    story.raised("access.held")
    assert (outage_of(story, first.id).hidden, outage_of(story, second.id).hidden) == (1, 0)
    story.act("outage.end", ERIKA, outage=first.id)
    assert story.alert("access.held").shelving is not None
    assert outage_of(story, second.id).hidden == 1
    story.after(1800)
    assert story.alert("access.held").shelving is None


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_step_of_the_wall_clock_neither_ends_nor_prolongs_a_window(step: float) -> None:
    story = Story()
    begin(story, minutes=10)
    story.raised("access.held")
    story.after(300, wall_step=step).restart()
    assert story.after(299).alert("access.held").shelving is not None
    assert story.after(1).alert("access.held").shelving is None


def test_a_hidden_alert_does_not_count_for_a_flood() -> None:
    story = Story()
    begin(story, "b1", "zone")
    for number in range(20):
        story.raised("access.held", f"spot-{number}", device="door-1")
    assert story.desk.alerts.of("gateway.storm", "garden") is None
    assert all(story.alert("access.held", f"spot-{number}").parent is None for number in range(20))
