"""The weekly hours of passes: `mon-fri`, `08:00-18:00`, in the site's local time."""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.errors import Invalid
from rules.schedule import Schedule, Span

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


@lru_cache(maxsize=1024)
def weekly(days: str, hours: str) -> Schedule:
    """The schedule of a pass. Raises `Invalid` naming the field."""
    return Schedule(during=(Span(days=_days(days), hours=_spans(hours)),))


def _days(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.replace(",", " ").split():
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise Invalid("days", f"'{part}': write mon, tue, wed, thu, fri, sat, sun, or mon-fri")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found |= {number % 7 for number in range(start, end + 1 if end >= start else end + 8)}
    return tuple(sorted(found))


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for part in text.replace(",", " ").split():
        match = _HOURS.fullmatch(part)
        if match is None:
            raise Invalid("hours", f"'{part}': write 08:00-18:00, past midnight 22:00-06:00")
        a, b, c, d = map(int, match.groups())
        spans.append((a * 60 + b, c * 60 + d))
    return tuple(spans)
