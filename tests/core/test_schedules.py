"""Schedules in the real core: what is missed is judged by the rules, and counters survive `kill -9`."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.services.schedule_reading import read_schedules
from gateway.store import tables
from tests.support.lab import Lab

FILE = """
schedules:
  - id: night
    site: s1
    title: {en: Night round, zh: 夜巡}
    does: patrol
    at: "5 18 * * *"
    points:
      - {id: gate, title: {en: Gate, zh: 大门}, to: 20m}
  - id: doors
    site: s1
    title: {en: Door service, zh: 门保养}
    does: maintenance
    counts: {kind: access.door, field: state, is: open, times: 5}
"""
RULES = """
- id: patrol.planned-point-missed
  title: {en: "{place} missed", zh: "{place}漏巡"}
  severity: medium
  on: patrol.missed
  scope: [device, point]
  when: missed
  clear: not missed
  then:
    work_order: {team: security, respond_within: 5m}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    one = Lab(tmp_path, pack=RULES, schedules=read_schedules({"x.yaml": FILE}))
    one.act("site.put", id="s1", name={"en": "S"}, timezone="Asia/Shanghai")
    one.device("door-1", type="door")
    one.device("reader-1", type="patrol_reader")
    return one


def test_a_missed_point_is_an_alert_with_its_order_and_a_late_visit_ends_it(lab: Lab) -> None:
    lab.crash()
    lab.wait(600, 30)  # 18:00 to 18:10 in Shanghai
    lab.crash()
    lab.wait(1200, 30)
    alert = lab.alert("patrol.planned-point-missed")
    assert (alert.scope, alert.title["en"]) == ("gateway/night/gate", "Gate missed")
    assert [order.alert for order in lab.work_orders()] == [alert.id]
    lab.crash()
    lab.say("reader-1", "patrol.checkin", point="gate")
    assert lab.alert("patrol.planned-point-missed").returned_at is not None
    assert [row[0] for row in lab.rows(select(tables.rounds.c.state))] == ["finished"]


def test_every_opening_counts_once_though_the_gateway_is_killed_between(lab: Lab) -> None:
    for number in range(5):
        assert lab.work_orders() == [], number
        first = lab.say("door-1", "access.door", state="open", locked=False)
        lab.turn(first)  # delivered twice
        lab.say("door-1", "access.door", state="closed", locked=True)
        lab.crash()
    orders = lab.work_orders()
    assert [(order.schedule, order.device) for order in orders] == [("doors", "door-1")]
    lab.crash()
    assert len(lab.work_orders()) == 1
