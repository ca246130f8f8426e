"""Trying an adapter on one message, without a gateway: what would come of it, or why nothing would."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.contract import Adapter, Decoded, Reading
from gateway.errors import Ignored, Undecodable
from gateway.model.place import Device


class TrialContext(msgspec.Struct, kw_only=True):
    """A context in which every serial is registered, in `zone` and with `settings`."""

    zone: str = "Asia/Shanghai"
    received: float = 0.0
    retain: bool = False
    settings: dict[str, Any] = {}
    state: dict[str, Any] = {}

    def device(self, external_id: str) -> Device | None:
        """A device with that serial."""
        return Device(
            id=external_id, site="trial", adapter="trial", external_id=external_id, settings=dict(self.settings)
        )

    def timezone(self, external_id: str) -> str:
        """The zone of the trial."""
        return self.zone

    def shadow(self, external_id: str) -> Mapping[str, Any]:
        """What the device is assumed to have said before."""
        return self.state


def try_message(
    adapter: Adapter,
    topic: str,
    payload: bytes,
    timezone: str = "Asia/Shanghai",
    settings: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What `adapter` reads from one message, as plain JSON values.

    `outcome` is `decoded`, `ignored` or `undecodable`; the latter two come with a `reason`, the last with `where`.
    """
    try:
        decoded = adapter.decode(topic, payload, TrialContext(zone=timezone, settings=settings or {}))
    except Undecodable as error:
        return {"outcome": "undecodable", "where": error.where, "reason": error.reason}
    except Ignored as error:
        return {"outcome": "ignored", "reason": error.message}
    return shown(decoded)


def shown(decoded: Decoded) -> dict[str, Any]:
    """A decoded message as plain JSON values, without what is empty."""
    result: dict[str, Any] = {"outcome": "decoded", "device": decoded.device}
    result["events"] = [_event(reading) for reading in decoded.events]
    if decoded.availability is not None:
        result["availability"] = "online" if decoded.availability else "offline"
    if decoded.results:
        result["results"] = msgspec.to_builtins(decoded.results)
    if decoded.question is not None:
        result["question"] = msgspec.to_builtins(decoded.question)
    if decoded.replies:
        result["replies"] = [
            {"topic": reply.topic, "payload": reply.payload.decode("utf-8", "backslashreplace")}
            for reply in decoded.replies
        ]
    if decoded.shadow is not None:
        result["shadow"] = decoded.shadow
    return result


def _event(reading: Reading) -> dict[str, Any]:
    event: dict[str, Any] = {"kind": reading.kind, "data": reading.data}
    if reading.time is not None:
        event["time"] = _moment(reading.time)
    for name in ("id", "replay", "sequence", "boot", "device"):
        value = getattr(reading, name)
        if value not in ("", False, None):
            event[name] = value
    return event


def _moment(seconds: float) -> str | float:
    """RFC 3339 in UTC; the bare number where a device's clock is off the calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return seconds
