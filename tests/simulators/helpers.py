"""Shared by the tests of the simulators: moments on both clocks, and playing a device for a while."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from simulators.device import Device
from simulators.wire import Identity, Message, Now

START = 1_800_000_000.0


def at(seconds: float, *, hour: float = 12.0, speed: float = 60.0) -> Now:
    """`seconds` of real time after the start of a test whose simulated day began at `hour`."""
    return Now(START + seconds, hour * 3600.0 + seconds * speed, speed)


def identity(device: str = "d1", adapter: str = "cloudevents", serial: str | None = None, **extra: Any) -> Identity:
    """An identity good enough for a model of its own."""
    values: dict[str, Any] = {"type": "device", "name": {"en": device, "zh": device}, **extra}
    return Identity(id=device, site="s1", adapter=adapter, external_id=serial or device, **values)


def play(
    device: Device, start: float, seconds: float, *, hour: float = 12.0, speed: float = 60.0, step: float = 0.1
) -> list[Message]:
    """Steps the device from `start` on whenever it is due, and collects what it says."""
    said: list[Message] = []
    for index in range(round(seconds / step)):
        now = at(start + (index + 1) * step, hour=hour, speed=speed)
        if now.wall >= device.due:
            said += device.step(now)
    return said


def body(message: Message) -> dict[str, Any]:
    """The JSON of a message."""
    decoded = json.loads(message.payload)
    assert isinstance(decoded, dict)
    return decoded


def events(messages: list[Message], kind: str, where: Callable[[dict[str, Any]], bool] = bool) -> list[dict[str, Any]]:
    """The data of all CloudEvents of that kind for which `where` holds."""
    found = [body(message) for message in messages if message.topic.endswith("/events")]
    return [event["data"] for event in found if event["type"] == kind and where(event["data"])]


def command(word: str, identifier: str = "c1", expires: object = None, **args: object) -> bytes:
    """A native command."""
    return json.dumps({"id": identifier, "command": word, "args": args, "expires": expires}).encode()
