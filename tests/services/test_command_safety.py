"""Commands in two steps, with a second person, behind interlocks, and seen to be done."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import Conflict, Forbidden, Invalid, TooMany
from gateway.model import Actor, Command, CommandState, Role
from gateway.services import DeskSettings
from tests.services.story import BEN, ERIKA, VERA, Story

C = CommandState
#: A person: no scope, so two steps.
OLGA = Actor("user:olga", Role.OPERATOR)
PAUL = Actor("user:paul", Role.OPERATOR)
ROBOT = Actor("token:robot", Role.OPERATOR)


def select(story: Story, actor: Actor = OLGA, session: str = "s1", token: str = "t1", **more: Any) -> dict[str, Any]:
    wanted: dict[str, Any] = {"device": "door-1", "name": "open", **more}
    told = story.act("command.select", actor, confirm=token, session=session, **wanted)
    assert isinstance(told, dict)
    return told


def confirm(story: Story, actor: Actor = OLGA, session: str = "s1", token: str = "t1", **more: Any) -> Command:
    wanted: dict[str, Any] = {"device": "door-1", "name": "open", **more}
    made = story.act("command.request", actor, confirm=token, session=session, **wanted)
    assert isinstance(made, Command)
    return made


def now(story: Story, command: Command) -> Command:
    found = story.record(Command, command.id)
    assert isinstance(found, Command)
    return found


def test_fault_077_a_selected_command_is_confirmed_once_in_its_time() -> None:
    story = Story()
    told = select(story, args={"seconds": 3})
    assert (told["blocked"], told["needs_second"], told["confirm_by"]) == ([], False, story.wall + 10)
    assert not story.sent, "selecting sends nothing"
    story.after(10)
    assert confirm(story, args={"seconds": 3}).state is C.SENT
    with pytest.raises(Conflict, match="was used: select the command again"):
        confirm(story, args={"seconds": 3})
    assert len(story.sent) == 1


def test_fault_077_a_person_does_not_command_in_one_step() -> None:
    story = Story()
    with pytest.raises(Invalid, match="confirm: missing: select the command first"):
        story.act("command.request", OLGA, device="door-1", name="open")
    with pytest.raises(Invalid, match="scope 'commands:direct'"):
        story.act("command.request", ROBOT, device="door-1", name="open")
    assert story.sent == []


def test_fault_077_a_confirmation_after_ten_seconds_is_refused() -> None:
    story = Story()
    select(story)
    story.after(10.1)
    with pytest.raises(Conflict, match="the time to confirm has passed"):
        confirm(story)
    assert story.sent == [] and story.audit[-1].outcome == "refused"


@pytest.mark.parametrize(("actor", "session"), [(OLGA, "s2"), (PAUL, "s1")])
def test_fault_077_another_session_or_person_does_not_confirm(actor: Actor, session: str) -> None:
    story = Story()
    select(story)
    with pytest.raises(Conflict, match="selected by somebody else, or in another session"):
        confirm(story, actor, session)
    assert confirm(story).state is C.SENT, "and takes nothing from the one who selected it"


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"device": "door-2"}, "device"), ({"name": "unlock"}, "name"), ({"args": {"seconds": 999}}, "args")],
)
def test_fault_077_a_confirmation_with_other_parameters_is_refused(changed: dict[str, Any], named: str) -> None:
    story = Story()
    select(story)
    with pytest.raises(Conflict, match=f"^{named} differ from what was selected"):
        confirm(story, **changed)
    with pytest.raises(Conflict, match="select the command again"):
        confirm(story)
    assert story.sent == []


def test_fault_077_a_restart_ends_what_was_selected() -> None:
    story = Story()
    select(story)
    with pytest.raises(Conflict, match="not known"):
        confirm(story.restart())


def test_fault_078_a_selection_says_what_forbids_the_command_in_both_languages_and_gives_no_token() -> None:
    story = Story()
    told = select(story, device="barrier-1", name="lower")
    assert told["confirm_by"] is None
    assert [
        (one["id"], "not known" in one["reason"]["en"], "无法确认" in one["reason"]["zh"]) for one in told["blocked"]
    ] == [("vehicle-under-arm", True, True)]
    with pytest.raises(Conflict, match="not known"):
        confirm(story, device="barrier-1", name="lower")


def test_fault_078_what_changes_between_the_steps_is_seen_at_the_second() -> None:
    story = Story()
    story.says("barrier-1", "parking.barrier", position="up", loop_occupied=False)
    assert select(story, device="barrier-1", name="lower")["blocked"] == []
    story.says("barrier-1", "parking.barrier", position="up", loop_occupied=True)
    with pytest.raises(Conflict, match="a vehicle stands under the arm"):
        confirm(story, device="barrier-1", name="lower")
    assert story.sent == []


def test_fault_079_while_fire_is_active_nothing_holds_a_release_back() -> None:
    story = Story(settings=DeskSettings(opens_limit=2, second_person=("unlock_all", "open")))
    story.raised("fire.alarm", "smoke-1", "fire.alarm")
    for number in range(6):
        select(story, token=f"t{number}", name="unlock_all")
        made = confirm(story, token=f"t{number}", name="unlock_all", reason="fire")
        assert (made.state, made.needs_second) == (C.SENT, False), "neither limit nor second person"
    with pytest.raises(Conflict, match="is not reset: doors stay released"):
        story.act("command.request", device="door-1", name="lock", reason="night")


def test_fault_080_a_done_that_is_not_seen_within_five_seconds_is_told_to_the_rules() -> None:
    story = Story()
    story.says("door-1", "access.door", state="closed", locked=True)
    made = story.act("command.request", device="door-1", name="unlock")
    story.answers("door-1", made.id)
    assert (now(story, made).state, now(story, made).observation) == (C.DONE, "waiting")
    assert story.after(4.9).found == []
    story.after(0.1)
    assert now(story, made).observation == "missing"
    [told] = story.found
    assert (told.device, told.kind, told.data["command"]) == ("door-1", "gateway.command_unconfirmed", "unlock")
    assert story.after(60).found == [told], "once"


def test_fault_080_a_state_that_follows_is_observed_and_no_alert_comes() -> None:
    story = Story()
    story.says("door-1", "access.door", state="closed", locked=True)
    made = story.act("command.request", device="door-1", name="unlock")
    story.after(1).answers("door-1", made.id)
    story.after(2).says("door-1", "access.door", state="closed", locked=False)
    assert (now(story, made).observation, now(story, made).observed_at) == ("observed", story.wall)
    assert story.after(60).found == []


def test_fault_080_what_was_seen_before_the_answer_counts_and_what_a_device_never_tells_is_not_awaited() -> None:
    story = Story()
    story.says("barrier-1", "parking.barrier", position="down", loop_occupied=False)
    made = story.act("command.request", device="barrier-1", name="raise")
    story.after(1).says("barrier-1", "parking.barrier", position="up", loop_occupied=False)
    story.answers("barrier-1", made.id)
    assert now(story, made).observation == "observed"
    silent = story.act("command.request", device="door-9", name="unlock")
    story.answers("door-9", silent.id)
    assert now(story, silent).observation == "" and story.after(60).found == []


def test_fault_080_a_restart_while_the_proof_is_awaited_forgets_neither_it_nor_its_time() -> None:
    story = Story()
    story.says("barrier-1", "parking.barrier", position="down", loop_occupied=False)
    made = story.act("command.request", device="barrier-1", name="raise")
    story.answers("barrier-1", made.id)
    story.after(14).restart()
    assert story.found == []
    story.after(1)
    assert now(story, made).observation == "missing" and len(story.found) == 1
    assert story.restart().after(60).found == story.found[:1]


def test_fault_080_a_later_command_takes_the_place_of_the_one_that_is_awaited() -> None:
    story = Story()
    story.says("barrier-1", "parking.barrier", position="down", loop_occupied=False)
    first = story.act("command.request", device="barrier-1", name="raise")
    story.answers("barrier-1", first.id)
    story.says("barrier-1", "parking.barrier", position="moving", loop_occupied=False)
    second = story.act("command.request", device="barrier-1", name="lower")
    story.answers("barrier-1", second.id)
    story.says("barrier-1", "parking.barrier", position="down", loop_occupied=False)
    assert (now(story, first).observation, now(story, second).observation) == ("", "observed")
    assert story.after(60).found == []


def test_fault_081_unlock_all_waits_for_a_second_person_who_is_another_person() -> None:
    story = Story()
    made = story.act("command.request", device="door-1", name="unlock_all", reason="moving day")
    assert (made.state, made.waits_for_second, story.sent) == (C.PENDING, True, [])
    story.says("door-1", "device.availability", online=True)
    assert story.sent == [], "coming online sends nothing that nobody confirmed"
    with pytest.raises(Forbidden, match="another one than the first"):
        story.act("command.approve", command=made.id)
    with pytest.raises(Forbidden, match="must be a person"):
        story.act("command.approve", ROBOT, command=made.id)
    with pytest.raises(Forbidden):
        story.act("command.approve", VERA, command=made.id)
    sent = story.restart().after(30).act("command.approve", BEN, command=made.id)
    assert (sent.state, sent.second_by, sent.expires - story.wall) == (C.SENT, "user:ben", 5.0)
    with pytest.raises(Conflict, match="waits for no second person"):
        story.act("command.approve", ERIKA, command=made.id)
    assert len(story.sent) == 1


def test_fault_081_without_a_second_person_it_expires_and_is_never_sent() -> None:
    story = Story()
    made = story.act("command.request", device="door-1", name="unlock_all", reason="moving day")
    story.after(60)
    assert now(story, made).state is C.EXPIRED and "no second person" in now(story, made).detail
    assert story.sent == []


def test_fault_081_the_second_person_may_refuse_and_the_interlocks_are_asked_again() -> None:
    story = Story(settings=DeskSettings(second_person=("*:barrier", "lock")))
    made = story.act("command.request", device="barrier-1", name="raise")
    assert made.waits_for_second
    refused = story.act("command.withdraw", BEN, command=made.id, reason="no ambulance in sight")
    assert refused.state is C.REJECTED and "withdrawn by user:ben" in refused.detail
    locked = story.act("command.request", device="door-1", name="lock", reason="night")
    story.raised("fire.alarm", "smoke-1", "fire.alarm")
    with pytest.raises(Conflict, match="is not reset"):
        story.act("command.approve", BEN, command=locked.id)
    assert story.act("command.request", device="door-1", name="open").state is C.SENT, "not named, not needed"


def test_fault_081_the_limit_counts_two_steps_as_one_opening() -> None:
    story = Story(settings=DeskSettings(opens_limit=2))
    for number in range(2):
        select(story, token=f"t{number}")
        confirm(story, token=f"t{number}")
    select(story)
    with pytest.raises(TooMany):
        confirm(story)


def test_fault_075_an_answer_to_a_command_that_nobody_gave_is_told_to_the_rules() -> None:
    story = Story()
    story.answers("door-1", "cm-captured")
    [told] = story.found
    assert (told.device, told.kind, told.data) == (
        "door-1", "gateway.command_stray", {"id": "cm-captured", "status": "done"},
    )  # fmt: skip
    made = story.act("command.request", device="door-1", name="open")
    story.after(60).answers("door-1", made.id)
    assert story.found == [told], "late is not strange"


def test_a_desk_without_interlocks_commands_nothing_but_releases() -> None:
    story = Story(safety=None)
    with pytest.raises(Conflict, match="no interlocks are loaded"):
        story.act("command.request", device="lift-1", name="announce")
    assert story.act("command.request", device="door-1", name="open").state is C.SENT
