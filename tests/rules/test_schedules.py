"""`during` and `except`: when they begin and end, through the nights in which the clocks change."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.schedule import Schedule, Span, hour_of
from tests.rules.support import Play

BERLIN = "Europe/Berlin"


def local(text: str, zone: str = BERLIN, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def night(start: str, end: str) -> Schedule:
    minutes = [int(hour) * 60 + int(minute) for hour, minute in (start.split(":"), end.split(":"))]
    return Schedule(during=(Span(hours=((minutes[0], minutes[1]),)),))


def changes(schedule: Schedule, start: float, end: float, zone: str = BERLIN) -> list[tuple[float, bool]]:
    found = []
    wall = start
    while (wall := schedule.next_change(wall, zone)) <= end:
        found.append((wall, schedule.inside(wall, zone)))
    return found


def test_a_span_that_begins_in_the_hour_that_does_not_exist_begins_when_the_clocks_have_gone_forward() -> None:
    found = changes(night("02:30", "05:00"), local("2026-03-29T00:00"), local("2026-03-29T12:00"))
    assert found == [(local("2026-03-29T03:00"), True), (local("2026-03-29T05:00"), False)]


def test_a_span_over_the_hour_that_comes_twice_has_both_of_them() -> None:
    found = changes(night("02:15", "02:45"), local("2026-10-25T00:00"), local("2026-10-25T12:00"))
    assert found == [(local("2026-10-25T02:15"), True), (local("2026-10-25T02:45", fold=1), False)]
    assert found[1][0] - found[0][0] == 5400


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    schedule = Schedule(during=(Span(days=(4,), hours=((22 * 60, 6 * 60),)),))
    found = changes(schedule, local("2026-03-02T00:00"), local("2026-03-09T00:00"))
    assert found == [(local("2026-03-06T22:00"), True), (local("2026-03-07T06:00"), False)]


def test_dates_of_each_year_go_over_new_year() -> None:
    schedule = Schedule(besides=(Span(dates=(("12-24", "01-06"),)),))
    found = changes(schedule, local("2026-11-01T00:00"), local("2027-03-01T00:00"))
    assert found == [(local("2026-12-24T00:00"), False), (local("2027-01-07T00:00"), True)]


def test_a_schedule_that_never_changes_is_looked_at_again_in_good_time() -> None:
    past = Schedule(during=(Span(dates=(("2020-01-01", "2020-01-02"),)),))
    now = local("2026-01-01T00:00")
    assert not past.inside(now, BERLIN)
    assert past.next_change(now, BERLIN) > now + 300 * 86_400


def slowly_inside(schedule: Schedule, wall: float, zone: str) -> bool:
    """The definition, minute by minute: the local clock face, and of what day the span is that covers it."""

    def covers(span: Span) -> bool:
        moment = datetime.fromtimestamp(wall, ZoneInfo(zone))
        face = moment.hour * 60 + moment.minute
        for start, end in span.hours or ((0, 1440),):
            if start < end and start <= face < end and span.admits(moment.date()):
                return True
            if end <= start and face >= start and span.admits(moment.date()):
                return True
            if end <= start and face < end and span.admits(moment.date() - timedelta(days=1)):
                return True
        return False

    inside = not schedule.during or any(map(covers, schedule.during))
    return inside and not any(map(covers, schedule.besides))


SPANS = st.builds(
    Span,
    days=st.sets(st.integers(0, 6), max_size=3).map(lambda days: tuple(sorted(days))),
    hours=st.lists(
        st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda pair: pair[0] != pair[1]), max_size=2
    ).map(tuple),
    dates=st.sampled_from([(), (("07-01", "07-03"),), (("12-30", "01-02"),), (("2026-07-02", "2026-07-05"),)]),
)


@settings(max_examples=150, deadline=None)
@given(
    schedule=st.builds(
        Schedule, during=st.lists(SPANS, max_size=2).map(tuple), besides=st.lists(SPANS, max_size=1).map(tuple)
    ),
    minute=st.integers(0, 14 * 1440),
)
def test_where_no_clock_changes_a_schedule_is_what_the_clock_face_says(schedule: Schedule, minute: int) -> None:
    start = local("2026-06-28T00:00") + 60 * minute
    assert schedule.inside(start, BERLIN) is slowly_inside(schedule, start, BERLIN)
    change = schedule.next_change(start, BERLIN)
    looked_at = min(change, start + 2 * 86_400)
    for wall in range(int(start), int(looked_at), 900):
        assert schedule.inside(wall, BERLIN) is schedule.inside(start, BERLIN)
    if change < start + 300 * 86_400:
        assert schedule.inside(change, BERLIN) is not schedule.inside(start, BERLIN)


@given(st.integers(1_700_000_000, 1_900_000_000), st.sampled_from([BERLIN, "Asia/Shanghai", "Asia/Kolkata", "UTC"]))
def test_the_hour_of_the_week_is_that_of_the_clock_face(wall: int, zone: str) -> None:
    moment = datetime.fromtimestamp(wall, ZoneInfo(zone))
    assert (hour_of(wall, zone) + 72) % 168 == moment.weekday() * 24 + moment.hour


# In the engine. The wall clock of `Play` begins with Unix time, on a Thursday at 08:00 in Shanghai.

HOUR = 3600
MORNING = "during: {hours: 09:00-10:00}"


def test_a_state_that_is_true_when_the_schedule_begins_is_raised_then_and_ends_with_it() -> None:
    play = Play(f"on: t.state\nwhen: on\n{MORNING}")
    assert play.say(10, "t.state", on=True) == []
    assert play.wait(HOUR) == ["raised r1 d@3600"]
    assert play.restart() == []
    assert play.wait(3 * HOUR) == ["outside_schedule r1 d@7200"]
    assert play.wait(25 * HOUR) == ["raised r1 d@90000"]
    assert play.say(25 * HOUR + 1, "t.state", on=False) == ["cleared r1 d@90001"]
    assert play.wait(60 * HOUR) == []


def test_a_state_that_ended_before_the_schedule_began_is_never_raised() -> None:
    play = Play(f"on: t.state\nwhen: on\n{MORNING}")
    play.say(10, "t.state", on=True)
    play.say(20, "t.state", on=False)
    assert play.wait(3 * HOUR) == []


def test_a_hold_begins_with_the_schedule_and_breaks_with_it() -> None:
    play = Play(f"on: t.state\nwhen: on\nfor: 50m\n{MORNING}", "on: t.state\nwhen: on\nfor: 61m\n" + MORNING)
    play.say(10, "t.state", on=True)
    assert play.wait(3 * HOUR) == ["raised r1 d@6600", "outside_schedule r1 d@7200"]


def test_an_alert_with_a_clearing_predicate_stands_beyond_the_schedule() -> None:
    play = Play(f"on: t.report\nwhen: x > 5\nclear: x < 3\n{MORNING}")
    assert play.say(HOUR, "t.report", x=7) == ["raised r1 d@3600"]
    assert play.say(5 * HOUR, "t.report", x=7) == []
    assert play.say(6 * HOUR, "t.report", x=1) == ["cleared r1 d@21600"]


def test_occurrences_outside_the_schedule_do_not_count() -> None:
    play = Play("on: t.happening\ncount: {at_least: 2, within: 2h}\n" + MORNING)
    play.say(HOUR - 1, "t.happening")
    play.say(HOUR, "t.happening")
    assert play.say(HOUR + 1, "t.happening") == ["raised r1 d@3601"]
    assert play.wait(4 * HOUR) == ["cleared r1 d@10800"]


def test_a_silence_is_counted_from_the_begin_of_the_schedule() -> None:
    play = Play("on: t.report\nsilent: 20m\n" + MORNING)
    play.say(60, "t.other")
    assert play.wait(90 * 60) == ["raised r1 d@4800"]
    assert play.wait(8 * HOUR) == []
    assert play.say(9 * HOUR, "t.report", x=1) == ["cleared r1 d@32400"]
    assert play.wait(24 * HOUR) == []


def test_steps_of_a_sequence_outside_the_schedule_are_no_steps() -> None:
    play = Play("sequence: [{on: t.state}, {on: t.happening}]\nwithin: 1h\n" + MORNING)
    play.say(HOUR - 1, "t.state", on=True)
    assert play.say(HOUR, "t.happening") == []
    play.say(HOUR + 1, "t.state", on=True)
    assert play.say(HOUR + 2, "t.happening") == ["momentary r1 d@3602"]


def test_fault_044_a_wall_clock_that_is_set_moves_the_schedule_with_the_next_event() -> None:
    play = Play(f"on: t.state\nwhen: on\n{MORNING}")
    play.say(10, "t.state", on=True)
    play.lead = 2 * HOUR
    assert play.wait(20) == []
    assert play.say(30, "t.other") == []
    assert play.wait(HOUR) == []
    play.lead = HOUR
    assert play.say(HOUR + 1, "t.other") == []
    play.lead = 0
    assert play.say(HOUR + 2, "t.other") == ["raised r1 d@3602"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Shanghai", "America/St_Johns"])
def test_each_site_has_its_own_morning(zone: str) -> None:
    play = Play(f"on: t.state\nwhen: on\n{MORNING}", zones={"s": zone})
    play.say(10, "t.state", on=True)
    (told,) = play.wait(24 * HOUR)[:1]
    at = float(told.split("@")[1])
    assert datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%H:%M") == "09:00"
