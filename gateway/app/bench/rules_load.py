"""What the rules are measured with: devices of eight kinds that report in turn, and rules over what they say."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from gateway.model import Device, Event

#: How often each device reports, in seconds.
INTERVAL = 60.0
BUILDINGS = 20
SITE = "bench"

_Say = Callable[[random.Random], dict[str, Any]]

#: Kind and device type, what a healthy device says, and an expression that hardly ever holds of it; {n} varies it.
KINDS: tuple[tuple[str, str, _Say, str], ...] = (
    (
        "meter.reading",
        "meter",
        lambda chance: {
            "utility": "electricity",
            "voltage_v": round(chance.gauss(230, 2), 1),
            "power_w": round(chance.uniform(50, 4000), 1),
            "energy_kwh": 1000.0,
        },
        "voltage_v > 260 + {n} and utility == 'electricity'",
    ),
    (
        "access.door",
        "door",
        lambda chance: {"state": chance.choice(["closed"] * 19 + ["open"]), "forced": False},
        "forced and state == 'open' and {n} < 10000",
    ),
    (
        "elevator.status",
        "elevator",
        lambda chance: {
            "motion": chance.choice(["stopped", "up", "down"]),
            "in_door_zone": True,
            "occupied": chance.random() < 0.3,
            "load_kg": round(chance.uniform(0, 600)),
        },
        "motion == 'stopped' and not in_door_zone and load_kg > {n}",
    ),
    (
        "parking.barrier",
        "barrier",
        lambda chance: {"position": chance.choice(["up", "down"]), "loop_occupied": False},
        "position == 'unknown' and (loop_occupied or {n} > 10000)",
    ),
    (
        "power.status",
        "switchgear",
        lambda chance: {"mains": True, "voltage_a_v": round(chance.gauss(230, 2), 1), "load_pct": 40.0},
        "not mains or voltage_a_v < 180 - {n} / 100 or load_pct > 100 + {n}",
    ),
    (
        "water.tank",
        "tank",
        lambda chance: {"level_m": round(chance.gauss(3, 0.1), 2)},
        "level_m < 0.5 - {n} / 10000",
    ),
    (
        "environment.reading",
        "sensor",
        lambda chance: {"temperature_c": round(chance.gauss(22, 1), 1), "humidity_pct": 50.0},
        "temperature_c > 60 + {n} or humidity_pct > 100 + {n}",
    ),
    (
        "lighting.status",
        "lighting",
        lambda chance: {"lit": chance.random() < 0.5},
        "lit and lamps_failed > {n}",
    ),
)

#: Every shape and measure, each over the first kind, with figures that a healthy meter keeps far from.
SHAPES = (
    "when: voltage_v > 260\n  for: 2m",
    "when: voltage_v > 260\n  count: {at_least: 3, within: 10m}",
    "when: voltage_v > 260\n  count: {at_least: 3, within: 10m, distinct: power_w}",
    "when: voltage_v > 260\n  expect: {on: meter.event, within: 5m}",
    "sequence: [{on: meter.reading, when: voltage_v > 260}, {on: meter.reading, when: voltage_v < 200}]\n  within: 5m",
    "silent: {intervals: 3}",
    "aggregate: {field: power_w, function: avg, over: 10m, above: 9000}",
    "baseline: {field: power_w, period: 4w, deviation: 6, at_least: 5000}",
    "when: voltage_v > 260\n  together: {scope: building, at_least: 5, within: 1m}",
    "when: voltage_v > 260\n  inhibited_by: bench.meter-0",
    "when: voltage_v > 260\n  during: {days: mon-fri, hours: 08:00-18:00}",
    "when: voltage_v > 260\n  clear: voltage_v < 250\n  clear_after: 1m",
    "when: changed(utility)\n  clear_after: 5m",
    "when: voltage_v > 260\n  scope: [device, utility]",
)


def devices(count: int) -> dict[str, Device]:
    """So many devices, of the kinds in turn."""
    made = {}
    for number in range(count):
        name = f"bench-{number:05}"
        made[name] = Device(
            id=name,
            site=SITE,
            adapter="cloudevents",
            external_id=name,
            type=KINDS[number % len(KINDS)][1],
            building=f"b{number % BUILDINGS}",
            report_interval=INTERVAL,
        )
    return made


def events(names: list[str], count: int, seed: int = 1) -> Iterator[Event]:
    """So many events; every device reports once an interval, in turn."""
    chance = random.Random(seed)  # noqa: S311 (a load, no secret)
    step = INTERVAL / len(names)
    for number in range(count):
        kind, _, say, _ = KINDS[number % len(names) % len(KINDS)]
        at = number * step
        yield Event(names[number % len(names)], kind, at, at, at, say(chance), site=SITE, seq=number + 1)


def rules(count: int, idle: int = 0) -> str:
    """A pack of `count` rules over the kinds in turn, and `idle` ones of devices that do not exist."""
    written = []
    for number in range(count + idle):
        kind, type_, _, condition = KINDS[number % len(KINDS)]
        filter_ = f"  devices: {{type: elsewhere-{number}}}\n" if number >= count else ""
        when = condition.format(n=number)
        written.append(_rule(f"bench.{type_}-{number}", f'{filter_}  on: {kind}\n  when: "{when}"\n'))
    return "".join(written)


def every_word() -> str:
    """A pack with each shape, measure and stage, for the meters."""
    return rules(1) + "".join(
        _rule(f"bench.word-{number}", ("" if "sequence" in text else "  on: meter.reading\n") + f"  {text}\n")
        for number, text in enumerate(SHAPES)
    )


def _rule(name: str, words: str) -> str:
    return f"- id: {name}\n  title: {{en: Bench rule, zh: 基准规则}}\n  severity: medium\n{words}"
