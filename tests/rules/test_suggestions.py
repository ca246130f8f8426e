"""Milder rules are tried under the causes that hold the rule itself back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.catalogue import load_catalogue
from gateway.model import Device
from rules import load_packs
from rules.backtest import Wanted, backtest
from rules.inputs import Input, Placed, Told

PACK = """
- {id: ctl.offline, title: t, severity: high, on: device.availability, when: not online, clear: online}
- id: door.open
  title: t
  severity: low
  on: access.door
  when: state == 'open'
  clear: state == 'closed'
  inhibited_by: ctl.offline
"""
DAY = 86_400.0


def device(name: str, type_: str, **more: Any) -> Device:
    return Device(id=name, site="s", adapter="cloudevents", external_id=name, type=type_, **more)


def inputs() -> Iterator[Input]:
    """Twelve openings with the controller there, and a day later twelve while it is away."""

    def say(at: float, name: str, kind: str, **data: Any) -> Told:
        return Told(name, kind, at, at, at, data, b"", "", "s", False, False, 0)

    yield Placed(0.0, 0.0, [device("ctl", "controller"), device("door", "door", connected_via="ctl")], {}, True)
    for day in (0, 1):
        yield say(day * DAY + 1, "ctl", "device.availability", online=day == 0)
        for number in range(12):
            for half, state in enumerate(("open", "closed")):
                yield say(day * DAY + 100 + number * 60 + half * 30, "door", "access.door", state=state)


def test_what_a_cause_holds_back_counts_for_no_variant_either() -> None:
    catalogue = load_catalogue()
    wanted = Wanted(rules=load_packs({"x.yaml": PACK}, catalogue), catalogue=catalogue, since=0.0, until=2 * DAY)
    report = backtest(wanted, inputs, lambda: 0.0)
    told = {one.change: (one.alerts, one.instead_of) for one in report.suggestions if one.rule == "door.open"}
    assert told, "no milder variant was found"
    assert set(told.values()) == {(1, 12)}, told
