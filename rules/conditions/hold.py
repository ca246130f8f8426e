"""`for`: `when` held without a break for so long; `at_once`: what need not wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model.catalogue import Catalogue
from gateway.model.place import Device
from rules.conditions.base import Condition
from rules.conditions.track import AVAILABILITY, Effect, Heard, Holding, Sight, Track
from rules.expressions import NEVER, Predicate
from rules.language import Rule

FORGIVEN = 2.5
"""A hold breaks when nothing confirms it for this many report intervals: one lost report is forgiven, two are not."""


class Hold(Condition):
    """Comes when `when` has been true for the length of `for`; any false event, or a gap in the data, breaks it.

    The gap is one in what the device says of the rule's kinds where they are reported periodically, else in what it
    says at all; it breaks the hold of devices that have a report interval. What the gateway says of a device (that it
    is offline, that its clock is wrong) needs no confirmation by the device. What makes `at_once` true does not wait.
    """

    def __init__(self, rule: Rule, predicates: Mapping[str, Predicate], catalogue: Catalogue) -> None:
        super().__init__(rule, predicates)
        self._length = rule.for_ or 0.0
        kinds = {name: kind for name in rule.on if (kind := catalogue.get(name)) is not None}
        self._periodic = frozenset(name for name, kind in kinds.items() if kind.interval > 0)
        self._at_once = predicates.get("at_once")

    def wakes(self, kind: str) -> Predicate:
        """`when` or `at_once`."""
        if self._at_once is None or kind not in self.rule.on:
            return super().wakes(kind)
        waits, at_once = self.when, self._at_once
        return Predicate(
            lambda get, past: waits.holds(get, past) or at_once.holds(get, past),
            NEVER.fails,
            f"({waits.source} or {at_once.source})",
        )

    def judge(self, track: Track, sight: Sight) -> Effect:
        """Begins, confirms or breaks."""
        state = track.state
        if self._at_once is not None and sight.inside and self._at_once.verdict(sight.get, sight.past):
            return self._come_at_once(track, sight)
        if sight.verdict is False:
            return self.lapse(track, sight.at)
        if isinstance(state, Holding):
            state.last = sight.at
        elif sight.verdict is True:
            state = track.state = self._begin(sight.at, sight.device, sight.event.kind)
        else:
            return Effect.NOTHING
        if not state.done:
            if sight.verdict is True:
                track.remember(sight.evidence())
            track.ripens = self._next(state, state.last)
        return Effect.NOTHING

    def ripen(self, track: Track, at: float, heard: Heard) -> Effect:
        """Comes, breaks, or waits on where the device has been heard of meanwhile."""
        state = track.state
        track.ripens = None
        if not isinstance(state, Holding) or state.done:
            return Effect.NOTHING
        last = state.last if state.own else max(state.last, heard.get(track.device or "", state.last))
        due = self._next(state, last)
        if due > at:
            track.ripens = due
            return Effect.NOTHING
        if at < state.since + self._length:
            track.state = None
            track.evidence.clear()
            return Effect.NOTHING
        state.done = True
        return Effect.CAME

    def excuse(self, track: Track, seconds: float, now: float) -> None:
        """The gap in the data is so much shorter. The hold itself has gone on."""
        if isinstance(track.state, Holding) and track.ripens is not None:
            track.state.last = min(now, track.state.last + seconds)
            track.ripens = self._next(track.state, track.state.last)

    def lapse(self, track: Track, at: float) -> Effect:
        """The hold is broken."""
        track.state = track.ripens = None
        if not track.active:
            track.evidence.clear()
        return Effect.NOTHING

    def resume(self, track: Track, at: float, device: Device | None) -> Effect:
        """What has been true all along is held from now on."""
        if track.lasting is not None:
            event = track.lasting.event
            state = self._begin(at, device, event.kind)
            state.last = track.lasting.at
            track.state, track.ripens = state, max(at, self._next(state, state.last))
            track.remember(event)
        return Effect.NOTHING

    def values(self, track: Track) -> Mapping[str, Any]:
        """`held_s`: how long it has held."""
        return {"held_s": self._length}

    def _begin(self, at: float, device: Device | None, kind: str) -> Holding:
        interval = device.report_interval if device is not None else 0.0
        if kind == AVAILABILITY or kind.startswith("gateway."):
            interval = 0.0
        own = kind in self._periodic
        return Holding(since=at, last=at, gap=FORGIVEN * interval, own=own)

    def _come_at_once(self, track: Track, sight: Sight) -> Effect:
        if isinstance(track.state, Holding) and track.state.done:
            return Effect.NOTHING
        begun = track.state if isinstance(track.state, Holding) else None
        state = begun or self._begin(sight.at, sight.device, sight.event.kind)
        state.done = True
        track.state, track.ripens = state, None
        track.remember(sight.evidence())
        return Effect.CAME

    def _next(self, state: Holding, last: float) -> float:
        """When to look again: when it is complete, or when the data has been missing for too long."""
        complete = state.since + self._length
        return min(complete, last + state.gap) if state.gap else complete
