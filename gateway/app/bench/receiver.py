"""The bare receiver: the inbox of the gateway and nothing behind it. What it gets is the most the core could get.

Run as a process: `python -m gateway.app.bench.receiver PORT COUNT SECONDS`, with the password on standard input. It says
`ready`, acknowledges COUNT messages, and prints one JSON object.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import msgspec

from gateway.app.bench.brokers import CORE_USER
from gateway.inbox.messages import MqttSettings
from gateway.inbox.mqtt import MqttInbox

FILTER = "gatehouse/v1/+/+/events"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver saw: how many, since when the first was on its way and when the last was there (Unix seconds)."""

    count: int
    first_time: str
    last_at: float
    cpu_s: float


class _First(msgspec.Struct):
    """The part of a native event that tells when it was published."""

    time: str


def receive(port: int, password: str, count: int, within: float) -> Received:
    """Takes and acknowledges `count` messages, or what came `within` seconds."""
    settings = MqttSettings(
        url=f"mqtt://127.0.0.1:{port}", client_id="bench-receiver", username=CORE_USER, password=password
    )
    inbox = MqttInbox(settings)
    inbox.subscribe([FILTER])
    inbox.start()
    try:
        deadline = time.monotonic() + within
        while not inbox.confirmed() and time.monotonic() < deadline:
            time.sleep(0.01)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        seen, first = 0, ""
        spent = time.process_time()
        while seen < count and time.monotonic() < deadline:
            messages = inbox.take(1000, 0.2)
            if messages and not first:
                first = msgspec.json.decode(messages[0].payload, type=_First).time
                spent = time.process_time()
            seen += sum(not message.dup for message in messages)
            inbox.acknowledge(messages)
        return Received(count=seen, first_time=first, last_at=time.time(), cpu_s=time.process_time() - spent)
    finally:
        inbox.stop()


def main(arguments: Sequence[str]) -> int:
    """The process. 0 when all came, 1 when not."""
    port, count, within = int(arguments[0]), int(arguments[1]), float(arguments[2])
    received = receive(port, sys.stdin.readline().strip(), count, within)
    sys.stdout.write(msgspec.json.encode(received).decode() + "\n")
    if received.count < count:
        sys.stderr.write(f"only {received.count} of {count} messages came within {within:.0f} s\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
