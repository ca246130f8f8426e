"""`aggregate`: a figure over a sliding window, as the mean of ten minutes or the rise within an hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rules.conditions.measure import Measure, figure
from rules.conditions.track import Samples, Sight, Track
from rules.language import Aggregate as AggregateWords

#: A window holds the newest samples: at one a second, those of a quarter of an hour.
MOST_SAMPLES = 1000
HOUR = 3600.0

Entries = Sequence[tuple[float, float]]


def _mean(entries: Entries) -> float | None:
    return sum(value for _, value in entries) / len(entries)


def _sum(entries: Entries) -> float | None:
    return sum(value for _, value in entries)


def _least(entries: Entries) -> float | None:
    return min(value for _, value in entries)


def _most(entries: Entries) -> float | None:
    return max(value for _, value in entries)


def _delta(entries: Entries) -> float | None:
    return entries[-1][1] - entries[0][1]


def _rate(entries: Entries) -> float | None:
    seconds = entries[-1][0] - entries[0][0]
    return (entries[-1][1] - entries[0][1]) * HOUR / seconds if seconds > 0 else None


def _spread(entries: Entries) -> float | None:
    values = [value for _, value in entries]
    return max(values) - min(values)


FUNCTIONS: Mapping[str, Callable[[Entries], float | None]] = {
    "avg": _mean,
    "min": _least,
    "max": _most,
    "sum": _sum,
    "delta": _delta,
    "rate": _rate,
    "spread": _spread,
}
#: With fewer samples than this there is nothing to say.
LEAST_SAMPLES = {"sum": 1, "min": 1, "max": 1}
DEFAULT_SAMPLES = 2


class Aggregate(Measure):
    """True while the figure over the samples of the window keeps to the bounds.

    A sample at `t` counts until just before `t + over`. The figure is worked out anew at each sample. When the last one
    has left the window, a sum is zero and the other figures are unknown.
    """

    def __init__(self, words: AggregateWords) -> None:
        self.field = words.field
        self._words = words
        self._function = FUNCTIONS[words.function]

    def judge(self, track: Track, sight: Sight) -> bool | None:
        """Takes the sample in and works the figure out."""
        value = figure(sight, self.field)
        if value is None:
            return None
        kept = track.measure.entries if isinstance(track.measure, Samples) else []
        limit = sight.at - self._words.over
        gone = max(0, len(kept) + 1 - MOST_SAMPLES)
        while gone < len(kept) and kept[gone][0] <= limit:
            gone += 1
        if gone:
            del kept[:gone]
        kept.append((sight.at, value))
        found = self._function(kept) if len(kept) >= self._words.samples else None
        track.measure = Samples(kept, found)
        track.drains = sight.at + self._words.over
        return None if found is None else self._words.bounds.hold(found)

    def learn(self, track: Track, sight: Sight) -> None:
        """Nothing: what happens outside the schedule does not count."""

    def drain(self, track: Track) -> bool | None:
        """The window is empty."""
        track.measure = track.drains = None
        return self._words.bounds.hold(0.0) if self._words.function == "sum" else None

    def lapse(self, track: Track) -> None:
        """What was measured within the schedule counts no more."""
        track.measure = track.drains = None

    def values(self, track: Track) -> Mapping[str, Any]:
        """`aggregate`: the figure; `samples`: how many it is worked out from."""
        if not isinstance(track.measure, Samples) or track.measure.value is None:
            return {}
        return {"aggregate": round(track.measure.value, 3), "samples": len(track.measure.entries)}
