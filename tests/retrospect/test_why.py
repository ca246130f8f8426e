"""Why a rule has an alert, or none: each reason, from the journal of a real core, at any moment of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.config import Home
from gateway.core.core import CoreSettings
from gateway.model import Actor, Role
from tests.retrospect.support import HomeLab, answer, gatehouse, when
from tests.support.lab import START

PACK = """
- {id: w.forced, title: F, severity: high, on: access.door, when: forced and state == 'open', devices: {type: door}}
- {id: w.held, title: H, severity: high, on: access.door, when: state == 'open', for: 60s, devices: {type: door}}
- {id: w.denied, title: D, severity: low, on: access.denied, count: {at_least: 3, within: 10m}}
- {id: w.silent, title: S, severity: low, silent: 5m, devices: {type: door}}
- id: w.expect
  title: E
  severity: low
  on: access.door
  when: state == 'open'
  expect: {on: access.door, when: state == 'closed', within: 3m}
- id: w.steps
  title: S
  severity: low
  sequence: [{on: access.denied}, {on: access.door, when: forced}]
  within: 10m
- {id: w.night, title: N, severity: low, on: access.door, when: state == 'open', during: {hours: 22:00-06:00}}
- id: w.flow
  title: A
  severity: low
  on: meter.reading
  aggregate: {field: flow_lpm, function: avg, over: 10m, at_least: 40, samples: 3}
- id: w.usual
  title: B
  severity: low
  on: meter.reading
  baseline: {field: flow_lpm}
- id: w.many
  title: T
  severity: high
  on: access.door
  when: state == 'open'
  together: {scope: building, at_least: 3, within: 1m}
- {id: w.offline, title: O, severity: high, on: device.availability, when: not online}
- {id: w.under, title: U, severity: low, on: access.door, when: state == 'open', inhibited_by: w.offline}
- {id: w.changed, title: C, severity: low, on: access.door, when: changed(state) and previous(state) == 'closed'}
"""


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeLab]:
    """Doors and a meter, looked at in the middle of everything; 10:00 UTC is 18:00 in the compound."""
    home = Home(tmp_path_factory.mktemp("yard") / "home")
    home.prepare()
    site = HomeLab(home, PACK)
    site.device("ctl", type="controller")
    for name in ("door-1", "door-2", "door-3"):
        site.device(name, type="door", building="b1", connected_via="ctl")
    site.device("meter-1", type="meter")
    site.device("cam-1", type="camera")
    site.say("door-1", "access.door", state="closed", forced=False)
    site.wait(10, step=5)
    site.say("door-1", "access.door", state="open", forced=False)
    site.say("door-2", "access.door", state="open")
    site.say("door-3", "access.denied", reason="unknown", card="c1")
    site.say("door-3", "access.denied", reason="unknown", card="c2")
    site.say("meter-1", "meter.reading", utility="water", flow_lpm=50.0)
    site.wait(20, step=5)
    site.say("meter-1", "meter.reading", utility="water", flow_lpm=10.0)
    site.say("meter-1", "meter.reading", utility="water", flow_lpm=12.0)
    site.say("ctl", "device.availability", online=False)
    site.wait(10, step=5)
    yield site
    site.close()


def ask(site: HomeLab, rule: str, device: str, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = answer(gatehouse(site.home, "rules", "why", rule, "--device", device, "--json", *words))
    return found


def blocked(site: HomeLab, rule: str, device: str, *words: str) -> tuple[str, str]:
    """The word and code of the first clause that stands in the way."""
    found = ask(site, rule, device, *words)
    clause = found["blocked"]
    assert clause is not None, found
    assert clause["said"]["en"] and clause["said"]["zh"] and clause["truth"] is not True
    assert clause in found["clauses"]
    return clause["word"], clause["code"]


@pytest.mark.parametrize(
    ("rule", "device", "word", "code"),
    [
        ("w.forced", "cam-1", "devices", "other_device"),
        ("w.forced", "door-3", "when", "no_data"),
        ("w.forced", "door-2", "when", "unknown"),
        ("w.forced", "door-1", "when", "false"),
        ("w.held", "door-1", "for", "hold"),
        ("w.denied", "door-3", "count", "count"),
        ("w.silent", "door-1", "silent", "heard"),
        ("w.expect", "door-1", "expect", "waiting"),
        ("w.steps", "door-3", "sequence", "sequence"),
        ("w.night", "door-1", "during", "outside_schedule"),
        ("w.flow", "meter-1", "aggregate", "figure"),
        ("w.usual", "meter-1", "baseline", "learning"),
        ("w.many", "door-1", "together", "together"),
        ("w.under", "door-1", "inhibited_by", "inhibited"),
        ("w.changed", "door-1", "alert", "already_open"),
        ("w.offline", "ctl", "alert", "already_open"),
    ],
)
def test_the_first_clause_that_stands_in_the_way_is_named(
    yard: HomeLab, rule: str, device: str, word: str, code: str
) -> None:
    assert blocked(yard, rule, device) == (word, code)


def test_the_tree_has_the_values_of_the_moment_and_how_long_it_held(yard: HomeLab) -> None:
    found = ask(yard, "w.forced", "door-2")
    when_ = next(clause for clause in found["clauses"] if clause["word"] == "when")
    assert when_["parts"][0]["text"] == "forced and state == 'open'"
    assert [(part["text"], part["truth"], part["values"]) for part in when_["parts"][0]["parts"]] == [
        ("forced", None, {"forced": None}),
        ("state == 'open'", True, {"state": "open"}),
    ]
    assert when_["said"]["en"].startswith("unknown, as forced is missing: access.door, 30s ago")
    held = ask(yard, "w.held", "door-1")["blocked"]
    assert held["values"] == {"held_s": 30.0, "needed_s": 60.0}
    assert held["said"]["zh"] == "已持续 30s,要求 1m"
    assert ask(yard, "w.denied", "door-3")["blocked"]["values"]["count"] == 2
    assert ask(yard, "w.flow", "meter-1")["blocked"]["values"] == {"samples": 3, "needed": 3, "aggregate": 24.0}
    assert ask(yard, "w.many", "door-1")["blocked"]["values"]["devices"] == ["door-1", "door-2"]
    assert ask(yard, "w.under", "door-1")["blocked"]["values"] == {"cause": "w.offline", "cause_scope": "ctl"}
    changed = ask(yard, "w.changed", "door-1")
    assert changed["clauses"][0]["parts"][0]["parts"][0]["values"] == {"state": "open", "previous(state)": "closed"}
    assert changed["came"] and changed["alert"] == yard.alert("w.changed").id


def test_the_past_is_looked_back_on_at_any_moment(yard: HomeLab) -> None:
    before, after = ("--at", when(START + 9)), ("--at", when(START + 15))
    assert blocked(yard, "w.held", "door-1", *before) == ("when", "false")
    assert blocked(yard, "w.held", "door-1", *after) == ("for", "hold")
    assert ask(yard, "w.held", "door-1", *after)["blocked"]["values"]["held_s"] == 5.0
    raised = yard.alert("w.changed").raised_at
    assert blocked(yard, "w.changed", "door-1", "--at", when(raised - 1)) == ("when", "unknown")
    assert blocked(yard, "w.changed", "door-1", "--at", when(raised)) == ("alert", "already_open")


def test_for_people_it_is_a_tree_in_either_language(yard: HomeLab) -> None:
    english = gatehouse(yard.home, "rules", "why", "w.forced", "--device", "door-1").stdout
    assert "- when: <- false: access.door, 30s ago" in english
    assert "- forced   (forced is False)" in english
    assert "<- 不成立:access.door" in gatehouse(
        yard.home, "rules", "why", "w.forced", "--device", "door-1", "--language", "zh"
    ).stdout  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("w.nothing", "--device", "door-1"), "no rule 'w.nothing'"),
        (("w.held", "--device", "door-99"), "no device 'door-99'"),
        (("w.held", "--device", "door-1", "--at", "2026-01-01T00:00:00Z"), "the journal begins at 2026-03-02"),
        (("w.held",), "Missing option '--device'"),
    ],
)
def test_a_question_without_an_answer_is_refused_in_one_line(yard: HomeLab, words: tuple[str, ...], says: str) -> None:
    result = gatehouse(yard.home, "rules", "why", *words)
    assert result.exit_code in (1, 2) and says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_hold_that_the_data_broke_and_a_device_that_is_disabled_or_away(home: Home) -> None:
    site = HomeLab(home, PACK)
    site.device("door-1", type="door", report_interval=10)
    site.say("door-1", "access.door", state="open", forced=False)
    site.wait(40, step=5)
    assert blocked(site, "w.held", "door-1") == ("for", "gap")
    site.say("door-1", "device.availability", online=False)
    assert blocked(site, "w.silent", "door-1") == ("silent", "away")
    site.act("device.disable", id="door-1")
    assert blocked(site, "w.held", "door-1") == ("devices", "disabled")
    site.close()


def test_a_shelved_alert_says_by_whom_and_for_how_long(home: Home) -> None:
    site = HomeLab(home, PACK)
    site.device("door-1", type="door")
    site.say("door-1", "access.door", state="open", forced=True)
    alert = site.alert("w.forced")
    site.act("alert.shelve", alert=alert.id, reason="repair", minutes=30)
    found = ask(site, "w.forced", "door-1")
    assert (found["blocked"]["code"], found["blocked"]["values"]["by"]) == ("shelved", "user:admin")
    assert found["blocked"]["said"]["en"].startswith("shelved by user:admin for another 30m")
    site.close()


@pytest.mark.slow
def test_it_starts_at_the_nearest_snapshot_and_finds_what_was_said_before(home: Home) -> None:
    site = HomeLab(home, PACK, CoreSettings(snapshot_every=30))
    site.device("door-1", type="door")
    site.say("door-1", "access.door", state="closed", forced=False)
    for _ in range(70):
        site.wait(120, step=60)
    found = ask(site, "w.forced", "door-1", "--at", when(START + 7800))
    assert (found["blocked"]["code"], found["blocked"]["values"]["kind"]) == ("false", "access.door")
    assert START + 7000 < found["remembered_from"] <= START + 7800 and found["notes"] == []
    site.close()


def test_the_past_is_judged_by_the_rules_of_then(site: HomeLab) -> None:
    def put(low: int) -> None:
        text = f"- {{id: own.low, title: low, severity: high, on: water.tank, when: level_m < {low}}}\n"
        engineer = Actor("user:anna", Role.ENGINEER)
        site.act("rules.put", actor=engineer, pack="own", text=text, reason="a try")

    site.device("tank-1", type="tank")
    before = site.clock.wall()
    site.wait(30, step=5)
    put(2)
    site.say("tank-1", "water.tank", level_m=3.0)
    site.wait(30, step=5)
    then = site.clock.wall()
    site.wait(30, step=5)
    put(4)
    site.wait(10, step=5)

    def clause(*words: str) -> tuple[str, list[str]]:
        found = ask(site, "own.low", "tank-1", *words)
        told = next(each for each in found["clauses"] if each["word"] == "when")
        return told["parts"][0]["text"], [note["en"] for note in found["notes"]]

    assert clause("--at", when(then)) == ("level_m < 2", ["by the rule as it was then; it was changed since"])
    assert clause() == ("level_m < 4", [])
    late = gatehouse(site.home, "rules", "why", "own.low", "--device", "tank-1", "--at", when(before + 1))
    assert late.exit_code == 1 and "no rule in force at" in late.stderr and "'own.low'" in late.stderr
    near = gatehouse(site.home, "rules", "why", "own.lov", "--device", "tank-1")
    assert near.exit_code == 1 and "did you mean 'own.low'?" in near.stderr
