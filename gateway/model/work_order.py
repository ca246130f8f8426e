"""Work orders 工单: who has to mend what by when."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class OrderState(StrEnum):
    """The life of an order. `closed` orders are reopened under the same number when the fault returns."""

    OPEN = "open"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    VERIFIED = "verified"
    CLOSED = "closed"


class LogEntry(msgspec.Struct, frozen=True):
    """One line of an order's log: who did what, when, and what they wrote."""

    by: str
    entry_at: float
    action: str
    text: str = ""


class WorkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order. `number` is for people (`WO-20261122-0001`). `respond_by` and `resolve_by` are its promises.

    `needs_proof` marks an order that closes only when its alert has cleared. A closed order is reopened when its fault
    returns before `reopen_due`.
    """

    id: str
    number: str
    site: str
    title: dict[str, str]
    state: OrderState = OrderState.OPEN
    source: str = "rule"
    team: str = ""
    assignee: str | None = None
    priority: str = "medium"
    device: str | None = None
    zone: str | None = None
    alert: str | None = None
    rule: str | None = None
    scope: str | None = None
    needs_proof: bool = False
    opened_at: float = 0.0
    opened_by: str = ""
    respond_by: float | None = None
    respond_due: float | None = None
    resolve_by: float | None = None
    resolve_due: float | None = None
    responded_at: float | None = None
    resolved_at: float | None = None
    closed_at: float | None = None
    respond_overdue: bool = False
    resolve_overdue: bool = False
    reopened: int = 0
    log: tuple[LogEntry, ...] = ()
    version: int = 1
    reopen_due: float | None = None
