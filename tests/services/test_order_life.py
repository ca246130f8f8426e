"""The whole life of an order: taking, dispatch, arrival, pauses, the one deferral, the end, and what comes after."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.app.workdays import workdays_of
from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.model import OrderState, WorkOrder
from gateway.services.teams import Member, Team, TeamBook
from gateway.services.working_time import Hours, WorkingTime
from tests.services.story import ANNA, BEN, ERIKA, VERA, Story

S = OrderState
DAY = 86_400.0
SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = Hours(start=9 * 3600.0, end=18 * 3600.0, round_the_clock=False)
TEAMS = TeamBook((
    Team(id="electrical", hours=OFFICE, categories=("electricity",)),
    Team(
        id="plumbing",
        dispatch="auto",
        categories=("water",),
        members=(
            Member(id="li", skills=("pumps",), zones=("b1",)),
            Member(id="wang", skills=("pumps",)),
            Member(id="zhou", zones=("b2",)),
        ),
    ),
))  # fmt: skip
DONE = ("accept", "start", "done")


def story() -> Story:
    return Story(teams=TEAMS)


def opened(one: Story, **more: Any) -> WorkOrder:
    order = one.act("work_order.open", **{"site": "garden", "title": "Lamp", **more})
    assert isinstance(order, WorkOrder)
    return order


def go(one: Story, order: WorkOrder, *actions: str, **more: Any) -> WorkOrder:
    for action in actions:
        changed = one.act(f"work_order.{action}", order=order.id, **more)
    assert isinstance(changed, WorkOrder)
    return changed


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()


# Working time


def test_working_time_passes_on_working_days_from_nine_to_six_alone() -> None:
    clock = WorkingTime(OFFICE, SHANGHAI, workdays_of("CN"))
    # Friday 30 September 2026 is followed by the National Day week; Saturday 10 October makes up for it.
    for start, hours, end in (
        ("2026-09-29 10:00", 2, "2026-09-29 12:00"),
        ("2026-09-29 17:00", 2, "2026-09-30 10:00"),
        ("2026-09-29 22:00", 1, "2026-09-30 10:00"),
        ("2026-09-30 17:00", 2, "2026-10-08 10:00"),
        ("2026-10-09 17:00", 2, "2026-10-10 10:00"),
    ):
        assert clock.add(at(start), hours * 3600) == at(end), start
        assert clock.between(at(start), at(end)) == hours * 3600, start
    assert clock.between(at("2026-10-01 00:00"), at("2026-10-07 23:00")) == 0
    assert clock.between(at("2026-09-29 12:00"), at("2026-09-29 10:00")) == -2 * 3600


def test_without_a_country_people_work_from_monday_to_friday() -> None:
    is_workday = workdays_of("")
    assert [is_workday(date(2026, 10, day)) for day in (1, 3, 4, 5)] == [True, False, False, True]


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)])
def test_fault_047_a_working_day_over_the_clock_change_has_the_hours_its_clock_shows(month: int, day: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    clock = WorkingTime(Hours(start=0.0, end=86_400.0, round_the_clock=False), berlin, lambda day: True)
    start = datetime(2026, month, day, tzinfo=berlin).timestamp()
    length = 23 if month == 3 else 25
    assert clock.between(start, start + 3 * DAY) == 3 * DAY
    end = datetime(2026, month, day + 1, tzinfo=berlin).timestamp()
    assert clock.between(start, end) == length * 3600


def test_a_promise_runs_in_the_teams_working_time_and_what_is_critical_round_the_clock() -> None:
    one = story()
    one.wall = at("2026-11-20 17:00")  # a Friday
    order = opened(one, team="electrical", respond_within=600, resolve_within=2 * 3600)
    assert order.resolve_by == at("2026-11-23 10:00")
    assert order.respond_by == one.wall + 600, "who answers within minutes is on duty"
    assert order.resolve_due == pytest.approx(one.now + (at("2026-11-23 10:00") - one.wall))
    critical = opened(one, team="electrical", resolve_within=2 * 3600, priority="critical")
    assert critical.resolve_by == one.wall + 2 * 3600
    other = opened(one, team="plumbing", resolve_within=2 * 3600)
    assert other.resolve_by == one.wall + 2 * 3600, "a team without hours works round the clock"


# Who does it


def test_the_first_who_takes_an_order_stays_responsible() -> None:
    one = story()
    order = opened(one)
    taken = one.act("work_order.take", BEN, order=order.id)
    assert (taken.owner, taken.taken_at) == ("user:ben", one.wall)
    assert one.act("work_order.take", BEN, order=order.id) == taken
    with pytest.raises(Conflict, match="taken by user:ben"):
        one.act("work_order.take", ANNA, order=order.id)
    assert one.act("work_order.accept", ANNA, order=order.id).owner == "user:ben"


def test_an_order_is_given_to_who_works_there_and_has_least_to_do() -> None:
    one = story()
    first, second, third = (opened(one, team="plumbing", zone="b1-lobby") for _ in range(3))
    assert [order.assignee for order in (first, second, third)] == ["li", "li", "li"], "li works in building 1"
    gate = [opened(one, team="plumbing", zone="gate").assignee for _ in range(2)]
    assert gate == ["wang", "wang"], "nobody works at the gate, and wang works everywhere"
    assert opened(one, team="plumbing", zone="b2", skill="pumps").assignee == "wang", "zhou cannot do pumps"
    assert first.log[-1].action == "dispatch" and "works there" in first.log[-1].text
    nobody = opened(one, team="plumbing", skill="welding")
    assert (nobody.state, nobody.assignee) == (S.OPEN, None)
    assert "skill 'welding'" in nobody.log[-1].text
    with pytest.raises(Conflict, match="nobody of the team 'electrical' is on duty"):
        go(one, opened(one, team="electrical"), "dispatch")


def test_a_roster_decides_who_is_on_duty_where_there_is_one() -> None:
    one = story()
    for name in ("li", "wu"):
        one.act("person.put", ERIKA, id=name, skills=["pumps"])
    slots = [{"start": "00:00", "end": "24:00", "people": ["wu"]}]
    one.act("roster.put", ERIKA, site="garden", team="plumbing", slots=slots)
    order = opened(one, team="plumbing", skill="pumps")
    assert order.assignee == "wu", "li is described in the table of teams, and not on duty"


def test_a_rule_opens_an_order_that_its_team_gives_out_at_once() -> None:
    one = Story(teams=TeamBook((Team(id="security", dispatch="auto", members=(Member(id="guard"),)),)))
    one.raised("access.forced")
    order = one.records(WorkOrder)[0]
    assert (order.state, order.assignee, order.team) == (S.ASSIGNED, "guard", "security")


# The clock


def test_a_pause_stops_the_clock_and_gives_back_what_was_left() -> None:
    one = story()
    one.wall = at("2026-11-20 15:00")
    order = opened(one, team="electrical", resolve_within=4 * 3600)
    go(one, order, "accept")
    one.after(3600)
    paused = go(one, order, "pause", reason="part", text="pump ordered")
    assert paused.pause is not None and paused.pause.left_s == 3 * 3600
    assert paused.resolve_by is None
    with pytest.raises(Conflict, match="is paused"):
        go(one, order, "start")
    one.restart().after(5 * DAY)
    assert not one.record(WorkOrder, order.id).resolve_overdue
    resumed = go(one, order, "resume")
    # Wednesday 25 November, 16:00: two hours today, one tomorrow.
    assert resumed.resolve_by == at("2026-11-26 10:00")
    with pytest.raises(Conflict, match="not paused"):
        go(one, order, "resume")
    with pytest.raises(Invalid, match="why"):
        go(one, order, "pause", reason="other")


@pytest.mark.parametrize("step", [-3600.0, 7200.0, -DAY])
def test_fault_044_a_step_of_the_wall_clock_leaves_a_paused_order_its_length(step: float) -> None:
    one = story()
    order = opened(one, resolve_within=3600)
    go(one, order, "accept")
    one.after(600, wall_step=step)
    go(one, order, "pause", reason="access")
    one.after(10_000, wall_step=-step)
    go(one, order, "resume")
    assert not one.after(2999).record(WorkOrder, order.id).resolve_overdue
    assert one.after(1).record(WorkOrder, order.id).resolve_overdue


def test_an_order_is_deferred_once_with_a_reason_and_a_new_deadline() -> None:
    one = story()
    order = opened(one, resolve_within=3600)
    until = one.wall + 3 * DAY
    with pytest.raises(Invalid, match="until"):
        go(one, order, "defer", reason="part", text="x", until=one.wall + 60)
    with pytest.raises(Invalid, match="until"):
        go(one, order, "defer", reason="part", text="x", until=one.wall + 31 * DAY)
    deferred = go(one, order, "defer", reason="part", text="valve on order", until=until)
    assert deferred.deferral is not None
    assert (deferred.deferral.from_by, deferred.resolve_by) == (order.resolve_by, until)
    one.restart().after(3 * DAY - 1)
    assert not one.record(WorkOrder, order.id).resolve_overdue
    assert one.after(1).record(WorkOrder, order.id).resolve_overdue
    with pytest.raises(Conflict, match="deferred once"):
        go(one, order, "defer", reason="dispute", text="y", until=until + DAY)


# The end, and after it


def test_parts_and_labour_add_up_and_are_kept_with_the_order() -> None:
    one = story()
    order = opened(one)
    go(one, order, "accept", "arrive", "arrive", "start")
    go(one, order, "part", name="valve", quantity=2, price_cents=1250)
    go(one, order, "part", name="tape", quantity=0.5, price_cents=301)
    spent = go(one, order, "labour", minutes=45, cost_cents=6000)
    assert (spent.cost_cents, spent.labour_minutes) == (2500 + 150 + 6000, 45)
    assert [part.name for part in spent.parts] == ["valve", "tape"]
    assert spent.arrived_at == one.wall
    for bad in ({"price_cents": 1.5}, {"quantity": 0}, {"name": ""}, {"price_cents": -1}):
        with pytest.raises(Invalid):
            go(one, order, "part", **{"name": "x", **bad})


def test_files_are_named_by_their_hash_and_of_few_types() -> None:
    one = story()
    order = opened(one)
    file = {"sha256": "a" * 64, "name": "before.jpg", "type": "image/jpeg", "size": 1000}
    kept = go(one, order, "attach", **file)
    assert go(one, order, "attach", **file) == kept
    for bad in ({"sha256": "../../x"}, {"type": "text/html"}, {"size": 0}):
        with pytest.raises(Invalid):
            go(one, order, "attach", **{**file, **bad})


def test_cancelling_needs_a_reason_and_while_the_fault_holds_an_engineer() -> None:
    one = story()
    one.raised("elevator.entrapment", "lift-1")
    order = one.records(WorkOrder)[0]
    with pytest.raises(Forbidden):
        go(one, order, "cancel", reason="mistaken", text="sensor")
    ended = one.act("work_order.cancel", ERIKA, order=order.id, reason="mistaken", text="sensor")
    assert (ended.state, ended.outcome, ended.visit_wanted) == (S.CLOSED, "cancelled", False)
    with pytest.raises(Conflict, match="is closed"):
        go(one, order, "cancel", reason="other", text="again")


@pytest.mark.parametrize(("days", "reopened"), [(6.9, True), (7.1, False)])
def test_an_order_is_reopened_under_its_number_within_seven_days(days: float, reopened: bool) -> None:
    one = story()
    order = opened(one, respond_within=600)
    go(one, order, *DONE, "verify", "close")
    one.after(days * DAY).restart()
    if not reopened:
        with pytest.raises(Conflict, match="too long ago"):
            go(one, order, "reopen", text="drips again")
        return
    again = go(one, order, "reopen", text="drips again")
    assert (again.number, again.state, again.reopened) == (order.number, S.OPEN, 1)
    assert (again.outcome, again.closed_at, again.respond_by) == ("", None, one.wall + 600)


def test_at_any_time_thirty_percent_of_the_closed_orders_are_drawn_for_a_return_visit_also_over_restarts() -> None:
    one = story()
    drawn = 0
    for number in range(1, 51):
        order = opened(one)
        ended = go(one, order, *DONE, "verify", "close")
        drawn += ended.visit_wanted
        assert drawn >= 0.3 * number, number
        assert ended.closing == number
        if number % 7 == 0:
            one.restart()
    assert drawn == 15
    inspection = go(one, opened(one, kind="inspection"), *DONE, "verify", "close")
    assert (inspection.closing, inspection.visit_wanted) == (0, False)


def test_a_return_visit_is_made_once_and_work_is_rated() -> None:
    one = story()
    order = opened(one)
    with pytest.raises(Conflict, match="rating is for"):
        go(one, order, "rate", score=5)
    go(one, order, *DONE)
    assert go(one, order, "rate", score=4, text="quick").rating.score == 4  # type: ignore[union-attr]
    with pytest.raises(Invalid):
        go(one, order, "rate", score=6)
    visited = go(one, order, "visit", satisfied=False, text="still drips")
    assert visited.visit is not None and not visited.visit.satisfied
    with pytest.raises(Conflict, match="was made by"):
        go(one, order, "visit", satisfied=True)


# Requests


TRACKING = "R0123456789AB"


def asked(one: Story, **more: Any) -> WorkOrder:
    given = {"site": "garden", "tracking": TRACKING, "kind": "repair", "category": "water", "text": "The tap drips"}
    order = one.act("request.open", VERA, **{**given, **more})
    assert isinstance(order, WorkOrder)
    return order


def test_a_request_comes_to_the_team_of_its_category_with_the_three_promises() -> None:
    one = story()
    order = asked(one, name="Zhang San", phone="13800000000", place="1-2-301")
    assert (order.source, order.team, order.tracking) == ("resident", "plumbing", TRACKING)
    assert order.respond_by == one.wall + 180
    assert (order.answer_by, order.resolve_by) == (one.wall + 2 * DAY, one.wall + 7 * DAY)
    assert asked(one).id == order.id, "the same tracking number is the same request"
    assert len(one.records(WorkOrder)) == 1
    assert not one.after(179).restart().record(WorkOrder, order.id).respond_overdue
    assert one.after(1).record(WorkOrder, order.id).respond_overdue
    assert one.restart().after(2 * DAY).record(WorkOrder, order.id).answer_overdue
    for bad in ({"category": "magic"}, {"tracking": "R1"}, {"kind": "inspection"}, {"text": " "}):
        with pytest.raises(Invalid):
            asked(one, **{"tracking": "R0123456789AC", **bad})


def test_who_takes_a_request_keeps_the_promise_and_the_resident_is_answered_before_the_end() -> None:
    one = story()
    order = asked(one)
    taken = one.act("work_order.take", BEN, order=order.id)
    assert taken.responded_at == one.wall
    go(one, order, *DONE, "verify")
    with pytest.raises(Conflict, match="not answered"):
        go(one, order, "close")
    assert go(one, order, "answer", text="A new washer is in").answered_at == one.wall
    assert go(one, order, "close").outcome == "done"


def test_a_complaint_closes_once_it_is_founded_or_not() -> None:
    one = story()
    order = asked(one, kind="complaint", category="electricity")
    go(one, order, *DONE, "verify")
    go(one, order, "answer", text="We looked into it")
    with pytest.raises(Conflict, match="founded"):
        go(one, order, "close")
    assert go(one, order, "found", founded=False, text="the lamp was on").founded is False
    assert go(one, order, "close").visit_wanted, "a complaint is always visited"
    with pytest.raises(Conflict, match="no complaint"):
        go(one, opened(one), "found", founded=True, text="x")


def test_a_resident_rates_and_reopens_by_the_tracking_number() -> None:
    one = story()
    order = asked(one)
    go(one, order, *DONE)
    one.restart()
    assert one.act("request.rate", VERA, tracking=TRACKING, score=2, text="slow").rating.score == 2
    again = one.act("request.reopen", VERA, tracking=TRACKING, text="drips again")
    assert (again.state, again.reopened, again.log[-1].by) == (S.OPEN, 1, "resident")
    with pytest.raises(NotFound):
        one.act("request.rate", VERA, tracking="R999999999999", score=5)


def test_a_request_by_phone_is_owned_by_who_wrote_it_down() -> None:
    one = story()
    order = opened(one, requester={"name": "Li Si", "phone": "139"}, team="plumbing")
    assert (order.owner, order.responded_at, order.source) == ("user:anna", one.wall, "resident")
    assert order.answer_by == one.wall + 2 * DAY
    with pytest.raises(Invalid, match="nickname"):
        opened(one, requester={"nickname": "x"})


# Import


def test_orders_of_a_sheet_come_all_or_none_and_the_same_sheet_again_changes_nothing() -> None:
    one = story()
    good = [{"external": f"MX-{number}", "site": "garden", "title": f"Pump {number}"} for number in range(5)]
    bad = [
        *good,
        {"external": "MX-9", "site": "nowhere", "title": "x"},
        {"external": "MX-1", "site": "garden", "title": "x"},
        {"external": "MX-8", "site": "garden", "title": "x", "colour": "red"},
    ]
    with pytest.raises(Invalid) as refused:
        one.act("work_order.import", ERIKA, orders=bad)
    assert '[5,"no site' in str(refused.value.facts["wrong"])
    assert '[6,"external: ' in str(refused.value.facts["wrong"]) and '[7,"colour' in str(refused.value.facts["wrong"])
    assert one.records(WorkOrder) == []
    assert one.act("work_order.import", ERIKA, orders=good, check=True)["opened"] == 0
    assert one.act("work_order.import", ERIKA, orders=good) == {"opened": 5, "known": 0, "checked": 5}
    assert one.restart().act("work_order.import", ERIKA, orders=good) == {"opened": 0, "known": 5, "checked": 5}
    assert len(one.records(WorkOrder)) == 5
    with pytest.raises(Forbidden):
        one.act("work_order.import", ANNA, orders=good)
