"""`gatehouse bench passes`: how long a car waits for the core, from its message to the command, with many passes."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.app.bench.machine import describe
from gateway.app.bench.report import Figure, Report, figure, quantile
from gateway.app.core import CoreProcess
from gateway.config import Home, Settings
from gateway.errors import GatehouseError
from gateway.inbox.messages import InboxMessage
from gateway.model import Action, Actor, Role

#: The promise: milliseconds in the core at the 99th percentile.
TARGET_MS = 20.0
_SITE, _BARRIER, _DOOR = "bench", "barrier-1", "door-1"
_ADMIN = Actor("bench", Role.ADMIN)
#: Passes an import takes at once.
_PART = 5000
#: So many first questions warm the caches and count for nothing.
_WARM = 50


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    passes: int = 20_000
    asks: int = 2000
    visitors: int = 200


class _Broker:
    """Stands for the link: notes when a command is handed over."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.commands: list[float] = []

    def take(self, max_messages: int, timeout: float, linger: float) -> Sequence[Any]:
        return ()

    def acknowledge(self, messages: Sequence[Any]) -> None:
        """Nobody waits for it here."""

    def publish(self, topic: str, payload: bytes, **how: Any) -> bool:
        if topic.endswith("/commands"):
            self.commands.append(time.perf_counter())
        if how.get("on_done") is not None:
            how["on_done"](True)
        return True

    def wake(self) -> None:
        """Nobody sleeps here."""

    def healthy(self, now: float) -> bool:
        return True


def passes(options: Options, say: Callable[[str], None]) -> Report:
    """A core of its own on SQLite in a temporary folder, with the shipped rules; each message is a batch of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.prepare()
        process = CoreProcess(home, Settings())
        process.recover()
        try:
            bench = _Bench(process)
            say(f"writing {options.passes} passes")
            plates = bench.furnish(options.passes)
            codes = bench.visitors(options.visitors)
            say(f"{options.asks} questions of each kind")
            figures = [
                *bench.measure("plate let through", bench.plates(plates, options.asks), opens=True),
                *bench.measure("plate refused", bench.plates(["京X99999"], options.asks), opens=False),
                *bench.measure("visitor's code let through", bench.scans(codes), opens=True),
            ]
        finally:
            process.core.close()
        return Report(machine=describe(Path(folder)), figures=figures)


class _Bench:
    """The core and what is asked of it."""

    def __init__(self, process: CoreProcess) -> None:
        self._core = process.core
        self._broker = _Broker()
        self._core.inbox = self._broker
        self._number = 0

    def act(self, action: str, **args: Any) -> dict[str, Any]:
        """An action and its result; raises its error."""
        told: list[tuple[Any, GatehouseError | None]] = []
        self._core.submit(Action(name=action, args=args, actor=_ADMIN), lambda done, error: told.append((done, error)))
        self._core.turn([])
        result, error = told[0]
        if error is not None:
            raise error
        return dict(result)

    def furnish(self, count: int) -> list[str]:
        """A barrier, a door and the passes; the plates that may enter."""
        for ident, kind in ((_BARRIER, "barrier"), (_DOOR, "door")):
            self.act("device.add", id=ident, site=_SITE, adapter="cloudevents", type=kind, secret_hash="")
        rows: list[dict[str, Any]] = [
            {"kind": "plate", "value": f"沪B{number:05}", "until_at": 4e9} for number in range(count)
        ]
        for number, row in enumerate(rows):
            # Some of each kind: shared spaces, hours, entries, anti-passback, refused.
            more: tuple[dict[str, Any], ...] = (
                {"household": f"h{number // 2}", "spaces": 2}, {"days": "mon-sun"}, {"entries": 100_000},
                {"note": "plain"}, {"blocked": number % 10 == 4},
            )  # fmt: skip
            row.update(more[number % len(more)])
        for start in range(0, count, _PART):
            self.act("pass.import", site=_SITE, rows=rows[start : start + _PART])
        return [str(row["value"]) for row in rows if not row.get("blocked")]

    def visitors(self, count: int) -> list[str]:
        """Codes, one for each visitor."""
        made = [self.act("pass.put", site=_SITE, kind="qr", entries=1) for _ in range(count)]
        return [str(self.act("pass.code", id=one["id"])["code"]) for one in made]

    def plates(self, plates: Sequence[str], count: int) -> list[InboxMessage]:
        """Cars that come, in an order that no cache foresees."""
        step = 7919
        return [self._asks(_BARRIER, plate=plates[number * step % len(plates)]) for number in range(count)]

    def scans(self, codes: Sequence[str]) -> list[InboxMessage]:
        """Visitors that show their codes."""
        return [self._asks(_DOOR, token=code) for code in codes]

    def measure(self, name: str, messages: Sequence[InboxMessage], *, opens: bool) -> list[Figure]:
        """Milliseconds from the message to the command, or to the end of the batch where nothing opens."""
        took, computed = [], []
        for message in messages:
            before = len(self._broker.commands)
            began, used = time.perf_counter(), time.thread_time()
            fresh = msgspec.structs.replace(message, at_monotonic=time.monotonic(), wall=time.time())
            self._core.turn([fresh])
            ended, spent = time.perf_counter(), time.thread_time() - used
            if (len(self._broker.commands) > before) is not opens:
                raise RuntimeError(f"{name}: {'nothing' if opens else 'something'} opened for {message.payload!r}")
            computed.append(1000 * spent)
            took.append(1000 * ((self._broker.commands[-1] if opens else ended) - began))
        warm = min(_WARM, len(took) // 4)
        counted, cpu = took[warm:], computed[warm:]
        return [
            figure(f"{name}, p50", [quantile(counted, 0.5)], "ms"),
            figure(f"{name}, p99", [quantile(counted, 0.99)], "ms", TARGET_MS),
            figure(f"{name}, p99 of its CPU", [quantile(cpu, 0.99)], "ms"),
        ]

    def _asks(self, device: str, **data: str) -> InboxMessage:
        self._number += 1
        event = {
            "specversion": "1.0", "id": str(self._number), "source": device, "type": "access.requested",
            "data": {**data, "direction": "in"},
        }  # fmt: skip
        topic = f"gatehouse/v1/{_SITE}/{device}/events"
        return InboxMessage(topic, json.dumps(event).encode(), 0.0, 0.0, self._number, 1, False, False, 1)
