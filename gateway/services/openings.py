"""How often a person or program may open something (FAULTS 81)."""

from __future__ import annotations

from collections import deque

from gateway.errors import TooMany
from gateway.services.command_words import Word
from gateway.services.moment import Moment
from gateway.services.settings import DeskSettings


class Openings:
    """The openings of each actor in the window."""

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        self._times: dict[str, deque[float]] = {}

    def clear(self) -> None:
        """Forgets all."""
        self._times.clear()

    def restore(self, by: str, at: float) -> None:
        """One that was asked for before the restart."""
        self._times.setdefault(by, deque()).append(at)

    def count(self, by: str, word: Word, moment: Moment) -> None:
        """Counts one where the word opens. Raises `TooMany`."""
        if not word.opens:
            return
        settings = self._settings
        times = self._times.setdefault(by, deque())
        while times and times[0] <= moment.now - settings.opens_window:
            times.popleft()
        if len(times) >= settings.opens_limit:
            raise TooMany(f"openings by {by}", max(1.0, times[0] + settings.opens_window - moment.now))
        times.append(moment.now)
