"""FAULTS, groups A and C, on the real processes: kill -9, SIGTERM, two cores on one home."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.brokers import PATIENCE, SHARED, wait_until
from tests.support.gateway import RealGateway, cloud_event
from tests.support.mqtt_client import MqttTestClient

pytestmark = pytest.mark.slow

PACK = """
- id: test.door_open
  title: {en: "{device.name} open", zh: "{device.name} 开"}
  on: access.door
  when: state == 'open'
  severity: high
  then:
    work_order: {team: security, respond_within: 30m}
    command: {name: lock, device: self}
- id: test.lift_held
  title: {en: "{device.name} stands", zh: "{device.name} 停"}
  on: elevator.status
  when: motion == 'stopped' and not in_door_zone
  for: 20s
  severity: high
"""


BACKLOG = 2_000


class Publisher:
    """A device that publishes numbered events at a steady rate and remembers what was acknowledged to it.

    It keeps at most `BACKLOG` of them for a broker that is away or slow.
    """

    def __init__(self, port: int, credential: dict[str, str], rate: float) -> None:
        self.sent = 0
        self._numbers: dict[int, list[int]] = {}
        self._acknowledged: list[int] = []
        self._rate = rate
        self._device = credential["username"]
        self._stop = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{self._device}-publisher", clean_session=False
        )
        self._client.username_pw_set(credential["username"], credential["password"])
        self._client.max_inflight_messages_set(400)
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]  # paho only adds and compares them
        self._client.on_publish = self._on_publish
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def _on_publish(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        self._acknowledged.append(mid)

    @property
    def acked(self) -> set[int]:
        """The numbers whose PUBACK came. Message ids are used again, in the order in which they were given out."""
        given = {mid: iter(numbers) for mid, numbers in self._numbers.items()}
        return {number for mid in list(self._acknowledged) if (number := next(given[mid], None)) is not None}

    def _run(self) -> None:
        topic = f"gatehouse/v1/s1/{self._device}/events"
        begun = time.monotonic()
        while not self._stop.is_set():
            due = self.sent < (time.monotonic() - begun) * self._rate
            if due and self.sent - len(self._acknowledged) < BACKLOG:
                body = cloud_event(self._device, "meter.reading", f"n{self.sent}", {"energy_kwh": float(self.sent)})
                mid = self._client.publish(topic, body, qos=1).mid
                self._numbers.setdefault(mid, []).append(self.sent)
                self.sent += 1
            else:
                self._stop.wait(0.002)

    def stop(self) -> None:
        """Stops publishing, and waits for the acknowledgements of all that was sent."""
        self._stop.set()
        self._thread.join()
        wait_until(lambda: len(self._acknowledged) >= self.sent, what=f"{self.sent} PUBACKs")
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.timeout(1200)
def test_fault_001_fifty_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    doors = [{"id": f"door-{n}", "site": "s1", "adapter": "cloudevents", "type": "door"} for n in range(20)]
    lifts = [{"id": f"lift-{n}", "site": "s1", "adapter": "cloudevents", "type": "elevator"} for n in range(5)]
    with RealGateway(tmp_path / "home", pack=PACK) as gateway:
        credentials = gateway.add_devices(
            [*doors, *lifts, {"id": "meter", "site": "s1", "adapter": "cloudevents", "type": "meter"}]
        )
        commands: Counter[str] = Counter()
        publisher = Publisher(gateway.mqtt_port, credentials["meter"], rate=500)
        opened, longest = 0, 0.0
        trapped_at: dict[str, float] = {}
        for kill in range(50):
            name = chance.choice(["core", "core", "core", "api", "broker"])
            old = gateway.kill(name)
            away = time.monotonic()
            time.sleep(chance.random() * 0.3)  # the moment itself is what is random here
            gateway.wait_back(name, old)
            if kill % 2 == 0 and opened < len(doors):
                _say(gateway, credentials[f"door-{opened}"], "access.door", {"state": "open"}, commands)
                opened += 1
            if kill in (5, 15, 25, 30, 35):
                lift = f"lift-{len(trapped_at)}"
                trapped_at[lift] = time.time()
                between = {"motion": "stopped", "in_door_zone": False}
                _say(gateway, credentials[lift], "elevator.status", between, commands)
            longest = max(longest, time.monotonic() - away)
        publisher.stop()
        total = publisher.sent + opened + len(trapped_at)
        wait_until(lambda: _accepted(gateway) >= total, what=f"{total} accepted; {gateway.ledger()}")
        wait_until(lambda: len(_alerts(gateway, "test.lift_held")) == len(lifts), what="the holds fire")
        _check(gateway, publisher, opened, commands)
        _check_holds(gateway, trapped_at, longest)


def _say(
    gateway: RealGateway, credential: dict[str, str], kind: str, data: dict[str, Any], commands: Counter[str]
) -> None:
    """A device comes up, says one thing until it is acknowledged, and notes the commands it gets meanwhile."""
    device = credential["username"]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with gateway.client(credential) as client:
                client.subscribe(f"gatehouse/v1/s1/{device}/commands")
                client.publish(f"gatehouse/v1/s1/{device}/events", cloud_event(device, kind, f"{device}-1", data))
                if kind == "access.door":
                    wait_until(lambda: bool(_alerts(gateway, "test.door_open", device)), what=f"the alert of {device}")
                for message in client.messages:
                    commands[message.payload.decode()] += 1
                return
        except (AssertionError, OSError):
            if time.monotonic() > deadline:
                raise


def _accepted(gateway: RealGateway) -> int:
    return gateway.ledger().get("accepted", 0)


def _alerts(gateway: RealGateway, rule: str, device: str | None = None) -> list[dict[str, Any]]:
    found = [alert for alert in gateway.bodies("alerts") if alert["rule"] == rule]
    return [alert for alert in found if device in (None, alert["device"])]


def _check(gateway: RealGateway, publisher: Publisher, opened: int, commands: Counter[str]) -> None:
    rows = gateway.sql("select json_extract(data, '$.energy_kwh') from readings where device = 'meter'")
    stored = Counter(int(row[0]) for row in rows)
    lost = publisher.acked - set(stored)
    doubled = [number for number, count in stored.items() if count > 1]
    assert not lost, f"acknowledged and not stored: {sorted(lost)[:20]} of {len(publisher.acked)}"
    assert not doubled, f"stored more than once: {doubled[:20]}"
    doors = Counter(alert["device"] for alert in _alerts(gateway, "test.door_open"))
    assert doors == {f"door-{n}": 1 for n in range(opened)}, doors
    orders = Counter(order["device"] for order in gateway.bodies("work_orders"))
    assert {device: orders[device] for device in doors} == dict.fromkeys(doors, 1), orders
    made = Counter(command["device"] for command in gateway.bodies("commands"))
    assert made == {f"door-{n}": 1 for n in range(opened)}, made
    assert all(count == 1 for count in commands.values()), f"a command came twice: {commands}"
    assert gateway.sql("pragma integrity_check") == [("ok",)]
    verified = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "audit", "verify", "--home", str(gateway.home.path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _check_holds(gateway: RealGateway, trapped_at: dict[str, float], longest: float) -> None:
    """A hold of 20 s goes on over every kill. It can be late by the time that the core was away just then."""
    for lift, at in trapped_at.items():
        alert = _alerts(gateway, "test.lift_held", lift)
        assert len(alert) == 1
        held = alert[0]["raised_at"] - at
        assert 19.5 <= held <= 25 + 2 * longest, f"{lift} held for {held:.1f} s; away for {longest:.1f} s at most"


def test_fault_036_a_second_core_on_one_home_is_refused(tmp_path: Path) -> None:
    with RealGateway(tmp_path / "home") as gateway:
        second = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "core", "--home", str(gateway.home.path)],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert f"another core (process {gateway.pids()['core']}) works on" in second.stderr
        assert "Traceback" not in second.stderr
        assert gateway.ready()


@pytest.mark.parametrize("hard", [False, True], ids=["sigterm", "sigkill_after_it"])
def test_fault_038_039_stopped_under_load_it_loses_nothing(tmp_path: Path, hard: bool) -> None:
    gateway = RealGateway(tmp_path / "home", pack=PACK)
    gateway.start()
    credential = gateway.add_device("meter", type="meter")
    publisher = Publisher(gateway.mqtt_port, credential, rate=500)
    wait_until(lambda: gateway.ledger().get("accepted", 0) > 300, what="some hundreds are in")
    begun = time.monotonic()
    if hard:
        gateway.kill("core", signal.SIGTERM)
        old = gateway.kill("core")
        gateway.wait_back("core", old)
        publisher.stop()
    else:
        pids = gateway.pids()
        assert gateway.stop() == 0
        assert time.monotonic() - begun < 10 * SHARED
        for name, pid in pids.items():
            wait_until(partial(_ended, pid), what=f"{name} has ended")
        gateway.start()
        publisher.stop()
    wait_until(lambda: gateway.ledger().get("accepted", 0) >= publisher.sent, what=f"{publisher.sent} accepted")
    rows = gateway.sql("select count(*), count(distinct json_extract(data, '$.energy_kwh')) from readings")
    assert rows == [(publisher.sent, publisher.sent)]
    gateway.stop()


def _ended(pid: int) -> bool:
    return not _lives(pid)


def _lives(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not fetched by its parent yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_fault_040_a_restart_keeps_open_alerts_and_their_ids(tmp_path: Path) -> None:
    with RealGateway(tmp_path / "home", pack=PACK) as gateway:
        credential = gateway.add_device("door-1", type="door")
        with gateway.client(credential) as client:
            client.publish("gatehouse/v1/s1/door-1/events", cloud_event("door-1", "access.door", 1, {"state": "open"}))
        gateway.wait_for("/alerts", lambda found: len(found["items"]) == 1, state="open")
        alert = gateway.get("/alerts", state="open")["items"][0]
        gateway.post(f"/alerts/{alert['id']}/acknowledge")
        before = gateway.get("/alerts", state="open")["items"]
        gateway.wait_back("core", gateway.kill("core"))
        assert gateway.get("/alerts", state="open")["items"] == before
        assert before[0]["state"] == "acknowledged"


def test_fault_074_a_command_in_flight_when_the_core_dies_runs_once_at_most(tmp_path: Path) -> None:
    """One ordered by a rule and one by a person, each sent and not answered when the core is killed."""
    with RealGateway(tmp_path / "home", pack=PACK) as gateway:
        credentials = gateway.add_devices(
            [{"id": f"door-{n}", "site": "s1", "adapter": "cloudevents", "type": "door"} for n in range(2)]
        )
        with gateway.client(credentials["door-0"]) as ruled, gateway.client(credentials["door-1"]) as asked:
            for name, client in (("door-0", ruled), ("door-1", asked)):
                client.subscribe(f"gatehouse/v1/s1/{name}/commands")
                client.publish(f"gatehouse/v1/s1/{name}/events", cloud_event(name, "access.denied", 1, {}))
            gateway.post("/devices/door-1/commands", {"name": "lock", "reason": "night", "expires_in": 60}, expect=202)
            ruled.publish("gatehouse/v1/s1/door-0/events", cloud_event("door-0", "access.door", 2, {"state": "open"}))
            wait_until(lambda: len(gateway.bodies("commands")) == 2, what="both are in the store")
            gateway.wait_back("core", gateway.kill("core"))
            got = {name: [json.loads(m.payload)["id"] for m in c.messages] for name, c in _named(ruled, asked)}
            for name, client in _named(ruled, asked):
                for ident in got[name]:
                    done = json.dumps({"id": ident, "status": "done"})
                    client.publish(f"gatehouse/v1/s1/{name}/results", done.encode())
            made = {command["device"]: command for command in gateway.bodies("commands")}
            assert set(made) == {"door-0", "door-1"}
            assert all(command["state"] in ("unknown", "done", "failed") for command in made.values()), made
            gateway.wait_back("core", gateway.kill("core"))
            for name, client in _named(ruled, asked):
                arrived = Counter(message.payload for message in client.messages)
                assert all(count == 1 for count in arrived.values()), f"{name} got {arrived}"
                assert len(arrived) <= 1, f"{name} got {arrived}"
            assert len(gateway.bodies("commands")) == 2


def _named(ruled: MqttTestClient, asked: MqttTestClient) -> list[tuple[str, MqttTestClient]]:
    return [("door-0", ruled), ("door-1", asked)]


def test_a_killed_supervisor_takes_its_processes_along_and_the_next_run_starts_at_once(tmp_path: Path) -> None:
    gateway = RealGateway(tmp_path / "home", pack=PACK)
    gateway.start()
    credential = gateway.add_device("door-1", type="door")
    with gateway.client(credential) as client:
        client.publish("gatehouse/v1/s1/door-1/events", cloud_event("door-1", "access.door", 1, {"state": "open"}))
    wait_until(lambda: len(_alerts(gateway, "test.door_open")) == 1, what="its alert")
    pids = gateway.pids()
    gateway.kill("run")
    assert gateway.process is not None
    gateway.process.wait(PATIENCE)
    gateway.start()
    assert not any(_lives(pid) for pid in pids.values()), pids
    assert len(_alerts(gateway, "test.door_open")) == 1
    assert gateway.stop() == 0
