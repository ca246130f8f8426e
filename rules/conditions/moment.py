"""`when` alone: true at an event is true at once."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model.catalogue import Catalogue
from gateway.model.place import Device
from rules.conditions.base import Condition
from rules.conditions.track import Effect, Sight, Standing, Track
from rules.expressions import Predicate
from rules.language import Rule


class Moment(Condition):
    """Comes with each true event of an occurrence; of a standing state, when it becomes true or says something new.

    Something new is a true event of a kind recorded one by one (`record: event`) with a field that differs from the
    last true one's: a second detector of the same panel is news, the hourly repetition of an open door is not.
    """

    def __init__(self, rule: Rule, predicates: Mapping[str, Predicate], catalogue: Catalogue) -> None:
        super().__init__(rule, predicates)
        kinds = {name: catalogue.get(name) for name in rule.on}
        measured = rule.measured
        self._states = frozenset(n for n, kind in kinds.items() if measured or (kind is not None and kind.state))
        self._singly = frozenset(
            name for name, kind in kinds.items() if kind is not None and kind.record == "event" and not measured
        )

    def judge(self, track: Track, sight: Sight) -> Effect:
        """Comes on true; forgets on false."""
        if sight.verdict is False:
            track.state = None
        if sight.verdict is not True:
            return Effect.NOTHING
        if sight.event.kind not in self._states:
            track.remember(sight.evidence())
            return Effect.CAME
        before = track.state
        track.state = Standing(sight.event.data)
        if isinstance(before, Standing) and not self._tells_more(before, sight):
            return Effect.NOTHING
        track.remember(sight.evidence())
        return Effect.CAME

    def lapse(self, track: Track, at: float) -> Effect:
        """Nothing stands outside the schedule."""
        track.state = None
        return Effect.NOTHING

    def resume(self, track: Track, at: float, device: Device | None) -> Effect:
        """What has been true all along becomes true now."""
        if track.lasting is None:
            return Effect.NOTHING
        track.state = Standing(track.lasting.event.data)
        if track.active:
            return Effect.NOTHING
        track.remember(track.lasting.event)
        return Effect.CAME

    def _tells_more(self, before: Standing, sight: Sight) -> bool:
        if sight.event.kind not in self._singly:
            return False
        return any(before.data.get(field) != value for field, value in sight.event.data.items())
