"""The gateway's two clocks, read in one place."""

from __future__ import annotations

import time


class Clock:
    """Wall time for people, steady time for rules and deadlines.

    The steady clock starts near Unix time, is driven by the monotonic clock, and after a restart goes on from where
    the journal left it or from the wall clock, whichever is later: it never steps back, and downtime counts.
    """

    def __init__(self, last: float = 0.0) -> None:
        self._base = max(time.time(), last) - time.monotonic()

    def resume(self, last: float) -> None:
        """Goes on from `last`, the newest steady time of the journal, if that is ahead."""
        self._base = max(self._base, last - time.monotonic())

    def wall(self) -> float:
        """Unix seconds as this machine believes them."""
        return time.time()

    def now(self) -> float:
        """Seconds on the steady clock."""
        return self._base + time.monotonic()

    def steady(self, monotonic: float) -> float:
        """A monotonic reading on the steady clock."""
        return self._base + monotonic
