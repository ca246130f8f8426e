"""What alerts ask of an operator, in the figures of ISA-18.2: how many an hour, the worst ten minutes, floods."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from rules.backtest.episodes import Episode

PERIOD = 600.0
"""ISA-18.2 counts alarms in ten minutes."""
FLOOD_BEGINS, FLOOD_ENDS = 10, 5
"""A flood begins with more than ten in ten minutes, and ends with fewer than five."""
LEVELS = ("critical", "high", "medium", "low")


class Flood(msgspec.Struct, frozen=True):
    """One flood: from when to when, and how many alerts came in it."""

    begins: float
    ends: float
    alerts: int


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one span. `flood_share` and the shares of `mix` are between 0 and 1."""

    alerts: int
    repeats: int
    withheld: int
    work_orders: int
    per_operator_hour: float
    peak_10m: int
    peak_at: float | None
    flood_s: float
    flood_share: float
    floods: tuple[Flood, ...]
    mix: dict[str, int]


def load_of(episodes: Iterable[Episode], since: float, until: float, work_orders: int, positions: int = 1) -> Load:
    """The load of what came between two wall times on so many operators' positions. What was withheld is no load."""
    known = list(episodes)
    shown = [one for one in known if not one.withheld]
    times = sorted(one.raised_at for one in shown)
    peak, peak_at = _peak(times)
    floods = _floods(times, until)
    hours = max(until - since, 1.0) / 3600.0
    flooded = sum(flood.ends - flood.begins for flood in floods)
    return Load(
        alerts=len(shown),
        repeats=sum(one.again for one in shown),
        withheld=len(known) - len(shown),
        work_orders=work_orders,
        per_operator_hour=round(len(shown) / hours / positions, 3),
        peak_10m=peak,
        peak_at=peak_at,
        flood_s=round(flooded, 3),
        flood_share=round(flooded / max(until - since, 1.0), 5),
        floods=tuple(floods),
        mix={level: sum(one.severity == level for one in shown) for level in LEVELS},
    )


def _peak(times: list[float]) -> tuple[int, float | None]:
    """The most alerts in any ten minutes, and when these began."""
    window: deque[float] = deque()
    most, begins = 0, None
    for time in times:
        window.append(time)
        while window[0] <= time - PERIOD:
            window.popleft()
        if len(window) > most:
            most, begins = len(window), window[0]
    return most, begins


def _floods(times: list[float], until: float) -> list[Flood]:
    moments = sorted([*((time + PERIOD, 0) for time in times), *((time, 1) for time in times)])
    found: list[Flood] = []
    now, begins, came = 0, None, 0
    for time, comes in moments:
        now += 1 if comes else -1
        if begins is None and now > FLOOD_BEGINS:
            begins, came = time, now
        elif begins is not None and comes:
            came += 1
        elif begins is not None and now < FLOOD_ENDS:
            found.append(Flood(begins, min(time, until), came))
            begins = None
    return found
