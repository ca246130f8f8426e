"""What schedules there are: definitions, and the calendar arithmetic of their times.

This is the one room that imports APScheduler, and only its cron triggers: a trigger computes, it never waits. The
core's own loop does the waiting: a step of the wall clock, which starves APScheduler's loop, starves nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from apscheduler.triggers.cron import CronTrigger

from gateway.errors import NotFound
from gateway.services.working_time import zone_of

#: What a schedule may do by itself; other rooms add theirs (`report`, `roster`) as hooks.
MAINTENANCE, PATROL, INSPECTION, DRILL = "maintenance", "patrol", "inspection", "drill"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A point of a round: to be visited from `start` to `end` seconds after the round began."""

    id: str
    title: dict[str, str]
    start: float
    end: float
    device: str | None = None


class Counting(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted: how often `field` of `kind` became `value`, or for how long it was; due every `every`.

    `every` is a number of times, or, with `running`, seconds.
    """

    kind: str
    field: str
    value: Any
    every: float
    running: bool = False


class ScheduleDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule of a file."""

    id: str
    site: str
    title: dict[str, str]
    does: str
    at: str = ""
    counts: Counting | None = None
    devices: tuple[str, ...] = ()
    zone: str | None = None
    team: str = ""
    skill: str = ""
    text: str = ""
    priority: str = "low"
    resolve_within: float | None = None
    plan: str = ""
    ordered: bool = False
    points: tuple[Point, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Changes when its times do: then they are reckoned anew."""
        return sha256(msgspec.json.encode([self.at, self.counts, self.site])).hexdigest()[:16]


class ScheduleBook:
    """All schedules by id."""

    def __init__(self, schedules: Iterable[ScheduleDefinition] = ()) -> None:
        self._by_id: Mapping[str, ScheduleDefinition] = {one.id: one for one in schedules}

    def __iter__(self) -> Iterator[ScheduleDefinition]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, ident: object) -> bool:
        return ident in self._by_id

    def get(self, ident: str) -> ScheduleDefinition:
        """The schedule. Raises `NotFound`."""
        known = self._by_id.get(ident)
        if known is None:
            raise NotFound("schedule", ident)
        return known


def trigger_of(at: str) -> CronTrigger:
    """The five words of cron (minute, hour, day, month, weekday). Raises `ValueError`."""
    return CronTrigger.from_crontab(at, timezone=UTC)


def next_time(at: str, after: float, timezone: str) -> float | None:
    """The first time of `at` past `after`, in the site's local time; None where there is none any more.

    Reckoned on the digits of the local clock, then found in the zone: a time that the spring night leaves out comes
    that much later, and one that the autumn night has twice comes once, the first time.
    """
    zone = zone_of(timezone)
    trigger = trigger_of(at)
    digits = datetime.fromtimestamp(after, zone).replace(tzinfo=UTC)
    # Enough to get over the hour that comes twice, where several digits lead to the same past instant.
    for _ in range(200):
        digits = digits + timedelta(microseconds=1)
        found = trigger.get_next_fire_time(None, digits)
        if found is None:
            return None
        instant = float(found.replace(tzinfo=zone).timestamp())
        if instant > after:
            return instant
        digits = found
    return None


def times_between(at: str, after: float, until: float, timezone: str, most: int = 1000) -> list[float]:
    """The times of `at` past `after` up to `until`, `most` at most."""
    found: list[float] = []
    while len(found) < most and (following := next_time(at, found[-1] if found else after, timezone)) is not None:
        if following > until:
            break
        found.append(following)
    return found
