"""The life of an alert."""

from __future__ import annotations

import msgspec
import pytest

from gateway.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from gateway.model import Alert, AlertState
from tests.services.story import ANNA, BEN, ERIKA, START, STRANGER, VERA, Story

A = AlertState


def test_one_open_alert_per_rule_and_scope_and_repeats_count_up() -> None:
    story = Story()
    first = story.raised("access.forced")
    story.after(30)
    again = story.raised("access.forced", again=True)
    other = story.raised("access.forced", "door-2")
    assert first and again and other
    assert (first.id, 2, START + 40) == (again.id, again.count, again.last_at)
    assert other.id != first.id
    assert [one.seq for one in again.evidence] == [1, 2]
    assert story.actions().count("alert.raise") == 2


def test_fault_054_an_alert_that_clears_unseen_stays_until_a_named_person_acknowledges() -> None:
    story = Story()
    story.raised("access.held")
    returned = story.after(5).cleared("access.held")
    assert returned is not None and (returned.state, returned.active) == (A.RETURNED, False)
    assert story.after(10 * 86400).restart().alert("access.held").state is A.RETURNED
    closed = story.act("alert.acknowledge", alert=returned.id, comment="looked at it")
    assert (closed.state, closed.closed_by, closed.acknowledged_by) == (A.CLOSED, "user:anna", "user:anna")
    assert [(one.by, one.text) for one in closed.comments] == [("user:anna", "looked at it")]
    assert story.desk.alerts.open == {}


def test_an_acknowledged_alert_closes_when_its_condition_ends() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    assert story.act("alert.acknowledge", alert=alert.id).state is A.ACKNOWLEDGED
    assert story.after(3).cleared("access.held") is None
    closed = story.alert("access.held")
    assert (closed.state, closed.closed_by) == (A.CLOSED, "rule:access.held")
    again = story.raised("access.held")
    assert again is not None and again.id != alert.id and again.count == 1


def test_a_returned_alert_whose_condition_comes_back_is_unacknowledged_again() -> None:
    story = Story()
    first = story.raised("access.held")
    story.after(100).cleared("access.held")
    back = story.after(100).raised("access.held")
    assert first and back
    assert (back.id, back.state, back.count, back.active, back.returned_at) == (
        first.id,
        A.UNACKNOWLEDGED,
        2,
        True,
        None,
    )


def test_an_occurrence_closes_when_it_is_acknowledged() -> None:
    story = Story()
    alert = story.raised("access.denied_often", momentary=True)
    assert alert is not None
    assert story.act("alert.acknowledge", alert=alert.id).state is A.CLOSED


def test_fault_055_a_latched_alert_stays_until_a_role_that_may_resets_it() -> None:
    story = Story()
    alert = story.raised("meter.leak", "meter-1")
    assert alert is not None
    with pytest.raises(Conflict, match="still holds"):
        story.act("alert.close", alert=alert.id)
    story.act("alert.acknowledge", alert=alert.id)
    story.cleared("meter.leak", "meter-1")
    waiting = story.restart().alert("meter.leak", "meter-1")
    assert (waiting.state, waiting.active) == (A.ACKNOWLEDGED, False)
    with pytest.raises(Forbidden, match="needs the role 'operator'"):
        story.act("alert.close", VERA, alert=alert.id)
    assert story.act("alert.close", alert=alert.id, comment="valve mended").state is A.CLOSED


def test_fault_055_a_latched_alert_that_waits_for_its_reset_rings_again_when_its_condition_comes() -> None:
    story = Story()
    alert = story.raised("meter.leak", "meter-1")
    assert alert is not None
    story.act("alert.acknowledge", alert=alert.id)
    story.cleared("meter.leak", "meter-1")
    back = story.after(600).raised("meter.leak", "meter-1")
    assert back is not None
    assert (back.id, back.state, back.acknowledged_by, back.count) == (alert.id, A.UNACKNOWLEDGED, None, 2)


def test_fault_055_fire_and_duress_are_reset_by_an_engineer_only() -> None:
    story = Story()
    for name, scope, momentary in (("access.duress", "door-1", True), ("fire.alarm", "smoke-1", False)):
        alert = story.raised(name, scope, momentary=momentary)
        assert alert is not None
        acknowledged = story.act("alert.acknowledge", alert=alert.id)
        assert acknowledged.state is A.ACKNOWLEDGED
        story.cleared(name, scope)
        with pytest.raises(Forbidden, match="needs the role 'engineer'"):
            story.act("alert.close", alert=alert.id)
        assert story.audit[-1].outcome == "refused"
        assert story.act("alert.close", ERIKA, alert=alert.id).state is A.CLOSED


def test_fault_057_of_two_who_acknowledge_one_wins_and_the_other_is_told_who() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    story.act("alert.acknowledge", ANNA, alert=alert.id, version=alert.version)
    with pytest.raises(Conflict, match=r"acknowledged by user:anna at 2026-\d\d-\d\dT.*Z"):
        story.act("alert.acknowledge", BEN, alert=alert.id, version=alert.version)


def test_fault_057_the_second_is_told_who_even_when_the_first_closed_it() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    story.cleared("access.held")
    story.act("alert.acknowledge", ANNA, alert=alert.id)
    with pytest.raises(Conflict, match="closed by user:anna"):
        story.restart().act("alert.acknowledge", BEN, alert=alert.id)


def test_fault_057_an_acknowledgement_does_not_swallow_an_activation_it_has_not_seen() -> None:
    story = Story()
    seen = story.raised("access.denied_often", momentary=True)
    assert seen is not None
    newer = story.after(120).raised("access.denied_often", momentary=True, again=True)
    with pytest.raises(StaleVersion):
        story.act("alert.acknowledge", alert=seen.id, version=seen.version)
    assert newer is not None
    assert story.alert("access.denied_often").state is A.UNACKNOWLEDGED
    assert story.act("alert.acknowledge", alert=seen.id, version=newer.version).state is A.CLOSED


def test_a_version_stays_good_while_a_standing_condition_merely_repeats() -> None:
    story = Story()
    seen = story.raised("meter.leak", "meter-1", kind="meter.reading")
    assert seen is not None
    story.after(900).raised("meter.leak", "meter-1", kind="meter.reading", again=True)
    assert story.act("alert.acknowledge", alert=seen.id, version=seen.version).state is A.ACKNOWLEDGED
    with pytest.raises(StaleVersion):
        story.act("alert.shelve", alert=seen.id, version=99, reason="later", minutes=5)


def test_fault_050_a_door_that_chatters_ten_times_a_second_for_ten_minutes_is_one_alert_and_one_order() -> None:
    story = Story()
    for _ in range(6000):
        story.raised("access.forced")
        story.after(0.05).cleared("access.forced")
        story.after(0.05)
    alert = story.alert("access.forced")
    assert (alert.count, alert.chattering, len(alert.evidence)) == (6000, True, 20)
    assert len(story.records(Alert)) == 1
    assert story.actions().count("work_order.open") == 1
    assert story.actions().count("alert.raise") == 1
    assert len(story.told) < 10, "a retained message for each repeat"
    calm = story.after(61).alert("access.forced")
    assert (calm.chattering, calm.state) == (False, A.RETURNED)
    assert msgspec.json.decode(story.told[-1].payload)["state"] == "returned"


def test_a_chattering_alert_that_was_acknowledged_stays_quiet_and_closes_after_a_calm_minute() -> None:
    story = Story()
    for _ in range(4):
        story.raised("access.held")
        story.after(1).cleared("access.held")
        story.after(1)
    alert = story.raised("access.held")
    assert alert is not None and alert.chattering
    story.act("alert.acknowledge", alert=alert.id)
    for _ in range(5):
        story.after(1).cleared("access.held")
        story.after(1).raised("access.held")
    story.after(1).cleared("access.held")
    assert (story.alert("access.held").id, story.alert("access.held").state) == (alert.id, A.ACKNOWLEDGED)
    assert story.restart().after(50).alert("access.held").state is A.ACKNOWLEDGED
    closed = story.after(11).alert("access.held")
    assert (closed.id, closed.state, closed.count) == (alert.id, A.CLOSED, 10)


def test_a_periodic_report_that_a_condition_goes_on_is_not_chattering() -> None:
    story = Story()
    story.raised("elevator.entrapment", "lift-1", kind="elevator.status")
    for _ in range(20):
        story.after(10).raised("elevator.entrapment", "lift-1", kind="elevator.status", again=True)
    alert = story.alert("elevator.entrapment", "lift-1")
    assert (alert.count, alert.chattering) == (21, False)


def test_the_first_and_the_newest_evidence_are_kept_and_no_event_twice() -> None:
    story = Story()
    for _ in range(40):
        alert = story.raised("access.held", again=True)
    assert alert is not None
    assert [one.seq for one in alert.evidence] == [1, 2, 3, 4, 5, *range(26, 41)]
    same = story.raised("access.held", again=True, evidence=alert.evidence[-3:])
    assert same is not None and same.evidence == alert.evidence


def test_fault_040_a_restart_changes_no_alert_and_announces_nothing() -> None:
    story = Story()
    alert = story.raised("access.held")
    story.raised("access.forced")
    assert alert is not None
    story.act("alert.acknowledge", alert=alert.id)
    before, told = dict(story.stored), len(story.told)
    story.restart().after(1)
    assert story.stored == before
    assert len(story.told) == told
    repeated = story.raised("access.held", again=True)
    assert repeated is not None and (repeated.id, repeated.state) == (alert.id, A.ACKNOWLEDGED)


def test_the_retained_message_says_what_stands_and_is_emptied_at_the_end() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    first = story.told[-1]
    assert (first.topic, first.retain, first.durable) == (f"gatehouse/v1/garden/alerts/{alert.id}", True, True)
    assert msgspec.json.decode(first.payload) == {
        "id": alert.id,
        "rule": "access.held",
        "severity": "medium",
        "state": "unacknowledged",
        "title": {"en": "Door-1: access.held", "zh": "door-1:access.held"},
        "device": "door-1",
        "raised_at": "2026-11-18T11:06:50.000Z",
    }
    story.cleared("access.held")
    assert msgspec.json.decode(story.told[-1].payload)["state"] == "returned"
    story.act("alert.acknowledge", alert=alert.id)
    assert (story.told[-1].topic, story.told[-1].payload) == (first.topic, b"")


def test_comments_and_closing_need_the_operators_role_and_the_site() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    with pytest.raises(NotFound):
        story.act("alert.comment", STRANGER, alert=alert.id, text="hello")
    with pytest.raises(Forbidden):
        story.act("alert.acknowledge", VERA, alert=alert.id)
    with pytest.raises(Invalid, match="text: is empty"):
        story.act("alert.comment", alert=alert.id, text="  ")
    with pytest.raises(Invalid, match="did you mean 'comment'"):
        story.act("alert.acknowledge", alert=alert.id, coment="x")
    commented = story.act("alert.comment", alert=alert.id, text="on my way\x00\u202e")
    assert commented.comments[-1].text == "on my way"
    with pytest.raises(Conflict, match="still holds"):
        story.act("alert.close", alert=alert.id)
    story.cleared("access.held")
    assert story.act("alert.close", alert=alert.id).state is A.CLOSED


def test_many_are_acknowledged_at_once_except_critical_ones_and_each_refusal_is_told() -> None:
    story = Story()
    held, forced = story.raised("access.held"), story.raised("access.forced")
    duress = story.raised("access.duress", momentary=True)
    assert held and forced and duress
    story.act("alert.acknowledge", BEN, alert=forced.id)
    ids = [{"alert": held.id, "version": held.version}, forced.id, duress.id, "al-none"]
    answer = story.act("alert.acknowledge_many", alerts=ids)
    assert answer["acknowledged"] == [held.id]
    assert set(answer["refused"]) == {forced.id, duress.id, "al-none"}
    assert "user:ben" in answer["refused"][forced.id]


def test_an_alert_of_a_rule_that_is_gone_is_raised_with_what_is_known() -> None:
    story = Story()
    alert = story.raised("site.removed")
    assert alert is not None and alert.title == {"en": "site.removed", "zh": "site.removed"}


def test_a_plan_that_does_not_exist_keeps_the_alert_and_is_told_in_the_audit() -> None:
    story = Story()
    alert = story.raised("site.own")
    assert alert is not None and alert.plan_run is None
    assert [(one.action, one.outcome) for one in story.audit][-1] == ("plan.start", "failed")


def test_an_alert_found_late_bears_the_time_at_which_its_condition_came_true() -> None:
    story = Story()
    story.after(600)
    alert = story.raised("access.held", at=story.now - 300)
    assert alert is not None and alert.raised_at == story.wall - 300


def test_a_chattering_alert_acknowledged_while_it_is_away_closes_after_a_calm_minute_as_well() -> None:
    story = Story()
    for _ in range(4):
        story.raised("access.held")
        story.after(1).cleared("access.held")
        story.after(1)
    waiting = story.act("alert.acknowledge", alert=story.alert("access.held").id)
    assert (waiting.state, waiting.active, waiting.chattering) == (A.ACKNOWLEDGED, False, True)
    assert story.after(60).alert("access.held").state is A.CLOSED
