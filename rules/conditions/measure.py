"""What stands between `when` and the shape of a condition: a figure worked out over several events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rules.conditions.track import Sight, Track


class Measure(Protocol):
    """Turns the events for which `when` is true into the truth the condition sees. All memory is in `track.measure`."""

    field: str

    def judge(self, track: Track, sight: Sight) -> bool | None:
        """The truth after an event for which `when` is true; None where it is not known. Sets `track.drains`."""

    def learn(self, track: Track, sight: Sight) -> None:
        """Takes in an event from outside the schedule."""

    def drain(self, track: Track) -> bool | None:
        """The truth after `track.drains`: nothing was measured for too long."""

    def lapse(self, track: Track) -> None:
        """The schedule ended."""

    def values(self, track: Track) -> Mapping[str, Any]:
        """What it tells of an alert."""


def figure(sight: Sight, field: str) -> float | None:
    """The field as a number; None where the event does not carry one."""
    value = sight.get(field)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
