"""Due times, in order: by time, then by rule, then by scope; a rule's schedule comes before its scopes."""

from __future__ import annotations

from heapq import heappop, heappush

Key = tuple[str, ...]
"""A rule's id, alone for its schedule; with a scope; with a place and `TOGETHER` for the devices of a place."""

TOGETHER = "together"


class Timers:
    """One due time a key. Moving a time later costs nothing until the old one is reached."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, Key]] = []
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
            heappush(self._heap, (due, key))

    def next_due(self) -> float | None:
        """The earliest due time."""
        self._settle()
        return self._heap[0][0] if self._heap else None

    def pop(self, now: float) -> tuple[float, Key] | None:
        """The earliest key due by `now`, which then has no due time any more; None when there is none."""
        if not self._heap or self._heap[0][0] > now:
            return None
        self._settle()
        if not self._heap or self._heap[0][0] > now:
            return None
        due, key = heappop(self._heap)
        del self._armed[key], self._wanted[key]
        return due, key

    def _settle(self) -> None:
        """Brings a true due time to the top: drops entries nobody wants, puts back those that were moved later."""
        while self._heap:
            due, key = self._heap[0]
            if self._armed.get(key) != due:
                heappop(self._heap)
                continue
            wanted = self._wanted.get(key)
            if wanted == due:
                return
            heappop(self._heap)
            del self._armed[key]
            if wanted is not None:
                self.set(key, wanted)
