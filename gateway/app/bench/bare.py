"""The limit beside the figures: the same load on the same kind of broker, to a receiver that does nothing with it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from gateway.app.bench.brokers import CORE_USER, LOAD_USER, BrokerName, embedded, free_port, mosquitto
from gateway.app.bench.gateway import SITE
from gateway.app.bench.load import sending, sent
from gateway.app.bench.processes import finish, program
from gateway.app.bench.receiver import Received, Which
from gateway.errors import Unavailable


class BareBroker:
    """A broker without a gateway."""

    def __init__(self, port: int, passwords: dict[str, str]) -> None:
        self._port = port
        self._passwords = passwords

    def receive(self, which: Which, messages: int, devices: int, within: float) -> tuple[float, float]:
        """Messages a second, from the first one's publishing to the last one's receipt, and the CPU time of each."""
        arguments = (which, str(self._port), str(messages), str(within))
        secret = self._passwords[CORE_USER] + "\n"
        with program("gateway.app.bench.receiver", *arguments, stdin=secret) as receiver:
            if receiver.stdout is None or receiver.stdout.readline().strip() != "ready":
                finish(receiver, "the bare receiver", within)
                raise Unavailable("the bare receiver did not begin")
            with sending(self._port, self._passwords[LOAD_USER], messages, devices) as load:
                text = finish(receiver, "the bare receiver", within)
                sent(load, within)
        received = msgspec.json.decode(text, type=Received)
        first = datetime.fromisoformat(received.first_time).timestamp()
        return messages / (received.last_at - first), received.cpu_s / messages * 1e6


@contextmanager
def bare_broker(folder: Path, broker: BrokerName) -> Iterator[BareBroker]:
    """A broker of that kind in a folder of its own."""
    passwords = {name: secrets.token_urlsafe(24) for name in (CORE_USER, LOAD_USER)}
    port = free_port()
    start = embedded if broker == "embedded" else mosquitto
    with start(folder / f"{broker}-bare", port, passwords, SITE):
        yield BareBroker(port, passwords)
