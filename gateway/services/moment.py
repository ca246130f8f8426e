"""One moment of judging: the two clocks, and where its changes go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.model import AuditEntry, Changes


class Moment:
    """`now` on the steady clock, `wall` in Unix seconds, and the batch's changes."""

    __slots__ = ("now", "out", "wall")

    def __init__(self, now: float, wall: float, out: Changes) -> None:
        self.now = now
        self.wall = wall
        self.out = out

    def note(self, actor: str, action: str, target: str, outcome: str = "done", **detail: Any) -> None:
        """Writes a line for the audit; details that are None or empty are left out."""
        kept = {name: value for name, value in detail.items() if value not in (None, "", {}, ())}
        self.out.note(
            AuditEntry(time=self.wall, actor=actor, action=action, target=target, outcome=outcome, detail=kept)
        )

    def wall_of(self, at: float) -> float:
        """The wall time of a steady instant that lies at or before now."""
        return self.wall - max(0.0, self.now - at)


def rfc3339(wall: float) -> str:
    """Unix seconds as `2026-11-22T08:00:00.000Z`."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
