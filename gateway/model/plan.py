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


class StepEscalation(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of an overdue step, `after` so many seconds past its deadline."""

    to: str
    after: float


class StepRun(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a running plan. `commands` are the ids of the commands an automatic step sent.

    `left_out` are the devices it was meant for whose wire format has no such command. `answers` are what may be
    answered to the step's question, in both languages, and `answer` what was. `only_if` names the answers or states of
    earlier steps under which it is needed; one that is not is `skipped` and `not_needed`. `took` is how long it was
    under way, in seconds of the steady clock, `in_time` whether it was done within its time; None where it has none.
    `escalated` are the roles that were told that it is overdue.
    """

    id: str
    title: dict[str, str]
    automatic: bool = False
    role: str = ""
    state: StepState = StepState.WAITING
    after: tuple[str, ...] = ()
    within: float | None = None
    started_at: float | None = None
    started_due: float | None = None
    finished_at: float | None = None
    done_by: str | None = None
    note: str = ""
    complete_by: float | None = None
    complete_due: float | None = None
    commands: tuple[str, ...] = ()
    advice: dict[str, str] = {}
    command: dict[str, Any] = {}
    left_out: tuple[str, ...] = ()
    answers: dict[str, dict[str, str]] = {}
    answer: str = ""
    only_if: dict[str, list[str]] = {}
    not_needed: bool = False
    escalate: tuple[StepEscalation, ...] = ()
    escalated: tuple[str, ...] = ()
    took: float | None = None
    in_time: bool | None = None


class PlanRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a plan, real or drill.

    `state` is `running`, `finished` or `stopped`; a start that needs a second person is `proposed` until then, and
    `lapsed` if nobody comes. `place` is what it runs for, the id of a device, building, zone or site: one run at a time
    for each. `input_age` is how old the judgement was that started it, in seconds. `score` is the share of manual steps
    done in time, in percent, once it is over; None where nothing was to be done, or a real alert ended the drill.
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
    started_due: float = 0.0
    started_by: str = ""
    finished_at: float | None = None
    steps: tuple[StepRun, ...] = ()
    log: tuple[LogEntry, ...] = ()
    version: int = 1
    place: str = ""
    advice: dict[str, str] = {}
    scenario: dict[str, str] = {}
    watch: dict[str, str] = {}
    second_by: str | None = None
    expires: float | None = None
    expires_due: float | None = None
    input_age: float = 0.0
    took: float | None = None
    score: float | None = None
    preempted_by: str | None = None
