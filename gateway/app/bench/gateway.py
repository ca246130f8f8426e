"""A whole gateway for a measurement: a home of its own, its broker, its core and, if wanted, its API as processes."""

from __future__ import annotations

import hashlib
import secrets
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select

from gateway.app.acting import acting
from gateway.app.bench.brokers import CORE_USER, LOAD_USER, BrokerName, free_port, mosquitto
from gateway.app.bench.processes import cpu_seconds, peak_memory_mb, with_children
from gateway.app.bench.rules_pack import pack
from gateway.app.bulk import import_devices
from gateway.app.database import database_url
from gateway.app.supervisor import Child
from gateway.broker.server import write_private
from gateway.config import Home, Settings, load_settings
from gateway.door import DoorClient, socket_path
from gateway.errors import GatehouseError, Unavailable
from gateway.store import tables
from gateway.store.queries import Reader

SITE = "bench"
READY_WITHIN = 60.0


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway is measured with: `rules` that judge every message, and `idle_rules` that none can meet."""

    name: str
    broker: BrokerName
    devices: int
    rules: int = 100
    idle_rules: int = 0
    api: bool = False


class Gateway:
    """One running gateway. Made by `running`."""

    def __init__(self, home: Home, settings: Settings, setting: Setting, password: str) -> None:
        self.home = home
        self.settings = settings
        self.setting = setting
        self.password = password
        self.children: dict[str, Child] = {}
        self.broker_pid = 0
        self.reader = Reader(database_url(home, settings))

    @property
    def mqtt_port(self) -> int:
        """Where its broker listens."""
        return int(self.settings.mqtt.url.rpartition(":")[2]) if self.settings.mqtt.url else self.settings.mqtt.port

    @property
    def core(self) -> int:
        """The core's process id. Raises `Unavailable` where it has ended."""
        pid = self.children["core"].pid
        if pid is None:
            raise Unavailable(f"the core has ended: {self.children['core'].last_words()}")
        return pid

    def cpu_seconds(self) -> float:
        """What the core has used so far."""
        return cpu_seconds(self.core)

    def peak_memory_mb(self) -> dict[str, float]:
        """The most each of its processes had in use, by name."""
        peaks = {name: child.pid for name, child in self.children.items()}
        found = {name: sum(peak_memory_mb(each) for each in with_children([pid])) for name, pid in peaks.items() if pid}
        if self.broker_pid:
            found["broker"] = peak_memory_mb(self.broker_pid)
        return found

    def ledger(self) -> dict[str, int]:
        """The ledger as the database has it."""
        return self.reader.ledger()

    def newest(self) -> int:
        """The number of the newest reading."""
        return int(self.reader.rows(select(func.coalesce(func.max(tables.readings.c.seq), 0)))[0][0])

    def first_published(self, after: int) -> float:
        """When the first reading past `after` was published (Unix seconds, by the load's own stamp)."""
        readings = tables.readings.c
        first = select(readings.time).where(readings.seq > after).order_by(readings.seq).limit(1)
        return float(self.reader.rows(first)[0][0])

    def token(self) -> str:
        """A new token with which a program may watch the alerts."""
        secret = "gh_" + secrets.token_urlsafe(32)
        with acting(self.home, self.settings) as act:
            act(
                "token.create",
                id=f"tok-{secrets.token_hex(6)}",
                name=f"bench-{secrets.token_hex(4)}",
                role="viewer",
                sites=[],
                hash=hashlib.sha256(secret.encode()).hexdigest(),
            )
        return secret

    def close(self) -> None:
        """Stops the processes, the last started first."""
        for child in reversed(self.children.values()):
            child.stop()
        self.reader.close()


@contextmanager
def running(folder: Path, setting: Setting) -> Iterator[Gateway]:
    """A gateway in `folder`, ready to receive: rules loaded, devices registered, connected to its broker."""
    home = Home(folder / setting.name)
    home.prepare()
    for file, text in pack(setting.rules, setting.idle_rules).items():
        (home.rules / file).write_text(text)
    with ExitStack() as stack:
        gateway = _made(home, setting, stack)
        stack.callback(gateway.close)
        names = ["core", "api"] if setting.api else ["core"]
        for name in names if setting.broker == "mosquitto" else ["broker", *names]:
            options = ["--home", str(home.path), "--api-port", str(gateway.settings.api.port)]
            options += ["--mqtt-port", str(gateway.settings.mqtt.port)]
            gateway.children[name] = Child(name, [name, *options], home.logs / f"{name}.log")
            gateway.children[name].start()
        _wait(gateway, "the core to start", lambda: bool(DoorClient(socket_path(home.path)).health()))
        credentials = home.secrets / "devices.json"
        import_devices(home, gateway.settings, _devices(setting.devices), credentials)
        if setting.broker == "embedded":
            gateway.password = msgspec.json.decode(credentials.read_bytes())[LOAD_USER]["password"]
        _wait(gateway, "the core to reach its broker", lambda: _linked(home))
        if setting.api:
            _wait(gateway, "the API to be ready", lambda: _answers(gateway.settings.api.port))
        yield gateway


def _made(home: Home, setting: Setting, stack: ExitStack) -> Gateway:
    """The home's settings; for Mosquitto the broker too, which is not the gateway's own."""
    ports: dict[str, dict[str, Any]] = {"api": {"port": free_port()}, "mqtt": {"port": free_port()}}
    if setting.broker == "embedded":
        return Gateway(home, load_settings(home, {}, ports), setting, "")
    passwords = {name: secrets.token_urlsafe(24) for name in (CORE_USER, LOAD_USER)}
    port = free_port()
    pid = stack.enter_context(mosquitto(home.path / "mosquitto", port, passwords, SITE))
    password_file = home.secrets / "mqtt-password"
    write_private(password_file, passwords[CORE_USER])
    home.config.write_text(
        f"mqtt:\n  url: mqtt://127.0.0.1:{port}\n  username: {CORE_USER}\n  password_file: {password_file}\n"
    )
    gateway = Gateway(home, load_settings(home, {}, ports), setting, passwords[LOAD_USER])
    gateway.broker_pid = pid
    return gateway


def _devices(count: int) -> list[dict[str, Any]]:
    """The load's devices, and the one whose credential speaks for all of them."""
    common = {"site": SITE, "adapter": "cloudevents"}
    speaker = {**common, "id": LOAD_USER, "external_id": LOAD_USER, "type": "gateway"}
    names = [f"bench-{number:05d}" for number in range(count)]
    meters = [
        {**common, "id": name, "external_id": name, "type": "meter", "connected_via": LOAD_USER} for name in names
    ]
    return [speaker, *meters]


def _linked(home: Home) -> bool:
    return bool(DoorClient(socket_path(home.path)).health()["broker"]["up"])


def _answers(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/ready", timeout=2) as answer:
        return bool(answer.status == 200)


def _wait(gateway: Gateway, what: str, come: Callable[[], bool]) -> None:
    """Waits until `come` is true; an error of its own means not yet. Raises `Unavailable` with what the logs say."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        ended = [child for child in gateway.children.values() if child.pid is None]
        if ended:
            raise Unavailable(f"{ended[0].name} ended at its start: {ended[0].last_words()}")
        try:
            if come():
                return
        except (OSError, GatehouseError):
            pass
        time.sleep(0.02)
    words = "; ".join(f"{name}: {child.last_words()}" for name, child in gateway.children.items())
    raise Unavailable(f"waited {READY_WITHIN:.0f} s for {what}. Last words: {words}")
