"""Real brokers for tests, on free loopback ports: `nats_broker` and `mosquitto_broker`.

Import the fixtures in a `conftest.py` (`from tests.support.brokers import nats_broker, mosquitto_broker`). Each is a
factory that any number of brokers of one test come from, and that stops them all at its end:

    def test_x(nats_broker):
        broker = nats_broker(devices=[device("door-1", site="s1")])
        with MqttTestClient(broker.port, *broker.login("door-1")) as door: ...
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from gateway.broker import BrokerSettings, BrokerUser, EmbeddedBroker, hash_password

REPOSITORY = Path(__file__).resolve().parents[2]
MOSQUITTO_CONF = REPOSITORY / "deploy" / "mosquitto" / "mosquitto.conf"
CORE = "gatehouse-core"
PATIENCE = 60.0
"""Seconds that a test waits for what has to happen, unless it knows better. Where it does happen it costs nothing, and
a loaded machine has been seen to take 5 s over what takes 5 ms; a test that fails by it has found something."""
SHARED = 4.0
"""Where the time itself is what is promised, a test allows so many times of it: other processes share the cores. What
it finds is a wrong kind of slowness, such as a wait that runs into its timeout; `gatehouse bench` measures the rest."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """A credential of a test: what it may publish and subscribe to, as MQTT filters."""

    name: str
    password: str
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()

    def user(self) -> BrokerUser:
        return BrokerUser(
            name=self.name,
            password_bcrypt=hash_password(self.password),
            publish=self.publish,
            subscribe=self.subscribe,
        )


def device(
    name: str,
    *,
    site: str = "s1",
    publish: Iterable[str] = (),
    subscribe: Iterable[str] = (),
    password: str | None = None,
) -> Account:
    """The credential of a native device, as the product gives it one, plus further (vendor) topics."""
    base = f"gatehouse/v1/{site}/{name}"
    return Account(
        name=name,
        password=password or f"{name}-password",
        publish=(f"{base}/events", f"{base}/availability", f"{base}/results", *publish),
        subscribe=(f"{base}/commands", *subscribe),
    )


CORE_ACCOUNT = Account(name=CORE, password="core-password", publish=("#",), subscribe=("#",))


class Broker(Protocol):
    """What a test sees of a running broker, whichever it is."""

    port: int

    def login(self, name: str = CORE) -> tuple[str, str]:
        """User name and password."""
        ...

    def kill(self) -> None:
        """`kill -9`."""
        ...

    def restart(self) -> None:
        """Starts it again, on the same port and store."""
        ...

    def set_devices(self, devices: Iterable[Account]) -> None:
        """Replaces the device credentials while it runs."""
        ...

    def stop(self) -> None: ...


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment.

    From below the range from which the kernel takes the ports of outgoing connections: while a server under test is
    down, a client's own port could otherwise be the very one that the server wants back.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_until(condition: Callable[[], bool], deadline: float = PATIENCE, what: str = "the condition") -> None:
    """Polls until `condition` holds; an assertion names what did not come true."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {deadline} s")
        time.sleep(0.005)


@dataclass
class NatsBroker:
    """The product's embedded broker with test credentials."""

    home: Path
    settings: BrokerSettings
    devices: list[Account] = field(default_factory=list)
    core: Account = CORE_ACCOUNT
    embedded: EmbeddedBroker = field(init=False)

    def __post_init__(self) -> None:
        self.port = self.settings.port
        self.embedded = EmbeddedBroker(self.home, self.settings)
        self._start()

    def _start(self) -> None:
        self.embedded.start(self.core.user(), [account.user() for account in self.devices])

    def login(self, name: str = CORE) -> tuple[str, str]:
        return _login([self.core, *self.devices], name)

    def set_devices(self, devices: Iterable[Account]) -> None:
        self.devices = list(devices)
        self.embedded.reload([account.user() for account in self.devices])

    def kill(self) -> None:
        pid = self.embedded.pid
        assert pid is not None, "the broker does not run"
        os.kill(pid, signal.SIGKILL)
        self.embedded.wait(PATIENCE)
        self.embedded.stop()

    def restart(self) -> None:
        self.embedded.stop()
        self._start()

    def stop(self) -> None:
        self.embedded.stop()


@dataclass
class MosquittoBroker:
    """Debian's Mosquitto with the configuration that the product ships, on a loopback port and a test's folder."""

    home: Path
    port: int
    devices: list[Account] = field(default_factory=list)
    core: Account = CORE_ACCOUNT
    changes: dict[str, str | None] = field(default_factory=dict)
    """Settings of the shipped file to replace; None takes one out."""
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        # Mosquitto, started as root, reads its files as the user `nobody` that the test's configuration names.
        self.home.chmod(0o777)
        self._write()
        self.restart()

    def _write(self) -> None:
        own = {
            "listener": f"{self.port} 127.0.0.1",
            "persistence_location": f"{self.home}/",
            "password_file": f"{self.home}/passwords",
            "acl_file": f"{self.home}/acl",
            "log_dest": f"file {self.home}/log",
            "user": "root",
            "cafile": None,
            "certfile": None,
            "keyfile": None,
            "tls_version": None,
            **self.changes,
        }
        shipped = [
            line.split(maxsplit=1) for line in MOSQUITTO_CONF.read_text().splitlines() if line[:1] not in ("", "#")
        ]
        settings = {**{word: value for word, value in shipped if word != "log_type"}, **own}
        lines = [f"{word} {value}" for word, value in settings.items() if value and word not in _LISTENER_WORDS]
        lines += ["log_type all"]
        lines += [f"{word} {settings[word]}" for word in _LISTENER_WORDS if settings.get(word)]
        (self.home / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self._write_credentials()

    def _write_credentials(self) -> None:
        passwords = self.home / "passwords"
        passwords.unlink(missing_ok=True)
        passwords.touch(0o600)
        # The shipped ACL, patterns included; each credential's further topics as the README says to add them.
        acl = [(MOSQUITTO_CONF.parent / "acl").read_text()]
        for account in (self.core, *self.devices):
            _run("mosquitto_passwd", "-b", str(passwords), account.name, account.password)
            if account is not self.core:
                acl.append(f"user {account.name}")
                acl += [f"topic write {name}" for name in account.publish if not name.startswith("gatehouse/v1/")]
                acl += [f"topic read {name}" for name in account.subscribe if not name.startswith("gatehouse/v1/")]
        (self.home / "acl").write_text("\n".join(acl) + "\n")
        (self.home / "acl").chmod(0o600)

    def login(self, name: str = CORE) -> tuple[str, str]:
        return _login([self.core, *self.devices], name)

    def set_devices(self, devices: Iterable[Account]) -> None:
        self.devices = list(devices)
        self._write_credentials()
        assert self.process is not None, "the broker does not run"
        self.process.send_signal(signal.SIGHUP)

    def restart(self) -> None:
        self.stop()
        self.process = subprocess.Popen(
            [str(_program("mosquitto")), "-c", str(self.home / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        process = self.process

        def ready() -> bool:
            assert process.poll() is None, f"mosquitto ended with {process.returncode}:\n{self.log()}"
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until(ready, what="mosquitto to accept connections")

    def log(self) -> str:
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else "(no log)"

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None


# A `listener` opens a block in Mosquitto's file: these words belong to it and come after it.
_LISTENER_WORDS = (
    "listener", "use_username_as_clientid", "cafile", "certfile", "keyfile", "tls_version", "require_certificate"
)  # fmt: skip


def _login(accounts: Iterable[Account], name: str) -> tuple[str, str]:
    for account in accounts:
        if account.name == name:
            return account.name, account.password
    raise AssertionError(f"the test's broker has no credential {name}")


def _run(*command: str) -> None:
    subprocess.run([str(_program(command[0])), *command[1:]], check=True, capture_output=True)


def _program(name: str) -> Path | None:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    return None if found is None else Path(found)


def need_mosquitto() -> None:
    """Skips the test where Mosquitto is not installed; with CI=true that is a failure."""
    if _program("mosquitto") is not None and _program("mosquitto_passwd") is not None:
        return
    message = "mosquitto is not installed: `apt-get install mosquitto` (tests of the group `mosquitto` are left out)"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def nats_broker(tmp_path: Path) -> Iterator[Callable[..., NatsBroker]]:
    """`nats_broker(devices=[...], core=..., **settings)` starts an embedded broker; settings are `BrokerSettings`."""
    started: list[NatsBroker] = []

    def start(*, devices: Iterable[Account] = (), core: Account = CORE_ACCOUNT, **settings: Any) -> NatsBroker:
        base = BrokerSettings(host="127.0.0.1", port=free_port())
        chosen = msgspec.structs.replace(base, **settings)
        home = tmp_path / f"nats-{len(started)}"
        broker = NatsBroker(home=home, settings=chosen, devices=list(devices), core=core)
        started.append(broker)
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def mosquitto_broker(tmp_path: Path) -> Iterator[Callable[..., MosquittoBroker]]:
    """`mosquitto_broker(devices=[...], changes={...})` starts Mosquitto with the shipped configuration."""
    need_mosquitto()
    started: list[MosquittoBroker] = []

    def start(
        *, devices: Iterable[Account] = (), core: Account = CORE_ACCOUNT, changes: dict[str, str | None] | None = None
    ) -> MosquittoBroker:
        home = tmp_path / f"mosquitto-{len(started)}"
        broker = MosquittoBroker(home=home, port=free_port(), devices=list(devices), core=core, changes=changes or {})
        started.append(broker)
        return broker

    yield start
    for broker in started:
        broker.stop()
