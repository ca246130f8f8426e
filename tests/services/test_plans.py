"""Emergency plans as they run."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from gateway.model import PlanRun
from gateway.services import read_plans
from tests.services.story import ANNA, BEN, DEVICES, SITES, STRANGER, VERA, ZONES, Story, device, states_of

SMALL = read_plans(
    {
        "small.yaml": """
id: small
title: {en: Small, zh: 小}
scope: building
steps:
  - {id: open-doors, title: {en: a, zh: a}, command: {name: unlock, to: {type: door, scope: building}, args: {why: x}}}
  - {id: look, title: {en: b, zh: b}, role: guard, within: 2m}
  - {id: after-doors, title: {en: c, zh: c}, role: guard, within: 1m, after: open-doors}
  - {id: end, title: {en: d, zh: d}, role: guard, within: 1m, after: [look, after-doors]}
"""
    }
)


def run_of(story: Story, plan: str) -> PlanRun:
    found = [one for one in story.records(PlanRun) if one.plan == plan]
    assert len(found) == 1, f"{[(one.id, one.place) for one in found]}; the audit: {story.tale()}"
    assert isinstance(found[0], PlanRun)
    return found[0]


def small(**more: Any) -> tuple[Story, PlanRun]:
    story = Story(plans=SMALL)
    run = story.act("plan.start", plan="small", site="garden", device="door-1", **more)
    assert isinstance(run, PlanRun)
    return story, run


def test_an_entrapment_told_as_it_happens() -> None:
    story = Story()
    alert = story.raised("elevator.entrapment", "lift-1", kind="elevator.status")
    run = run_of(story, "elevator-entrapment")
    assert alert is not None
    assert (alert.plan_run, run.alert, run.started_by) == (run.id, alert.id, "rule:elevator.entrapment")
    # At once the car hears an announcement; three people have something to do.
    assert [(one.name, one.device, one.plan_run) for one in story.sent] == [("announce", "lift-1", run.id)]
    story.after(1).answers("lift-1", story.sent[0].id)
    story.after(30).act("plan.step", run=run.id, step="call-car", state="done", note="two adults, calm")
    # After three minutes nobody has called the maintainer: it stands out, and can still be done.
    states = states_of(run_of(story.after(149), "elevator-entrapment").steps)
    assert states["notify-maintainer"] == states["send-guard"] == "overdue"
    assert states["reassure-automatically"] == states["call-car"] == "done"
    assert states["locate-car"] == "waiting"
    story.restart()
    for step in ("notify-maintainer", "send-guard", "locate-car", "power-off", "release"):
        story.after(60).act("plan.step", BEN, run=run.id, step=step, state="done")
    story.act("plan.step", run=run.id, step="inform-residents", state="skipped", note="nobody was waiting")
    assert run_of(story, "elevator-entrapment").state == "running"
    story.act("plan.step", run=run.id, step="out-of-service", state="done")
    run = run_of(story, "elevator-entrapment")
    assert (run.state, run.finished_at) == ("finished", story.wall)
    assert [one.action for one in run.log][:4] == ["start", "command", "command_done", "step_done"]
    assert run.log[-1].action == "finish"
    assert story.actions().count("plan.start") == story.actions().count("plan.finish") == 1


def test_a_fire_releases_doors_and_recalls_lifts_of_its_building_only() -> None:
    story = Story()
    story.raised("fire.alarm", "smoke-1")
    commanded = sorted((one.name, one.device) for one in story.sent)
    assert commanded == [
        ("raise", "barrier-1"),
        ("recall", "lift-1"),
        ("unlock", "door-1"),
        ("unlock", "door-2"),
    ]


def test_a_second_alarm_in_the_building_joins_the_run_and_one_next_door_has_its_own() -> None:
    story = Story()
    first = story.raised("fire.alarm", "smoke-1")
    second = story.raised("fire.alarm", "lift-1")
    third = story.raised("fire.alarm", "door-9")
    assert first and second and third
    assert first.plan_run == second.plan_run != third.plan_run
    joined = story.record(PlanRun, first.plan_run or "")
    assert [(one.action, one.text) for one in joined.log if one.action == "alert"] == [("alert", second.id)]
    assert sum(one.name == "recall" for one in story.sent) == 1


def test_fault_083_a_step_that_fails_stands_out_and_the_rest_goes_on() -> None:
    story, run = small()
    assert states_of(run.steps) == {
        "open-doors": "active",
        "look": "active",
        "after-doors": "waiting",
        "end": "waiting",
    }
    first, second = story.sent
    story.answers(first.device, first.id, "done")
    assert states_of(story.record(PlanRun, run.id).steps)["open-doors"] == "active"
    story.answers(second.device, second.id, "failed", "motor blocked")
    after = story.record(PlanRun, run.id)
    assert states_of(after.steps)["open-doors"] == "failed"
    assert after.steps[0].note == f"{second.device}: failed (motor blocked)"
    assert states_of(after.steps)["after-doors"] == "active"
    assert [one.action for one in after.log] == ["start", "command", "command_done", "command_failed", "step_failed"]
    mended = story.act("plan.step", run=run.id, step="open-doors", state="done", note="opened by hand")
    assert states_of(mended.steps)["open-doors"] == "done"


def test_fault_083_an_offline_door_fails_its_step_when_its_command_expires() -> None:
    story = Story(plans=SMALL)
    story.says("door-1", "device.availability", online=False)
    run = story.act("plan.start", plan="small", site="garden", device="door-1")
    story.answers("door-2", story.sent[0].id, "done")
    assert states_of(story.after(4.9).record(PlanRun, run.id).steps)["open-doors"] == "active"
    after = story.after(0.1).record(PlanRun, run.id)
    assert states_of(after.steps)["open-doors"] == "failed"
    assert "door-1: expired" in after.steps[0].note


def test_fault_083_reporting_a_step_again_changes_nothing_even_after_the_end() -> None:
    story, run = small()
    for command in story.sent:
        story.answers(command.device, command.id)
    for step in ("look", "after-doors", "end"):
        story.act("plan.step", run=run.id, step=step, state="done")
        before = dict(story.stored)
        assert story.act("plan.step", BEN, run=run.id, step=step, state="done").id == run.id
        assert story.stored == before
    with pytest.raises(Conflict, match="is finished"):
        story.restart().act("plan.step", run=run.id, step="end", state="failed")


def test_fault_083_a_restart_in_the_middle_of_a_step_ends_it_as_unknown_and_sends_nothing_again() -> None:
    story, run = small()
    first = story.sent[0]
    story.answers(first.device, first.id)
    story.restart()
    after = story.record(PlanRun, run.id)
    assert states_of(after.steps) == {
        "open-doors": "failed",
        "look": "active",
        "after-doors": "active",
        "end": "waiting",
    }
    assert "unknown" in after.steps[0].note
    assert len(story.sent) == 2
    assert states_of(story.after(120).record(PlanRun, run.id).steps)["look"] == "overdue"


def test_a_drill_runs_the_same_steps_and_sends_nothing() -> None:
    story, run = small(drill=True)
    assert story.sent == []
    assert run.drill
    assert states_of(run.steps)["open-doors"] == "done"
    assert [one.text for one in run.log if one.action == "simulated"] == ["unlock door-1", "unlock door-2"]
    assert states_of(run.steps)["after-doors"] == "active"
    real = story.act("plan.start", plan="small", site="garden", device="door-1")
    assert real.id != run.id and len(story.sent) == 2, "a drill does not keep the real one from starting"


def test_a_real_alert_starts_its_plan_although_a_drill_is_running() -> None:
    story = Story()
    drill = story.act("plan.start", plan="fire", site="garden", device="smoke-1", drill=True)
    alert = story.raised("fire.alarm", "smoke-1")
    assert alert is not None and alert.plan_run != drill.id
    assert len(story.sent) == 4


def test_a_plan_runs_once_for_each_place() -> None:
    story, run = small()
    with pytest.raises(Conflict, match=f"runs for 'b1' already: '{run.id}'"):
        story.restart().act("plan.start", BEN, plan="small", site="garden", zone="b1")
    other = story.act("plan.start", plan="small", site="garden", zone="b2")
    assert (other.place, [one.device for one in story.sent][2:]) == ("b2", ["door-9"])


def test_a_step_without_devices_is_skipped_and_one_without_a_known_place_fails() -> None:
    story = Story(plans=SMALL)
    nothing = story.act("plan.start", plan="small", site="garden", zone="gate")
    assert states_of(nothing.steps)["open-doors"] == "skipped"
    nowhere = story.act("plan.start", plan="small", site="garden")
    assert (states_of(nowhere.steps)["open-doors"], nowhere.steps[0].note) == ("failed", "the building is not known")


def with_a_mute_door(words: dict[str, tuple[str, ...]]) -> Story:
    """Building 2 has a second door, whose wire format has no commands."""
    story = Story(plans=SMALL, words=words)
    mute = device("mute-1", "door", zone="b2", building="b2", adapter="mute")
    story.desk.set_topology({**DEVICES, mute.id: mute}, ZONES, SITES)
    return story


def test_a_step_that_no_equipment_can_carry_out_is_skipped_with_its_reason_and_the_rest_goes_on() -> None:
    story = Story(words={"native": ("unlock",)})
    story.raised("elevator.entrapment", "lift-1", kind="elevator.status")
    run = run_of(story, "elevator-entrapment")
    first = run.steps[0]
    assert story.sent == []
    assert (first.state, first.note, first.left_out) == ("skipped", "the equipment takes no 'announce'", ("lift-1",))
    assert first.done_by == "system" and first.finished_at == story.wall
    assert [(one.action, one.text) for one in run.log][1] == ("left_out", "announce: lift-1 (native)")
    assert states_of(run.steps)["call-car"] == "active"
    assert run_of(story.restart(), "elevator-entrapment") == run


def test_devices_that_cannot_be_told_are_named_and_the_others_are_told() -> None:
    story = with_a_mute_door({"native": ("unlock",), "mute": ()})
    run = story.act("plan.start", plan="small", site="garden", zone="b2")
    assert [one.device for one in story.sent] == ["door-9"]
    assert run.steps[0].left_out == ("mute-1",)
    story.answers("door-9", story.sent[0].id)
    done = story.record(PlanRun, run.id).steps[0]
    assert (done.state, done.left_out, done.note) == ("done", ("mute-1",), "")


def test_a_drill_leaves_out_what_the_real_thing_would_leave_out() -> None:
    story = with_a_mute_door({"mute": ()})
    run = story.act("plan.start", plan="small", site="garden", zone="b2", drill=True)
    assert [one.text for one in run.log if one.action == "simulated"] == ["unlock door-9"]
    assert (run.steps[0].note, run.steps[0].left_out) == ("simulated on 1 devices", ("mute-1",))


def test_a_plan_is_stopped_with_a_reason_and_is_over() -> None:
    story, run = small()
    with pytest.raises(Invalid, match="reason"):
        story.act("plan.stop", run=run.id)
    stopped = story.act("plan.stop", run=run.id, reason="false alarm, seen by guard")
    assert (stopped.state, stopped.log[-1].text) == ("stopped", "false alarm, seen by guard")
    for command in story.sent:
        story.answers(command.device, command.id)
    story.after(3600)
    assert story.record(PlanRun, run.id) == stopped
    assert story.act("plan.start", plan="small", site="garden", device="door-1").id != run.id


def test_what_cannot_be_reported_now_is_refused_with_what_is_missing() -> None:
    story, run = small()
    for step, state, words in (
        ("end", "done", "waits for look, after-doors"),
        ("open-doors", "done", "being done by the gateway"),
    ):
        with pytest.raises(Conflict, match=words):
            story.act("plan.step", run=run.id, step=step, state=state)
    with pytest.raises(Invalid, match="say why"):
        story.act("plan.step", run=run.id, step="look", state="skipped")
    with pytest.raises(NotFound):
        story.act("plan.step", run=run.id, step="dance", state="done")
    story.act("plan.step", run=run.id, step="look", state="done")
    with pytest.raises(Conflict, match="was reported done by user:anna"):
        story.act("plan.step", BEN, run=run.id, step="look", state="failed")
    with pytest.raises(StaleVersion):
        story.act("plan.step", BEN, run=run.id, step="end", state="skipped", note="x", version=run.version)
    skipped = story.act("plan.step", run=run.id, step="end", state="skipped", note="not needed")
    assert states_of(skipped.steps)["end"] == "skipped"


def test_plans_are_worked_by_operators_of_the_site() -> None:
    story, run = small()
    with pytest.raises(Forbidden):
        story.act("plan.step", VERA, run=run.id, step="look", state="done")
    with pytest.raises(NotFound):
        story.act("plan.stop", STRANGER, run=run.id, reason="mine")
    for bad in ({"plan": "none"}, {"site": "none"}, {"device": "far-1"}, {"zone": "moon"}):
        with pytest.raises(NotFound):
            story.act("plan.start", ANNA, **{"plan": "small", "site": "garden", **bad})


@pytest.mark.parametrize("step", [-3600.0, 7200.0, -86400.0])
def test_fault_044_a_step_of_the_wall_clock_leaves_a_step_its_time(step: float) -> None:
    story, run = small()
    assert states_of(story.after(119, wall_step=step).record(PlanRun, run.id).steps)["look"] == "active"
    assert states_of(story.after(1).record(PlanRun, run.id).steps)["look"] == "overdue"
