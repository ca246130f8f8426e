"""Escalation: exactly along the chain until somebody has seen it, over restarts and steps of the clock."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.model import Alert, Severity
from gateway.services.chain_reading import EscalationError, read_chains
from rules.escalation import shipped_chains
from tests.services.story import BEN, ERIKA, STRANGER, VERA, Story
from tests.services.telling import CHAINS, PEOPLE, Telling

GUARDS, SUPERVISOR, ALL = ("anna",), ("sue",), ("anna", "max", "sue")


def critical(story: Telling) -> Alert:
    alert = story.raised("access.duress")
    assert alert is not None
    return alert


@pytest.mark.parametrize("wall_step", [0.0, 3600.0, -3600.0])
@pytest.mark.parametrize("restarts", [False, True])
def test_fault_104_nobody_acknowledges_and_it_escalates_exactly_along_the_chain(
    wall_step: float, restarts: bool
) -> None:
    story = Telling()
    critical(story)
    for second in range(1, 1000):
        story.after(1.0, wall_step=wall_step if second in (60, 200) else 0.0)
        if restarts and second % 50 == 0:
            story.restart()
        story.answer_all()
    # `everyone` is told in two messages: max has no e-mail address.
    told = [(at, level, people) for at, level, people in story.calls()]
    assert [(at, level) for at, level, people in told if people != ("max",)] == [
        (0.0, 1), (180.0, 2), (360.0, 3), (960.0, 3)
    ]  # fmt: skip
    assert told[0][2] == GUARDS and told[1][2] == SUPERVISOR
    assert {name for at, _, people in told if at == 360.0 for name in people} == set(ALL)


def test_fault_104_what_came_due_while_nothing_ran_is_told_in_order_at_the_start() -> None:
    story = Telling()
    alert = critical(story)
    story.answer_all()
    story.now += 400
    story.wall += 400
    story.restart()
    assert [level for _, level, _ in story.calls()] == [1, 2, 3, 3]
    assert story.where("access.duress").level == 3
    story.now += 7200
    story.wall += 7200
    story.restart()
    told = [call.level for call in story.where("access.duress").told]
    assert told == [1, 2, 3, 3], "repetitions that nobody was there for are one"
    assert story.alert("access.duress").id == alert.id


def test_an_acknowledgement_stops_it() -> None:
    story = Telling()
    alert = critical(story)
    story.after(100)
    story.act("alert.acknowledge", alert=alert.id)
    story.restart().after(10_000)
    assert len(story.calls()) == 1
    where = story.where("access.duress")
    assert (where.state, where.stopped_by, where.level, where.next_at) == ("stopped", "acknowledged", 1, None)


def test_taking_it_stops_it_and_giving_it_back_begins_anew() -> None:
    story = Telling()
    alert = critical(story)
    story.after(100)
    taken = story.act("alert.take", alert=alert.id)
    assert (taken.owner, taken.state, taken.escalation.stopped_by) == ("user:anna", "unacknowledged", "taken")
    with pytest.raises(Conflict, match="was taken by user:anna") as refused:
        story.act("alert.take", BEN, alert=alert.id)
    assert refused.value.facts["by"] == "user:anna"
    story.restart().after(1000)
    assert len(story.calls()) == 1
    story.act("alert.release", BEN, alert=alert.id)
    story.after(180)
    assert [(at, level) for at, level, _ in story.calls()] == [(0.0, 1), (1100.0, 1), (1280.0, 2)]
    assert story.act("alert.assign", BEN, alert=alert.id, to="anna").owner == "user:anna"
    with pytest.raises(Conflict, match="is nobody's"):
        story.act("alert.release", alert=story.raised("access.held").id)  # type: ignore[union-attr]


def test_of_two_who_assign_one_wins_and_the_other_learns_who_has_it() -> None:
    story = Telling()
    alert = critical(story)
    assert story.act("alert.assign", alert=alert.id, to="max", before="").owner == "user:max"
    with pytest.raises(Conflict, match="was taken by user:max") as refused:
        story.act("alert.assign", BEN, alert=alert.id, to="ben", before="")
    assert refused.value.facts["by"] == "user:max"
    assert story.act("alert.assign", BEN, alert=alert.id, to="ben", before="user:max").owner == "user:ben"
    with pytest.raises(Conflict, match="was taken by user:ben"):
        story.act("alert.release", alert=alert.id, before="user:max")
    story.act("alert.release", alert=alert.id, before="user:ben")
    with pytest.raises(Conflict, match="given back by user:ben: it is nobody's"):
        story.act("alert.assign", alert=alert.id, to="max", before="user:ben")


def test_an_alert_is_not_given_to_a_name_that_nobody_has_and_goes_on_escalating() -> None:
    story = Telling()
    alert = critical(story)
    with pytest.raises(Invalid, match="'mxa' is nobody"):
        story.act("alert.assign", alert=alert.id, to="mxa")
    assert story.where("access.duress").state == "running"
    assert story.act("alert.assign", alert=alert.id, to="anna").owner == "user:anna", "to oneself one always may"


def test_viewers_and_strangers_take_nothing() -> None:
    story = Telling()
    alert = critical(story)
    with pytest.raises(Forbidden):
        story.act("alert.take", VERA, alert=alert.id)
    with pytest.raises(NotFound):
        story.act("alert.take", STRANGER, alert=alert.id)


def test_a_shelved_alert_does_not_escalate_and_begins_anew_when_it_is_back() -> None:
    story = Telling()
    alert = story.raised("access.forced")
    assert alert
    story.after(100)
    story.act("alert.shelve", alert=alert.id, reason="being mended", minutes=10)
    assert story.where("access.forced").stopped_by == "shelved"
    story.restart().after(599)
    assert len(story.calls()) == 1
    story.after(1)
    assert [(at, level) for at, level, _ in story.calls()] == [(0.0, 1), (700.0, 1)]


def test_what_is_out_of_service_calls_nobody_and_begins_when_it_is_back() -> None:
    story = Telling()
    window: dict[str, Any] = {"site": "garden", "scope": "device", "target": "door-1", "reason": "lock", "minutes": 10}
    story.act("outage.begin", ERIKA, **window)
    story.raised("access.forced")
    assert story.alert("access.forced").escalation is None
    story.restart().after(599, wall_step=-3600)
    assert story.calls() == []
    story.after(1)
    assert [(at, level) for at, level, _ in story.calls()] == [(600.0, 1)]
    assert story.where("access.forced").state == "running"
    story.act("outage.begin", ERIKA, **window)
    assert story.where("access.forced").stopped_by == "out_of_service"
    story.after(599)
    assert len(story.calls()) == 1


def test_one_that_comes_and_goes_keeps_its_three_minutes() -> None:
    story = Telling()
    story.raised("access.forced")
    story.after(100)
    story.cleared("access.forced")
    assert story.where("access.forced").stopped_by == "returned"
    story.restart().after(50)
    story.raised("access.forced")
    story.after(30)
    assert [(at, level) for at, level, _ in story.calls()] == [(0.0, 1), (180.0, 2)]


def test_a_critical_one_that_is_over_still_escalates_until_somebody_has_seen_it() -> None:
    story = Telling()
    story.raised("access.duress")
    story.after(100)
    story.cleared("access.duress")
    story.after(80)
    assert [level for _, level, _ in story.calls()] == [1, 2]


def test_an_alert_without_a_chain_tells_nobody() -> None:
    story = Telling()
    story.raised("access.denied_often")
    story.after(10_000)
    assert story.calls() == [] and story.alert("access.denied_often").escalation is None


def test_repeats_of_an_alert_tell_nobody_again() -> None:
    story = Telling()
    for _ in range(5):
        story.raised("access.duress", again=True)
        story.after(1)
    assert len(story.calls()) == 1


def test_a_chain_that_was_taken_out_of_the_file_is_replaced_by_the_one_that_fits_now() -> None:
    story = Telling()
    story.raised("access.duress")
    story.answer_all()
    story.escalation_book = Telling(CHAINS.replace("id: life", "id: other")).escalation_book
    story.restart().after(180)
    assert story.where("access.duress").chain == "other"
    assert [level for _, level, _ in story.calls()] == [1, 1]


MATCHES = """
chains:
  - id: lifts
    systems: elevator
    levels: [{after: 0s, tell: [everyone], by: page}]
  - id: lobby
    zones: b1-lobby
    severity: [high, medium]
    levels: [{after: 0s, tell: [everyone], by: page}]
  - id: elsewhere
    sites: elsewhere
    levels: [{after: 0s, tell: [everyone], by: page}]
  - id: night
    during: {days: mon-sun, hours: 00:00-24:00}
    levels: [{after: 0s, tell: [everyone], by: page}]
"""


@pytest.mark.parametrize(
    ("rule", "scope", "chain"),
    [
        ("elevator.entrapment", "lift-1", "lifts"),
        ("access.forced", "door-1", "lobby"),
        ("access.duress", "door-1", "night"),
        ("access.forced", "far-1", "elsewhere"),
        ("access.forced", "door-9", "night"),
    ],
)
def test_the_first_chain_that_fits_by_system_severity_zone_site_and_hour(rule: str, scope: str, chain: str) -> None:
    story = Telling(MATCHES)
    story.raised(rule, scope)
    assert story.where(rule, scope).chain == chain
    assert story.deliveries == [], "the page alone tells"


HOURS = """
chains:
  - {id: day, during: {days: mon-fri, hours: 08:00-18:00}, levels: [{after: 1m, tell: [everyone]}]}
  - {id: night, during: {days: [fri], hours: 22:00-06:00}, levels: [{after: 1m, tell: [everyone]}]}
  - {id: rest, levels: [{after: 1m, tell: [everyone]}]}
"""


@pytest.mark.parametrize(
    ("moment", "chain"),
    [
        ("2026-11-27T08:00", "day"),
        ("2026-11-27T18:00", "rest"),
        ("2026-11-27T22:00", "night"),
        ("2026-11-28T05:59", "night"),
        ("2026-11-28T06:00", "rest"),
        ("2026-11-28T23:00", "rest"),
    ],
)
def test_hours_are_the_sites_and_go_past_midnight(moment: str, chain: str) -> None:
    from tests.services.test_rosters import at

    story = Telling(HOURS)
    story.wall = at(moment)
    story.raised("access.held")
    assert story.where("access.held").chain == chain


def on_duty(target: str, **more: Any) -> Telling:
    chain = f"chains: [{{id: x, levels: [{{after: 0s, tell: [{target}], by: page}}]}}]"
    return Telling(chain, **more)


def people_of(story: Telling) -> tuple[str, ...]:
    story.raised("access.held")
    return tuple(story.where("access.held").told[0].people)


def roster(story: Telling, person: str, role: str = "guard") -> None:
    slots = [{"start": "00:00", "end": "24:00", "people": [person], "role": role}]
    story.act("roster.put", ERIKA, site="garden", team="guards", slots=slots)


def test_on_duty_is_who_the_roster_names_now() -> None:
    story = on_duty("on_duty")
    roster(story, "max")
    assert people_of(story) == ("max",)


def test_on_duty_in_a_role_is_by_the_slot_or_by_the_person() -> None:
    for target, person in (("{on_duty: {role: guard}}", "max"), ("{on_duty: {team: guards}}", "max")):
        story = on_duty(target)
        roster(story, "max")
        assert people_of(story) == (person,)


def test_who_has_the_desk_is_on_duty() -> None:
    story = on_duty("on_duty")
    story.act("shift.take_over", site="garden")
    assert people_of(story) == ("anna",)


def test_where_nobody_is_on_duty_the_team_is_told_and_then_everybody() -> None:
    story = on_duty("{on_duty: {role: supervisor}}")
    assert people_of(story) == ("sue",)
    assert story.where("access.held").told[0].note == "off_duty"
    story = on_duty("{on_duty: {role: janitor}}")
    assert people_of(story) == ("anna", "max", "sue")
    assert story.where("access.held").told[0].note == "everyone"
    story = on_duty("on_duty", people=())
    assert people_of(story) == ()
    assert story.where("access.held").told[0].note == "nobody"


def test_a_named_user_and_who_is_away() -> None:
    assert people_of(on_duty("{user: max}")) == ("max",)
    away = tuple({**one, "active": one["id"] != "max"} for one in PEOPLE)
    assert people_of(on_duty("everyone", people=away)) == ("anna", "sue")


def test_the_shipped_chains_are_sound_and_keep_the_three_minute_promise() -> None:
    chains = read_chains("escalation.yaml", shipped_chains())
    assert [chain.id for chain in chains] == ["critical", "high", "medium"]
    for chain in chains[:2]:
        assert [level.after for level in chain.levels[:2]] == [0.0, 180.0]
    assert {word for chain in chains for word in chain.severity} < {str(one) for one in Severity}


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("chains: [{id: x, levels: [{after: 0s, tell: [evryone]}]}]", "1:46", "did you mean 'everyone'"),
        ("chains:\n- id: x\n  levels: [{after: 0, tell: [{usr: a}]}]", "3:31", "did you mean 'user'"),
        (
            "chains:\n- id: x\n  severty: high\n  levels: [{after: 0s, tell: [everyone]}]",
            "3:3",
            "did you mean 'severity'",
        ),
        (
            "chains:\n- id: x\n  severity: hihg\n  levels: [{after: 0s, tell: [everyone]}]",
            "3:13",
            "did you mean 'high'",
        ),
        ("chains:\n- id: x\n  levels: [{after: 5 minutes, tell: [everyone]}]", "3:20", "not a duration"),
        (
            "chains:\n- id: x\n  levels:\n  - {after: 3m, tell: [everyone]}\n  - {after: 3m, tell: [everyone]}",
            "5:13",
            "not later",
        ),
        ("chains:\n- id: x\n  levels: [{after: 0s, tell: [everyone], by: [smss]}]", "3:47", "did you mean 'sms'"),
        ("chains:\n- id: x\n  levels: [{after: 0s}]", "3:12", "needs 'tell'"),
        ("chains:\n- levels: [{after: 0s, tell: [everyone]}]", "2:3", "has an 'id'"),
        ("chains:\n- id: x\n", "2:3", "has 'levels'"),
        (
            "chains:\n- {id: x, levels: [{after: 0s, tell: everyone}]}\n"
            "- {id: x, levels: [{after: 0s, tell: everyone}]}",
            "3:8",
            "two chains",
        ),
        (
            "chains:\n- id: x\n  during: {hours: 8-18}\n  levels: [{after: 0s, tell: [everyone]}]",
            "3:19",
            "hours are like",
        ),
        ("chains:\n- id: x\n  during: {days: moon}\n  levels: [{after: 0s, tell: [everyone]}]", "3:18", "is no day"),
        ("chains: [\n", "2:1", "not YAML"),
        ("levels: []", "1:1", "the file has no word"),
        ("", "1:1", "the file is empty"),
        ("chains:\n- id: x\n  title: {en: X}\n  levels: [{after: 0s, tell: [everyone]}]", "3:10", "both languages"),
    ],
)
def test_a_mistake_in_a_chain_is_named_by_file_line_and_column(text: str, where: str, says: str) -> None:
    with pytest.raises(EscalationError) as refused:
        read_chains("home/escalation.yaml", text, ["sms", "desk"])
    shown = [str(problem) for problem in refused.value.problems]
    assert any(says in line and f"home/escalation.yaml:{where}" in line for line in shown), shown


def test_nothing_escalates_where_there_are_no_chains() -> None:
    story = Story()
    story.raised("access.duress")
    assert story.after(10_000).alert("access.duress").escalation is None
