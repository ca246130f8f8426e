"""The load of alerts on one operator, after ISA-18.2 and EEMUA 191."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Any

from gateway.model.facts import AlertFact

WINDOW = 600.0
#: A flood begins above ten new alerts in ten minutes and ends below five.
FLOOD_ABOVE, FLOOD_BELOW = 10, 5
STALE = 86400.0
DAY = 86400.0
#: How soon an alert of each level should be acknowledged, in seconds.
ACKNOWLEDGE_WITHIN = {"critical": 60.0, "high": 180.0, "medium": 1800.0, "low": 14400.0}
#: EEMUA 191: the share of each level, in per cent.
MIX = {"high": 5.0, "medium": 15.0, "low": 80.0}
TOP = 10


def in_flood(times: Sequence[float], since: float, until: float) -> tuple[float, int]:
    """Seconds of the period in flood, and how many floods began in it. `times` are sorted, also from before it."""
    # What happens at a moment: one comes, or one is ten minutes old. Those that leave go first.
    moments = sorted([(time, 1) for time in times] + [(time + WINDOW, 0) for time in times])
    count, began, seconds, floods = 0, None, 0.0, 0
    for time, comes in moments:
        count += 1 if comes else -1
        if began is None and count > FLOOD_ABOVE:
            began = time
            floods += since <= time < until
        elif began is not None and count < FLOOD_BELOW:
            seconds += max(0.0, min(time, until) - max(began, since))
            began = None
    if began is not None:
        seconds += max(0.0, until - max(began, since))
    return seconds, floods


def peak(times: Sequence[float]) -> tuple[int, float | None]:
    """The most new alerts in any ten minutes, and when those ended."""
    best, at, first = 0, None, 0
    for last, time in enumerate(times):
        while times[first] <= time - WINDOW:
            first += 1
        if last - first + 1 > best:
            best, at = last - first + 1, time
    return best, at


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of the sorted values do not exceed: the nearest rank."""
    return values[max(0, ceil(share * len(values)) - 1)] if values else None


def alert_load(alerts: Sequence[AlertFact], since: float, until: float, now: float, operators: int) -> dict[str, Any]:
    """The figures of [since, until). `alerts` may reach further back: floods and standing ones need it.

    A period that still runs is measured up to `now`.
    """
    until = min(until, max(now, since))
    came = sorted(alert.raised_at for alert in alerts)
    own = [alert for alert in alerts if since <= alert.raised_at < until]
    times = came[bisect_left(came, since) : bisect_left(came, until)]
    length = max(until - since, 1.0)
    seconds, floods = in_flood(came[bisect_right(came, since - DAY) : bisect_left(came, until)], since, until)
    busiest, busiest_at = peak(times)
    windows = Counter(int((time - since) // WINDOW) for time in times)
    tens = max(1, ceil(length / WINDOW))
    return {
        "alerts": len(own),
        "operators": operators,
        "per_10_min": round(len(own) / (length / WINDOW) / operators, 4),
        "per_day": round(len(own) / (length / DAY) / operators, 2),
        "peak_10_min": busiest,
        "peak_at": busiest_at,
        "windows_above_10": round(100 * sum(count > FLOOD_ABOVE for count in windows.values()) / tens, 3),
        "time_in_flood": round(100 * seconds / length, 3),
        "flood_seconds": round(seconds, 1),
        "floods": floods,
        "mix": mix(own),
        "top": top(own),
        "chattering": sum(alert.chattered for alert in own),
        **stale(alerts, since, until, now),
        "shelved": sum(alert.shelving is not None and alert.state != "closed" for alert in alerts),
        "acknowledgement": acknowledgement(own),
    }


def mix(alerts: Sequence[AlertFact]) -> list[dict[str, Any]]:
    """How many of each level, critical counted with high, against the share that there should be."""
    counts = Counter("high" if alert.severity == "critical" else alert.severity for alert in alerts)
    critical = sum(alert.severity == "critical" for alert in alerts)
    return [
        {
            "severity": level,
            "count": counts[level],
            "share": round(100 * counts[level] / len(alerts), 2) if alerts else None,
            "target": target,
            **({"critical": critical} if level == "high" else {}),
        }
        for level, target in MIX.items()
    ]


def top(alerts: Sequence[AlertFact]) -> list[dict[str, Any]]:
    """The rules that alert most often, and their share of the load."""
    counts = Counter(alert.rule for alert in alerts)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return [{"rule": rule, "count": count, "share": round(100 * count / len(alerts), 2)} for rule, count in ranked]


def stale(alerts: Sequence[AlertFact], since: float, until: float, now: float) -> dict[str, Any]:
    """How many stand for more than a day: at the end of the period, and on its worst day."""
    spans = [(alert.raised_at + STALE, alert.ended_at(now)) for alert in alerts]
    spans = [(begin, end) for begin, end in spans if end > begin and begin < until and end > since]
    ends = [since + DAY * number for number in range(1, ceil((until - since) / DAY))] + [until]
    begins, overs = sorted(begin for begin, _ in spans), sorted(over for _, over in spans)
    counts = [bisect_left(begins, end) - bisect_left(overs, end) for end in ends]
    return {"stale": counts[-1] if counts else 0, "stale_worst_day": max(counts, default=0)}


def acknowledgement(alerts: Sequence[AlertFact]) -> list[dict[str, Any]]:
    """For each level how long it took until somebody had seen it, in seconds."""
    found = []
    for level, within in ACKNOWLEDGE_WITHIN.items():
        own = [alert for alert in alerts if alert.severity == level]
        took = sorted(alert.acknowledged_at - alert.raised_at for alert in own if alert.acknowledged_at is not None)
        found.append({
            "severity": level,
            "alerts": len(own),
            "acknowledged": len(took),
            "median_s": percentile(took, 0.5),
            "p90_s": percentile(took, 0.9),
            "target_s": within,
            "in_time": round(100 * sum(one <= within for one in took) / len(own), 2) if own else None,
        })  # fmt: skip
    return found
