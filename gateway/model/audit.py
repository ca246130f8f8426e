"""Who may do what, and the record of who did."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Role(StrEnum):
    """Roles, each including those before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


#: The scope of a program's token that may command in one step, without selecting and confirming.
DIRECT = "commands:direct"
SCOPES = (DIRECT,)


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a person (`user:anna`), a program (`token:portal`), a rule (`rule:id`), or `system`.

    `sites` names the sites it may see; empty means all. `scopes` are what a program may besides: `DIRECT`.
    """

    name: str
    role: Role = Role.VIEWER
    sites: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def may_see(self, site: str) -> bool:
        """Whether things of `site` exist for this actor."""
        return not self.sites or site in self.sites


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit: who did what to which thing, with what outcome."""

    time: float
    actor: str
    action: str
    target: str
    outcome: str = "done"
    detail: dict[str, Any] = {}
