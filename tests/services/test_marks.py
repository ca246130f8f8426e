"""First-out and stale: which alert of a group came first, and which has stood for too long."""

from __future__ import annotations

import pytest

from gateway.model import Alert, AlertState
from tests.services.story import Story

A = AlertState


def came(story: Story, rule: str, scope: str = "door-1") -> Alert:
    story.raised(rule, scope)
    return story.alert(rule, scope)


def test_of_alerts_of_a_zone_and_system_the_first_is_marked_and_the_others_name_it() -> None:
    story = Story()
    first = came(story, "access.held")
    assert first.first_out is None, "a lone alert is the first of nothing"
    second = came(story.after(20), "access.forced", "door-2")
    third = came(story.after(39), "access.forced", "door-1")
    assert story.alert("access.held").first_out == first.id
    assert (second.first_out, third.first_out) == (first.id, first.id)


def test_another_zone_another_system_and_another_minute_are_other_groups() -> None:
    story = Story()
    came(story, "access.held")
    assert came(story, "access.held", "door-9").first_out is None
    assert came(story, "fire.alarm", "smoke-1").first_out is None
    later = came(story.after(61), "access.forced", "door-2")
    assert later.first_out is None
    assert came(story, "access.forced").first_out == later.id


def test_first_out_outlives_a_restart_and_a_step_of_the_clock() -> None:
    story = Story()
    first = came(story, "access.held")
    story.after(30, wall_step=-3600).restart()
    assert came(story, "access.forced", "door-2").first_out == first.id
    story.after(20, wall_step=7200).restart()
    assert came(story, "access.forced").first_out == first.id


def test_a_first_one_that_is_closed_is_first_of_nothing_any_more() -> None:
    story = Story()
    first = came(story, "access.held")
    story.act("alert.acknowledge", alert=first.id)
    story.cleared("access.held")
    assert story.alert("access.held").state is A.CLOSED
    assert came(story, "access.forced", "door-2").first_out is None


@pytest.mark.parametrize("step", [0.0, 3600.0, -3600.0])
def test_a_condition_that_stands_for_a_day_is_stale_by_the_steady_clock(step: float) -> None:
    story = Story()
    came(story, "access.held")
    story.after(86_399, wall_step=step).restart()
    assert not story.alert("access.held").stale
    story.after(1)
    assert story.alert("access.held").stale
    story.restart()
    assert story.alert("access.held").stale
    story.cleared("access.held")
    assert not story.alert("access.held").stale


def test_a_condition_that_comes_back_stands_anew() -> None:
    story = Story()
    came(story, "access.held")
    story.after(80_000).cleared("access.held")
    story.raised("access.held")
    story.after(80_000)
    assert not story.alert("access.held").stale
    assert story.after(6_400).alert("access.held").stale


def test_an_acknowledged_alert_is_stale_as_well_and_an_occurrence_never_is() -> None:
    story = Story()
    alert = came(story, "access.held")
    story.raised("access.denied_often", momentary=True)
    story.act("alert.acknowledge", alert=alert.id)
    story.after(100_000)
    assert story.alert("access.held").stale
    assert not story.alert("access.denied_often").stale
