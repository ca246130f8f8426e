"""A door as a thing: a leaf that is open or closed and a lock. Seconds are wall-clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cause = Literal["granted", "button", "remote", "schedule", "fire", "force", "unknown"]
RELEASE_S = 5.0
LONGEST_OPEN_S = 25.0


@dataclass(frozen=True, slots=True)
class LeafChange:
    """The contact changed. `forced` is an opening without a release."""

    opened: bool
    forced: bool
    cause: Cause


class Doorway:
    """Leaf and lock. `mode` is `normal`, `locked` (lock-down: no release works) or `unlocked` (stands released)."""

    def __init__(self) -> None:
        self.opened = False
        self.forced = False
        self.mode: Literal["normal", "locked", "unlocked"] = "normal"
        self.cause: Cause = "unknown"
        self._released_until = float("-inf")
        self._opens_at: float | None = None
        self._closes_at: float | None = None
        self._opened_at = 0.0
        self._held = False
        self._forced_open = False

    def locked(self, wall: float) -> bool:
        """Whether the lock holds at `wall`."""
        return self.mode != "unlocked" and wall >= self._released_until

    def release(self, wall: float, cause: Cause) -> bool:
        """Unlocks for a few seconds. False under lock-down, in which nothing happens."""
        if self.mode == "locked":
            return False
        self._released_until = wall + RELEASE_S
        self.cause = cause
        return True

    def walk_through(self, wall: float, reach_s: float, pass_s: float) -> None:
        """Somebody opens after `reach_s`, if the lock lets them then, and the leaf closes `pass_s` later.

        Others keep it open, but nobody for longer than `LONGEST_OPEN_S`.
        """
        if self._opens_at is None and not self.opened:
            self._opens_at = wall + reach_s
            self._closes_at = wall + reach_s + pass_s
        elif self.opened and self._closes_at is not None:
            self._closes_at = min(max(self._closes_at, wall + pass_s), self._opened_at + LONGEST_OPEN_S)

    def hold(self, held: bool) -> None:
        """A wedge under the leaf: once open it stays open."""
        self._held = held

    def force(self, forced: bool) -> None:
        """Somebody breaks the door open, and it stays open until mended."""
        self._forced_open = forced

    def advance(self, wall: float) -> list[LeafChange]:
        """Moves the leaf up to `wall` and tells what changed."""
        changes: list[LeafChange] = []
        if self._forced_open and not self.opened:
            was_locked = self.locked(wall)
            changes.append(self._open(wall, forced=was_locked, cause="force" if was_locked else self.cause))
        if self._opens_at is not None and wall >= self._opens_at:
            if not self.opened and not self.locked(self._opens_at):
                changes.append(self._open(wall, forced=False, cause=self.cause))
            self._opens_at = None
        if self.opened and not self._held and not self._forced_open and wall >= (self._closes_at or wall):
            self.opened = self.forced = False
            self._closes_at = None
            self._released_until = float("-inf")
            changes.append(LeafChange(False, False, "unknown"))
        return changes

    def _open(self, wall: float, *, forced: bool, cause: Cause) -> LeafChange:
        self.opened, self.forced = True, forced
        self._opened_at = wall
        return LeafChange(True, forced, cause)
