"""`baseline`: against what the same device usually does at this hour of the week."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from rules.conditions.measure import Measure, figure
from rules.conditions.track import Learned, Sight, Track
from rules.language import Baseline as BaselineWords

WEEK = 168
#: The first hour of Unix time was on a Thursday.
EPOCH_HOUR = 72
#: Turns a median deviation into the standard deviation of normally distributed values.
NORMAL = 1.4826
#: The least deviation that counts as usual, as a share of the median: else what hardly varies could never do right.
LEAST_SPREAD = 0.05


class Baseline(Measure):
    """True while the value is further from the median of the past weeks than usual.

    For each hour of the week the means of past weeks are kept. An hour is learned when the first value of a later one
    comes, so the hour under way is never judged by itself. Median and deviation are worked out once an hour.
    """

    def __init__(self, words: BaselineWords) -> None:
        self.field = words.field
        self._words = words

    def judge(self, track: Track, sight: Sight) -> bool | None:
        """Learns, then compares."""
        value = figure(sight, self.field)
        if value is None:
            return None
        learned = self._take(track, sight.hour, value)
        learned.value = value
        if learned.usual is None:
            return None
        words = self._words
        difference = value - learned.usual
        if words.direction == "below" or (words.direction == "either" and difference < 0):
            difference = -difference
        return difference >= words.at_least and difference >= words.deviation * learned.spread and difference > 0

    def learn(self, track: Track, sight: Sight) -> None:
        """What happens outside the schedule is usual, too."""
        value = figure(sight, self.field)
        if value is not None:
            self._take(track, sight.hour, value)

    def drain(self, track: Track) -> bool | None:
        """Nothing drains: what was learned is kept."""
        return None

    def lapse(self, track: Track) -> None:
        """What was learned is kept."""

    def values(self, track: Track) -> Mapping[str, Any]:
        """`expected` and `usual_deviation` of this hour; `learned`: the weeks they are known from; `value`."""
        learned = track.measure
        if not isinstance(learned, Learned) or learned.usual is None:
            return {}
        return {
            "value": learned.value,
            "expected": round(learned.usual, 3),
            "usual_deviation": round(learned.spread, 3),
            "learned": learned.known,
        }

    def _take(self, track: Track, hour: int, value: float) -> Learned:
        """Adds the value to its hour; one of another hour completes the last."""
        learned = track.measure if isinstance(track.measure, Learned) else None
        if learned is None:
            learned = track.measure = Learned(hour)
        elif hour != learned.hour:
            self._complete(learned)
            learned.hour = hour
            self._recall(learned)
        learned.total += value
        learned.number += 1
        return learned

    def _complete(self, learned: Learned) -> None:
        slot = (learned.hour + EPOCH_HOUR) % WEEK
        # Six digits are more than any meter has, and the snapshot is half as large.
        means = [*learned.weeks.get(slot, ()), float(f"{learned.total / learned.number:.6g}")]
        learned.weeks[slot] = means[-self._words.weeks :]
        learned.total, learned.number = 0.0, 0

    def _recall(self, learned: Learned) -> None:
        means = learned.weeks.get((learned.hour + EPOCH_HOUR) % WEEK, [])
        learned.known = len(means)
        learned.usual = None
        if len(means) >= self._words.learn:
            learned.usual = median(means)
            spread = NORMAL * median(abs(mean - learned.usual) for mean in means)
            learned.spread = max(spread, LEAST_SPREAD * abs(learned.usual))
