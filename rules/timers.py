"""Due times, in order: by time, then by rule, then by scope; a rule's schedule comes before its scopes."""

from __future__ import annotations

from heapq import heappop, heappush

Key = tuple[str, ...]
"""A rule's id, alone for its schedule; with a scope; with a place and `TOGETHER` for the devices of a place."""

TOGETHER = "together"


class Timers:
    """One due time a key. Moving a time later costs nothing until the old one is reached."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, Key]] = []
        """The first is due no later than anything. It may be one that was moved since."""
        self._armed: dict[Key, float] = {}
        self._wanted: dict[Key, float] = {}

    def set(self, key: Key, due: float | None) -> None:
        """The key's due time; None for none."""
        if due is None:
            self._wanted.pop(key, None)
            return
        self._wanted[key] = due
        armed = self._armed.get(key)
        if armed is None or due < armed:
            self._armed[key] = due
            heappush(self.heap, (due, key))

    def next_due(self) -> float | None:
        """The earliest due time."""
        self._settle()
        return self.heap[0][0] if self.heap else None

    def pop(self, now: float) -> tuple[float, Key] | None:
        """The earliest key due by `now`, which then has no due time any more; None when there is none."""
        if not self.heap or self.heap[0][0] > now:
            return None
        self._settle()
        if not self.heap or self.heap[0][0] > now:
            return None
        due, key = heappop(self.heap)
        del self._armed[key], self._wanted[key]
        return due, key

    def _settle(self) -> None:
        """Brings a true due time to the top: drops entries nobody wants, puts back those that were moved later."""
        while self.heap:
            due, key = self.heap[0]
            if self._armed.get(key) != due:
                heappop(self.heap)
                continue
            wanted = self._wanted.get(key)
            if wanted == due:
                return
            heappop(self.heap)
            del self._armed[key]
            if wanted is not None:
                self.set(key, wanted)
