"""Who may pass."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.errors import Forbidden, Invalid, NotFound, StaleVersion
from gateway.model import Pass
from gateway.services.passes import normal
from tests.services.story import ERIKA, STRANGER, VERA, Story


def put(story: Story, value: str = "沪A·12345", **more: Any) -> Pass:
    made = story.act("pass.put", **{"site": "garden", "kind": "plate", "value": value, **more})
    assert isinstance(made, Pass)
    return made


def test_a_plate_with_a_pass_opens_the_barrier_at_once() -> None:
    story = Story()
    made = put(story)
    decision = story.restart().asks("沪a12345", direction="in")
    assert (decision.allowed, decision.reason, decision.pass_id) == (True, "pass", made.id)
    (command,) = story.sent
    assert (command.device, command.name, command.by) == ("barrier-1", "raise", f"pass:{made.id}")
    assert command.expires - command.requested_at == 5
    (told,) = story.decisions
    assert (told.allowed, told.command, told.device, told.direction) == (True, command.id, "barrier-1", "in")


def test_who_asks_is_there_even_if_it_was_said_to_be_offline() -> None:
    story = Story()
    put(story)
    story.says("barrier-1", "device.availability", online=False)
    assert story.asks("沪A12345").allowed
    assert len(story.sent) == 1


def test_a_refusal_has_a_reason_and_opens_nothing() -> None:
    story = Story()
    put(story, "A1", zones=["b1"])
    put(story, "A2", from_at=story.wall + 60)
    put(story, "A3", until_at=story.wall)
    put(story, "A4")
    put(story, "A4", blocked=True)
    put(story, "A5", zones=["b1"])
    put(story, "A5", from_at=story.wall + 60, zones=["gate"])
    reasons = {value: story.asks(value).reason for value in ("A0", "A1", "A2", "A3", "A4", "A5", " - ")}
    assert reasons == {
        "A0": "no_pass",
        "A1": "wrong_zone",
        "A2": "outside_window",
        "A3": "outside_window",
        "A4": "blocked",
        "A5": "outside_window",
        " - ": "unread",
    }
    assert story.sent == []
    assert [one.reason for one in story.decisions] == list(reasons.values())


def test_windows_begin_and_end_to_the_second() -> None:
    story = Story()
    put(story, "A1", from_at=story.wall + 60, until_at=story.wall + 120)
    answers = [story.asks("A1").allowed, *(story.after(after).asks("A1").allowed for after in (60, 59, 1))]
    assert answers == [False, True, True, False]


def test_a_pass_for_a_building_counts_at_the_doors_of_its_zones_and_not_next_door() -> None:
    story = Story()
    put(story, "007", kind="card", zones=["b1"])
    asked = {door: story.asks("007", door, kind="card", command="open").reason for door in ("door-1", "door-9")}
    assert asked == {"door-1": "pass", "door-9": "wrong_zone"}
    assert story.asks("007", "barrier-1", kind="plate").reason == "no_pass"
    assert story.asks("007", "far-1", kind="card").reason == "no_pass", "a pass counts at its own site only"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"replay": True}, "replay"), ({"late": True}, "late"), ({"at": -6.0}, "late"), ({"at": 0.0}, "pass")],
)
def test_fault_046_a_question_of_the_past_opens_nothing(change: dict[str, Any], reason: str) -> None:
    story = Story()
    put(story)
    event = story.event("barrier-1", "parking.vehicle", plate="沪A12345")
    if "at" in change:
        change = {"at": story.now + change["at"]}
    decision = story.asks("沪A12345", event=replace(event, **change))
    assert decision.reason == reason
    assert len(story.sent) == (reason == "pass")


def test_a_disabled_interlock_or_device_leaves_the_yes_without_a_command() -> None:
    story = Story()
    put(story)
    story.raised("fire.alarm", "smoke-1")
    decision = story.asks("沪A12345", command="lock")
    assert decision.allowed and story.decisions[-1].command is None
    assert all(one.name != "lock" for one in story.sent)


def test_passes_are_replaced_and_removed_and_found_by_their_new_value_only() -> None:
    story = Story()
    made = put(story, "A1", id="ps-anna")
    changed = put(story, "A2", id="ps-anna", version=made.version)
    assert (changed.version, changed.created_at) == (2, made.created_at)
    assert [story.asks(value).reason for value in ("A1", "A2")] == ["no_pass", "pass"]
    with pytest.raises(StaleVersion):
        put(story, "A3", id="ps-anna", version=1)
    story.act("pass.remove", id="ps-anna")
    assert story.records(Pass) == []
    assert story.restart().asks("A2").reason == "no_pass"
    with pytest.raises(NotFound):
        story.act("pass.remove", id="ps-anna")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"kind": "face"}, "'face' is not one of plate, card, person"),
        ({"value": ""}, "value: is empty"),
        ({"value": "- ·"}, "nothing is left"),
        ({"zones": ["moon"]}, "no zone 'moon'"),
        ({"zones": "b1"}, "expected a list"),
        ({"from_at": 20, "until_at": 10}, "until_at: is not after"),
        ({"blocked": "yes"}, "true or false"),
        ({"owner": "x"}, "owner: is not known here"),
    ],
)
def test_fault_087_a_pass_that_makes_no_sense_is_refused(args: dict[str, Any], words: str) -> None:
    story = Story()
    with pytest.raises(Invalid, match=words):
        put(story, **{"value": "A1", **args})
    assert story.records(Pass) == []


def test_passes_are_changed_by_operators_of_their_site() -> None:
    story = Story()
    put(story, "A1", id="ps-1")
    with pytest.raises(Forbidden):
        story.act("pass.remove", VERA, id="ps-1")
    with pytest.raises(NotFound):
        story.act("pass.remove", STRANGER, id="ps-1")
    with pytest.raises(NotFound):
        story.act("pass.put", STRANGER, id="ps-1", site="elsewhere", kind="plate", value="A9")
    with pytest.raises(Invalid, match="belongs to site 'garden'"):
        story.act("pass.put", ERIKA, id="ps-1", site="elsewhere", kind="plate", value="A9")


def test_personal_values_do_not_reach_the_audit() -> None:
    story = Story()
    put(story, "SECRET1")
    story.asks("SECRET1")
    assert "SECRET1" not in str(story.audit)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("plate", " 沪a·1234 5 ", "沪A12345"),
        ("plate", "\uff21\uff22-12.3", "AB123"),
        ("card", "00 a1 ff", "00A1FF"),
        ("person", " Li   Lei ", "Li Lei"),
    ],
)
def test_values_are_compared_as_people_mean_them(kind: str, value: str, expected: str) -> None:
    assert normal(kind, value) == expected
