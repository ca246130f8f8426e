"""Working time 工作时间: deadlines that run only while a team works. Pure: who knows the holidays is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

#: Whether people work on that day: weekends, holidays and the working days that make up for them considered.
Workdays = Callable[[date], bool]

#: A promise further away than this many days is given in plain time: no calendar reaches so far.
_HORIZON = 1500


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """When a team works: from `start` to `end` on working days, in seconds after midnight, or round the clock."""

    start: float = 0.0
    end: float = 86_400.0
    round_the_clock: bool = True


ROUND_THE_CLOCK = Hours()


def weekdays(day: date) -> bool:
    """Monday to Friday: for sites that name no holidays."""
    return day.weekday() < 5


class WorkingTime:
    """The working time of one team at one site. Times are Unix seconds, lengths seconds."""

    def __init__(self, hours: Hours, zone: tzinfo, workdays: Workdays = weekdays) -> None:
        self._hours = hours
        self._zone = zone
        self._workdays = workdays

    def add(self, start: float, seconds: float) -> float:
        """The instant at which `seconds` of working time have passed since `start`."""
        if self._hours.round_the_clock:
            return start + seconds
        left = seconds
        for begin, end in self._spans(start):
            worked = end - max(begin, start)
            if worked >= left:
                return max(begin, start) + left
            left -= worked
        return start + seconds

    def between(self, start: float, end: float) -> float:
        """The working time from `start` to `end`; negative where `end` is the earlier."""
        if self._hours.round_the_clock:
            return end - start
        if end < start:
            return -self.between(end, start)
        total = 0.0
        for begin, finish in self._spans(start):
            if begin >= end:
                return total
            total += min(finish, end) - max(begin, start)
        return end - start

    def _spans(self, start: float) -> Iterator[tuple[float, float]]:
        """The stretches of work that end after `start`, in order."""
        day = datetime.fromtimestamp(start, self._zone).date()
        for _ in range(_HORIZON):
            if self._workdays(day):
                begin, end = self._instant(day, self._hours.start), self._instant(day, self._hours.end)
                if end > start and end > begin:
                    yield begin, end
            day += timedelta(days=1)

    def _instant(self, day: date, seconds: float) -> float:
        local = datetime.combine(day, datetime.min.time()) + timedelta(seconds=seconds)
        return local.replace(tzinfo=self._zone).timestamp()


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of that name; UTC where there is none of it."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):
        return ZoneInfo("UTC")
