"""The load: `python -m simulators.load`, which speaks the native format and knows nothing of the gateway."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gateway.app.bench.brokers import LOAD_USER
from gateway.app.bench.processes import finish, program


class LoadFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the load says of itself. `messages_per_s` is what the broker took."""

    published: int
    pubacked: int
    seconds: float
    messages_per_s: float


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """An alarming message: its device and when it was published (Unix seconds)."""

    id: str
    device: str
    sent: float


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """A slow load with alarms in it: `rate` messages a second, every `every`-th alarming, noted in `marks`."""

    rate: float
    every: int
    marks: Path


@contextmanager
def sending(
    port: int, password: str, messages: int, devices: int, alarms: Alarms | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The load as a process that has just been started."""
    options = ["--url", f"mqtt://127.0.0.1:{port}", "--username", LOAD_USER, "--password", password]
    options += ["--messages", str(messages), "--devices", str(devices), "--run", secrets.token_hex(5)]
    if alarms is not None:
        options += ["--rate", str(alarms.rate), "--alarm-every", str(alarms.every), "--marks", str(alarms.marks)]
    with program("simulators.load", *options) as process:
        yield process


def sent(process: subprocess.Popen[str], within: float) -> LoadFigures:
    """The load's figures, once all is acknowledged by the broker. Raises `Unavailable` where it failed."""
    return msgspec.json.decode(finish(process, "the load", within), type=LoadFigures)


def marks(alarms: Alarms) -> list[Mark]:
    """What the load has noted."""
    decoder = msgspec.json.Decoder(Mark)
    return decoder.decode_lines(alarms.marks.read_bytes())
