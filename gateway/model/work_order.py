"""Work orders 工单: who has to mend what by when, and what residents asked for."""

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


class OrderKind(StrEnum):
    """What an order is about. A `complaint` 投诉 is founded or not; a `request` asks for something."""

    REPAIR = "repair"
    REQUEST = "request"
    COMPLAINT = "complaint"
    MAINTENANCE = "maintenance"
    INSPECTION = "inspection"


class LogEntry(msgspec.Struct, frozen=True):
    """One line of an order's log: who did what, when, and what they wrote."""

    by: str
    entry_at: float
    action: str
    text: str = ""


class Requester(msgspec.Struct, frozen=True, kw_only=True):
    """The resident who asked. All of it is personal data. `channel` is how they asked: web, phone, desk, messaging."""

    name: str = ""
    phone: str = ""
    address: str = ""
    channel: str = "web"
    language: str = "zh"


class Deferral(msgspec.Struct, frozen=True, kw_only=True):
    """The one deferral 延期 an order may have: a dispute, or a part on order."""

    by: str
    reason: str
    text: str
    deferred_at: float
    from_by: float | None
    until_by: float


class OrderPause(msgspec.Struct, frozen=True, kw_only=True):
    """The clock stands still. `left_s` is the working time in seconds that was left to resolve; None for no promise."""

    by: str
    reason: str
    text: str
    paused_at: float
    left_s: float | None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Material that was used. `price_cents` is the price of one, in hundredths of the site's currency."""

    name: str
    quantity: float = 1.0
    price_cents: int = 0


class OrderFile(msgspec.Struct, frozen=True, kw_only=True):
    """A photo or document: `sha256` names its bytes in the home's `files/`, `size` counts them."""

    sha256: str
    name: str
    type: str
    size: int
    added_at: float
    added_by: str


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What the resident or the desk thought of the work: 1 (bad) to 5 (good)."""

    score: int
    text: str
    rated_at: float
    rated_by: str


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """The return visit 回访, or call, after the work."""

    satisfied: bool
    text: str
    visited_at: float
    visited_by: str


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What an outside maintenance system knows of the order.

    `wanted` counts what it should be told, `sent` what it has taken; `events` are its own newest messages, by id.
    """

    id: str = ""
    state: str = ""
    wanted: int = 0
    sent: int = 0
    attempts: int = 0
    problem: str = ""
    events: tuple[str, ...] = ()


class WorkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order. `number` is for people (`WO-20261122-0001`). `respond_by` and `resolve_by` are its promises.

    Promises are `…_within` seconds of working time. `needs_proof` marks an order that closes only when its alert has
    cleared. A closed order is reopened when its fault returns before `reopen_due`. `owner` took the request and tells
    the resident; `answer_by` is until when. `outcome` is `done` or `cancelled` once it is closed; `closing` numbers the
    closings of its site, of which at least 30 % get `visit_wanted`. `tracking` is what a resident looks the state up
    by. `part_of` is the order for the cause of this one's fault.
    """

    id: str
    number: str
    site: str
    title: dict[str, str]
    state: OrderState = OrderState.OPEN
    kind: OrderKind = OrderKind.REPAIR
    source: str = "rule"
    team: str = ""
    skill: str = ""
    assignee: str | None = None
    owner: str | None = None
    priority: str = "medium"
    device: str | None = None
    zone: str | None = None
    alert: str | None = None
    rule: str | None = None
    scope: str | None = None
    schedule: str | None = None
    part_of: str | None = None
    external: str | None = None
    needs_proof: bool = False
    opened_at: float = 0.0
    opened_by: str = ""
    respond_within: float | None = None
    answer_within: float | None = None
    resolve_within: float | None = None
    respond_by: float | None = None
    respond_due: float | None = None
    answer_by: float | None = None
    answer_due: float | None = None
    resolve_by: float | None = None
    resolve_due: float | None = None
    taken_at: float | None = None
    responded_at: float | None = None
    answered_at: float | None = None
    arrived_at: float | None = None
    resolved_at: float | None = None
    verified_at: float | None = None
    closed_at: float | None = None
    respond_overdue: bool = False
    answer_overdue: bool = False
    resolve_overdue: bool = False
    reopened: int = 0
    outcome: str = ""
    founded: bool | None = None
    deferral: Deferral | None = None
    pause: OrderPause | None = None
    parts: tuple[Part, ...] = ()
    labour_minutes: int = 0
    cost_cents: int = 0
    files: tuple[OrderFile, ...] = ()
    requester: Requester | None = None
    text: str = ""
    tracking: str | None = None
    rating: Rating | None = None
    closing: int = 0
    visit_wanted: bool = False
    visit: Visit | None = None
    outside: Outside | None = None
    log: tuple[LogEntry, ...] = ()
    version: int = 1
    reopen_due: float | None = None
