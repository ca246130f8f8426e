"""What devices say, once decoded: the `Event`, and the fate every message gets."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Fate(StrEnum):
    """What became of a message. Every received message gets exactly one."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    LATE = "late"
    UNKNOWN_DEVICE = "unknown_device"
    UNDECODABLE = "undecodable"
    IGNORED = "ignored"
    OVERSIZED = "oversized"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing a device said, identified and placed.

    `time` is what the device claims (Unix seconds; the time of receipt where it claims nothing), `received` what
    the gateway's wall clock said, and `at` the same instant on the gateway's steady clock, which never steps back
    and goes on over restarts: rules, holds and deadlines run on `at` alone.
    """

    device: str
    kind: str
    time: float
    received: float
    at: float
    data: dict[str, Any]
    key: bytes = b""
    id: str = ""
    site: str = ""
    replay: bool = False
    late: bool = False
    seq: int = 0
    """Position in the journal: strictly increasing over all events of the gateway, 0 where not yet placed."""
