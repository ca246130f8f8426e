"""The demo's day through adapters and shipped rules in virtual time: what goes wrong is found, little else is said."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway.catalogue import load_catalogue
from gateway.contract import Decoded
from gateway.model.event import Event
from gateway.model.judgement import Cleared, Raised
from gateway.model.place import Device
from rules import Engine, load_packs, shipped_packs
from simulators.cli import load
from simulators.simulation import Simulation
from simulators.wire import Message
from tests.simulators.helpers import START
from tests.simulators.test_against_adapters import Exchange

DETECTED_BY = {
    "entrapment": "elevator.entrapment",
    "forced": "access.forced-door",
    "stuck_open": "parking.barrier-stuck-open",
    "overvoltage": "meter.overvoltage",
    "leak": "meter.leak",
}
"""Which rule must find which fault."""
ALSO_FAIR = {("elevator.user-alarm", "entrapment"), ("parking.barrier-fault", "stuck_open")}
"""What people or devices say about the same incident in other words."""


class Watch(Exchange):
    """An exchange whose events are judged by the shipped rules; keeps what was raised and cleared, and when."""

    step = 0.5

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        by_id = {}
        for device in simulation.community.devices.values():
            identity = device.identity
            by_id[device.id] = Device(
                id=device.id,
                site=identity.site,
                adapter=identity.adapter,
                external_id=identity.external_id,
                type=identity.type,
                zone=identity.zone,
                building=identity.building,
                connected_via=identity.parent,
                report_interval=identity.report_interval,
                settings=dict(identity.settings),
            )
        self.devices = {(device.adapter, device.external_id): device for device in by_id.values()}
        self.engine = Engine(load_packs(shipped_packs()), load_catalogue(), by_id)
        self.raised: list[tuple[str, str, float]] = []
        self.cleared: list[tuple[str, str, float]] = []

    def run(self, start: float, seconds: float) -> None:
        """Lets time pass, the engine's too."""
        for second in range(int(seconds)):
            super().run(start + second, 1)
            self._note(self.engine.advance(start + second + 1))

    def _check(self, decoded: Decoded, message: Message, wall: float) -> None:
        at = wall - START
        for reading in decoded.events:
            device = self.devices[self.adapter, reading.device or decoded.device]
            data = dict(reading.data)
            if reading.kind == "parking.vehicle" and data.get("plate"):
                data["registered"] = data["plate"] in self.allowed
            event = Event(
                device=device.id, kind=reading.kind, time=wall, received=wall, at=at, data=data, site=device.site,
                replay=reading.replay,
            )  # fmt: skip
            self._note(self.engine.process(event))
        speaker = self.devices.get((self.adapter, decoded.device))
        if decoded.availability and speaker is not None:
            self._note(self.engine.hear(speaker.id, at))

    def _note(self, changes: object) -> None:
        assert isinstance(changes, list)
        for change in changes:
            if isinstance(change, Raised) and not change.again:
                self.raised.append((change.rule, change.scope, change.at))
            elif isinstance(change, Cleared):
                self.cleared.append((change.rule, change.scope, change.at))


def watched(seconds: float) -> Watch:
    simulation = load("demo")
    simulation.start(START)
    watch = Watch(simulation)
    for link in simulation.community.links:
        for message in simulation.link_up(link, START):
            watch.take(message, START)
    watch.run(0, seconds)
    return watch


def judge(watch: Watch) -> tuple[list[str], list[str]]:
    """Incidents that nobody found while they lasted, and alerts that no incident explains."""
    truths = [o for o in watch.simulation.timeline.occurrences if o.began is not None]
    missed, explained = [], set()
    for truth in truths:
        began, ended = (truth.began or 0) - START, (truth.ended - START if truth.ended else float("inf"))
        found = [
            alert
            for alert in watch.raised
            if alert[1] == truth.device
            and began <= alert[2] <= ended
            and (alert[0] == DETECTED_BY[truth.fault] or (alert[0], truth.fault) in ALSO_FAIR)
        ]
        explained.update(found)
        if not any(alert[0] == DETECTED_BY[truth.fault] for alert in found) and truth.ended:
            missed.append(f"{truth.incident} on {truth.device} from {began:.0f} s to {ended:.0f} s")
    false = [f"{alert[0]} on {alert[1]} at {alert[2]:.0f} s" for alert in watch.raised if alert not in explained]
    return missed, false


def test_all_five_incidents_are_found_and_nothing_else_is_said_in_the_first_minutes() -> None:
    watch = watched(380)
    missed, false = judge(watch)
    assert missed == []
    assert false == []
    assert {rule for rule, _, _ in watch.raised} >= set(DETECTED_BY.values())
    assert {rule for rule, _, _ in watch.cleared} >= {"elevator.entrapment", "access.forced-door", "meter.overvoltage"}


@pytest.mark.slow
def test_a_whole_day_misses_nothing_and_stays_within_an_operators_load() -> None:
    watch = watched(1440)
    missed, false = judge(watch)
    assert missed == []
    assert len(false) <= 6, Counter(line.split()[0] for line in false)
