"""`during` and `except`: spans of the week and the year in a site's time zone, through every change of the clocks.

A span is told in local time. Where the clocks go forward, a moment that does not exist is the first that does; where
they go back, a moment that comes twice begins a span the first time and ends it the second.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

#: The schedule is looked through this many days ahead for its next change; one that has none is looked at again then.
HORIZON = 400
_DAY = 1440


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Part of the calendar; an empty word asks nothing, all others have to fit.

    `days` are 0 for Monday to 6 for Sunday. `hours` are minutes of the day, the end excluded; an end that is not after
    its start is on the next day, and `days` and `dates` are then those of the start. `dates` are first and last day,
    as `2026-10-01`, or `10-01` for each year.
    """

    days: tuple[int, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()
    dates: tuple[tuple[str, str], ...] = ()

    def admits(self, day: date) -> bool:
        """Whether the span begins on that day."""
        if self.days and day.weekday() not in self.days:
            return False
        return not self.dates or any(_between(day.isoformat(), first, last) for first, last in self.dates)


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Inside any of `during` (always, where there is none) and inside none of `besides`, the word `except`."""

    during: tuple[Span, ...] = ()
    besides: tuple[Span, ...] = ()

    def inside(self, wall: float, zone: str) -> bool:
        """Whether the moment, in Unix seconds, is inside the schedule in that time zone."""
        return (not self.during or _in_any(self.during, wall, zone)) and not _in_any(self.besides, wall, zone)

    def next_change(self, wall: float, zone: str) -> float:
        """The next moment at which `inside` may differ from now; `HORIZON` days ahead where it does not."""
        now = self.inside(wall, zone)
        today = datetime.fromtimestamp(wall, ZoneInfo(zone)).date()
        spans = (*self.during, *self.besides)
        for first in range(-1, HORIZON, 8):
            days = [today + timedelta(days=first + number) for number in range(9)]
            edges = {edge for span in spans for day in days for pair in _instants(span, day, zone) for edge in pair}
            for edge in sorted(edges):
                if edge > wall and self.inside(edge, zone) is not now:
                    return edge
        return wall + HORIZON * 86_400.0


def hour_of(wall: float, zone: str) -> int:
    """The number of the local hour a moment is in: it grows by one each hour, and by 168 each week."""
    return int((wall + _offset(zone, int(wall // 900))) // 3600)


@lru_cache(maxsize=256)
def _offset(zone: str, quarter: int) -> float:
    """Seconds ahead of UTC in that quarter of an hour: no time zone changes within one."""
    shift = datetime.fromtimestamp(quarter * 900, ZoneInfo(zone)).utcoffset()
    return shift.total_seconds() if shift is not None else 0.0


def _in_any(spans: tuple[Span, ...], wall: float, zone: str) -> bool:
    if not spans:
        return False
    today = datetime.fromtimestamp(wall, ZoneInfo(zone)).date()
    days = (today - timedelta(days=1), today)
    return any(start <= wall < end for span in spans for day in days for start, end in _instants(span, day, zone))


def _instants(span: Span, day: date, zone: str) -> Iterator[tuple[float, float]]:
    """Begin and end, in Unix seconds, of the parts of a span that begin on a day."""
    if not span.admits(day):
        return
    for start, end in span.hours or ((0, _DAY),):
        until = end if end > start else end + _DAY
        yield _instant(day, start, zone, first=True), _instant(day, until, zone, first=False)


@lru_cache(maxsize=4096)
def _instant(day: date, minutes: int, zone: str, *, first: bool) -> float:
    """When a local time is: the first or second one where it comes twice, the next that exists where it never does."""
    info = ZoneInfo(zone)
    naive = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    early, late = (naive.replace(tzinfo=info, fold=fold).timestamp() for fold in (0, 1))
    if early <= late:
        return early if first else late
    # In the gap of spring the offsets are exchanged: the change itself lies between the two.
    shift = datetime.fromtimestamp(late, info).utcoffset()
    seconds = range(int(late), int(early) + 1)
    index = bisect_left(seconds, True, key=lambda second: datetime.fromtimestamp(second, info).utcoffset() != shift)
    return float(seconds[index])


def _between(day: str, first: str, last: str) -> bool:
    """Whether an ISO day lies between two, which have no year where they mean each one."""
    if len(first) == len("10-01"):
        day = day[5:]
        return first <= day <= last if first <= last else day >= first or day <= last
    return first <= day <= last
