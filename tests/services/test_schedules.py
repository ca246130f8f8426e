"""Schedules: calendar, cycles, running hours, rounds and drills, over restarts, clock steps and the nights of DST."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Conflict, Forbidden, NotFound
from gateway.model import PlanRun, PointState, Round, Schedule, WorkOrder
from gateway.services.schedule_book import ScheduleBook, next_time, times_between
from gateway.services.schedule_reading import ScheduleBookError, read_schedules
from tests.services.story import ANNA, ERIKA, Story

DAY = 86_400.0
BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")

FILE = """
schedules:
  - id: lift-monthly
    site: garden
    title: {en: Lift maintenance, zh: 电梯保养}
    does: maintenance
    at: "0 9 * * *"
    devices: [lift-1]
    team: elevator
    resolve_within: 2d
  - id: door-cycles
    site: garden
    title: {en: Door service, zh: 门保养}
    does: maintenance
    counts: {kind: access.door, field: state, is: open, times: 3}
    devices: [door-1, door-2]
  - id: meter-hours
    site: garden
    title: {en: Pump service, zh: 泵保养}
    does: maintenance
    counts: {kind: water.pump, field: state, is: running, running: 2h}
    devices: [meter-1]
  - id: night-round
    site: garden
    title: {en: Night round, zh: 夜巡}
    does: patrol
    at: "0 22 * * *"
    ordered: true
    points:
      - {id: gate, title: {en: Gate, zh: 大门}, to: 20m}
      - {id: roof, device: door-9, from: 10m, to: 40m}
  - id: fire-drill
    site: garden
    title: {en: Fire drill, zh: 消防演练}
    does: drill
    at: "0 10 1 * *"
    plan: fire
    devices: [smoke-1]
"""
BOOK = read_schedules({"site.yaml": FILE})


def only(*names: str) -> ScheduleBook:
    return ScheduleBook(one for one in BOOK if one.id in names)


def story(*names: str, wall: str = "2026-11-20 08:00") -> Story:
    one = Story(schedules=only(*names))
    one.wall = datetime.fromisoformat(wall).replace(tzinfo=SHANGHAI).timestamp()
    return one.restart()


def orders(one: Story) -> list[WorkOrder]:
    return sorted(one.records(WorkOrder), key=lambda order: order.id)


def state(one: Story, ident: str) -> Schedule:
    found = one.record(Schedule, ident)
    assert isinstance(found, Schedule)
    return found


def pass_time(one: Story, seconds: float, step: float = 600.0) -> Story:
    """Time passes as the core lets it pass: whatever comes due is done then."""
    end = one.now + seconds
    while one.now < end:
        one.after(min(step, end - one.now))
    return one


# The calendar


@settings(max_examples=60, deadline=None)
@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1)),
    zone=st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/New_York", "UTC"]),
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 30]),
)
def test_fault_047_a_daily_time_comes_once_on_each_day_in_every_zone(
    start: datetime, zone: str, hour: int, minute: int
) -> None:
    where = ZoneInfo(zone)
    after = start.replace(tzinfo=where).timestamp()
    found = times_between(f"{minute} {hour} * * *", after, after + 40 * DAY, zone)
    days = [datetime.fromtimestamp(time, where).date() for time in found]
    assert len(set(days)) == len(days), "no day has it twice"
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days)), days


def test_fault_047_the_nights_of_the_clock_change_run_a_job_at_half_past_two_once() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=BERLIN).timestamp()
    found = [
        datetime.fromtimestamp(time, BERLIN)
        for time in times_between("30 2 * * *", spring, spring + 2 * DAY, "Europe/Berlin")
    ]
    assert [f"{time:%d %H:%M}" for time in found] == ["29 03:30", "30 02:30"], (
        "half past two is left out: an hour later"
    )
    autumn = datetime(2026, 10, 24, 12, tzinfo=BERLIN).timestamp()
    found = [
        datetime.fromtimestamp(time, BERLIN)
        for time in times_between("30 2 * * *", autumn, autumn + 2 * DAY, "Europe/Berlin")
    ]
    assert [f"{time:%d %H:%M %Z}" for time in found] == ["25 02:30 CEST", "26 02:30 CET"], "the first of the two"
    hourly = times_between("0 * * * *", autumn, autumn + DAY, "Europe/Berlin")
    assert len(hourly) == len(set(hourly)) and hourly == sorted(hourly)


def test_a_daily_schedule_opens_its_order_on_the_planned_day_with_its_deadline() -> None:
    one = story("lift-monthly")
    pass_time(one, 3600 - 1)
    assert orders(one) == []
    pass_time(one, 1)
    order = orders(one)[0]
    assert (order.schedule, order.source, order.device, order.kind) == (
        "lift-monthly",
        "schedule",
        "lift-1",
        "maintenance",
    )
    assert order.title["zh"] == "电梯保养: lift-1"
    assert order.resolve_by == order.opened_at + 2 * DAY
    assert state(one, "lift-monthly").next_at == one.wall + DAY
    pass_time(one, DAY)
    assert len(orders(one)) == 1 and orders(one)[0].log[-1].action == "again", "the last one is still open"
    assert state(one, "lift-monthly").ran == 2


def test_what_was_missed_while_the_gateway_was_down_is_made_good_once() -> None:
    one = story("lift-monthly")
    one.now += 5 * DAY
    one.wall += 5 * DAY
    one.restart()
    assert len(orders(one)) == 1
    found = state(one, "lift-monthly")
    assert (found.ran, found.missed) == (1, 4)
    one.restart().restart()
    assert state(one, "lift-monthly").ran == 1


@pytest.mark.parametrize("step", [-3600.0, 7200.0, -DAY, 2 * DAY])
def test_fault_044_a_step_of_the_wall_clock_neither_starves_nor_doubles_a_daily_schedule(step: float) -> None:
    one = story("lift-monthly")
    pass_time(one, 2 * DAY)
    assert state(one, "lift-monthly").ran == 2
    one.after(60, wall_step=step)
    one.after(3600, wall_step=-step)
    stepped = state(one, "lift-monthly").ran
    assert stepped == 3, "no storm: the day under the step once, and once alone"
    days = pass_time(one, 3 * DAY)
    ran = state(days, "lift-monthly").ran
    # A clock that was ahead ran what lay under its step; by the end each day has had its time.
    assert ran + state(days, "lift-monthly").missed == 6, ran


def test_fault_x14_a_schedule_runs_on_after_the_clock_was_an_hour_back_for_good() -> None:
    """APScheduler's own loop ran nothing any more in this case: it slept by the old clock."""
    one = story("lift-monthly")
    one.after(1800, wall_step=-3600)
    pass_time(one, 5400 - 1)
    assert orders(one) == []
    pass_time(one, 1)
    assert len(orders(one)) == 1, "at nine o'clock, by the clock as it is now"


def test_fault_048_a_machine_without_a_clock_of_its_own_makes_no_storm_when_it_gets_the_time() -> None:
    one = Story(schedules=BOOK)
    one.wall = 5.0
    one.restart().after(3600)
    assert one.records(Schedule) == [], "in 1970 no calendar is kept"
    one.after(60, wall_step=56.9 * 365.25 * DAY)
    pass_time(one, 120)
    assert orders(one) == [] and one.records(Round) == []
    assert all(state(one, name).next_at > one.wall for name in ("lift-monthly", "night-round"))  # type: ignore[operator]
    pass_time(one, 2 * DAY, 1800)
    assert state(one, "lift-monthly").ran == 2


def test_fault_048_a_clock_that_was_decades_ahead_starves_nothing_when_it_is_right_again() -> None:
    one = story("lift-monthly")
    one.after(60, wall_step=56 * 365.25 * DAY)
    pass_time(one, 120)
    ahead = state(one, "lift-monthly").ran
    assert ahead <= 1
    one.after(60, wall_step=-56 * 365.25 * DAY)
    pass_time(one, 2 * DAY)
    assert state(one, "lift-monthly").ran == ahead + 2


# Counted


def test_the_third_opening_of_a_door_opens_its_maintenance_also_over_restarts() -> None:
    one = story("door-cycles")
    seq = 0

    def door(name: str, word: str) -> None:
        nonlocal seq
        seq += 1
        event = one.event(name, "access.door", state=word)
        one.says_event(
            type(event)(**{field: getattr(event, field) for field in event.__struct_fields__} | {"seq": seq})
        )

    for turn in range(2):
        for word in ("open", "open", "closed"):
            door("door-1", word)
        one.after(61)
        door("door-2", "open" if turn == 0 else "closed")
        one.restart()
    assert orders(one) == []
    one.after(61)
    door("door-1", "open")
    assert [order.device for order in orders(one)] == ["door-1"]
    counts = state(one, "door-cycles").counts
    assert (counts["door-1"].total, counts["door-2"].total) == (0, 1)


def test_running_hours_are_counted_between_start_and_stop() -> None:
    one = story("meter-hours")
    for hours, word in ((0, "running"), (1.5, "stopped"), (10, "running"), (0.4, "stopped")):
        one.after(hours * 3600)
        one.says("meter-1", "water.pump", state=word)
    assert orders(one) == []
    one.says("meter-1", "water.pump", state="running")
    one.after(400)
    one.says("meter-1", "water.pump", state="running")
    assert [order.schedule for order in orders(one)] == ["meter-hours"]
    assert state(one, "meter-hours").counts["meter-1"].total == pytest.approx(1.9 * 3600 + 400 - 7200)


# Rounds


def walking(wall: str = "2026-11-20 21:59") -> tuple[Story, Round]:
    one = pass_time(story("night-round", wall=wall), 60)
    return one, one.records(Round)[0]


def checkin(one: Story, device: str = "barrier-1", **data: Any) -> None:
    one.says(device, "patrol.checkin", **data)


def missed(one: Story) -> list[tuple[str, bool]]:
    return [(told.data["point"], told.data["missed"]) for told in one.found]


def test_a_round_is_walked_in_order_and_within_its_windows() -> None:
    one, begun = walking()
    assert begun.state == "running" and begun.points[0].until_at == begun.started_at + 1200
    checkin(one, point="gate", person="Wang")
    checkin(one, "door-9")
    assert one.record(Round, begun.id).points[1].state is PointState.WAITING, "its window has not begun"
    one.after(900)
    checkin(one.restart(), "door-9")
    ended = one.record(Round, begun.id)
    assert ended.state == "finished"
    assert [point.state for point in ended.points] == [PointState.DONE, PointState.DONE]
    assert ended.points[0].visited_by == "Wang" and ended.points[0].in_order
    assert all(not flag for _, flag in missed(one))


def test_a_point_that_nobody_visits_is_told_to_the_rules_and_may_be_made_good() -> None:
    one, begun = walking()
    pass_time(one.restart(), 1199, 100)
    assert missed(one) == []
    one.after(1)
    assert missed(one) == [("night-round/gate", True)]
    one.after(1200)
    assert missed(one) == [("night-round/gate", True), ("night-round/roof", True)]
    assert one.record(Round, begun.id).state == "overdue"
    checkin(one.restart(), point="gate")
    assert missed(one)[-1] == ("night-round/gate", False)
    assert one.record(Round, begun.id).points[0].state is PointState.LATE
    pass_time(one, DAY)
    assert one.record(Round, begun.id).state == "missed", "the next round has begun"
    assert len(one.records(Round)) == 2


def test_a_point_out_of_order_is_marked_and_told() -> None:
    one, begun = walking()
    one.after(700)
    checkin(one, "door-9")
    assert not one.record(Round, begun.id).points[1].in_order
    assert one.found[-1].data["out_of_order"]


def test_a_point_is_checked_by_hand_with_what_was_found() -> None:
    one, begun = walking()
    with pytest.raises(Conflict, match="later"):
        one.act("round.check", round=begun.id, point="roof")
    checked = one.act("round.check", round=begun.id, point="gate", result="abnormal", text="lock broken")
    assert (checked.points[0].result, checked.points[0].visited_by) == ("abnormal", "user:anna")
    with pytest.raises(Conflict, match="visited by"):
        one.act("round.check", round=begun.id, point="gate")
    with pytest.raises(NotFound):
        one.act("round.check", round=begun.id, point="moon")


# Drills, and by hand


def test_a_drill_starts_its_plan_as_a_drill_and_a_failure_is_told() -> None:
    one = story("fire-drill", wall="2026-11-30 12:00")
    pass_time(one, DAY, 3600)
    run = one.records(PlanRun)[0]
    assert run.drill and run.plan == "fire" and run.started_by == "schedule:fire-drill"
    assert state(one, "fire-drill").result == run.id
    assert "runs for" in one.act("schedule.run", ERIKA, schedule="fire-drill").problem
    assert len(one.records(PlanRun)) == 1


def test_a_schedule_is_run_paused_and_resumed_by_engineers() -> None:
    one = story("lift-monthly")
    with pytest.raises(Forbidden):
        one.act("schedule.run", ANNA, schedule="lift-monthly")
    assert one.act("schedule.run", ERIKA, schedule="lift-monthly").ran == 1
    one.act("schedule.pause", ERIKA, schedule="lift-monthly", reason="lift is being replaced")
    pass_time(one.restart(), 3 * DAY, 3600)
    assert state(one, "lift-monthly").ran == 1
    resumed = one.act("schedule.resume", ERIKA, schedule="lift-monthly")
    assert resumed.next_at is not None and resumed.next_at > one.wall
    pass_time(one, DAY, 3600)
    assert state(one, "lift-monthly").ran == 2, "what passed meanwhile is not made good"


# Files


def test_a_file_with_mistakes_is_refused_with_every_line() -> None:
    wrong = """schedules:
  - id: x
    site: garden
    title: X
    does: maintenence
    at: "0 9 * *"
  - id: y
    site: garden
    title: Y
    does: patrol
    at: "0 9 * * 1"
  - id: z
    site: garden
    title: Z
    does: drill
    counts: {kind: a.b, field: c, is: true}
"""
    with pytest.raises(ScheduleBookError) as refused:
        read_schedules({"site.yaml": wrong})
    told = str(refused.value)
    for place in (
        "site.yaml:5",
        "'maintenance'",
        "site.yaml:6",
        "site.yaml:11",
        "weekdays",
        "site.yaml:7",
        "points",
        "'times' or 'running'",
        "'plan'",
    ):
        assert place in told, f"{place} is not in:\n{told}"
    assert next_time("0 9 31 2 *", 0.0, "UTC") is None, "a day that never comes"
