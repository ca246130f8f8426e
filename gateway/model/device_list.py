"""The lists of passes that devices hold themselves: cameras that open for known plates, terminals that know faces."""

from __future__ import annotations

import msgspec


class ListEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One value on one device's list, as long as it is there or shall be. `value` is personal data.

    `wanted` is what the device shall hold of it, "" for nothing; `held` what it has acknowledged, "?" where it may hold
    something. `state` is `pending`, `sent`, `held` or `failed`, with `reason`.
    """

    id: str
    site: str
    device: str
    value: str
    wanted: str = ""
    held: str = ""
    state: str = "pending"
    attempts: int = 0
    reason: str = ""
    version: int = 1


class DeviceList(msgspec.Struct, frozen=True, kw_only=True):
    """How one device's list stands. `state` is `in_sync`, `pending` or `failed`.

    `serial` is the device it was sent to: another device under the same id gets all of it again.
    """

    id: str
    site: str
    kind: str
    serial: str
    state: str = "pending"
    entries: int = 0
    pending: int = 0
    failed: int = 0
    reason: str = ""
    changed_at: float = 0.0
    version: int = 1
