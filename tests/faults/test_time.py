"""FAULTS, group D: clocks that are wrong, clocks that jump, messages that are old."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.core.identity import Memory
from gateway.store import tables
from tests.support.lab import START, Lab, VirtualClock

PACK = """
- id: door.held
  title: {en: "{device.name} held", zh: "{device.name} 未关"}
  on: access.door
  when: state == 'open'
  for: 60s
  severity: high
  then:
    work_order: {team: security, respond_within: 3m}
- id: gateway.skew
  title: {en: "{device.name} has the wrong time", zh: "{device.name} 时钟错误"}
  on: gateway.clock_skew
  when: excessive
  clear: not excessive
  severity: low
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path, pack=PACK)
    made.device("d1", type="door")
    return made


@pytest.mark.parametrize("step", [-3600.0, 7200.0, -86_400.0])
def test_fault_044_a_step_of_the_wall_clock_neither_fires_nor_starves(lab: Lab, step: float) -> None:
    message = lab.say("d1", "access.door", state="open")
    assert message
    lab.wait(10)
    lab.clock.wall_step = step
    lab.wait(45)
    assert [alert.rule for alert in lab.alerts() if alert.rule == "door.held"] == [], "not before its minute"
    lab.wait(6)
    assert lab.alert("door.held").state == "unacknowledged"
    assert not lab.work_orders()[0].respond_overdue
    lab.wait(170)
    assert not lab.work_orders()[0].respond_overdue, "three minutes are three minutes"
    lab.wait(15)
    assert lab.work_orders()[0].respond_overdue


@pytest.mark.parametrize("error", [600.0, 365 * 86_400.0, -365 * 86_400.0 * 56, math.inf])
def test_fault_045_a_wrong_device_clock_is_flagged_once_and_believed_no_more(error: float) -> None:
    memory = Memory()
    flags = []
    for second in range(0, 60, 5):
        arrival = memory.arrive("d", START + second + error, START + second, 60.0)
        flags.append(arrival.skewed)
        assert not arrival.late
        assert arrival.time == pytest.approx(START + second)
    assert flags.count(True) == 1


def test_fault_045_a_clock_that_is_slow_is_believed_after_ten_steady_seconds() -> None:
    memory = Memory()
    late = [memory.arrive("d", START + second - 600, START + second, 60.0).late for second in range(0, 30, 5)]
    assert late == [True, True, False, False, False, False]


def test_fault_045_a_skewed_device_raises_one_alert_and_its_events_still_count(lab: Lab) -> None:
    for _ in range(20):
        lab.say("d1", "access.door", state="open", ago=-600)
        lab.wait(5)
    assert lab.alert("gateway.skew").evidence[0].data["skew_s"] == pytest.approx(600, abs=1)
    assert lab.alert("door.held")
    lab.say("d1", "access.door", state="closed")
    assert lab.alert("gateway.skew").state == "returned"


@settings(max_examples=200, deadline=None)
@given(claims=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_fault_045_no_claimed_time_can_break_the_clockwork(claims: list[float]) -> None:
    memory = Memory()
    for second, claim in enumerate(claims):
        arrival = memory.arrive("d", claim, START + second, 60.0)
        assert math.isfinite(arrival.time)


def test_fault_046_a_message_that_was_buffered_for_hours_moves_nothing(lab: Lab) -> None:
    lab.say("d1", "access.door", state="closed")
    lab.turn(*[lab.event("d1", "access.door", state="open", ago=6 * 3600 - n * 60) for n in range(20)])
    lab.wait(120)
    assert lab.alerts() == []
    assert lab.ledger()["late"] == 20
    times = lab.rows(select(tables.events.c.time).where(tables.events.c.late))
    assert times[0][0] == pytest.approx(lab.clock.wall() - 6 * 3600 - 120, abs=1), "history has the device's own time"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spacing=st.floats(0.01, 0.9), count=st.integers(3, 30))
def test_fault_046_a_dump_of_history_is_never_taken_for_a_wrong_clock(spacing: float, count: int) -> None:
    """Minutes of history told at `spacing` seconds a record: the offset shrinks, so none is believed to be live."""
    memory = Memory()
    memory.arrive("d", START, START, 60.0)
    for n in range(count):
        told = START + 21_600 + n * spacing
        arrival = memory.arrive("d", START + n * 60.0, told, 60.0)
        assert arrival.late
        assert arrival.skewed is None


def test_fault_042_a_pause_of_ours_is_no_silence_of_theirs(tmp_path: Path) -> None:
    pack = """
- id: door.silent
  title: {en: "{device.name} is silent", zh: "{device.name} 无消息"}
  devices: {type: door}
  silent: 60s
  severity: medium
"""
    lab = Lab(tmp_path, pack=pack)
    for number in range(20):
        lab.device(f"d{number}", type="door")
        lab.say(f"d{number}", "access.door", state="closed")
    lab.wait(30)
    lab.clock.at += 120
    lab.turn()
    assert lab.alerts() == [], "nobody listened for two minutes"
    lab.wait(25)
    assert lab.alerts() == []
    lab.wait(10)
    silent = [alert for alert in lab.alerts() if alert.rule == "door.silent"]
    assert len(silent) == 20, "but the rest of their minute counts"


@pytest.mark.parametrize(
    ("told", "received"),
    [
        ("2026-10-25 02:30:00", "2026-10-25T00:30:05Z"),
        ("2026-10-25 02:30:00", "2026-10-25T01:30:05Z"),
        ("2026-03-29 03:00:05", "2026-03-29T01:00:07Z"),
        ("2026-03-29 01:59:59", "2026-03-29T01:00:01Z"),
    ],
)
def test_fault_047_a_local_time_in_the_night_of_the_clock_change_is_neither_late_nor_early(
    tmp_path: Path, told: str, received: str
) -> None:
    """A face terminal tells local time without a zone; the hour that comes twice must not lose an event to lateness."""
    lab = Lab(tmp_path, clock=VirtualClock(datetime.fromisoformat(received).timestamp()))
    lab.device("face-1", adapter="mqttface", external_id="1026700", timezone="Europe/Berlin")
    info: dict[str, object] = {"facesluiceId": "1026700", "RecordID": "7", "VerifyStatus": "2", "PersonType": "0"}
    info |= {"time": told, "Sendintime": 1, "PushType": 0}
    lab.raw("mqtt/face/1026700/Rec", json.dumps({"operator": "RecPush", "info": info}))
    assert lab.ledger() == {"received": 1, "accepted": 1}
    assert lab.rows(select(tables.events.c.time))[0][0] == pytest.approx(lab.clock.wall(), abs=10)


def test_fault_047_an_order_number_has_the_date_of_its_site(tmp_path: Path) -> None:
    """At 16:30 UTC it is tomorrow in Shanghai, and each day counts from one, once."""
    lab = Lab(tmp_path, pack=PACK, clock=VirtualClock(datetime(2026, 3, 1, 15, 58, tzinfo=UTC).timestamp()))
    for number in range(3):
        lab.device(f"d{number}", type="door")
        lab.say(f"d{number}", "access.door", state="open")
        lab.wait(90)
        lab.crash()
    assert [order.number for order in lab.work_orders()] == ["WO-20260301-0001", "WO-20260302-0001", "WO-20260302-0002"]
