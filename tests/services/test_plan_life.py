"""Plans beyond their steps: branches, escalation, two persons, drills, doing a step again, the report."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.errors import Conflict, Forbidden, Invalid
from gateway.model import Actor, Command, PlanRun, Role, StepState
from gateway.services import DeskSettings, read_plans
from gateway.services.plan_report import report_of
from gateway.services.plan_report_html import LANGUAGES, report_page
from tests.services.story import ANNA, BEN, Story, states_of

PLANS = read_plans(
    {
        "p.yaml": """
id: alarm
title: {en: Alarm, zh: 报警}
scope: building
escalate: [{to: shift_lead, after: 1m}, {to: manager, after: 5m}]
drill: {scenario: {en: It smells., zh: 有异味。}, watch: {en: Doors., zh: 门。}}
steps:
  - {id: doors, title: {en: Doors, zh: 门}, command: {name: unlock, to: {type: door, scope: building}}}
  - {id: lift, title: {en: Lift, zh: 电梯}, command: {name: announce, to: {type: elevator, scope: building}}}
  - id: look
    title: {en: Look, zh: 查看}
    role: guard
    within: 2m
    ask: {real: {en: Real, zh: 属实}, nothing: {en: Nothing, zh: 误报}}
  - {id: call, title: {en: Call, zh: 报警}, role: control_room, within: 1m, if: {look: real}, escalate: []}
  - {id: wait, title: {en: Wait, zh: 等待}, role: guard, within: 1m, after: [call]}
  - {id: note, title: {en: Note, zh: 记录}, role: guard, within: 1m, if: {look: [nothing, failed]}}
  - {id: end, title: {en: End, zh: 结束}, role: guard, within: 1m, after: [wait, note]}
"""
    }
)
ROBOT = Actor("token:robot", Role.OPERATOR)


def begun(settings: DeskSettings | None = None, **more: Any) -> tuple[Story, str]:
    story = Story(plans=PLANS, settings=settings)
    run = story.act("plan.start", plan="alarm", site="garden", device="door-1", **more)
    return story, run.id


def of(story: Story, ident: str) -> PlanRun:
    found = story.record(PlanRun, ident)
    assert isinstance(found, PlanRun)
    return found


def done(story: Story, ident: str, step: str, **more: Any) -> PlanRun:
    found = story.act("plan.step", run=ident, step=step, state=more.pop("state", "done"), **more)
    assert isinstance(found, PlanRun)
    return found


@pytest.mark.parametrize(
    ("answer", "taken", "left"), [("real", {"call"}, {"note"}), ("nothing", {"note"}, {"call", "wait"})]
)
def test_an_answer_takes_its_branch_and_what_hangs_on_the_other_is_not_needed(
    answer: str, taken: set[str], left: set[str]
) -> None:
    story, ident = begun()
    run = done(story, ident, "look", answer=answer)
    assert {step.id for step in run.steps if step.not_needed} == left
    assert {step.id for step in run.steps if step.state is StepState.ACTIVE and step.id != "lift"} >= taken
    assert states_of(run.steps)["end"] == "waiting"
    for step in ("call", "wait") if answer == "real" else ("note",):
        run = done(story, ident, step)
    assert states_of(run.steps)["end"] == "active"


def test_a_question_is_not_done_without_its_answer_and_one_that_is_skipped_takes_every_branch() -> None:
    story, ident = begun()
    with pytest.raises(Invalid, match="answer: say which of real, nothing"):
        done(story, ident, "look")
    with pytest.raises(Invalid, match="'maybe' is no answer here; there is real, nothing"):
        done(story, ident, "look", answer="maybe")
    run = done(story, ident, "look", state="skipped", note="nobody there")
    assert states_of(run.steps)["call"] == "active", "in doubt more is done, not less"
    assert states_of(run.steps)["note"] == "skipped", "this branch asks for an end the step did not have"


def test_a_step_that_failed_takes_the_branch_for_that() -> None:
    story, ident = begun()
    run = done(story, ident, "look", state="failed", note="locked")
    assert states_of(run.steps)["note"] == "active"


def test_an_overdue_step_is_told_to_one_role_after_the_other_over_restarts_and_clock_steps() -> None:
    story, ident = begun()
    story.after(119.9)
    assert story.found == []
    story.after(0.1)
    assert [(one.data["overdue"], one.data["role"], one.data["level"]) for one in story.found] == [(True, "guard", 0)]
    story.restart().after(60, wall_step=-7200).restart()
    assert (story.found[-1].data["role"], of(story, ident).steps[2].escalated) == ("shift_lead", ("shift_lead",))
    story.after(239.9)
    assert len(story.found) == 2
    story.after(0.1)
    assert of(story, ident).steps[2].escalated == ("shift_lead", "manager")
    assert story.after(3600).found[-1].data["level"] == 2, "nobody is left to tell"
    done(story, ident, "look", answer="nothing")
    assert (story.found[-1].data["overdue"], story.found[-1].data["key"]) == (False, f"{ident}/look")
    assert of(story, ident).steps[2].in_time is False


def test_a_step_with_an_empty_escalation_of_its_own_is_overdue_and_tells_nobody_else() -> None:
    story, ident = begun()
    done(story, ident, "look", answer="real")
    story.after(3600)
    call = next(step for step in of(story, ident).steps if step.id == "call")
    assert (call.state, call.escalated) == (StepState.OVERDUE, ())


def test_a_run_that_is_stopped_ends_its_overdue_alerts() -> None:
    story, ident = begun()
    story.after(130).act("plan.stop", run=ident, reason="false alarm")
    assert [one.data["overdue"] for one in story.found] == [True, False]
    assert story.after(3600).found[-1].data["overdue"] is False


def test_a_plan_of_two_persons_begins_when_another_person_has_confirmed_it() -> None:
    story, ident = begun(DeskSettings(plans_second_person=("al*",)))
    assert of(story, ident).state == "proposed" and story.sent == []
    with pytest.raises(Conflict, match="waits for a second person for 'b1' already"):
        story.act("plan.start", BEN, plan="alarm", site="garden", device="door-2")
    with pytest.raises(Forbidden, match="another one than the first"):
        story.act("plan.approve", run=ident)
    with pytest.raises(Forbidden, match="a person, not a program"):
        story.act("plan.approve", ROBOT, run=ident)
    with pytest.raises(Conflict, match="is proposed: nothing more is reported"):
        done(story, ident, "look", answer="real")
    story.restart().after(30)
    run = story.act("plan.approve", BEN, run=ident)
    assert (run.state, run.started_by, run.second_by, run.started_at) == (
        "running",
        "user:anna",
        "user:ben",
        story.wall,
    )
    assert {one.device for one in story.sent} == {"door-1", "door-2", "lift-1"}
    with pytest.raises(Conflict, match="waits for no second person"):
        story.act("plan.approve", BEN, run=ident)


def test_a_proposed_start_lapses_after_a_minute_and_may_be_proposed_again() -> None:
    story, ident = begun(DeskSettings(plans_second_person=("alarm",)))
    story.after(60)
    assert of(story, ident).state == "lapsed" and story.sent == []
    again = story.act("plan.start", plan="alarm", site="garden", device="door-1")
    assert again.state == "proposed"
    assert story.act("plan.start", plan="alarm", site="garden", device="door-1", drill=True).state == "running"


def test_a_drill_sends_nothing_is_marked_scored_and_leaves_a_report() -> None:
    story, ident = begun(drill=True)
    run = of(story, ident)
    assert (run.drill, run.scenario["en"], story.sent) == (True, "It smells.", [])
    story.after(125)
    assert all(one.data["drill"] for one in story.found), "what is told of it is marked as a drill"
    done(story, ident, "look", answer="nothing")
    story.after(30)
    done(story, ident, "note")
    run = done(story, ident, "end")
    assert (run.state, run.score, run.took) == ("finished", 66.7, 155.0)
    assert [(step.id, step.took, step.in_time) for step in run.steps if not step.automatic and not step.not_needed] == [
        ("look", 125.0, False), ("note", 30.0, True), ("end", 0.0, True),
    ]  # fmt: skip
    report = report_of(run, ())
    assert (report["drill"], report["figures"]["late"], report["figures"]["in_time"]) == (True, 1, 2)


def test_a_real_alert_ends_the_drill_of_the_same_plan_at_that_site_and_leaves_others_alone() -> None:
    story = Story()
    drill = story.act("plan.start", plan="fire", site="garden", zone="b2", drill=True)
    other = story.act("plan.start", plan="elevator-entrapment", site="garden", device="lift-1", drill=True)
    story.raised("fire.alarm", "smoke-1", "fire.alarm")
    ended = of(story, drill.id)
    real = next(one for one in story.records(PlanRun) if one.plan == "fire" and not one.drill)
    assert (ended.state, ended.preempted_by, ended.score) == ("stopped", real.id, None)
    assert (ended.log[-1].action, real.state) == ("preempt", "running")
    assert of(story, other.id).state == "running"


def test_fault_082_a_plan_started_on_a_stale_judgement_sends_only_what_releases_people() -> None:
    story = Story().after(600)
    story.raised("fire.alarm", "smoke-1", "fire.alarm", at=story.now - 30)
    [run] = story.records(PlanRun)
    assert {one.name for one in story.sent} == {"unlock", "recall", "raise"}, "release is never held back"
    other = Story().after(600)
    other.raised("elevator.entrapment", "lift-1", at=other.now - 30)
    [run] = other.records(PlanRun)
    assert (other.sent, str(run.steps[0].state)) == ([], "failed")
    assert "was 30 s old" in run.steps[0].note and run.steps[1].state is StepState.ACTIVE


def test_fault_083_a_failed_step_is_done_again_for_the_devices_that_did_not_do_it_and_no_other() -> None:
    story, ident = begun()
    first, second, _ = story.sent
    story.answers(first.device, first.id)
    story.answers(second.device, second.id, "failed", "motor")
    assert states_of(of(story, ident).steps)["doors"] == "failed"
    run = story.act("plan.retry", BEN, run=ident, step="doors")
    assert [one.device for one in story.sent[3:]] == [second.device]
    assert states_of(run.steps)["doors"] == "active"
    story.restart()
    again = next(one for one in story.records(PlanRun) if one.id == ident)
    assert states_of(again.steps)["doors"] == "failed", "what was under way is unknown, and stands out again"
    story.act("plan.retry", run=ident, step="doors")
    story.answers(second.device, story.sent[4].id)
    after = of(story, ident)
    assert (states_of(after.steps)["doors"], after.steps[0].note) == ("done", "")
    with pytest.raises(Conflict, match="only a failed automatic step"):
        story.act("plan.retry", run=ident, step="doors")
    assert "retry" in [line.action for line in after.log]


def test_fault_080_a_command_of_a_plan_that_is_not_seen_to_be_done_is_in_its_timeline() -> None:
    story = Story(plans=PLANS)
    story.says("door-1", "access.door", state="closed", locked=True)
    run = story.act("plan.start", plan="alarm", site="garden", device="door-1")
    for command in list(story.sent):
        story.answers(command.device, command.id)
    story.after(5)
    assert [line.text for line in of(story, run.id).log if line.action == "command_unconfirmed"] == ["unlock door-1"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_prints_in_both_languages_and_escapes_what_people_wrote(language: str) -> None:
    story, ident = begun()
    story.answers("door-1", story.sent[0].id, "failed", "<motor>")
    done(story, ident, "look", answer="real", note="<script>alert(1)</script>")
    story.after(400).act("plan.stop", run=ident, reason="over")
    report = report_of(of(story, ident), story.records(Command))
    page = report_page(report, language, "Asia/Shanghai", {"door-1": "Door <1>"}, "<style></style>")
    assert "<script>" not in page and "&lt;script&gt;" in page and "&lt;motor&gt;" in page and "Door &lt;1&gt;" in page
    assert {"en": "After-action report", "zh": "事后总结报告"}[language] in page
    assert {"en": "Real", "zh": "属实"}[language] in page
    assert report["figures"]["commands"] == {"failed": 1, "unknown": 2}
    assert report["timeline"][0]["action"] == "start"


def test_a_report_of_a_run_from_before_reads() -> None:
    old = PlanRun(id="pl-1", plan="fire", site="garden", title={"en": "Fire"})
    assert report_page(report_of(old, ()), "en", "", {}, "").startswith("<!doctype html>")
    assert replace(old, state="finished").score is None


def test_the_first_person_may_withdraw_a_proposed_start() -> None:
    story, ident = begun(DeskSettings(plans_second_person=("alarm",)))
    run = story.act("plan.stop", ANNA, run=ident, reason="a mistake")
    assert (run.state, run.took, story.sent) == ("stopped", None, [])
