"""What the rules engine says: a condition became true, came again, is explained by another, or ended."""

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


class Withheld(msgspec.Struct, frozen=True, kw_only=True, tag="withheld"):
    """A rule's condition holds for `scope`, but is explained by another that holds: `cause`, for `cause_scope`.

    It is not raised on its own while the cause is there, or, where it was raised before, stands under it from now on.
    It ends with `Cleared`; if the cause ends first, `Raised` follows. A `momentary` one is told and forgotten.
    `cause` is at the top; `nearest` explains it at first hand, and may itself be withheld.
    """

    rule: str
    scope: str
    at: float
    site: str
    cause: str
    cause_scope: str
    nearest: tuple[str, str] = ("", "")
    device: str | None = None
    momentary: bool = False
    values: dict[str, Any] = {}
    evidence: tuple[Evidence, ...] = ()


RuleChange = Raised | Cleared | Withheld
