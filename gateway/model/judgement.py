"""What the rules engine says: a condition became true, came again, or ended."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.model.alert import Evidence


class Raised(msgspec.Struct, frozen=True, kw_only=True, tag="raised"):
    """A rule's condition holds for `scope`. `again` where it already held, so that a count goes up.

    `device` is the device that completed the condition, `values` the fields its expressions read.
    `momentary` marks an occurrence, which has no end: the engine will not say `Cleared`.
    """

    rule: str
    scope: str
    at: float
    site: str
    device: str | None = None
    again: bool = False
    momentary: bool = False
    values: dict[str, Any] = {}
    evidence: tuple[Evidence, ...] = ()


class Cleared(msgspec.Struct, frozen=True, kw_only=True, tag="cleared"):
    """The condition no longer holds for `scope`. `reason` is `cleared`, `clear_after`, `rule_removed`…"""

    rule: str
    scope: str
    at: float
    reason: str = "cleared"
    evidence: tuple[Evidence, ...] = ()


RuleChange = Raised | Cleared
