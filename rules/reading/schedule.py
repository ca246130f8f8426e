"""`during` and `except`: days, hours and dates as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from rules.document import Node
from rules.reading.common import nearest
from rules.schedule import Schedule, Span

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPAN = ("days", "hours", "dates")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_DATE = re.compile(r"(?:\d{4}-)?\d{2}-\d{2}")
_LEAP = "2024-"


def read_schedule(words: Mapping[str, Node]) -> Schedule | None:
    """The schedule of a rule; None where it has none."""
    if "during" not in words and "except" not in words:
        return None
    during, besides = (
        tuple(_span(item) for item in words[word].items()) if word in words else () for word in ("during", "except")
    )
    return Schedule(during=during, besides=besides)


def _span(node: Node) -> Span:
    found = node.words(SPAN, "a span of time")
    if node.is_mapping and not found:
        node.problem("the span is empty", "write `{days: mon-fri, hours: 08:00-18:00}`")
    days = {day for item in found["days"].items() for day in _days(item)} if "days" in found else set()
    hours = [part for item in found["hours"].items() if (part := _hours(item))] if "hours" in found else []
    dates = [period for item in found["dates"].items() if (period := _dates(item))] if "dates" in found else []
    return Span(days=tuple(sorted(days)), hours=tuple(hours), dates=tuple(dates))


def _days(node: Node) -> list[int]:
    """`mon`, or `mon-fri`, which may go over the end of the week."""
    text = node.text("days") or ""
    first, dash, last = text.partition("-")
    for name in (first, last) if dash else (first,):
        if name not in DAYS:
            node.problem(f"no day is called '{name}'", nearest(name, DAYS), name)
            return []
    start, end = DAYS.index(first), DAYS.index(last if dash else first)
    return [(start + step) % 7 for step in range((end - start) % 7 + 1)]


def _hours(node: Node) -> tuple[int, int] | None:
    """Minutes of the day."""
    text = node.text("hours") or ""
    match = _HOURS.fullmatch(text)
    start, end = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (-1, -1)
    if match is None or int(match[2]) > 59 or int(match[4]) > 59 or start >= 1440 or end > 1440 or start == end:
        node.problem(f"'{text}' is no time of the day", "write `08:00-18:00`, or `22:00-06:00` for a night")
        return None
    return start, end


def _dates(node: Node) -> tuple[str, str] | None:
    """First and last day."""
    text = node.text("dates") or ""
    first, dots, last = text.partition("..")
    last = last if dots else first
    for day in (first, last):
        if not _DATE.fullmatch(day) or not _exists(day):
            node.problem(f"'{day}' is no date", "write `2026-10-01`, `10-01` for each year, `10-01..10-07`", day)
            return None
    if len(first) != len(last) or (len(first) > len("10-01") and last < first):
        node.problem(f"'{text}' goes from one sort of date to another, or backwards", "write `2026-10-01..2026-10-07`")
        return None
    return first, last


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day if len(day) > len("10-01") else _LEAP + day)
    except ValueError:
        return False
    return True
