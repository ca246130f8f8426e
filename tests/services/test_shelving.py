"""Alerts put aside for a time."""

from __future__ import annotations

import pytest

from gateway.app.core import desk_settings
from gateway.config import AlertsSection, Settings
from gateway.errors import Conflict, Forbidden, Invalid
from gateway.model import AlertState, Severity
from gateway.services import DeskSettings
from rules.language import RuleSet
from tests.services.story import ANNA, BEN, START, Story, rule

A = AlertState


def test_a_shelved_alert_comes_back_unacknowledged_when_its_time_is_over_and_its_condition_holds() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    story.act("alert.acknowledge", alert=alert.id)
    shelved = story.act("alert.shelve", alert=alert.id, reason="door is being painted", minutes=60)
    assert (shelved.shelving.by, shelved.shelving.until_at) == ("user:anna", START + 10 + 3600)
    assert story.after(3599).alert("access.held").shelving is not None
    back = story.after(1).alert("access.held")
    assert (back.shelving, back.state, back.acknowledged_by) == (None, A.UNACKNOWLEDGED, None)


def test_a_shelved_alert_that_returned_comes_back_returned_and_still_wants_to_be_acknowledged() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    story.act("alert.shelve", alert=alert.id, reason="painting", minutes=10)
    story.after(60).cleared("access.held")
    back = story.after(600).alert("access.held")
    assert (back.shelving, back.state) == (None, A.RETURNED)


def test_a_shelved_and_acknowledged_alert_closes_when_its_condition_ends_and_nothing_comes_back() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    story.act("alert.acknowledge", alert=alert.id)
    story.act("alert.shelve", alert=alert.id, reason="painting", minutes=10)
    story.after(60).cleared("access.held")
    assert story.after(6000).alert("access.held").state is A.CLOSED
    assert "alert.unshelve" not in story.actions()


def test_fault_056_shelving_is_refused_beyond_eight_hours_for_critical_alerts_and_for_what_must_stay_visible() -> None:
    story = Story()
    held, entrapment = story.raised("access.held"), story.raised("elevator.entrapment", "lift-1")
    duress, fire = story.raised("access.duress", momentary=True), story.raised("fire.alarm", "smoke-1")
    assert held and entrapment and duress and fire
    with pytest.raises(Invalid, match="minutes: is 481; an alert is shelved for at most 480"):
        story.act("alert.shelve", alert=held.id, reason="no", minutes=481)
    with pytest.raises(Invalid, match="reason: missing"):
        story.act("alert.shelve", alert=held.id, minutes=10)
    for alert in (entrapment, duress, fire):
        with pytest.raises(Forbidden, match="never shelved"):
            story.act("alert.shelve", alert=alert.id, reason="noise", minutes=10)
    assert story.act("alert.shelve", alert=held.id, reason="painting", minutes=480).shelving is not None


def test_fault_056_a_critical_alert_needs_a_second_person() -> None:
    story = Story(RuleSet((rule("power.lost", Severity.CRITICAL),)))
    alert = story.raised("power.lost")
    assert alert is not None
    asked = story.act("alert.shelve", alert=alert.id, reason="known", minutes=10)
    assert (asked.shelving, asked.shelving_asked.by, asked.state) == (None, "user:anna", A.UNACKNOWLEDGED)
    with pytest.raises(Conflict, match="a second person must ask the same"):
        story.act("alert.shelve", alert=alert.id, reason="known", minutes=10)
    story.restart()
    with pytest.raises(Conflict, match="for 10 minutes"):
        story.act("alert.shelve", BEN, alert=alert.id, reason="yes", minutes=20)
    shelved = story.act("alert.shelve", BEN, alert=alert.id, reason="yes", minutes=10)
    assert (shelved.shelving.by, shelved.shelving.second) == ("user:anna", "user:ben")
    assert (shelved.shelving.reason, shelved.shelving_asked) == ("known", None)
    assert story.after(600).alert("power.lost").shelving is None


def test_the_wish_to_shelve_a_critical_alert_lapses_and_the_next_person_asks_anew() -> None:
    story = Story(RuleSet((rule("power.lost", Severity.CRITICAL),)))
    alert = story.raised("power.lost")
    assert alert is not None
    story.act("alert.shelve", alert=alert.id, reason="known", minutes=10)
    story.after(300, wall_step=-3600)
    asked = story.act("alert.shelve", BEN, alert=alert.id, reason="mine", minutes=10)
    assert (asked.shelving, asked.shelving_asked.by) == (None, "user:ben")


def test_a_site_may_forbid_to_shelve_critical_alerts() -> None:
    rules = RuleSet((rule("power.lost", Severity.CRITICAL),))
    story = Story(rules, settings=DeskSettings(shelve_second_person=False))
    alert = story.raised("power.lost")
    assert alert is not None
    with pytest.raises(Forbidden, match="never shelved here"):
        story.act("alert.shelve", alert=alert.id, reason="known", minutes=10)


def test_unshelving_by_hand_brings_it_back_ringing_and_only_once() -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    story.act("alert.shelve", alert=alert.id, reason="painting", minutes=60)
    with pytest.raises(Conflict, match="is shelved by user:anna"):
        story.act("alert.shelve", BEN, alert=alert.id, reason="me too", minutes=60)
    assert story.act("alert.unshelve", BEN, alert=alert.id).shelving is None
    with pytest.raises(Conflict, match="not shelved"):
        story.act("alert.unshelve", ANNA, alert=alert.id)
    story.after(3600)
    assert story.actions().count("alert.unshelve") == 1


@pytest.mark.parametrize("step", [-3600.0, 7200.0, -86400.0])
def test_fault_044_a_step_of_the_wall_clock_neither_ends_nor_prolongs_shelving(step: float) -> None:
    story = Story()
    alert = story.raised("access.held")
    assert alert is not None
    story.act("alert.shelve", alert=alert.id, reason="painting", minutes=10)
    story.after(300, wall_step=step).restart()
    assert story.after(299).alert("access.held").shelving is not None
    assert story.after(1).alert("access.held").shelving is None


def test_the_settings_say_whether_and_how_long_a_critical_alert_waits_for_the_second_person() -> None:
    made = desk_settings(Settings(alerts=AlertsSection(shelve_critical=False, shelve_second_s=60.0)))
    assert (made.shelve_second_person, made.shelve_second_within) == (False, 60.0)
