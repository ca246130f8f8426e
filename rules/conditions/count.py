"""`count`: so many true events in a sliding window, or so many different values of a field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rules.conditions.base import Condition
from rules.conditions.track import MOST_EVIDENCE, Counted, Effect, Heard, Sight, Track, Window
from rules.expressions import Predicate
from rules.language import Count as CountWords
from rules.language import Rule


class Count(Condition):
    """Comes with the event that fills the window, and again with each further one; goes when the window has drained.

    An event at `t` counts until just before `t + within`. Only the newest `at_least` events, or values, are kept: they
    alone decide.
    """

    ends_itself: ClassVar[bool] = True

    def __init__(self, rule: Rule, predicates: Mapping[str, Predicate], words: CountWords) -> None:
        super().__init__(rule, predicates)
        self._words = words
        self._drains = rule.clear is None and rule.clear_after is None

    def judge(self, track: Track, sight: Sight) -> Effect:
        """Counts a true event; a false one ends a row."""
        if sight.verdict is False:
            return self.lapse(track, sight.at)
        if sight.verdict is not True:
            return Effect.NOTHING
        words = self._words
        value = sight.get(words.distinct) if words.distinct else None
        if words.distinct and value is None:
            return Effect.NOTHING
        window = track.state if isinstance(track.state, Window) else Window()
        kept = self._within(window, sight.at)
        if words.distinct:
            kept = [entry for entry in kept if entry.value != value]
        kept = [*kept, Counted(sight.at, sight.evidence(), value)][-words.at_least :]
        track.state = Window(kept)
        full = len(kept) >= words.at_least
        track.ripens = self._next(kept, draining=full and self._drains)
        if not full:
            return Effect.NOTHING
        track.evidence = [entry.event for entry in (kept[-1:] if track.active else kept[-MOST_EVIDENCE:])]
        return Effect.CAME

    def ripen(self, track: Track, at: float, heard: Heard) -> Effect:
        """Lets what is too old fall out of the window."""
        kept = self._within(track.state, at) if isinstance(track.state, Window) else []
        track.state = Window(kept) if kept else None
        full = len(kept) >= self._words.at_least
        track.ripens = self._next(kept, draining=full and track.active and self._drains)
        return Effect.WENT if track.active and self._drains and not full else Effect.NOTHING

    def lapse(self, track: Track, at: float) -> Effect:
        """Ends a row."""
        if not self._words.in_a_row:
            return Effect.NOTHING
        track.state = track.ripens = None
        return Effect.WENT if self._drains else Effect.NOTHING

    def values(self, track: Track) -> Mapping[str, Any]:
        """`count`: how many are in the window."""
        return {"count": len(track.state.entries) if isinstance(track.state, Window) else 0}

    def _within(self, window: Window, at: float) -> list[Counted]:
        return [entry for entry in window.entries if at < entry.at + self._words.within]

    def _next(self, kept: list[Counted], draining: bool) -> float | None:
        """When the window stops being full, or is empty."""
        if not kept:
            return None
        return (kept[0] if draining else kept[-1]).at + self._words.within
