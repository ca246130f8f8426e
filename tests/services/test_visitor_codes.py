"""Visitors' QR codes: who signed them, until when, how often, and what makes them void."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.model import Actor, Pass, Role
from gateway.model.visitor import redacted, redacted_bytes, shown_code
from gateway.services.visitor_codes import LONGEST, Code, Unreadable, read, sign
from tests.services.story import ANNA, ERIKA, STRANGER, VERA, Story

ADA = Actor("user:ada", Role.ADMIN)


def visitor(story: Story, **more: Any) -> Pass:
    made = story.act("pass.put", **{"site": "garden", "kind": "qr", "name": "Mr Wu", "visitor": True, **more})
    assert isinstance(made, Pass)
    return made


def code(story: Story, one: Pass) -> str:
    return str(story.act("pass.code", id=one.id)["code"])


def scan(story: Story, text: str, door: str = "door-1", **more: Any) -> str:
    return story.asks(text, door, kind="qr", command="open", **{"direction": "in", **more}).reason


def test_a_code_opens_within_its_window_and_names_its_pass_and_not_the_visitor() -> None:
    story = Story()
    one = visitor(story, from_at=story.wall + 60, until_at=story.wall + 120)
    text = code(story, one)
    assert text.startswith("GHV1.") and "Wu" not in text
    assert [scan(story, text), scan(story.after(60), text), scan(story.after(60), text)] == [
        "outside_window", "pass", "code_over",
    ]  # fmt: skip
    (command,) = story.sent
    assert (command.device, command.name, command.by) == ("door-1", "open", f"pass:{one.id}")
    assert story.decisions[1].pass_id == one.id


@pytest.mark.parametrize(
    "text", ["https://example.com/", "GHV1.", "GHV1.WyJwcy0xIiwxLDF d", "ghv1.x", "GHV1." + "a" * 700, "GHV1.é.é"]
)
def test_a_code_of_somebody_else_opens_nothing(text: str) -> None:
    story = Story()
    visitor(story)
    assert scan(story, text) == "bad_code" and story.sent == []


def test_a_code_that_was_changed_or_signed_by_another_key_opens_nothing() -> None:
    story = Story()
    text = code(story, visitor(story))
    for place in range(len(text)):
        other = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        # The last letter of a signature carries bits that count for nothing.
        assert scan(story, other) == "bad_code" or place == len(text) - 1
        story.after(6)
    assert scan(story, sign(Code("ps-1", 1, int(story.wall + 60)), ["another key"])) == "bad_code"
    assert scan(story, " ") == "unread"
    with pytest.raises(Unreadable):
        read(text, [])


def test_a_single_entry_is_used_up_over_a_restart_and_the_visitor_may_leave() -> None:
    story = Story()
    text = code(story, visitor(story, entries=1))
    assert scan(story, text) == "pass"
    assert scan(story.restart().after(60), text) == "used_up"
    assert scan(story, text, direction="out") == "pass"
    assert scan(story, text) == "used_up"


def test_n_entries_are_n_and_a_code_held_before_the_reader_is_one() -> None:
    story = Story()
    one = visitor(story, entries=2)
    text = code(story, one)
    assert [scan(story, text), scan(story.after(1), text), scan(story.after(5), text)] == ["pass", "just_used", "pass"]
    assert scan(story.after(60), text) == "used_up"
    changed = visitor(story, id=one.id, entries=3)
    assert changed.used == 2, "an edit forgets nothing"
    assert scan(story, text) == "pass"


@pytest.mark.parametrize(("change", "reason"), [({"replay": True}, "replay"), ({"late": True}, "late")])
def test_a_scan_that_is_told_later_opens_nothing_and_uses_nothing(change: dict[str, Any], reason: str) -> None:
    story = Story()
    one = visitor(story, entries=1)
    text = code(story, one)
    event = replace(story.event("door-1", "access.requested"), **change)
    assert scan(story, text, event=event) == reason
    assert story.sent == [] and story.record(Pass, one.id).used == 0


def test_a_code_counts_in_its_zones_hours_and_site() -> None:
    story = Story()
    text = code(story, visitor(story, zones=["b1"]))
    assert [scan(story, text, door) for door in ("door-9", "far-1", "door-1")] == ["wrong_zone", "void_code", "pass"]
    other = code(story, visitor(story, days="mon", hours="00:00-00:01"))
    assert scan(story, other) == "outside_hours"


def test_a_newer_code_a_block_and_the_end_of_the_pass_make_it_void() -> None:
    story = Story()
    one = visitor(story)
    text = code(story, one)
    assert scan(story, text) == "pass"
    story.act("pass.renew", id=one.id)
    fresh = code(story, one)
    assert scan(story.after(10), text) == "void_code" and scan(story, fresh) == "pass"
    visitor(story, id=one.id, blocked=True)
    assert scan(story.after(10), fresh) == "blocked"
    story.act("pass.remove", id=one.id)
    assert scan(story, fresh) == "void_code"


def test_keys_are_rotated_and_old_codes_stay_good_unless_it_must_be_at_once() -> None:
    story = Story()
    one = visitor(story)
    old = code(story, one)
    assert story.act("pass.rotate_keys", ADA) == {"keys": 2, "at_once": False}
    new = code(story, one)
    assert old != new
    assert scan(story, old) == "pass" and scan(story.after(10), new) == "pass"
    story.act("pass.rotate_keys", ADA, at_once=True)
    assert scan(story.after(10), old) == scan(story, new) == "bad_code"
    assert scan(story, code(story, one)) == "pass"
    with pytest.raises(Forbidden):
        story.act("pass.rotate_keys", ERIKA)


def test_a_code_lasts_31_days_at_most_and_none_is_made_of_a_pass_that_is_over() -> None:
    story = Story()
    one = visitor(story)
    told = story.act("pass.code", id=one.id)
    assert told["until_at"] == story.wall + LONGEST
    assert scan(story.after(LONGEST), told["code"]) == "code_over"
    over = visitor(story, until_at=story.wall)
    with pytest.raises(Conflict, match="is over"):
        story.act("pass.code", id=over.id)


def test_who_may_have_a_code() -> None:
    story = Story()
    one = visitor(story)
    plate = story.act("pass.put", site="garden", kind="plate", value="A1")
    for name in ("pass.code", "pass.renew"):
        with pytest.raises(Forbidden):
            story.act(name, VERA, id=one.id)
        with pytest.raises(NotFound):
            story.act(name, STRANGER, id=one.id)
        with pytest.raises(Conflict, match="of kind plate"):
            story.act(name, id=plate.id)
    with pytest.raises(Invalid, match="has none"):
        visitor(story, value="mine")
    with pytest.raises(Invalid, match="another pass"):
        story.act("pass.put", id=plate.id, site="garden", kind="qr")


def test_a_code_is_in_no_audit_and_no_record() -> None:
    story = Story()
    text = code(story, visitor(story))
    scan(story, text)
    story.act("pass.check", ANNA, device="door-1", kind="qr", value=text)
    signature = text.rpartition(".")[2]
    kept = f"{story.audit} {story.decisions} {story.stored} {story.sent}"
    assert signature not in kept


def test_an_entry_that_the_door_refused_is_given_back_and_one_nobody_answered_is_not() -> None:
    story = Story()
    one = visitor(story, entries=1, anti_passback=True)
    text = code(story, one)
    assert scan(story, text) == "pass"
    story.answers("door-1", story.sent[-1].id, "failed", "jammed")
    back = story.record(Pass, one.id)
    assert (back.used, back.inside) == (0, False)
    assert scan(story.after(6), text) == "pass"
    story.restart()
    held = story.record(Pass, one.id)
    assert (held.used, held.inside) == (1, True), "it may have opened"


def test_what_is_left_of_a_code_in_a_text_opens_nothing() -> None:
    text = sign(Code("ps-1", 1, 2_000_000_000), ["k"])
    shown = shown_code(text)
    assert shown == text.rpartition(".")[0] == shown_code(shown)
    assert redacted(f'{{"token":"{text}"}}') == f'{{"token":"{shown}"}}'
    assert redacted_bytes(b"nothing") == b"nothing"
    with pytest.raises(Unreadable):
        read(shown, ["k"])
    assert shown_code("https://a.b").startswith("sha256:")
