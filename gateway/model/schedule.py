"""Schedules 计划: where each one stands, and the rounds 巡更 that are walked. What they are is in the home's files."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What a device has done since its last maintenance: `total` cycles, or seconds of running.

    `on` is whether it was doing it when last heard, since `since_at` on the steady clock.
    """

    total: float = 0.0
    on: bool = False
    since_due: float = 0.0


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Where a schedule stands. `next_at` is its next time, None for one that counts.

    `last_at` is the time it last ran for. `ran` counts its runs, `missed` the times that passed while nobody could run
    them and were made good by a later run. `paused` tells why it does not run. `counted` is the newest event that was
    counted, `counts` what came of it, by device.
    """

    id: str
    site: str
    next_at: float | None = None
    last_at: float | None = None
    ran: int = 0
    missed: int = 0
    paused: str = ""
    problem: str = ""
    result: str = ""
    fingerprint: str = ""
    counted: int = 0
    counts: dict[str, Count] = {}
    version: int = 1


class PointState(StrEnum):
    """A point of a round. `late` was visited after its window."""

    WAITING = "waiting"
    DONE = "done"
    LATE = "late"
    MISSED = "missed"


class RoundPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a round: from when until when it is to be visited, and whether it was."""

    id: str
    title: dict[str, str]
    device: str | None = None
    from_at: float
    until_at: float
    from_due: float
    until_due: float
    state: PointState = PointState.WAITING
    visited_at: float | None = None
    visited_by: str = ""
    in_order: bool = True
    result: str = ""
    text: str = ""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """A patrol or inspection round that was begun by its schedule.

    `state` is `running`; `overdue` where points were missed, which may be made good until the next round begins; then
    `missed`; or `finished`.
    """

    id: str
    schedule: str
    site: str
    title: dict[str, str]
    kind: str = "patrol"
    state: str = "running"
    ordered: bool = False
    started_at: float = 0.0
    finished_at: float | None = None
    points: tuple[RoundPoint, ...] = ()
    version: int = 1
