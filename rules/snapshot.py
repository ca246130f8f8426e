"""The engine's memory as bytes: JSON, so that it can be read; exact, so that a restored engine goes on unchanged."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.conditions import Track

VERSION = 2


class RuleMemory(msgspec.Struct):
    """One rule's tracks, and the fingerprint of the condition they belong to."""

    fingerprint: str
    tracks: dict[str, Track]
    places: dict[str, Track] = {}


class Snapshot(msgspec.Struct):
    """All an engine remembers.

    `pasts` is by device, kind and field: the last value and since when. `lag` is the wall clock's lead over the steady
    clock, None before the first event; `schedules` by rule and time zone whether it is inside.
    """

    version: int
    now: float | None
    rules: dict[str, RuleMemory]
    pasts: dict[str, dict[str, dict[str, tuple[Any, float]]]]
    heard: dict[str, float]
    lag: float | None = None
    schedules: dict[str, dict[str, bool]] = {}


_decoder = msgspec.json.Decoder(Snapshot)


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON."""
    return msgspec.json.encode(snapshot)


def decode(data: bytes) -> Snapshot:
    """The snapshot. Raises `msgspec.ValidationError` for anything else, or another version."""
    snapshot = _decoder.decode(data)
    if snapshot.version != VERSION:
        raise msgspec.ValidationError(f"snapshot of version {snapshot.version}; this engine reads {VERSION}")
    return snapshot
