"""The engine's memory as bytes: JSON, so that it can be read; exact, so that a restored engine goes on unchanged."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.conditions import Track

VERSION = 1


class RuleMemory(msgspec.Struct):
    """One rule's tracks, and the fingerprint of the condition they belong to."""

    fingerprint: str
    tracks: dict[str, Track]


class Snapshot(msgspec.Struct):
    """All an engine remembers. `pasts` is by device, kind and field: the last value and since when."""

    version: int
    now: float | None
    rules: dict[str, RuleMemory]
    pasts: dict[str, dict[str, dict[str, tuple[Any, float]]]]
    heard: dict[str, float]


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
