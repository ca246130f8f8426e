"""The engine as a whole: order, batches, restarts, changed rules, and what an event costs."""

from __future__ import annotations

import random
import sys
from collections import Counter
from types import FrameType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Event, RuleChange
from rules import Engine, RuleSet
from tests.rules.support import CATALOGUE, Play, device, rules

LEVEL = "on: t.state\nwhen: on"
HOLD = "on: t.report\nwhen: x > 5\nfor: 30s"


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_fault_009_events_in_any_order_within_a_moment_leave_the_same_state(shuffle: random.Random) -> None:
    """What one device tells of different things, and what different devices tell, does not depend on order."""
    texts = [LEVEL, "on: t.happening\nwhen: x > 5\ncount: {at_least: 3, within: 20s}", HOLD]
    events = [
        (f"d{number}", kind) for number in range(30) for kind in ("t.state", "t.happening", "t.happening", "t.report")
    ]
    events += [(f"d{number}", "t.happening") for number in range(0, 30, 2)]
    shuffle.shuffle(events)
    play = Play(*texts, devices=[device(f"d{number}") for number in range(30)])
    for name, kind in events:
        play.say(5, kind, by=name, on=True, x=9)
    play.wait(36)
    came = sorted((change.rule, change.scope, float(change.at)) for change in play.changes)
    expected = [("r1", f"d{n}", 5.0) for n in range(30)] + [("r2", f"d{n}", 5.0) for n in range(0, 30, 2)]
    expected += [("r2", f"d{n}", 25.0) for n in range(0, 30, 2)] + [("r3", f"d{n}", 35.0) for n in range(30)]
    assert came == sorted(expected)


def script(length: int, seed: int) -> list[Event]:
    """A random story of five devices."""
    chance = random.Random(seed)
    clock, events = 0.0, []
    for number in range(1, length + 1):
        clock += chance.choice((0.0, 0.0, 0.7, 1.9, 6.0, 17.0))
        data: dict[str, Any] = {
            "x": chance.choice((1, 6, 7, 8)),
            "on": chance.random() < 0.6,
            "tag": chance.choice("pqr"),
        }
        for name in ("x", "on", "tag"):
            if chance.random() < 0.2:
                del data[name]
        kind = chance.choice(("t.state", "t.report", "t.happening"))
        late = chance.random() < 0.05
        events.append(
            Event(f"d{chance.randrange(5)}", kind, clock, clock, clock, data, site="s", late=late, seq=number)
        )
    return events


RULES = rules(
    LEVEL,
    HOLD,
    "on: t.state\nwhen: on and changed(x)\nclear_after: 9s",
    "on: t.happening\nwhen: x > 5\ncount: {at_least: 3, within: 30s, distinct: tag}",
    "on: t.happening\nscope: tag\ncount: {at_least: 3, within: 30s}",
    "silent: 40s",
    "on: t.happening\nwhen: x > 7\nexpect: {on: t.state, when: on, within: 8s}\nscope: zone",
    "on: t.report\nwhen: age(x) > 5 and latest(on, False)\nfor: 12s\nlate: include",
    "within: 20s\nsequence: [{on: t.state, when: on}, {on: t.happening}, {on: t.report}]",
)
DEVICES = {f"d{n}": device(f"d{n}", report_interval=8 if n % 2 else 0, zone=f"z{n % 2}") for n in range(5)}


def run(events: list[Event], seed: int, often: bool, restarts: bool) -> bytes:
    """All changes of a story, told with more or less of the clock, and with or without deaths."""
    chance = random.Random(seed)
    engine = Engine(RULES, CATALOGUE, DEVICES)
    changes: list[RuleChange] = engine.advance(0.0)
    before = 0.0
    for event in events:
        while often and before < event.at and chance.random() < 0.6:
            before = min(event.at, before + chance.choice((0.1, 1.0, 5.0)))
            changes += engine.advance(before)
        if often and (due := engine.next_due()) is not None and due <= event.at:
            changes += engine.advance(due)
        changes += engine.process(event)
        before = event.at
        if restarts and chance.random() < 0.2:
            memory = engine.snapshot()
            engine = Engine(RULES, CATALOGUE, DEVICES)
            changes += engine.restore(memory)
    return msgspec.json.encode(changes + engine.advance(before + 200))


@pytest.mark.parametrize("seed", range(6))
def test_the_same_events_give_byte_identical_changes_however_time_is_told_and_wherever_it_dies(seed: int) -> None:
    events = script(400, seed)
    plain = run(events, seed, often=False, restarts=False)
    assert plain.count(b'"raised"') > 50 and plain.count(b'"cleared"') > 20
    assert run(events, seed, often=True, restarts=False) == plain
    assert run(events, seed, often=False, restarts=True) == plain
    assert run(events, seed, often=True, restarts=True) == plain


def test_a_restored_engine_knows_its_holds_windows_and_pasts() -> None:
    play = Play(HOLD, "on: t.state\nwhen: changed(x)", "on: t.happening\ncount: {at_least: 2, within: 60s}")
    play.say(0, "t.report", x=6)
    play.say(1, "t.state", x=1)
    play.say(2, "t.happening")
    assert play.restart() == []
    assert play.say(10, "t.state", x=2) == ["raised r2 d@10"]
    assert play.say(11, "t.happening") == ["raised r3 d@11"]
    assert play.wait(30) == ["raised r1 d@30"]


def test_a_rule_keeps_its_state_when_only_its_texts_change() -> None:
    play = Play("id: a\n" + HOLD, "id: b\n" + LEVEL)
    play.say(0, "t.report", x=6)
    play.say(1, "t.state", on=True)
    assert play.restart("id: b\ntitle: other\nlatched: true\n" + LEVEL, "id: a\nadvice: new\n" + HOLD) == []
    assert play.say(2, "t.state", on=False) == ["cleared b d@2"]
    assert play.wait(30) == ["raised a d@30"]


def test_what_stood_open_ends_when_its_rule_is_gone_or_another() -> None:
    play = Play("id: a\n" + LEVEL, "id: b\n" + LEVEL, "id: c\n" + HOLD)
    play.say(0, "t.report", x=6)
    play.say(1, "t.state", on=True)
    assert play.restart("id: b\n" + LEVEL + "\nclear_after: 5s", "id: c\n" + HOLD.replace("30s", "20s")) == [
        "rule_removed a d@1",
        "rule_changed b d@1",
    ]
    assert play.wait(100) == []
    assert play.say(101, "t.state", on=True) == ["raised b d@101"]


def test_what_stood_open_for_a_device_that_was_disabled_meanwhile_ends_after_a_restart() -> None:
    play = Play(LEVEL, devices=[device("d"), device("e")])
    play.say(1, "t.state", on=True)
    play.say(1, "t.state", by="e", on=True)
    play.devices["d"] = device("d", enabled=False)
    assert play.restart() == []
    assert play.wait(2) == ["device_disabled r1 d@1"]
    assert play.say(3, "t.state", by="e", on=False) == ["cleared r1 e@3"]


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"version":9,"now":1,"rules":{},"pasts":{},"heard":{}}']
)
def test_bytes_that_are_no_snapshot_are_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        Engine(RULES, CATALOGUE, DEVICES).restore(data)


def test_what_is_over_leaves_nothing_behind() -> None:
    engine = Engine(RuleSet(rule for rule in RULES if rule.silent is None), CATALOGUE, DEVICES)
    for event in script(500, 3):
        engine.process(event)
    at = engine.now or 0.0
    for number in range(5):
        for kind in ("t.state", "t.report"):
            engine.process(Event(f"d{number}", kind, at, at, at, {"on": False, "x": 1}, site="s"))
    engine.advance(at + 1000)
    assert engine.next_due() is None
    assert msgspec.json.decode(engine.snapshot())["rules"].keys() <= {"r7"}, "only an unmet expectation stands"


def test_an_unregistered_device_is_judged_by_the_rules_for_all_devices() -> None:
    play = Play(LEVEL, LEVEL + "\ndevices: {type: door}", LEVEL + "\nscope: site", LEVEL + "\ndevices: {site: s}")
    assert play.say(1, "t.state", by="stranger", on=True) == [
        "raised r1 stranger@1",
        "raised r3 s@1",
        "raised r4 stranger@1",
    ]


def test_a_device_that_moves_is_judged_by_its_new_place() -> None:
    play = Play(LEVEL + "\nscope: zone", devices=[device("d", zone="old")])
    play.say(1, "t.state", on=True)
    play.engine.set_topology([device("d", zone="new")])
    assert play.say(2, "t.state", on=True) == ["raised r1 new@2"]


def test_rules_that_cannot_match_cost_nothing() -> None:
    """5,000 rules for other types, zones and kinds beside 10: an event calls exactly what it called without them."""
    mine = [f"id: m{n}\non: t.report\nwhen: x > {n + 50} and y > 5\nfor: 30s" for n in range(10)]
    foreign = [
        f"id: f{n}\non: {'t.state' if n % 2 else 't.report'}\ndevices: {{type: other{n % 40}}}\nwhen: x > {n}"
        for n in range(5000)
    ]
    devices = {f"d{n}": device(f"d{n}", type="meter") for n in range(20)}
    data = {"x": 7.5, "y": 3, "word": "up"}
    events = [Event(f"d{n % 20}", "t.report", n * 0.01, 0.0, n * 0.01, data, site="s") for n in range(400)]
    few, many = (_calls(Engine(rules(*texts), CATALOGUE, devices), events) for texts in (mine, mine + foreign))
    assert few == many and sum(many.values()) > len(events), f"{few} with 10 rules, {many} with 5,010"


def _calls(engine: Engine, events: list[Event]) -> Counter[str]:
    """How often each function is called for the events, once every device has been seen."""
    for event in events[:20]:
        engine.process(event)
    called: Counter[str] = Counter()

    def note(frame: FrameType, what: str, _: object) -> None:
        if what == "call":
            called[frame.f_code.co_qualname] += 1

    sys.setprofile(note)
    try:
        for event in events[20:]:
            engine.process(event)
    finally:
        sys.setprofile(None)
    return called
