"""FAULTS, group A: what arrives twice, late, out of order, broken or not at all."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.store import tables
from tests.support.lab import Lab

PACK = """
- id: door.open
  title: {en: "{device.name} open", zh: "{device.name} 开"}
  on: access.door
  when: state == 'open'
  severity: high
  then:
    work_order: {team: security}
- id: gateway.gap
  title: {en: "Messages are missing", zh: "消息缺失"}
  on: gateway.sequence_gap
  when: missing > 0
  clear: missing == 0
  severity: medium
- id: gateway.conflict
  title: {en: "{device.name} numbers two events alike", zh: "{device.name} 编号重复"}
  on: gateway.identity_conflict
  severity: medium
- id: gateway.rejected
  title: {en: "Message rejected", zh: "消息被拒"}
  on: gateway.message_rejected
  severity: low
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path, pack=PACK)
    made.device("d1", type="door")
    return made


def test_fault_002_twenty_percent_duplicates_make_no_second_alert_or_order(lab: Lab) -> None:
    chance = random.Random(2)
    sent = []
    for number in range(200):
        message = lab.event("d1", "access.door", state="open" if number % 2 else "closed")
        sent.append(message)
        lab.turn(message)
        if chance.random() < 0.2:
            again = chance.choice(sent[-20:])
            lab.turn(again)
    plain = Lab(lab.folder, pack=PACK, url=f"sqlite:///{lab.folder / 'plain.db'}", clock=lab.clock)
    plain.device("d1", type="door")
    for message in sent:
        plain.turn(message)
    told = [(alert.rule, alert.count, alert.state) for alert in lab.alerts()]
    assert told == [(alert.rule, alert.count, alert.state) for alert in plain.alerts()]
    assert len(lab.work_orders()) == len(plain.work_orders()) == 1
    assert lab.ledger()["accepted"] == 200
    assert lab.ledger()["duplicate"] > 20


def test_fault_006_an_exception_in_an_adapter_costs_one_message(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter: Any = lab.core.pipeline.adapter("cloudevents")
    decode = adapter.decode

    def fail(topic: str, payload: bytes, context: object) -> object:
        if b"poison" in payload:
            raise ZeroDivisionError("a bug")
        return decode(topic, payload, context)

    monkeypatch.setattr(type(adapter), "decode", lambda self, *args: fail(*args))
    poison = lab.message("gatehouse/v1/s1/d1/events", b"poison")
    lab.turn(poison, lab.event("d1", "access.door", state="open"))
    assert lab.letters() == [("undecodable", "", "the adapter failed: ZeroDivisionError: a bug")]
    assert lab.alert("gateway.rejected").evidence[0].data["reason"].endswith("a bug")
    assert lab.ledger() == {"received": 2, "undecodable": 1, "accepted": 1}


def test_fault_007_a_poison_redelivered_for_ever_is_kept_once(lab: Lab) -> None:
    poison = lab.message("gatehouse/v1/s1/d1/events", b"\x00\x01")
    lab.turn(poison)
    for _ in range(20):
        poison.dup = True
        lab.turn(poison)
    lab.crash()
    lab.turn(poison)
    assert len(lab.letters()) == 1
    assert lab.ledger() == {"received": 22, "undecodable": 1, "duplicate": 21}
    assert len(lab.inbox.acknowledged) == 1, "it is acknowledged, or the broker would send it for ever"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(12)), cut=st.integers(1, 11))
def test_fault_009_any_order_of_arrival_ends_in_the_same_state(tmp_path: Path, order: list[int], cut: int) -> None:
    folder = tmp_path / f"{order}{cut}"
    folder.mkdir(exist_ok=True)
    lab = Lab(folder, pack=PACK)
    lab.device("m1", type="meter")
    messages = [
        lab.event("m1", "meter.reading", id=f"m{n}", ago=30 - n, energy_kwh=float(n), voltage_v=200.0 + n)
        for n in range(12)
    ]
    lab.turn(*[messages[n] for n in order[:cut]])
    lab.turn(*[messages[n] for n in order[cut:]])
    lab.core._snapshot()
    table = tables.device_states
    kinds = json.loads(lab.rows(select(table.c.kinds).where(table.c.device == "m1"))[0][0])
    assert kinds["meter.reading"]["data"] == {"energy_kwh": 11.0, "voltage_v": 211.0}
    assert lab.ledger()["accepted"] == 12
    lab.close()


def test_fault_010_a_replayed_day_has_no_new_effect(lab: Lab) -> None:
    day = [lab.event("d1", "access.door", state="open" if n % 2 else "closed") for n in range(50)]
    lab.turn(*day)
    before = [(alert.id, alert.state, alert.count) for alert in lab.alerts()]
    lab.wait(3600, step=600)
    lab.crash()
    lab.turn(*day)
    assert [(alert.id, alert.state, alert.count) for alert in lab.alerts()] == before
    assert lab.ledger()["duplicate"] == 50


def test_fault_011_the_same_id_with_other_content_is_a_conflict(lab: Lab) -> None:
    lab.say("d1", "access.door", id="7", state="open")
    lab.say("d1", "access.door", id="7", state="closed")
    assert lab.ledger() == {"received": 2, "accepted": 1, "duplicate": 1}
    assert lab.letters()[0][2].endswith("the device numbers two events alike")
    assert lab.alert("gateway.conflict")


def test_fault_012_a_rebooted_device_counts_anew(lab: Lab) -> None:
    for number in (41, 42):
        lab.say("d1", "access.door", state="closed", _sequence=str(number), _boot="a")
    for number in (0, 1):
        lab.say("d1", "access.door", state="closed", _sequence=str(number), _boot="b")
    for number in (2, 3):
        lab.say("d1", "access.door", state="closed", _sequence=str(number), _boot="b")
    assert lab.ledger() == {"received": 6, "accepted": 6}
    assert lab.alerts() == []


def test_fault_012_without_a_boot_id_a_small_number_is_a_new_count(lab: Lab) -> None:
    for number in (41, 42, 0, 1, 2):
        lab.say("d1", "access.door", state="closed", _sequence=str(number))
    assert lab.ledger()["accepted"] == 5
    assert lab.alerts() == []


def test_fault_013_sequence_gap_is_an_alert_that_late_ones_close(lab: Lab) -> None:
    for number in [*range(1, 51), 61]:
        lab.say("d1", "access.door", state="closed", _sequence=str(number))
    gap = lab.alert("gateway.gap")
    assert (gap.state, gap.values["missing"]) == ("unacknowledged", 10)
    data = json.loads(lab.events("gateway.sequence_gap")[0][2])
    assert data == {"first": 51, "last": 60, "missing": 10}
    for number in range(51, 61):
        lab.say("d1", "access.door", state="closed", _sequence=str(number))
    assert lab.alert("gateway.gap").state == "returned"


def test_fault_013_a_gap_is_found_across_a_crash(lab: Lab) -> None:
    lab.say("d1", "access.door", state="closed", _sequence="1")
    lab.crash()
    lab.say("d1", "access.door", state="closed", _sequence="5")
    assert lab.alert("gateway.gap").values["missing"] == 3


def test_fault_066_a_retained_copy_is_not_news(lab: Lab) -> None:
    message = lab.event("d1", "access.door", state="open")
    message.retain = True
    lab.turn(message)
    assert lab.alerts() == []
    assert [row[4] for row in lab.events("access.door")] == [True]


def test_a_replayed_record_raises_nothing_and_is_kept(lab: Lab) -> None:
    lab.say("d1", "access.door", state="open", ago=86_400, _replay=True)
    assert lab.alerts() == []
    assert [(row[3], row[4]) for row in lab.events("access.door")] == [(False, True)]
