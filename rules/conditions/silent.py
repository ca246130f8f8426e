"""`silent`: nothing heard from a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.model.place import Device
from rules.conditions.base import Condition
from rules.conditions.track import AVAILABILITY, Effect, Heard, Hearing, Sight, Track
from rules.expressions import NEVER, Predicate
from rules.language import Rule
from rules.language import Silent as SilentWords


def overheard(track: Track, at: float, received: float) -> bool:
    """Notes that a device was heard; False where that is news, because it was silent or away.

    The timer is left as it is: when it is due it finds out that the device was heard.
    """
    state = track.state
    if track.active or not isinstance(state, Hearing) or state.away:
        return False
    state.last = at
    state.received = received
    return True


class Silent(Condition):
    """Comes when a covered device has said nothing for so long; goes with the next thing it says.

    It counts from the moment the engine first knew the device. A device that is known to be offline is not silent but
    offline, which is an alert of its own: the count stops, and starts anew when the device is back. What the gateway
    says of a device (`gateway.…`) is not heard from the device.
    """

    ends_itself: ClassVar[bool] = True

    def __init__(self, rule: Rule, predicates: Mapping[str, Predicate], words: SilentWords) -> None:
        super().__init__(rule, predicates)
        self._words = words

    def wakes(self, kind: str) -> Predicate:
        """Nothing begins by being heard: every covered device has its track from the start."""
        return NEVER

    def allowed(self, device: Device) -> float:
        """The silence in seconds that `device` is allowed; 0 where none is expected of it."""
        if self._words.seconds is not None:
            return self._words.seconds
        return (self._words.intervals or 0.0) * device.report_interval

    def begin(self, track: Track, at: float, allowed: float) -> None:
        """Starts listening to a device, or goes on with another length."""
        if isinstance(track.state, Hearing):
            if track.state.gap == allowed:
                return
            track.state.gap = allowed
        else:
            track.state = Hearing(last=at, gap=allowed)
        if not track.state.away and not track.active:
            track.ripens = max(at, track.state.last + allowed)

    def excuse(self, track: Track, seconds: float, now: float) -> None:
        """The silence is so much shorter."""
        if isinstance(track.state, Hearing) and track.ripens is not None:
            track.state.last = min(now, track.state.last + seconds)
            track.ripens = track.state.last + track.state.gap

    def judge(self, track: Track, sight: Sight) -> Effect:
        """It was heard, or went away, or came back."""
        state = track.state
        if not isinstance(state, Hearing):
            return Effect.NOTHING
        if sight.event.kind == AVAILABILITY:
            state.away = sight.get("online") is False
            if state.away:
                track.ripens = None
                return Effect.NOTHING
            if self.rule.on and AVAILABILITY not in self.rule.on:
                state.last = sight.at
                track.ripens = None if track.active else sight.at + state.gap
                return Effect.NOTHING
        state.received = sight.event.received
        return self.hear(track, sight.at)

    def hear(self, track: Track, at: float) -> Effect:
        """It was heard: the count starts anew."""
        if not isinstance(track.state, Hearing):
            return Effect.NOTHING
        track.state.away = False
        track.state.last = at
        track.ripens = at + track.state.gap
        return Effect.WENT

    def lapse(self, track: Track, at: float) -> Effect:
        """Outside the schedule no silence is counted."""
        track.ripens = None
        return Effect.NOTHING

    def resume(self, track: Track, at: float, device: Device | None) -> Effect:
        """The count starts anew."""
        if isinstance(track.state, Hearing) and not track.state.away and not track.active:
            track.state.last = at
            track.ripens = at + track.state.gap
        return Effect.NOTHING

    def ripen(self, track: Track, at: float, heard: Heard) -> Effect:
        """It has been silent for too long, or else it was heard meanwhile and has so much longer."""
        due = track.state.last + track.state.gap if isinstance(track.state, Hearing) else at
        track.ripens = due if due > at else None
        return Effect.NOTHING if due > at else Effect.CAME

    def values(self, track: Track) -> Mapping[str, Any]:
        """`silent_s`: the silence so far; `last_heard`: Unix seconds of the last thing it said, where anything was."""
        if not isinstance(track.state, Hearing):
            return {}
        values: dict[str, Any] = {"silent_s": track.state.gap}
        if track.state.received is not None:
            values["last_heard"] = track.state.received
        return values
