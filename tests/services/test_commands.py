"""Commands: at most once, or not at all, and it is said which."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gateway.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from gateway.model import Changes, Command, CommandState, Event
from tests.services.story import ANNA, BEN, DEVICES, ERIKA, STRANGER, VERA, Story

C = CommandState


def state(story: Story, ident: str) -> CommandState:
    found = story.record(Command, ident)
    assert isinstance(found, Command)
    return found.state


def test_a_command_is_sent_at_once_and_done_on_the_devices_word() -> None:
    story = Story()
    command = story.act("command.request", device="door-1", name="open", args={"seconds": 5})
    assert command.state is C.SENT
    assert [(one.id, one.args) for one in story.sent] == [(command.id, {"seconds": 5})]
    story.after(0.2).answers("door-1", command.id, "done", "opened")
    final = story.record(Command, command.id)
    assert (final.state, final.detail, final.finished_at) == (C.DONE, "opened", story.wall)
    assert story.actions() == ["command.request", "command.result"]


@pytest.mark.parametrize(("status", "expected"), [("rejected", C.REJECTED), ("failed", C.FAILED), ("odd", C.FAILED)])
def test_a_device_that_does_not_do_it_is_believed(status: str, expected: CommandState) -> None:
    story = Story()
    command = story.act("command.request", device="door-1", name="open")
    story.answers("door-1", command.id, status, "motor\nblocked")
    assert state(story, command.id) is expected
    assert "motor blocked" in story.record(Command, command.id).detail


def test_fault_073_a_door_offline_when_commanded_and_back_after_an_hour_never_opens() -> None:
    story = Story()
    story.says("door-1", "device.availability", online=False)
    command = story.act("command.request", device="door-1", name="open")
    assert command.state is C.PENDING
    assert state(story.after(4.9), command.id) is C.PENDING
    assert state(story.after(0.1), command.id) is C.EXPIRED
    story.after(3600).says("door-1", "device.availability", online=True)
    assert story.sent == []
    assert state(story.restart(), command.id) is C.EXPIRED


def test_fault_073_a_door_back_within_the_validity_gets_the_command_and_a_moment_later_does_not() -> None:
    for seconds, sent in ((4.9, 1), (5.0, 0), (5.1, 0)):
        story = Story()
        story.says("door-1", "device.availability", online=False)
        story.act("command.request", device="door-1", name="open")
        story.now += seconds
        story.wall += seconds
        story.says("door-1", "device.availability", online=True)
        assert len(story.sent) == sent, f"back after {seconds} s: {story.tale()}"


def test_fault_073_a_device_that_is_merely_heard_again_gets_what_waits_for_it() -> None:
    story = Story()
    out = Changes()
    story.desk.present("door-1", False, story.now, story.wall, out)
    assert story.act("command.request", device="door-1", name="open").state is C.PENDING
    story.desk.present("door-1", True, story.now + 1, story.wall + 1, out)
    assert [one.state for one in out.commands] == [C.SENT]
    story.desk.present("door-1", True, story.now + 2, story.wall + 2, out)
    assert len(out.commands) == 1


def test_fault_073_a_late_report_that_a_door_was_online_sends_nothing() -> None:
    story = Story()
    story.says("door-1", "device.availability", online=False)
    story.act("command.request", device="door-1", name="open")
    old = Event("door-1", "device.availability", 0, story.wall, story.now, {"online": True}, site="garden", late=True)
    story.says_event(old)
    assert story.sent == []


def test_fault_074_what_was_under_way_when_the_gateway_died_is_unknown_and_is_not_sent_again() -> None:
    story = Story()
    command = story.act("command.request", device="door-1", name="open")
    story.restart()
    unknown = story.record(Command, command.id)
    assert unknown.state is C.UNKNOWN and "look at the device" in unknown.detail
    story.after(60).says("door-1", "device.availability", online=True)
    assert len(story.sent) == 1
    story.answers("door-1", command.id, "done")
    assert state(story, command.id) is C.UNKNOWN
    assert (story.audit[-1].action, story.audit[-1].outcome) == ("command.result", "ignored")


def test_fault_074_what_waits_for_a_device_goes_on_waiting_after_a_restart_until_it_expires() -> None:
    story = Story()
    story.says("door-1", "device.availability", online=False)
    command = story.act("command.request", device="door-1", name="open")
    assert state(story.after(2).restart(), command.id) is C.PENDING
    assert state(story.after(3), command.id) is C.EXPIRED
    assert story.sent == []


def test_a_device_that_never_answers_leaves_its_command_unknown() -> None:
    story = Story()
    command = story.act("command.request", device="door-1", name="open")
    assert state(story.after(9.9), command.id) is C.SENT
    assert state(story.after(0.1), command.id) is C.UNKNOWN


def test_a_recalled_lift_may_answer_when_it_has_arrived() -> None:
    story = Story()
    command = story.act("command.request", device="lift-1", name="recall", reason="smoke")
    story.after(90).answers("lift-1", command.id, "done")
    assert state(story, command.id) is C.DONE


@pytest.mark.parametrize("step", [-3600.0, 7200.0])
def test_fault_044_a_step_of_the_wall_clock_leaves_a_command_its_validity(step: float) -> None:
    story = Story()
    story.says("door-1", "device.availability", online=False)
    command = story.act("command.request", device="door-1", name="open")
    assert state(story.after(4, wall_step=step), command.id) is C.PENDING
    assert state(story.after(1), command.id) is C.EXPIRED


def test_fault_075_an_answer_of_another_device_or_to_no_command_changes_nothing_and_is_in_the_audit() -> None:
    story = Story()
    command = story.act("command.request", device="door-1", name="open")
    story.answers("door-2", command.id, "done")
    assert state(story, command.id) is C.SENT
    story.answers("door-2", "cm-forged", "done")
    ignored = [one for one in story.audit if one.outcome == "ignored"]
    assert [(one.actor, one.target) for one in ignored] == [("device:door-2", command.id)], "a flood fills one line"
    story.after(11).answers("door-2", "cm-forged", "done")
    assert sum(one.outcome == "ignored" for one in story.audit) == 2


def test_fault_076_a_repeated_answer_and_one_after_the_end_change_nothing() -> None:
    story = Story()
    command = story.act("command.request", device="door-1", name="open")
    story.answers("door-1", command.id, "done")
    before = dict(story.stored)
    story.answers("door-1", command.id, "done")
    assert len(story.audit) == 2
    story.answers("door-1", command.id, "failed")
    assert story.stored == before
    assert story.audit[-1].outcome == "ignored"


def test_fault_076_the_same_key_asks_for_the_same_command_and_never_sends_a_second() -> None:
    story = Story()
    args = {"device": "door-1", "name": "open", "idempotency_key": "k-1"}
    first = story.act("command.request", **args)
    assert story.act("command.request", **args).id == first.id
    story.answers("door-1", first.id, "done")
    again = story.restart().act("command.request", **args)
    assert (again.id, again.state, len(story.sent)) == (first.id, C.DONE, 1)
    for other, actor in (({"name": "lock", "reason": "x"}, ANNA), ({"device": "door-2"}, ANNA), ({}, BEN)):
        with pytest.raises(Conflict, match="used for another command"):
            story.act("command.request", actor, **{**args, **other})


def test_fault_078_a_barrier_is_not_lowered_on_an_occupied_loop_nor_on_an_unknown_one() -> None:
    story = Story()

    def lower(words: str) -> None:
        with pytest.raises(Conflict, match=words):
            story.act("command.request", ERIKA, device="barrier-1", name="lower")
        assert story.sent == []
        assert (story.audit[-1].action, story.audit[-1].outcome) == ("command.request", "refused")

    lower("not known whether a vehicle")
    story.says("barrier-1", "parking.barrier", position="up", loop_occupied=True)
    lower("a vehicle stands under the arm")
    story.restart()
    lower("a vehicle stands under the arm")
    story.says("barrier-1", "parking.barrier", position="up")
    lower("not known")
    story.says("barrier-1", "parking.barrier", position="up", loop_occupied=False)
    story.says("barrier-1", "device.availability", online=False)
    story.says("barrier-1", "device.availability", online=True)
    lower("not known")
    story.says("barrier-1", "parking.barrier", position="up", loop_occupied=False)
    assert story.act("command.request", device="barrier-1", name="lower").state is C.SENT


def test_fault_078_a_barrier_that_comes_back_with_a_vehicle_under_it_is_not_lowered_by_what_waited() -> None:
    story = Story()
    story.says("barrier-1", "parking.barrier", position="up", loop_occupied=False)
    story.desk._common.world.online["barrier-1"] = False
    command = story.act("command.request", device="barrier-1", name="lower")
    assert command.state is C.PENDING
    story.says("barrier-1", "parking.barrier", position="up", loop_occupied=True)
    story.says("barrier-1", "device.availability", online=True)
    assert story.sent == []
    assert state(story, command.id) is C.REJECTED


def test_fault_079_nothing_is_locked_while_a_fire_alert_of_the_site_is_not_reset() -> None:
    story = Story()
    fire = story.raised("fire.alarm", "smoke-1")
    assert fire is not None
    for word in ("lock", "lock_down"):
        with pytest.raises(Conflict, match=r"fire alert .* is not reset: doors stay released"):
            story.act("command.request", ERIKA, device="door-1", name=word, reason="shift end")
    far = story.act("command.request", ERIKA, device="far-1", name="lock", reason="another site")
    assert far.state is C.SENT
    assert story.act("command.request", device="door-1", name="open").state is C.SENT
    story.act("alert.acknowledge", alert=fire.id)
    story.cleared("fire.alarm", "smoke-1")
    with pytest.raises(Conflict):
        story.restart().act("command.request", device="door-1", name="lock", reason="shift end")
    story.act("alert.close", ERIKA, alert=fire.id)
    assert story.act("command.request", device="door-1", name="lock", reason="shift end").state is C.SENT


def test_fault_081_twenty_openings_in_ten_seconds_are_the_limit_of_each_actor() -> None:
    story = Story()
    for number in range(20):
        story.act("command.request", device="door-1", name=("open", "raise")[number % 2])
        story.after(0.1)
    with pytest.raises(TooMany, match=r"too many openings by user:anna: try again in \d+ s"):
        story.act("command.request", device="door-1", name="open")
    assert story.act("command.request", BEN, device="door-1", name="open").state is C.SENT
    assert story.act("command.request", device="lift-1", name="announce").state is C.SENT
    with pytest.raises(TooMany):
        story.restart().act("command.request", device="door-1", name="open")
    story.after(8.5)
    assert story.act("command.request", device="door-1", name="open").state is C.SENT
    assert sum(one.outcome == "refused" for one in story.audit) == 2


def test_fault_082_a_rules_command_is_not_sent_on_a_stale_judgement() -> None:
    story = Story()
    story.raised("parking.stuck", "barrier-1")
    assert [(one.name, one.by) for one in story.sent] == [("raise", "rule:parking.stuck")]
    other = Story().after(600)
    other.raised("parking.stuck", "barrier-1", at=other.now - 11)
    assert other.sent == []
    assert (other.audit[-1].outcome, other.audit[-1].detail["why"]) == ("refused", "the judgement is 11 s old")


def test_words_ask_for_roles_and_weighty_ones_for_a_reason() -> None:
    story = Story()
    with pytest.raises(Forbidden):
        story.act("command.request", VERA, device="door-1", name="open")
    with pytest.raises(Forbidden, match="needs the role 'engineer'"):
        story.act("command.request", device="meter-1", name="relay_off", reason="unpaid")
    with pytest.raises(Forbidden, match="needs the role 'engineer'"):
        story.act("command.request", device="meter-1", name="self_destruct")
    with pytest.raises(Invalid, match="reason: 'recall' is weighty"):
        story.act("command.request", device="lift-1", name="recall")
    assert story.act("command.request", device="lift-1", name="recall", reason="smoke").reason == "smoke"
    assert story.act("command.request", ERIKA, device="meter-1", name="relay_off", reason="leak").state is C.SENT


@pytest.mark.parametrize(
    "args",
    [
        {"expires_in": 0},
        {"expires_in": 3600},
        {"expires_in": float("nan")},
        {"expires_in": True},
        {"args": [1]},
        {"name": ""},
        {"role": "admin"},
        {"idempotency_key": "x" * 129},
    ],
)
def test_fault_087_arguments_of_the_wrong_kind_are_refused(args: dict[str, object]) -> None:
    story = Story()
    with pytest.raises(Invalid):
        story.act("command.request", **{"device": "door-1", "name": "open", **args})
    assert story.sent == []


def test_fault_086_devices_of_another_site_do_not_exist() -> None:
    story = Story()
    with pytest.raises(NotFound):
        story.act("command.request", STRANGER, device="door-1", name="open")
    with pytest.raises(NotFound):
        story.act("command.request", device="door-none", name="open")


def test_a_disabled_device_is_not_commanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEVICES, "door-1", replace(DEVICES["door-1"], enabled=False))
    with pytest.raises(Conflict, match="disabled"):
        Story().act("command.request", device="door-1", name="open")
