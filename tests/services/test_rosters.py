"""Rosters: who is on duty at an instant in the zone of the site, over nights on which clocks change, and who is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from gateway.model import Person, Roster, Slot
from gateway.model.duty import DAYS
from gateway.services.calendar import WEEK, gaps, on_duty
from tests.services.story import ANNA, ERIKA, STRANGER, Story

BERLIN = "Europe/Berlin"
DAY_AND_NIGHT = [
    {"start": "06:00", "end": "18:00", "people": ["anna"], "role": "guard"},
    {"start": "18:00", "end": "06:00", "people": ["ben"], "role": "guard"},
]


def roster(*slots: Slot, **more: Any) -> Roster:
    return Roster(id="r", site="garden", team="security", slots=slots, **more)


def slot(start: str, end: str, *people: str, days: tuple[str, ...] = DAYS, **more: Any) -> Slot:
    return Slot(days=days, start=start, end=end, people=people, **more)


def at(text: str, zone: str = "Asia/Shanghai", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def names(one: Roster, wall: float, zone: str = "Asia/Shanghai") -> list[str]:
    return sorted(duty.person for duty in on_duty(one, wall, zone))


def staffed() -> Story:
    story = Story()
    for name in ("anna", "ben", "cora"):
        story.act("person.put", ERIKA, id=name, teams=["security"])
    return story


def test_a_night_shift_belongs_to_both_of_its_days() -> None:
    one = roster(slot("06:00", "18:00", "anna"), slot("18:00", "06:00", "ben"))
    assert names(one, at("2026-11-25T05:59")) == ["ben"]
    assert names(one, at("2026-11-25T06:00")) == ["anna"]
    assert names(one, at("2026-11-25T18:00")) == ["ben"]
    assert gaps(one) == []


def test_until_when_is_told_on_the_wall_clock() -> None:
    one = roster(slot("18:00", "06:00", "ben"))
    (duty,) = on_duty(one, at("2026-11-25T23:30"), "Asia/Shanghai")
    assert duty.until_at == at("2026-11-26T06:00")


@pytest.mark.parametrize(("night", "hours"), [("2026-03-29", 7), ("2026-10-25", 9)])
def test_nobody_is_missing_in_the_night_the_clocks_change(night: str, hours: int) -> None:
    one = roster(slot("06:00", "22:00", "anna"), slot("22:00", "06:00", "ben"))
    start = at(f"{night}T00:00", BERLIN) - 2 * 3600
    minutes = [names(one, start + 60 * minute, BERLIN) for minute in range(24 * 60)]
    assert all(len(found) == 1 for found in minutes)
    # The night from 22:00 to 06:00 has an hour less in spring and one more in autumn.
    assert [found for found in minutes if found == ["ben"]][: hours * 60] == [["ben"]] * (hours * 60)
    assert minutes[hours * 60] == ["anna"]


def test_a_slot_that_begins_in_the_hour_that_is_left_out_begins_after_it() -> None:
    one = roster(slot("02:30", "10:00", "anna"))
    assert names(one, at("2026-03-29T01:59", BERLIN), BERLIN) == []
    assert names(one, datetime(2026, 3, 29, 1, 0, tzinfo=UTC).timestamp(), BERLIN) == ["anna"]


def test_weeks_take_turns_from_the_monday_of_the_named_day() -> None:
    one = roster(
        slot("00:00", "24:00", "anna", week=1),
        slot("00:00", "24:00", "ben", week=2),
        cycle_weeks=2,
        cycle_from="2026-11-25",
    )
    assert names(one, at("2026-11-23T00:00")) == ["anna"]
    assert names(one, at("2026-11-29T23:59")) == ["anna"]
    assert names(one, at("2026-11-30T00:00")) == ["ben"]
    assert names(one, at("2026-11-22T23:59")) == ["ben"]
    assert gaps(one) == []


def test_a_gap_is_named_with_its_day_and_times() -> None:
    one = roster(slot("06:00", "18:00", "anna"), slot("18:00", "06:00", "ben", days=DAYS[:6]))
    assert [gap.spoken() for gap in gaps(one)] == ["mon 00:00 - mon 06:00", "sun 18:00 - sun 24:00"]


def test_a_slot_without_people_covers_nothing() -> None:
    assert [gap.spoken() for gap in gaps(roster(slot("00:00", "24:00")))] == ["mon 00:00 - sun 24:00"]


_TIMES = st.sampled_from(["00:00", "05:30", "06:00", "12:00", "18:00", "23:59"])
_SLOTS = st.builds(
    Slot,
    days=st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(tuple),
    start=_TIMES,
    end=st.one_of(_TIMES, st.just("24:00")),
    people=st.sampled_from([("anna",), ("ben", "anna"), ()]),
    week=st.integers(0, 2),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(_SLOTS, max_size=8))
def test_the_gaps_are_exactly_the_minutes_at_which_nobody_is_on_duty(slots: list[Slot]) -> None:
    one = roster(*slots, cycle_weeks=2)
    empty = {minute for gap in gaps(one) for minute in range(gap.start, gap.end)}
    monday = at("2024-01-01T00:00", "UTC")
    for minute in range(0, 2 * WEEK, 29):
        assert (not on_duty(one, monday + 60 * minute, "UTC")) == (minute in empty), minute


def test_a_roster_with_a_gap_is_refused_with_its_times_unless_gaps_are_meant() -> None:
    story = staffed()
    with pytest.raises(Invalid, match="nobody is on duty mon 00:00 - mon 06:00, mon 18:00 - tue 06:00") as refused:
        story.act("roster.put", ERIKA, site="garden", team="security", slots=DAY_AND_NIGHT[:1])
    assert len(refused.value.facts["gaps"]) == 8  # type: ignore[arg-type]
    kept = story.act("roster.put", ERIKA, site="garden", team="security", slots=DAY_AND_NIGHT[:1], continuous=False)
    assert kept.version == 1


def test_who_is_on_duty_survives_a_restart_and_leaves_out_who_is_inactive() -> None:
    story = staffed()
    story.act("roster.put", ERIKA, id="guards", site="garden", team="security", slots=DAY_AND_NIGHT)
    noon = at("2026-11-25T12:00")
    assert [duty.person for duty in story.restart().desk.duty.people.on_duty("garden", noon)] == ["anna"]
    story.act("person.put", ERIKA, id="anna", teams=["security"], active=False)
    assert story.restart().desk.duty.people.on_duty("garden", noon) == []


def test_who_stands_in_replaces_the_slot_for_its_time() -> None:
    story = staffed()
    story.act("roster.put", ERIKA, id="guards", site="garden", team="security", slots=DAY_AND_NIGHT)
    story.act("roster.cover", ERIKA, roster="guards", from_at=story.wall, until_at=story.wall + 3600, people=["cora"])
    people = story.restart().desk.duty.people
    assert [duty.person for duty in people.on_duty("garden", story.wall)] == ["cora"]
    assert "cora" not in [duty.person for duty in people.on_duty("garden", story.wall + 3600)]


def test_a_person_whom_a_roster_names_is_not_removed() -> None:
    story = staffed()
    story.act("roster.put", ERIKA, id="guards", site="garden", team="security", slots=DAY_AND_NIGHT)
    with pytest.raises(Conflict, match="stands in the roster guards"):
        story.act("person.remove", ERIKA, id="ben")
    story.act("person.remove", ERIKA, id="cora")
    assert sorted(person.id for person in story.records(Person)) == ["anna", "ben"]
    story.act("roster.remove", ERIKA, roster="guards")
    assert story.records(Roster) == []


@pytest.mark.parametrize(
    ("slots", "where", "why"),
    [
        ([{"start": "6:00", "end": "18:00", "people": ["anna"]}], "slots[0].start", "no time of day"),
        ([{"start": "24:00", "end": "18:00", "people": ["anna"]}], "slots[0].start", "no time of day"),
        ([{"start": "06:00", "end": "18:00", "people": ["nobody"]}], "slots[0].people", "no person 'nobody'"),
        ([{"start": "06:00", "end": "18:00", "people": [], "days": ["monday"]}], "slots[0].days", "is no day"),
        ([{"start": "06:00", "end": "18:00", "people": [], "wekk": 1}], "slots[0].wekk", "did you mean 'week'"),
        (["x"], "slots[0]", "expected names with values"),
    ],
)
def test_a_wrong_slot_is_refused_by_its_place(slots: list[Any], where: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        staffed().act("roster.put", ERIKA, site="garden", team="security", slots=slots)
    assert refused.value.field == where


@pytest.mark.parametrize(
    "addresses", [{"email": "anna"}, {"phone": "call me"}, {"fax": "1"}, {"email": "a b@c"}, {"phone": 5}]
)
def test_an_address_nobody_can_be_reached_by_is_refused(addresses: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="addresses"):
        Story().act("person.put", ERIKA, id="anna", addresses=addresses)


def test_rosters_and_people_are_the_engineers_and_of_sites_one_may_see() -> None:
    story = staffed()
    with pytest.raises(Forbidden):
        story.act("person.put", ANNA, id="dora")
    with pytest.raises(Forbidden):
        story.act("roster.put", ANNA, site="garden", team="security", slots=DAY_AND_NIGHT)
    story.act("roster.put", ERIKA, id="guards", site="garden", team="security", slots=DAY_AND_NIGHT)
    for name in ("roster.remove", "roster.cover"):
        more = {"from_at": 1, "until_at": 2, "people": ["anna"]} if name == "roster.cover" else {}
        with pytest.raises(NotFound):
            story.act(name, STRANGER, roster="guards", **more)
    with pytest.raises(NotFound):
        story.act("person.remove", STRANGER, id="anna")
    with pytest.raises(Invalid, match="your own sites"):
        story.act("person.put", STRANGER, id="dora")


def test_of_two_who_edit_a_roster_the_second_is_told() -> None:
    story = staffed()
    story.act("roster.put", ERIKA, id="guards", site="garden", team="security", slots=DAY_AND_NIGHT)
    story.act("roster.put", ERIKA, id="guards", site="garden", team="security", slots=DAY_AND_NIGHT, version=1)
    with pytest.raises(StaleVersion):
        story.act("roster.put", ERIKA, id="guards", site="garden", team="security", slots=DAY_AND_NIGHT, version=1)
