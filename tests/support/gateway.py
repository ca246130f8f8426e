"""The whole product as a user runs it: `gatehouse run` in a process of its own, on free loopback ports.

with RealGateway(tmp_path / "home") as gateway:
    door = gateway.add_device("door-1")
    with gateway.client(door) as client: client.publish(...)
    gateway.get("/alerts")
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
from sqlalchemy import create_engine, text

from gateway.app.bulk import import_devices
from gateway.config import Home, Settings
from gateway.door import DoorClient, socket_path
from gateway.model import Action, Actor, Role
from tests.support.brokers import PATIENCE, free_port, wait_until
from tests.support.mqtt_client import MqttTestClient

READY_WITHIN = 90.0


class RealGateway:
    """One running gateway. `pack` is put into its `rules/` folder; `arguments` go to `command` after its ports."""

    def __init__(
        self,
        home: Path,
        *,
        pack: str | None = None,
        settings: str = "",
        command: str = "run",
        arguments: Sequence[str] = (),
    ) -> None:
        self.home = Home(home)
        self.home.prepare()
        if pack is not None:
            (self.home.rules / "test.yaml").write_text(pack, encoding="utf-8")
        if settings:
            self.home.config.write_text(settings, encoding="utf-8")
        self.api_port, self.mqtt_port = free_port(), free_port()
        self.command = command
        self.arguments = arguments
        self.process: subprocess.Popen[str] | None = None
        self.printed = ""
        self._token = ""

    # Life.

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(self.story())
        self.stop()

    @property
    def options(self) -> list[str]:
        return ["--home", str(self.home.path), "--api-port", str(self.api_port), "--mqtt-port", str(self.mqtt_port)]

    def start(self, *, ready: bool = True) -> None:
        """Starts it, and waits until it is ready."""
        out = open(self.home.path / "out.txt", "w", encoding="utf-8")  # noqa: SIM115 - the process keeps it
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", self.command, *self.options, *self.arguments],
            stdout=out,
            stderr=out,
            text=True,
        )
        out.close()
        if ready:
            wait_until(self._says_ready, READY_WITHIN, "ready")

    def _says_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"it ended with {self.process.returncode}; it said:\n{self.output()}"
        return "Ctrl-C stops" in self.output()

    def output(self) -> str:
        """What it printed."""
        return (self.home.path / "out.txt").read_text(encoding="utf-8")

    def stop(self, within: float = PATIENCE) -> int:
        """SIGTERM; its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it did not stop within {within} s:\n{self.story()}") from None
        finally:
            self.process = None

    def pids(self) -> dict[str, int]:
        """Process ids by name: run, broker, core, api."""
        try:
            lines = (self.home.run / "pids").read_text().split("\n")
        except FileNotFoundError:
            return {}
        return {name: int(pid) for name, pid in (line.split() for line in lines if line)}

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Sends a signal to one of its processes. The process id it had."""
        pid = self.pids()[name]
        os.kill(pid, number)
        return pid

    def wait_back(self, name: str, old: int, within: float = PATIENCE) -> None:
        """Returns when another process has taken the place of `old` and the gateway is ready."""
        wait_until(lambda: self.pids().get(name, old) != old, within, f"{name} started again")
        wait_until(self.ready, within, f"ready after {name} was started again")

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def story(self) -> str:
        """Everything it said, for a failed test."""
        parts = [self.output()]
        for log in sorted(self.home.logs.glob("*.log")):
            parts.append(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-25:]))
        return "\n".join(parts)

    # Use.

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}/api/v1"

    def act(self, name: str, /, **args: Any) -> dict[str, Any]:
        """An action by the command line's own door."""
        return DoorClient(socket_path(self.home.path)).act(Action(name=name, args=args, actor=Actor("cli", Role.ADMIN)))

    def token(
        self, role: str = "admin", sites: tuple[str, ...] = (), scopes: tuple[str, ...] = ("commands:direct",)
    ) -> str:
        """A new token; it may command in one step unless `scopes` says otherwise."""
        secret = "gh_" + secrets.token_urlsafe(24)
        name = f"test-{secrets.token_hex(4)}"
        hashed = hashlib.sha256(secret.encode()).hexdigest()
        self.act("token.create", id=name, name=name, role=role, sites=list(sites), scopes=list(scopes), hash=hashed)
        return secret

    @property
    def headers(self) -> dict[str, str]:
        if not self._token:
            self._token = self.token()
        return {"Authorization": f"Bearer {self._token}"}

    def get(self, path: str, **query: Any) -> Any:
        """A GET under /api/v1; its JSON. A status other than 200 fails with the body."""
        answer = httpx.get(self.url + path, params=query, headers=self.headers, timeout=30)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any = None, expect: int = 200) -> Any:
        """A POST; its JSON."""
        headers = {**self.headers, "Idempotency-Key": secrets.token_hex(8)}
        answer = httpx.post(self.url + path, json=body or {}, headers=headers, timeout=30)
        assert answer.status_code == expect, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def wait_for(self, path: str, condition: Callable[[Any], bool], within: float = PATIENCE, **query: Any) -> Any:
        """Asks until the answer satisfies; the answer."""
        found: list[Any] = []

        def look() -> bool:
            found.append(self.get(path, **query))
            return condition(found[-1])

        wait_until(look, within, f"{path} {query}")
        return found[-1]

    def add_devices(self, items: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
        """Registers devices; their credentials."""
        file = self.home.path / "credentials.json"
        import_devices(self.home, Settings(), items, file)
        found: dict[str, dict[str, str]] = json.loads(file.read_text())
        return found

    def add_device(self, name: str, **more: Any) -> dict[str, str]:
        """Registers one native device; its credential."""
        return self.add_devices([{"id": name, "site": "s1", "adapter": "cloudevents", **more}])[name]

    def client(self, credential: dict[str, str], **options: Any) -> MqttTestClient:
        """A connected device."""
        return MqttTestClient(self.mqtt_port, credential["username"], credential["password"], **options)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows straight from the database: the independent witness."""
        engine = create_engine(f"sqlite:///{self.home.data / 'gatehouse.db'}")
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(statement))]
        finally:
            engine.dispose()

    def ledger(self) -> dict[str, int]:
        """Fates and counts from the database; checks the sum."""
        counts = {fate: int(count) for fate, count in self.sql("select fate, count from ledger")}
        assert counts.get("received", 0) == sum(n for fate, n in counts.items() if fate != "received"), counts
        return counts

    def bodies(self, table: str) -> list[dict[str, Any]]:
        """The records of a table."""
        return [msgspec.json.decode(row[0]) for row in self.sql(f"select body from {table}")]


def cloud_event(device: str, kind: str, number: int | str, data: dict[str, Any], *, site: str = "s1") -> bytes:
    """A native event of this moment."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body = {"specversion": "1.0", "id": str(number), "source": f"/{site}/{device}", "type": kind, "time": moment}
    return json.dumps({**body, "data": data}).encode()
