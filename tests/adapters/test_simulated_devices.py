"""What the simulated community says, read by the adapters: two readings of the same public formats."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pytest

from adapters import load_adapters
from adapters.trial import TrialContext
from gateway.catalogue import load_catalogue
from gateway.contract import Commands, Decoded
from gateway.errors import Ignored
from gateway.model.command import Command
from gateway.model.place import Device
from simulators.lifts.liftfault import LiftFaultLift
from simulators.scenario import find, parse
from simulators.simulation import Simulation
from simulators.wire import Message
from tests.simulators.helpers import START, at, identity, play

ADAPTERS = load_adapters()


class Told(NamedTuple):
    """One message, who is registered as its sender, and what was read from it."""

    entry: dict[str, Any]
    message: Message
    decoded: Decoded | None


def demo() -> Simulation:
    scenario, source = parse(*find("demo"))
    simulation = Simulation(scenario, source, seed=7)
    simulation.start(START)
    return simulation


def entries(simulation: Simulation) -> dict[str, dict[str, Any]]:
    return {str(entry["id"]): dict(entry) for entry in simulation.community.registrations()}


def read(entry: dict[str, Any], message: Message) -> Told:
    try:
        context = TrialContext(settings=entry["settings"])
        decoded = ADAPTERS[entry["adapter"]].decode(message.topic, message.payload, context)
    except Ignored:
        return Told(entry, message, None)
    return Told(entry, message, decoded)


@pytest.fixture(scope="module")
def told() -> list[Told]:
    """Half a minute of the demo."""
    simulation = demo()
    devices = entries(simulation)
    said = [message for link in simulation.community.links for message in simulation.link_up(link, START)]
    for index in range(120):
        said += simulation.advance(START + (index + 1) * 0.25)
    return [read(devices[message.device], message) for message in said]


def test_every_format_of_the_demo_that_speaks_without_incident_is_read(told: list[Told]) -> None:
    spoken = {line.entry["adapter"] for line in told if line.decoded is not None}
    assert spoken >= {"cloudevents", "mqttface", "vzenith", "dlt645", "tasmota"}
    assert len(told) > 300


def test_every_message_names_the_device_that_said_it(told: list[Told]) -> None:
    for line in told:
        assert line.decoded is None or line.decoded.device == line.entry["external_id"], line


def test_every_reading_is_in_the_catalogue_and_has_a_time_near_its_sending(told: list[Told]) -> None:
    catalogue = load_catalogue()
    for line in told:
        for reading in line.decoded.events if line.decoded is not None else ():
            assert catalogue.get(reading.kind) is not None, reading
            assert catalogue.misfit(reading.kind, reading.data) is None, reading
            assert not catalogue.unknown_fields(reading.kind, reading.data), reading
            assert reading.time is None or reading.replay or abs(reading.time - START) < 60, line


def test_an_entrapment_told_as_lift_fault_begins_and_ends_and_is_the_same_when_told_again() -> None:
    lift = LiftFaultLift(identity(adapter="liftfault", serial="31010"), 1, 18, 0.0)
    play(lift, 0, 1)
    lift.begin("entrapment", at(1))
    said = play(lift, 1, 45)
    again = lift.connected(at(46))
    lift.end("entrapment", at(47))
    said_after = play(lift, 47, 30)
    entry = {"adapter": "liftfault", "settings": {}}

    def faults(messages: list[Message]) -> list[tuple[str, dict[str, Any]]]:
        found = [read(entry, message).decoded for message in messages]
        return [(e.id, e.data) for d in found if d is not None for e in d.events if e.kind == "elevator.fault"]

    ((begun, data),) = faults(said)
    assert (data["fault"], data["active"]) == ("entrapment", True) and begun.endswith(":begin")
    assert faults(again) == [(begun, data)], "told again it must be the same event, or it is a conflict"
    ((ended, after),) = faults(said_after)
    assert after["active"] is False and ended == begun.replace(":begin", ":end")


@pytest.mark.parametrize(
    ("adapter", "kind", "word"),
    [
        ("mqttface", "face_terminal", "open"),
        ("vzenith", "barrier", "raise"),
        ("cloudevents", "door", "open"),
        ("cloudevents", "barrier", "raise"),
    ],
)
def test_a_command_is_understood_and_its_answer_is_read(adapter: str, kind: str, word: str) -> None:
    simulation = demo()
    devices = entries(simulation)
    for link in simulation.community.links:
        simulation.link_up(link, START)
    entry = next(e for e in devices.values() if (e["adapter"], e["type"]) == (adapter, kind))
    device = Device(
        id=entry["id"],
        site=entry["site"],
        adapter=adapter,
        external_id=entry["external_id"],
        settings=msgspec.convert(entry["settings"], dict[str, Any]),
    )
    encoder = ADAPTERS[adapter]
    assert isinstance(encoder, Commands)
    command = Command(id="cmd-77", site=device.site, device=device.id, name=word, sent_at=START, expires=START + 60)
    (packet,) = encoder.encode(command, device)
    link = next(name for name in simulation.community.links if packet.topic in simulation.subscriptions(name))
    simulation.receive(link, packet.topic, packet.payload, START + 0.1)
    answers = []
    for index in range(80):
        for message in simulation.advance(START + 0.25 * (index + 1)):
            if message.device == device.id:
                decoded = read(entry, message).decoded
                answers += list(decoded.results) if decoded is not None else []
    assert [(answer.command, answer.status) for answer in answers] == [("cmd-77", "done")]
