"""The runner against real brokers: credentials, last wills, ledger, truth, commands."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulators.cli import main, read_credentials
from simulators.ledger import Ledger
from simulators.links import parse_url
from simulators.runner import Runner
from simulators.scenario import parse
from simulators.simulation import Simulation
from tests.support.brokers import PATIENCE, SHARED, Account, wait_until

SCENARIO = """\
name: {en: Small, zh: 小}
site: {id: s1, name: {en: S, zh: S}}
speed: 60
buildings:
  - {id: b1, name: {en: B, zh: B}, floors: 9, units: 1}
devices:
  - {model: lift, per_unit: 1}
  - {model: door, place: entrance, per_unit: 1, terminal: own, per_day: 500}
  - {model: lane, wire: vzenith, items: [{id: gate, name: {en: G, zh: G}}]}
  - {model: meter, wire: dlt645, per_building: 3, every: 1s}
  - {model: meter, wire: native, utility: water, per_building: 3, every: 1s}
incidents:
  - {id: forced, at: "+1s", device: b1-u1-door-entrance, fault: forced, for: 1s}
  - {id: cut, at: "+1s", device: b1-u1-lift1, fault: offline, for: 2s}
"""
# Mosquitto's shipped access list knows one native device a credential: a concentrator's meters need more lines.
WATER = "  - {model: meter, wire: native, utility: water, per_building: 3, every: 1s}\n"
WITHOUT_CONCENTRATOR = SCENARIO.replace(WATER, "")
AVAILABILITY = "gatehouse/v1/s1/b1-u1-lift1/availability"


def accounts(simulation: Simulation) -> list[Account]:
    """One credential a connection, with the topics of all devices behind it."""
    return [
        Account(
            name=link,
            password=f"{link}-password",
            publish=tuple(topic for device in devices for topic in device.identity.publish),
            subscribe=tuple(topic for device in devices for topic in device.identity.subscribe),
        )
        for link, devices in simulation.community.links.items()
    ]


class Watcher:
    """What arrives at the other end."""

    def __init__(self, port: int, login: tuple[str, str]) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=login[0])
        self._client.username_pw_set(*login)
        self._client.on_message = lambda c, d, m: self.messages.append((m.topic, bytes(m.payload), m.retain))
        self.ready = threading.Event()
        self._client.on_subscribe = lambda *_: self.ready.set()
        self._client.on_connect = lambda c, *_: c.subscribe(
            [(f"{root}/#", 1) for root in ("gatehouse", "mqtt", "device", "dtu")]
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self.ready.wait(PATIENCE)

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1)

    def payloads(self, topic: str) -> list[bytes]:
        return [payload for name, payload, _ in self.messages if name == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def simulation(text: str = SCENARIO) -> Simulation:
    return Simulation(*parse("small.yaml", text))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_devices_speak_under_their_own_credentials_and_the_ledger_agrees(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    playing = simulation(SCENARIO if kind == "nats" else WITHOUT_CONCENTRATOR)
    start: Callable[..., Any] = request.getfixturevalue(f"{kind}_broker")
    broker = start(devices=accounts(playing))
    table = {a.name: {"username": a.name, "password": a.password} for a in accounts(playing)}
    (tmp_path / "credentials.json").write_text(json.dumps(table))
    credentials = read_credentials(tmp_path / "credentials.json", playing)
    watcher = Watcher(broker.port, broker.login())
    ledger, stop = Ledger(tmp_path / "ledger.jsonl"), threading.Event()
    address = parse_url(f"mqtt://127.0.0.1:{broker.port}")
    runner = Runner(playing, address, credentials, ledger, truth=tmp_path / "truth.jsonl")
    thread = threading.Thread(target=runner.run, args=(None, stop), name="simulation")
    thread.start()
    try:
        wait_until(lambda: runner.connected >= len(runner.links) - 1, what="all connections")
        wait_until(lambda: b"offline" in watcher.payloads(AVAILABILITY), what="the last will of the lift that was cut")
        wait_until(lambda: watcher.payloads(AVAILABILITY)[-1] == b"online", what="the lift to come back")
        watcher.publish(
            "gatehouse/v1/s1/b1-u1-lift1/commands", b'{"id":"c1","command":"announce","args":{},"expires":null}'
        )
        wait_until(lambda: bool(watcher.payloads("gatehouse/v1/s1/b1-u1-lift1/results")), what="the command's result")
        wait_until(lambda: len(watcher.payloads("dtu/b1-dtu1/up")) >= 12, what="frames of the meters")
        if kind == "nats":
            wait_until(
                lambda: any(t.endswith("-water-02/events") for t, _, _ in watcher.messages), what="a water meter"
            )
        wait_until(lambda: any(t == "mqtt/face/basic" for t, _, _ in watcher.messages), what="the face terminal")
    finally:
        stop.set()
        thread.join(PATIENCE)
    ledger.close()
    entries = lines(tmp_path / "ledger.jsonl")
    acknowledged = [entry for entry in entries if entry["pubacked"] is not None]
    assert acknowledged == entries, "everything was acknowledged before it left"
    wait_until(lambda: len(watcher.messages) >= len(entries), what="every acknowledged message to arrive")
    assert watcher.payloads(AVAILABILITY)[-1] == b"offline", "a simulation that stops says goodbye"
    watcher.close()
    truth = {entry["incident"]: entry for entry in lines(tmp_path / "truth.jsonl")}
    assert 0.9 < truth["forced"]["to"] - truth["forced"]["from"] < 1.0 * SHARED


def test_what_a_native_device_says_while_the_broker_is_away_arrives_afterwards(
    nats_broker: Callable[..., Any], tmp_path: Path
) -> None:
    playing = simulation()
    broker = nats_broker(devices=accounts(playing))
    credentials = {a.name: (a.name, a.password) for a in accounts(playing)}
    ledger, stop = Ledger(tmp_path / "ledger.jsonl"), threading.Event()
    runner = Runner(playing, parse_url(f"mqtt://127.0.0.1:{broker.port}"), credentials, ledger)
    thread = threading.Thread(target=runner.run, args=(None, stop), name="simulation")
    thread.start()
    try:
        wait_until(lambda: ledger.acknowledged > 10, what="the first messages")
        broker.kill()
        wait_until(lambda: runner.connected == 0, what="the links to notice")
        gone = time.time()
        wait_until(lambda: time.time() > gone + 1.5, what="some readings to be made meanwhile")
        broker.restart()
        back = time.time()
        wait_until(lambda: runner.connected == len(runner.links), what="all connections again")
        wait_until(lambda: ledger.outstanding == 0, what="all acknowledgements")
    finally:
        stop.set()
        thread.join(PATIENCE)
    ledger.close()
    entries = [entry for entry in lines(tmp_path / "ledger.jsonl") if entry["device"].startswith("b1-water")]
    numbers = sorted(int(entry["id"].rpartition("-")[2]) for entry in entries if entry["device"] == "b1-water-01")
    assert numbers == list(range(1, len(numbers) + 1)), "no reading is missing"
    assert all(entry["pubacked"] for entry in entries if entry["sent"] < back)


def test_refused_credential_is_said_and_the_exit_code_is_1(
    nats_broker: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = nats_broker(devices=[])
    (tmp_path / "small.yaml").write_text(SCENARIO, encoding="utf-8")
    url = f"mqtt://nobody:wrong@127.0.0.1:{broker.port}"
    assert main([str(tmp_path / "small.yaml"), "--url", url, "--duration", "1.5", "--quiet"]) == 1
    assert "the broker refused it: Not authorized" in capsys.readouterr().err
