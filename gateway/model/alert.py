"""Alerts, after ISA-18.2 / IEC 62682: what needs a person, why, and where it stands."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from gateway.model.escalation import Escalation


class Severity(StrEnum):
    """How urgent. The order of the members is the order of urgency."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return list(Severity).index(self)


class AlertState(StrEnum):
    """Two facts, active and acknowledged, make four states. `closed` is back to normal and acknowledged."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    CLOSED = "closed"


class Evidence(msgspec.Struct, frozen=True):
    """One event that made an alert: enough to read it without looking anything up."""

    seq: int
    device: str
    kind: str
    received: float
    data: dict[str, Any]


class Comment(msgspec.Struct, frozen=True):
    """What a person wrote about an alert."""

    by: str
    written_at: float
    text: str


class Shelving(msgspec.Struct, frozen=True, kw_only=True):
    """An alert put aside for a time. `kind` is `shelved` (by a person), `suppressed` or `out_of_service`.

    `second` is who agreed, where a second person must. `outage` is the window that takes it out of service.
    """

    by: str
    reason: str
    from_at: float
    until_at: float
    until_due: float
    kind: str = "shelved"
    second: str | None = None
    outage: str | None = None


class ShelvingAsk(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to shelve a critical alert: it waits for a second person until `until_at`."""

    by: str
    reason: str
    minutes: float
    until_at: float
    until_due: float


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A symptom: what an alert explains, so that it does not stand on its own. `alert` is the cause at the top.

    `nearest` are rule and scope of what explains it at first hand. `folded` is its own alert, where it had one before
    its cause came. `ended_at` is when it was over, or came out from under the cause; None as long as it stands.
    """

    id: str
    alert: str
    site: str
    rule: str
    scope: str
    severity: Severity
    title: dict[str, str]
    nearest: tuple[str, str]
    device: str | None = None
    came_at: float = 0.0
    ended_at: float | None = None
    count: int = 1
    momentary: bool = False
    folded: str | None = None
    values: dict[str, Any] = {}


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. At most one is open per rule and scope; `count` says how often its condition came.

    `title` and `advice` hold both languages, made from the rule's templates at the time it was raised.
    `momentary` marks the alert of an occurrence, which has no end of its own: acknowledging closes it.
    `acknowledged` and not `active` is an alert that waits for its reset (`latched`) or for its chattering to end.
    `recent_due` are the steady instants of its last activations, by which chattering is told; `state_version` is the
    version of its last change that a person must have seen before acting, which a mere repeat is not.
    `parent` is the alert that explains this one: as long as it is set, this one is folded under it and rings nobody.
    `children` counts what this one explains; `symptoms` are the first few of them.
    `owner` is who took it or was given it; that is no acknowledgement.
    `never_shelved` marks what lives depend on: it is not put aside, by however many persons.
    `outage` is the window that takes its device out of service, where it stays in sight all the same.
    `first_out` is the alert that came first of those of its zone and system, itself where it was that one; None where
    it came alone. `stale` marks a condition that has stood for a day, `standing_due` is the steady instant since when.
    """

    id: str
    site: str
    rule: str
    scope: str
    severity: Severity
    state: AlertState
    title: dict[str, str]
    reason: dict[str, str] = {}
    advice: dict[str, str] = {}
    consequence: dict[str, str] = {}
    device: str | None = None
    zone: str | None = None
    building: str | None = None
    raised_at: float = 0.0
    last_at: float = 0.0
    returned_at: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str | None = None
    closed_at: float | None = None
    closed_by: str | None = None
    active: bool = True
    latched: bool = False
    never_shelved: bool = False
    momentary: bool = False
    count: int = 1
    chattering: bool = False
    chattered: bool = False
    values: dict[str, Any] = {}
    evidence: tuple[Evidence, ...] = ()
    comments: tuple[Comment, ...] = ()
    shelving: Shelving | None = None
    shelving_asked: ShelvingAsk | None = None
    work_order: str | None = None
    plan_run: str | None = None
    parent: str | None = None
    children: int = 0
    symptoms: tuple[Child, ...] = ()
    came_due: float = 0.0
    version: int = 1
    recent_due: tuple[float, ...] = ()
    state_version: int = 1
    owner: str | None = None
    owner_at: float | None = None
    outage: str | None = None
    first_out: str | None = None
    stale: bool = False
    standing_due: float | None = None
    escalation: Escalation | None = None
