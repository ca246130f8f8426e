"""Shifts: one person a desk; a hand-over is filled from what stands open and signed by two; P1 must have been seen."""

from __future__ import annotations

import pytest

from gateway.errors import Conflict, Forbidden, NotFound, StaleVersion
from gateway.model import Actor, Handover, Role, Shift
from tests.services.story import ANNA, BEN, ERIKA, STRANGER, VERA, Story, device


def shift_of(story: Story, ident: str) -> Shift:
    found: Shift = story.record(Shift, ident)
    return found


def handover_of(shift: Shift) -> Handover:
    assert shift.handover is not None
    return shift.handover


def chapters_of(handover: Handover) -> dict[str, list[str]]:
    return {chapter.name: [item.ref for item in chapter.items] for chapter in handover.chapters}


def test_a_desk_is_handed_over_by_two_signatures_and_survives_restarts() -> None:
    story = Story()
    first = story.act("shift.take_over", site="garden", note="radio 3 is broken")
    story.restart().act("shift.note", shift=first.id, text="lift 1 inspected")
    story.restart().act("shift.handover", shift=first.id, notes="watch lift 1")
    answer = story.restart().act("shift.accept", BEN, shift=first.id)
    ended, following = shift_of(story, first.id), shift_of(story, answer["next"])
    assert (ended.state, ended.after, following.before) == ("closed", following.id, ended.id)
    assert [note.text for note in ended.notes] == ["radio 3 is broken", "lift 1 inspected"]
    signed = handover_of(ended)
    assert (signed.signed_by, signed.accepted_by, signed.notes) == ("user:anna", "user:ben", "watch lift 1")
    assert (following.operator, following.state) == ("user:ben", "open")
    with pytest.raises(NotFound):
        story.act("shift.note", shift=first.id, text="too late")


def test_a_hand_over_holds_what_stands_open() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    held = story.raised("access.held")
    denied = story.raised("access.denied_often", "door-2")
    leak = story.raised("meter.leak", "meter-1")
    entrapment = story.raised("elevator.entrapment", "lift-1")
    assert held and denied and leak and entrapment
    story.act("alert.shelve", alert=denied.id, reason="being mended", minutes=30)
    story.act("alert.acknowledge", alert=entrapment.id)
    story.says("door-9", "device.availability", online=False)
    story.says("door-2", "device.availability", online=True)
    signed = handover_of(story.act("shift.handover", shift=shift.id))
    found = chapters_of(signed)
    assert found["alerts"] == [entrapment.id, held.id, leak.id]
    assert found["shelved"] == [denied.id]
    assert found["offline"] == ["door-9"]
    assert set(found["steps"]) == {story.alert("elevator.entrapment", "lift-1").plan_run}
    shelved = next(chapter for chapter in signed.chapters if chapter.name == "shelved").items[0]
    assert (shelved.who, shelved.note) == ("user:anna", "being mended")
    assert found == chapters_of(handover_of(shift_of(story, shift.id)))


def test_a_device_out_of_service_is_handed_over_and_other_sites_are_not() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    story.desk.set_topology(
        [device("door-1", "door", enabled=False), device("far-1", "door", site="elsewhere", enabled=False)],
        (), story.desk._common.world.sites,
    )  # fmt: skip
    assert chapters_of(handover_of(story.act("shift.handover", shift=shift.id)))["out_of_service"] == ["door-1"]


def test_an_unacknowledged_critical_alert_blocks_both_signatures_by_name() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    duress = story.raised("access.duress")
    assert duress
    with pytest.raises(Conflict, match=f"{duress.id} .Door-1: access.duress") as refused:
        story.act("shift.handover", shift=shift.id)
    assert refused.value.facts["alerts"] == [duress.id]
    story.act("alert.acknowledge", alert=duress.id)
    story.act("shift.handover", shift=shift.id)
    fire = story.raised("fire.alarm", "smoke-1")
    assert fire
    with pytest.raises(Conflict, match=fire.id):
        story.act("shift.accept", BEN, shift=shift.id)
    story.act("alert.acknowledge", alert=fire.id)
    story.act("shift.accept", BEN, shift=shift.id)
    assert handover_of(shift_of(story, shift.id)).since == (fire.id,)


def test_a_critical_alert_of_another_site_blocks_nothing() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    story.raised("access.duress", "far-1")
    assert story.act("shift.handover", shift=shift.id).state == "handover"


def test_a_desk_has_one_operator_and_the_second_learns_who() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    with pytest.raises(Conflict, match="user:anna has the desk 'main'") as refused:
        story.act("shift.take_over", BEN, site="garden")
    assert refused.value.facts["shift"] == shift.id
    with pytest.raises(Conflict, match="you have the desk"):
        story.act("shift.take_over", ANNA, site="garden")
    story.act("shift.take_over", BEN, site="garden", desk="gate")


def test_nobody_signs_for_both_sides() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    with pytest.raises(Conflict, match="has not signed"):
        story.act("shift.accept", BEN, shift=shift.id)
    story.act("shift.handover", shift=shift.id)
    with pytest.raises(Conflict, match="two people"):
        story.act("shift.accept", ANNA, shift=shift.id)


def test_an_engineer_signs_for_somebody_who_has_left_and_says_why() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    with pytest.raises(Forbidden):
        story.act("shift.handover", BEN, shift=shift.id, reason="gone")
    with pytest.raises(Conflict, match="say in 'reason'"):
        story.act("shift.handover", ERIKA, shift=shift.id)
    story.act("shift.handover", ERIKA, shift=shift.id, reason="taken ill")
    signed = handover_of(shift_of(story, shift.id))
    assert (signed.signed_by, signed.in_place_of, signed.reason) == ("user:erika", "user:anna", "taken ill")
    with pytest.raises(Conflict, match="two people"):
        story.act("shift.accept", ERIKA, shift=shift.id)


def test_a_hand_over_is_taken_back_by_who_signed_it() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    story.act("shift.handover", shift=shift.id)
    with pytest.raises(Conflict, match="user:anna signed"):
        story.act("shift.withdraw", BEN, shift=shift.id)
    story.act("shift.withdraw", shift=shift.id)
    assert shift_of(story, shift.id).handover is None
    with pytest.raises(Conflict, match="has not signed"):
        story.act("shift.accept", BEN, shift=shift.id)


def test_a_stale_list_is_not_signed() -> None:
    story = Story()
    shift = story.act("shift.take_over", site="garden")
    story.act("shift.note", shift=shift.id, text="something")
    with pytest.raises(StaleVersion):
        story.act("shift.handover", shift=shift.id, version=shift.version)


def test_viewers_and_strangers_keep_no_shift_log() -> None:
    story = Story()
    with pytest.raises(Forbidden):
        story.act("shift.take_over", VERA, site="garden")
    shift = story.act("shift.take_over", site="garden")
    with pytest.raises(NotFound):
        story.act("shift.note", STRANGER, shift=shift.id, text="x")
    with pytest.raises(NotFound):
        story.act("shift.take_over", Actor("user:z", Role.ADMIN, ("elsewhere",)), site="garden")
