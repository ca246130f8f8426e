"""Emergency plans 应急预案 as they run: steps, who did them, and when."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from gateway.model.work_order import LogEntry


class StepState(StrEnum):
    """Where a step stands. A failed or overdue step stands out and never stops the rest."""

    WAITING = "waiting"
    ACTIVE = "active"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    OVERDUE = "overdue"


class StepRun(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a running plan. `commands` are the ids of the commands an automatic step sent.

    `left_out` are the devices it was meant for whose wire format has no such command.
    """

    id: str
    title: dict[str, str]
    automatic: bool = False
    role: str = ""
    state: StepState = StepState.WAITING
    after: tuple[str, ...] = ()
    within: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    done_by: str | None = None
    note: str = ""
    complete_by: float | None = None
    complete_due: float | None = None
    commands: tuple[str, ...] = ()
    advice: dict[str, str] = {}
    command: dict[str, Any] = {}
    left_out: tuple[str, ...] = ()


class PlanRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a plan, real or drill. `state` is `running`, `finished` or `stopped`.

    `place` is what it runs for, the id of a device, building, zone or site: one run at a time for each.
    """

    id: str
    plan: str
    site: str
    title: dict[str, str]
    state: str = "running"
    drill: bool = False
    alert: str | None = None
    device: str | None = None
    zone: str | None = None
    started_at: float = 0.0
    started_by: str = ""
    finished_at: float | None = None
    steps: tuple[StepRun, ...] = ()
    log: tuple[LogEntry, ...] = ()
    version: int = 1
    place: str = ""
