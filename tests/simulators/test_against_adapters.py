"""The independent check: all that the demo says is understood by the adapters, all that they write is obeyed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from paho.mqtt.client import topic_matches_sub

from adapters import load_adapters
from gateway.catalogue import load_catalogue
from gateway.contract import Commands, Decoded
from gateway.errors import Ignored
from gateway.model.command import Command
from gateway.model.place import Device
from simulators.cli import load
from simulators.simulation import Simulation
from simulators.wire import Message
from tests.simulators.helpers import START, events

ADAPTERS = load_adapters()
CATALOGUE = load_catalogue()


def registered(simulation: Simulation) -> dict[tuple[str, str], Device]:
    """The devices as a gateway knows them, by adapter and external id."""
    return {
        (identity.adapter, identity.external_id): Device(
            id=identity.id,
            site=identity.site,
            adapter=identity.adapter,
            external_id=identity.external_id,
            settings=dict(identity.settings),
        )
        for identity in (device.identity for device in simulation.community.devices.values())
    }


class Exchange:
    """A gateway of a few lines: decodes, answers what protocols demand, lets registered plates and people through."""

    step = 0.25
    received = START
    retain = False

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.devices = registered(simulation)
        self.allowed = {item["value"] for item in simulation.community.passes()}
        self.kinds: Counter[str] = Counter()
        self.results: dict[str, str] = {}
        self.problems: list[str] = []
        self.adapter = ""
        self.commands = 0

    def device(self, external_id: str) -> Device | None:
        return self.devices.get((self.adapter, external_id))

    def timezone(self, external_id: str) -> str:
        return "Asia/Shanghai"

    def shadow(self, external_id: str) -> Mapping[str, Any]:
        return {}

    def take(self, message: Message, wall: float) -> None:
        """One message from a device, and the answers to it."""
        self.adapter = self.simulation.community.devices[message.device].identity.adapter
        self.received = wall
        if not any(topic_matches_sub(pattern, message.topic) for pattern in ADAPTERS[self.adapter].manifest.topics):
            self.kinds["not subscribed"] += 1
            return
        try:
            decoded = ADAPTERS[self.adapter].decode(message.topic, message.payload, self)
        except Ignored:
            self.kinds["ignored"] += 1
            return
        self._check(decoded, message, wall)
        for reply in decoded.replies:
            self._down(reply.topic, reply.payload, wall)
        if decoded.question is not None and decoded.question.value in self.allowed:
            device = self.devices[self.adapter, decoded.device]
            self.order(device, decoded.question.command, wall)
        for result in decoded.results:
            self.results[result.command] = result.status

    def order(self, device: Device, word: str, wall: float, **args: object) -> str:
        """Sends one command; its id."""
        self.commands += 1
        command = Command(
            id=f"cmd-{self.commands}", site=device.site, device=device.id, name=word, args=args, expires=wall + 30
        )
        adapter = ADAPTERS[device.adapter]
        assert isinstance(adapter, Commands)
        for packet in adapter.encode(command, device):
            self._down(packet.topic, packet.payload, wall)
        return command.id

    def run(self, start: float, seconds: float) -> None:
        """Lets time pass."""
        for index in range(int(seconds / self.step)):
            wall = START + start + (index + 1) * self.step
            for message in self.simulation.advance(wall):
                self.take(message, wall)

    def _check(self, decoded: Decoded, message: Message, wall: float) -> None:
        for reading in decoded.events:
            self.kinds[reading.kind] += 1
            name = reading.device or decoded.device
            if (self.adapter, name) not in self.devices:
                self.problems.append(f"{message.topic}: nobody is registered as {name}")
            misfit = CATALOGUE.misfit(reading.kind, reading.data)
            if misfit is not None:
                self.problems.append(f"{message.topic}: {reading.kind}.{misfit.field}: {misfit.reason}")
            unknown = CATALOGUE.unknown_fields(reading.kind, reading.data)
            if unknown:
                self.problems.append(f"{message.topic}: {reading.kind} has no {unknown}")
            if reading.time is not None and not reading.replay and abs(reading.time - wall) > 2.0:
                self.problems.append(f"{message.topic}: its time is {reading.time - wall:+.1f} s off")

    def _down(self, topic: str, payload: bytes, wall: float) -> None:
        for link in self.simulation.community.links:
            if topic in self.simulation.subscriptions(link):
                self.simulation.receive(link, topic, payload, wall)


def connected(simulation: Simulation) -> Exchange:
    simulation.start(START)
    exchange = Exchange(simulation)
    for link in simulation.community.links:
        for message in simulation.link_up(link, START):
            exchange.take(message, START)
    return exchange


def test_everything_the_demo_says_is_understood_and_fits_the_catalogue() -> None:
    exchange = connected(load("demo"))
    exchange.run(0, 300)
    assert exchange.problems == []
    assert {
        "access.door", "access.granted", "access.requested", "elevator.status", "elevator.fault", "elevator.call",
        "meter.reading", "parking.barrier", "parking.vehicle", "parking.input", "device.availability",
    } <= set(exchange.kinds), exchange.kinds  # fmt: skip
    assert set(exchange.results.values()) == {"done"}, "every door and barrier opened for those who may pass"
    cars = sum(device.lane.passed for device in exchange.simulation.community.devices.values()
               if hasattr(device, "lane"))  # fmt: skip
    assert cars > 0


def test_every_command_word_of_each_wire_is_obeyed() -> None:
    exchange = connected(load("demo"))
    exchange.run(0, 2)
    by_id = {device.id: device for device in exchange.devices.values()}
    orders = {
        ("b1-u1-door-entrance", "open"): "done",
        ("b1-u1-door-entrance", "lock"): "done",
        ("b1-u1-door-entrance", "unlock"): "done",
        ("b1-u1-face-entrance", "open"): "done",
        ("gate-east-in", "raise"): "done",
        ("garage-in", "raise"): "done",
        ("b1-u1-lift1", "recall"): "done",
        ("b1-water-01", "valve_close"): "done",
        ("b1-u1-lift1", "open"): "rejected",
    }
    sent = {exchange.order(by_id[device], word, START + 2): (device, word) for device, word in orders}
    exchange.order(by_id["garage-in-camera"], "raise", START + 2)
    exchange.order(by_id["b1-plug1"], "relay_off", START + 2)
    asked = exchange.kinds["meter.reading"]
    exchange.order(by_id["b1-elec-17"], "read", START + 2, di="00010000")
    exchange.run(2, 0.25)
    assert exchange.kinds["meter.reading"] > asked
    exchange.run(2.25, 60)
    assert {sent[identifier]: exchange.results.get(identifier) for identifier in sent} == orders
    lane = exchange.simulation.community.devices["garage-in-camera"].lane  # type: ignore[attr-defined]
    assert lane.passed or lane.position == "down", "the old camera's relay moved the arm, which came down again"


def test_silent_native_device_leaves_no_gap_in_its_numbers() -> None:
    simulation = load("demo")
    exchange = connected(simulation)
    lift = simulation.community.devices["b1-u1-lift1"]
    said: list[Message] = []
    for second in range(90):
        if second == 30:
            lift.begin("silent", simulation.now(START + second))
        elif second == 60:
            lift.end("silent", simulation.now(START + second))
        said += [m for m in simulation.advance(START + second + 1) if m.device == lift.id]
    numbers = [int(message.ref.rpartition("-")[2]) for message in said]
    assert events(said, "elevator.status") and numbers == list(range(1, len(numbers) + 1))
    assert exchange.problems == []
