"""The little of a record that the figures read: decoded out of its body in a fraction of the whole one's time.

None of them can be part of a circle, so that the garbage collector need not look at tens of thousands of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from gateway.model.work_order import Visit


class EvidenceFact(msgspec.Struct, frozen=True, gc=False):
    """When the first event of an alert was received."""

    received: float = 0.0


class AlertFact(msgspec.Struct, frozen=True, gc=False):
    """An alert. Times are Unix seconds."""

    id: str
    site: str
    rule: str
    severity: str
    state: str
    raised_at: float
    device: str | None = None
    zone: str | None = None
    building: str | None = None
    acknowledged_at: float | None = None
    returned_at: float | None = None
    closed_at: float | None = None
    active: bool = True
    chattered: bool = False
    parent: str | None = None
    shelving: dict[str, Any] | None = None
    evidence: tuple[EvidenceFact, ...] = ()

    @property
    def system(self) -> str:
        """What it is about: `fire` of `fire.alarm`."""
        return self.rule.partition(".")[0]

    def ended_at(self, now: float) -> float:
        """When its condition was over; `now` where it still stands."""
        if self.active:
            return now
        return self.returned_at or self.closed_at or self.raised_at


class OrderFact(msgspec.Struct, frozen=True, gc=False):
    """A work order. Times are Unix seconds."""

    id: str
    number: str
    site: str
    state: str
    kind: str
    opened_at: float
    rule: str | None = None
    zone: str | None = None
    device: str | None = None
    schedule: str | None = None
    outcome: str = ""
    founded: bool | None = None
    deferral: dict[str, Any] | None = None
    respond_by: float | None = None
    answer_by: float | None = None
    resolve_by: float | None = None
    responded_at: float | None = None
    answered_at: float | None = None
    arrived_at: float | None = None
    resolved_at: float | None = None
    closed_at: float | None = None
    reopened: int = 0
    visit: Visit | None = None


class DeviceFact(NamedTuple):
    """A device in service."""

    id: str
    site: str
    type: str
    zone: str | None
    building: str | None
    named: bool
    created_at: float


class Passage(NamedTuple):
    """Who was let through: by a pass, or without."""

    id: int
    site: str
    kind: str
    direction: str
    pass_id: str | None
    time: float
    device: str

    @property
    def system(self) -> str:
        """Plates pass barriers, people doors."""
        return "parking" if self.kind == "plate" else "access"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the figures of periods up to `until` read, of the sites that may be seen."""

    alerts: list[AlertFact]
    orders: list[OrderFact]
    devices: list[DeviceFact]
    passages: list[Passage]
    roster_gaps: dict[str, int]
    """Minutes of its cycle in which nobody is on duty, by roster."""
    households: int
    oldest_log: float | None
