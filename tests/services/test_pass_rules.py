"""Weekly hours, one entry at a time, the spaces of a household, many passes at once, and why somebody is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.errors import Forbidden, GatehouseError, Invalid, SheetRefused
from gateway.model import Pass
from gateway.services.decision_reasons import REASONS
from gateway.services.pass_csv import rows_of
from tests.services.story import VERA, Story


def put(story: Story, value: str = "沪A12345", **more: Any) -> Pass:
    made = story.act("pass.put", **{"site": "garden", "kind": "plate", "value": value, **more})
    assert isinstance(made, Pass)
    return made


def at_local(story: Story, weekday: int, hour: int) -> Story:
    """Lets time pass until that weekday and hour in Shanghai."""
    now = datetime.fromtimestamp(story.wall, UTC) + timedelta(hours=8)
    want = now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=(weekday - now.weekday()) % 7)
    want += timedelta(days=7) if want <= now else timedelta()
    return story.after((want - now).total_seconds())


@pytest.mark.parametrize(("weekday", "hour", "allowed"), [(0, 9, True), (0, 18, False), (5, 9, False), (4, 17, True)])
def test_a_pass_counts_in_its_weekly_hours_of_the_sites_time(weekday: int, hour: int, allowed: bool) -> None:
    story = Story()
    put(story, days="mon-fri", hours="08:00-18:00")
    decision = at_local(story, weekday, hour).asks("沪A12345")
    assert (decision.allowed, decision.reason) == (allowed, "pass" if allowed else "outside_hours")


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    story = Story()
    put(story, days="fri", hours="22:00-06:00")
    assert at_local(story, 5, 3).asks("沪A12345").allowed
    assert not at_local(story, 6, 3).asks("沪A12345").allowed


@pytest.mark.parametrize(("name", "value"), [("days", "monday"), ("hours", "8-18"), ("hours", "25:00-26:00")])
def test_hours_that_are_none_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        put(Story(), **{name: value})


def test_anti_passback_lets_in_once_until_it_has_left_over_a_restart_and_never_keeps_it_in() -> None:
    story = Story()
    put(story, anti_passback=True)
    assert story.asks("沪A12345", direction="in").allowed
    again = story.restart().asks("沪A12345", direction="in")
    assert (again.allowed, again.reason) == (False, "already_inside")
    assert story.asks("沪A12345", direction="out").allowed
    assert story.asks("沪A12345", direction="out").allowed, "nobody is kept from leaving"
    assert story.asks("沪A12345", direction="in").allowed


def test_one_car_in_for_each_space_of_a_household_and_an_unseen_exit_is_mended_by_hand() -> None:
    story = Story()
    first = put(story, "沪A11111", household="3-501", spaces=1)
    put(story, "沪A22222", household="3-501")
    put(story, "沪A33333", household="3-502", spaces=1)
    assert story.asks("沪A11111", direction="in").allowed
    refused = story.restart().asks("沪A22222", direction="in")
    assert (refused.allowed, refused.reason) == (False, "no_space")
    assert story.asks("沪A33333", direction="in").allowed, "another household"
    assert story.asks("沪A11111", direction="in").allowed, "it is the one that is inside"
    story.act("pass.outside", id=first.id)
    assert story.asks("沪A22222", direction="in").allowed


def test_an_interlock_that_keeps_the_barrier_shut_lets_nobody_in_by_the_books() -> None:
    story = Story(safety=None)
    put(story, anti_passback=True)
    story.asks("沪A12345", direction="in", command="lower")
    assert story.asks("沪A12345", direction="in").reason == "pass"


def test_why_somebody_is_refused_is_said_in_both_languages_and_opens_nothing() -> None:
    story = Story()
    put(story, zones=["b1"])
    told = story.act("pass.check", device="barrier-1", kind="plate", value="沪A12345")
    assert (told["allowed"], told["reason"]) == (False, "wrong_zone")
    assert set(told["text"]) == {"en", "zh"} and story.sent == [] and story.decisions == []
    with pytest.raises(Forbidden):
        story.act("pass.check", VERA, device="barrier-1", kind="plate", value="沪A12345")
    assert all(set(text) == {"en", "zh"} for text in REASONS.values())


def test_many_passes_come_from_csv_all_or_none_and_coming_again_changes_them() -> None:
    text = "\ufeffkind,value,name,zones,until,days,spaces,household,blocked\n" + (
        "plate,沪A1,Li,gate b1,2036-01-01T00:00:00+08:00,mon-fri,1,3-501,no\ncard,0042,Wang,,,,,,yes\n"
    )
    story = Story()
    assert story.act("pass.import", site="garden", rows=rows_of(text)) == {"imported": 2, "changed": 0}
    assert story.act("pass.import", site="garden", rows=rows_of(text)) == {"imported": 2, "changed": 2}
    assert len(story.records(Pass)) == 2 and {one.blocked for one in story.records(Pass)} == {True, False}
    with pytest.raises(SheetRefused, match="line 3: zones: site 'garden' has no zone 'nowhere'"):
        story.act("pass.import", site="garden", rows=rows_of("kind,value,zones\nplate,沪A2,\nplate,沪A3,nowhere\n"))
    assert len(story.records(Pass)) == 2, "none of them"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plate,沪A1\n", "line 1: .*expected a heading"),
        ("kind,value,blocked\nplate,沪A1,perhaps\n", "line 2: blocked: 'perhaps'"),
        ("kind,value,until\nplate,沪A1,tomorrow\n", "line 2: until"),
        ("kind,value,spaces\nplate,沪A1,two\n", "line 2: spaces"),
        ("kind,value\nplate,沪A1,x\n", "line 2: more cells"),
        ("kind,value\n", "0 passes"),
    ],
)
def test_a_wrong_line_is_named(text: str, wanted: str) -> None:
    with pytest.raises(GatehouseError, match=wanted):
        rows_of(text)


def test_every_wrong_line_of_a_sheet_is_told_at_once() -> None:
    with pytest.raises(SheetRefused) as told:
        rows_of('kind,value,note,entries\nplate,A1,"two\nlines",x\nplate,A2,,2\nplate,A3,,-1\n')
    assert [line["line"] for line in told.value.facts["lines"]] == [3, 5]  # type: ignore[attr-defined]
    with pytest.raises(SheetRefused) as told:
        Story().act("pass.import", site="garden", rows=rows_of("kind,value,days\ncar,A1,\nplate,A2,\nplate,-,\n"))
    assert [line["line"] for line in told.value.facts["lines"]] == [2, 4]  # type: ignore[attr-defined]
