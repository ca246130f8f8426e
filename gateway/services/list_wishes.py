"""What a device's own list shall hold of a value. Pure: passes, place and time in, the entry out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from gateway.model import Pass

#: How lists say "from ever" and "for ever".
_FIRST, _LAST = "2000-01-01 00:00:00", "2099-12-31 23:59:59"
_encode = msgspec.json.Encoder(order="sorted").encode


def wish(value: str, passes: Iterable[Pass], places: tuple[str, ...], wall: float, zone: str) -> str:
    """The arguments of the command that puts the value on the list, as JSON; "" where it shall not be there.

    Only what a list can hold without the core is on it: a pass with weekly hours, a number of entries, anti-passback or
    shared spaces is decided by the core each time, so its device asks. A blocked value is on it as such.
    """
    here = [one for one in passes if _counts(one, places, wall)]
    blocked = [one for one in here if one.blocked]
    plain = blocked or [one for one in here if not _needs_core(one)]
    if not plain:
        return ""
    begins = None if any(one.from_at is None for one in plain) else min(one.from_at or 0.0 for one in plain)
    ends = None if any(one.until_at is None for one in plain) else max(one.until_at or 0.0 for one in plain)
    first = min(plain, key=lambda one: one.id)
    args: dict[str, Any] = {
        "value": value,
        "name": first.name or first.id,
        "from": _local(begins, zone, _FIRST),
        "until": _local(ends, zone, _LAST),
        "blocked": int(bool(blocked)),
        "bounded": int(begins is not None or ends is not None),
    }
    if first.picture and not blocked:
        args["picture"] = first.picture
    return _encode(args).decode()


def listed(one: Pass) -> tuple[object, ...]:
    """All of a pass that lists depend on: what else changes, as where it is, concerns no list."""
    return (
        one.kind, one.value, one.name, one.zones, one.from_at, one.until_at, one.blocked, one.days, one.hours,
        one.household, one.anti_passback, one.entries, one.picture,
    )  # fmt: skip


def _counts(one: Pass, places: tuple[str, ...], wall: float) -> bool:
    begun = one.from_at is None or wall >= one.from_at
    over = one.until_at is not None and wall >= one.until_at
    return begun and not over and (not one.zones or any(zone in places for zone in one.zones))


def _needs_core(one: Pass) -> bool:
    return bool(one.days or one.hours or one.household or one.anti_passback or one.entries is not None)


def _local(wall: float | None, zone: str, default: str) -> str:
    return default if wall is None else datetime.fromtimestamp(wall, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
