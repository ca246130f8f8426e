"""Due times of many things on one heap; setting one again replaces it."""

from __future__ import annotations

import heapq

Key = tuple[str, str]


class Timers:
    """At most one due time per key `(what, id)`. Due times are steady-clock seconds. Cheap with many thousands."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, str, str]] = []

    def set(self, what: str, ident: str, due: float | None) -> None:
        """The thing is due at `due`, or, with None, no longer."""
        key = (what, ident)
        if due is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due:
            self._due[key] = due
            heapq.heappush(self._heap, (due, what, ident))
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [(due, what, ident) for (what, ident), due in self._due.items()]
            heapq.heapify(self._heap)

    def next_due(self) -> float | None:
        """The earliest due time, or None."""
        heap = self._heap
        while heap and self._due.get((heap[0][1], heap[0][2])) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop(self, now: float) -> Key | None:
        """The earliest key due at `now` or before, taken out; equal times in the order of their names."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, what, ident = heapq.heappop(self._heap)
        del self._due[what, ident]
        return what, ident

    def clear(self) -> None:
        """Forgets all."""
        self._due.clear()
        self._heap.clear()
