"""Counting what devices do out of their events: how often something began, and for how long it went on."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.model import Count, Event
from gateway.services.schedule_book import Counting

#: A device that was not heard for longer than this was not running all the time for certain; no more is counted.
LONGEST_GAP = 6 * 3600.0


def counted(counting: Counting, count: Count | None, event: Event) -> Count:
    """The count after one more event. An event without the field says nothing."""
    known = count or Count(since_due=event.at)
    if counting.field not in event.data:
        return known
    on = event.data[counting.field] == counting.value
    if not counting.running:
        began = on and (count is None or not known.on)
        return replace(known, on=on, since_due=event.at, total=known.total + (1.0 if began else 0.0))
    ran = min(max(event.at - known.since_due, 0.0), LONGEST_GAP) if known.on else 0.0
    return replace(known, on=on, since_due=event.at, total=known.total + ran)
