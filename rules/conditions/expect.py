"""`expect`: one event has to be followed by another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rules.conditions.base import Condition
from rules.conditions.track import Effect, Heard, Sight, Track, Waiting
from rules.expressions import Predicate
from rules.language import Expect as ExpectWords
from rules.language import Rule


class Expect(Condition):
    """Comes when the wait is over and what was expected has not come; goes when it comes after all.

    The wait starts with the first true event and is not prolonged by further ones. An event that is both what was
    expected and the next beginning ends the one wait and starts the other.
    """

    ends_itself: ClassVar[bool] = True

    def __init__(self, rule: Rule, predicates: Mapping[str, Predicate], words: ExpectWords) -> None:
        super().__init__(rule, predicates)
        self._words = words
        self._expected = predicates.get("expect.when")

    def judge(self, track: Track, sight: Sight) -> Effect:
        """Ends a wait, then perhaps starts one."""
        kind = sight.event.kind
        effect = Effect.NOTHING
        if kind in self._words.on and (self._expected is None or self._expected.verdict(sight.get, sight.past)):
            track.state = track.ripens = None
            track.evidence.clear()
            effect = Effect.WENT
        if kind in self.rule.on and sight.covered and sight.verdict is True and track.state is None:
            track.state = Waiting(sight.at)
            track.ripens = sight.at + self._words.within
            track.evidence = [sight.evidence()]
        return effect

    def ripen(self, track: Track, at: float, heard: Heard) -> Effect:
        """It did not come."""
        track.state = track.ripens = None
        return Effect.CAME

    def excuse(self, track: Track, seconds: float, now: float) -> None:
        """The wait goes on for so much longer."""
        if isinstance(track.state, Waiting):
            track.state.since = min(now, track.state.since + seconds)
            track.ripens = track.state.since + self._words.within

    def values(self, track: Track) -> Mapping[str, Any]:
        """`waited_s`: how long it was waited for."""
        return {"waited_s": self._words.within}
