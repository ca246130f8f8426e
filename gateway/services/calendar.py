"""A roster's weeks: who is on duty at an instant, and where nobody is. Counted in the site's local time.

Local time decides, as people read it off the wall: a night shift from 22:00 to 06:00 has seven hours when the clocks go
forward and nine when they go back, and nobody is missing in either. A local time that does not exist is never met; the
slot that would have begun in it begins with the first minute that does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from gateway.model import Roster, Slot
from gateway.model.duty import DAYS

DAY, WEEK = 1440, 7 * 1440
#: A Monday: cycles of weeks are counted from it where a roster names no other day.
EPOCH = date(2024, 1, 1)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


class Gap(NamedTuple):
    """Minutes of the cycle in which nobody is on duty, from the first up to, not including, the last."""

    start: int
    end: int

    def spoken(self, weeks: int = 1) -> str:
        """`mon 06:00 - mon 08:00`, with its week where the cycle has several."""
        return f"{minute_name(self.start, weeks)} - {minute_name(self.end, weeks, closing=True)}"


class Duty(NamedTuple):
    """Somebody on duty: until when (wall), as what, by which roster."""

    person: str
    role: str
    team: str
    roster: str
    until_at: float


def minute_of(text: str) -> int | None:
    """`HH:MM` as minutes of the day, `24:00` included; None for anything else."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    return DAY if text == "24:00" else int(found[1]) * 60 + int(found[2])


def minute_name(minute: int, weeks: int = 1, *, closing: bool = False) -> str:
    """A minute of the cycle as people say it; `closing` names the end of a day 24:00."""
    day, rest = divmod(minute - 1 if closing else minute, DAY)
    rest += 1 if closing else 0
    week, day = divmod(day, 7)
    name = f"{DAYS[day]} {rest // 60:02d}:{rest % 60:02d}"
    return f"week {week + 1} {name}" if weeks > 1 else name


def spans(roster: Roster) -> Iterator[tuple[int, int, Slot]]:
    """Each slot's spans in minutes of the cycle: start, length, slot."""
    for slot in roster.slots:
        start, end = minute_of(slot.start) or 0, minute_of(slot.end) or 0
        length = end - start if end > start else end - start + DAY
        for week in range(roster.cycle_weeks) if slot.week == 0 else (slot.week - 1,):
            for day in slot.days:
                yield week * WEEK + DAYS.index(day) * DAY + start, length, slot


def gaps(roster: Roster) -> list[Gap]:
    """The minutes of the cycle in which no slot has anybody, in order. Who stands in for others is not counted."""
    total = roster.cycle_weeks * WEEK
    covered: list[tuple[int, int]] = []
    for start, length, slot in spans(roster):
        if slot.people:
            covered.append((start, min(start + length, total)))
            if start + length > total:
                covered.append((0, start + length - total))
    found, reached = [], 0
    for start, end in sorted(covered):
        if start > reached:
            found.append(Gap(reached, start))
        reached = max(reached, end)
    if reached < total:
        found.append(Gap(reached, total))
    return found


def gaps_of(body: Mapping[str, Any]) -> list[str]:
    """The gaps of a roster's plain JSON value, as people say them."""
    roster = msgspec.convert(body, Roster)
    return [gap.spoken(roster.cycle_weeks) for gap in gaps(roster)]


def on_duty(roster: Roster, wall: float, timezone: str) -> list[Duty]:
    """Who is on duty at that instant by that roster; the same person once for each role."""
    found: dict[tuple[str, str], Duty] = {}
    covers = [cover for cover in roster.covers if cover.from_at <= wall < cover.until_at]
    for cover in covers:
        for person in cover.people:
            found[person, ""] = Duty(person, "", roster.team, roster.id, cover.until_at)
    if covers:
        return list(found.values())
    zone = ZoneInfo(timezone)
    local = datetime.fromtimestamp(wall, zone)
    total = roster.cycle_weeks * WEEK
    anchor = date.fromisoformat(roster.cycle_from) if roster.cycle_from else EPOCH
    anchor -= timedelta(days=anchor.weekday())
    now = ((local.date() - anchor).days % (roster.cycle_weeks * 7)) * DAY + local.hour * 60 + local.minute
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    for start, length, slot in spans(roster):
        into = (now - start) % total
        if into >= length:
            continue
        ends = midnight + timedelta(minutes=local.hour * 60 + local.minute + length - into)
        until = ends.replace(tzinfo=zone, fold=local.fold).timestamp()
        for person in slot.people:
            known = found.get((person, slot.role))
            if known is None or known.until_at < until:
                found[person, slot.role] = Duty(person, slot.role, roster.team, roster.id, until)
    return list(found.values())
