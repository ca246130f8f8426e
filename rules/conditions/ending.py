"""`clear` and `clear_after`: when an alert condition is over."""

from __future__ import annotations

from rules.conditions.track import Sight, Track
from rules.expressions import Predicate


class Ending:
    """How a rule's condition ends.

    With `clear`: when that is true. Without, and where the kinds tell a standing state: when `when` is false. Where
    they are occurrences: only `clear_after`, counted from the last true event. `clear_after` asks the end to have
    lasted so long. While `when` is true nothing ends; what is unknown neither ends anything nor breaks an end that
    has begun.
    """

    def __init__(self, clear: Predicate | None, after: float | None, standing: bool) -> None:
        self._clear = clear
        self._after = after
        self._quiet = clear is None and not standing

    def judge(self, track: Track, sight: Sight) -> bool:
        """Whether the event ends the condition now. Sets `track.clears` where it may end it later."""
        if sight.verdict is True:
            track.clears = sight.at + self._after if self._quiet and self._after is not None else None
            return False
        if self._quiet:
            return False
        over = self._clear.verdict(sight.get, sight.past) if self._clear else None if sight.verdict is None else True
        if over and self._after is None:
            return True
        if over and self._after is not None and track.clears is None:
            track.clears = sight.at + self._after
        elif over is False:
            track.clears = None
        return False

    def lapse(self, track: Track, at: float) -> bool:
        """Whether the condition ends because `when` is false from now on, without an event that says so."""
        if self._quiet or self._clear is not None:
            return False
        if self._after is not None and track.clears is None:
            track.clears = at + self._after
        return self._after is None

    def began(self, track: Track, at: float) -> None:
        """The condition came, perhaps by the passing of time: a quiet time is counted from here."""
        if self._quiet and self._after is not None:
            track.clears = at + self._after
