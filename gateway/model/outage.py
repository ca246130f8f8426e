"""Out of service 停用: what is being mended or tested, so that its alerts ask nobody for anything."""

from __future__ import annotations

import msgspec


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """A window in which a device, a rule or a zone is out of service.

    `scope` is `device`, `rule` or `zone`, `target` its id. `work_order` ends it when its work does. `hidden` counts the
    alerts that it hides now. `state` is `planned`, `active` or `ended`.
    """

    id: str
    site: str
    scope: str
    target: str
    by: str
    reason: str
    state: str = "planned"
    from_at: float = 0.0
    until_at: float = 0.0
    from_due: float = 0.0
    until_due: float = 0.0
    work_order: str | None = None
    ended_at: float | None = None
    ended_by: str | None = None
    hidden: int = 0
    version: int = 1
