"""What a condition is: the part of a rule that turns events and time into "it came" and "it went"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.model.place import Device
from rules.conditions.track import Effect, Heard, Sight, Track
from rules.expressions import ALWAYS, NEVER, Predicate
from rules.language import Rule


class Condition:
    """One rule's condition, compiled. It keeps nothing itself: all memory is in the `Track` it is handed.

    `judge` sees every event of its kinds in a scope that has a track, and those that `wakes` lets through where there
    is none yet. `ripen` is called when `track.ripens` is due. Both set `track.ripens` anew, and drop `track.state` when
    nothing is pending.
    """

    ends_itself: ClassVar[bool] = False
    """Whether it says WENT of its own accord, so that it needs no clearing predicate."""

    def __init__(self, rule: Rule, predicates: Mapping[str, Predicate]) -> None:
        self.rule = rule
        self.when = predicates.get("when", ALWAYS)

    def wakes(self, kind: str) -> Predicate:
        """The predicate that an event of `kind` must satisfy to begin a track."""
        return self.when if kind in self.rule.on else NEVER

    def judge(self, track: Track, sight: Sight) -> Effect:
        """What the event does. `sight.verdict` is the value of `when`, None for unknown."""
        raise TypeError(f"{type(self).__name__} has no judge")

    def ripen(self, track: Track, at: float, heard: Heard) -> Effect:
        """What the passing of time does, at the moment `track.ripens`."""
        track.ripens = None
        return Effect.NOTHING

    def reset(self, track: Track) -> None:
        """Forgets what led to the alert, after `clear` or `clear_after` ended it."""
        track.state = None
        track.ripens = None
        track.evidence = []

    def excuse(self, track: Track, seconds: float, now: float) -> None:
        """Nobody listened for `seconds` up to `now`. What draws conclusions from silence gives the time back."""

    def lapse(self, track: Track, at: float) -> Effect:
        """The schedule ended: `when` is false from now on, without an event that says so."""
        return Effect.NOTHING

    def resume(self, track: Track, at: float, device: Device | None) -> Effect:
        """The schedule began: `when` is true from now on if `track.lasting` says so."""
        return Effect.NOTHING

    def values(self, track: Track) -> Mapping[str, Any]:
        """What the condition itself tells of the alert, beside the fields of its last event."""
        return {}
