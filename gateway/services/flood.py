"""A flood of messages to the same readers: beyond a number in a window they are held for one digest.

Never held: what stands alone (fire, duress, entrapment), and the first critical one of the window.
"""

from __future__ import annotations

from collections import deque

from gateway.model import Notification, Severity


class Flood:
    """Counts messages by who reads them. Times are steady seconds."""

    def __init__(self, most: int, window: float) -> None:
        self._most = most
        self._window = window
        self._recent: dict[str, deque[tuple[float, bool]]] = {}
        self._held: dict[str, dict[str, float]] = {}

    def clear(self) -> None:
        """Forgets all."""
        self._recent.clear()
        self._held.clear()

    def count(self, readers: str, one: Notification) -> None:
        """One more message for these readers."""
        self._since(readers, one.created_due).append((one.created_due, _critical(one)))

    def holds(self, readers: str, one: Notification, *, alone: bool) -> bool:
        """Whether the message, not counted yet, has to wait for the digest."""
        recent = self._since(readers, one.created_due)
        if alone or (len(recent) < self._most and readers not in self._held):
            return False
        return not _critical(one) or any(critical for _, critical in recent)

    def hold(self, readers: str, one: Notification) -> float:
        """Keeps the message for the digest of these readers. When that is due."""
        held = self._held.setdefault(readers, {})
        held[one.id] = one.created_due
        return min(held.values()) + self._window

    def take(self, readers: str) -> list[str]:
        """The messages of the digest, which is done with."""
        return list(self._held.pop(readers, ()))

    def _since(self, readers: str, now: float) -> deque[tuple[float, bool]]:
        recent = self._recent.setdefault(readers, deque())
        while recent and recent[0][0] <= now - self._window:
            recent.popleft()
        return recent


def _critical(one: Notification) -> bool:
    return one.severity == Severity.CRITICAL
