"""The bare receivers, each a process of its own: `python -m gateway.app.bench.receiver WHICH PORT COUNT SECONDS`.

`paho` is paho as it comes, which is what a program of ten lines would use. `inbox` is the gateway's own inbox with
nothing behind it: the most that the core could get. The password comes on standard input. Each says `ready`,
acknowledges COUNT messages, and prints one JSON object.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from gateway.app.bench.brokers import CORE_USER
from gateway.inbox.bare import receive_bare
from gateway.inbox.messages import MqttSettings
from gateway.inbox.mqtt import MqttInbox

FILTER = "gatehouse/v1/+/+/events"
Which = Literal["paho", "inbox"]


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver saw: how many, the first one's own time stamp, and when the last was there (Unix seconds)."""

    count: int
    first_time: str
    last_at: float
    cpu_s: float


class _First(msgspec.Struct):
    """The part of a native event that tells when it was published."""

    time: str


def receive(which: Which, port: int, password: str, count: int, within: float) -> Received:
    """Takes and acknowledges `count` messages, or what came `within` seconds."""
    settings = MqttSettings(
        url=f"mqtt://127.0.0.1:{port}", client_id="bench-receiver", username=CORE_USER, password=password
    )
    spent = time.process_time()
    seen, first = (
        receive_bare(settings, FILTER, count, within, _ready) if which == "paho" else _inbox(settings, count, within)
    )
    last_at, spent = time.time(), time.process_time() - spent
    time_of_first = msgspec.json.decode(first, type=_First).time if first else ""
    return Received(count=seen, first_time=time_of_first, last_at=last_at, cpu_s=spent)


def _inbox(settings: MqttSettings, count: int, within: float) -> tuple[int, bytes]:
    inbox = MqttInbox(settings)
    inbox.subscribe([FILTER])
    inbox.start()
    try:
        deadline = time.monotonic() + within
        while not inbox.confirmed() and time.monotonic() < deadline:
            time.sleep(0.01)
        _ready()
        seen, first = 0, b""
        while seen < count and time.monotonic() < deadline:
            messages = inbox.take(1000, 0.2)
            if messages and not first:
                first = messages[0].payload
            seen += sum(not message.dup for message in messages)
            inbox.acknowledge(messages)
        return seen, first
    finally:
        inbox.stop()


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """The process. 0 when all came, 1 when not."""
    which: Which = "paho" if arguments[0] == "paho" else "inbox"
    port, count, within = int(arguments[1]), int(arguments[2]), float(arguments[3])
    received = receive(which, port, sys.stdin.readline().strip(), count, within)
    sys.stdout.write(msgspec.json.encode(received).decode() + "\n")
    if received.count < count:
        sys.stderr.write(f"only {received.count} of {count} messages came within {within:.0f} s\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
