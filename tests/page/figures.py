"""The two reports as the stand-in tells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.model.facts import Facts
from gateway.services.figures.load import alert_load
from gateway.services.figures.promises import month_of

MONTH = 30 * 86_400.0
#: What the promises below are not, for one of each kind.
BROKEN = {
    "response": (97.5, -1.25, ["WO-0003"]),
    "equipment_in_order": (99.2, 0.4, ["lift-05", "gate-n-1"]),
    "fires": (0.0004, 0.0004, []),
    "fire_warnings": (2.5, 1.5, ["AL-0001"]),
    "alert_rate": (0.8, -0.2, ["power.outage"]),
}


def report(name: str, time: Callable[[float], str]) -> dict[str, Any]:
    """`kpi` or `alerts`."""
    span = {"since": time(MONTH), "until": time(0.0)}
    if name == "kpi":
        return {"month": "2026-11", **span, "items": [_item(one) for one in _nothing()]}
    load = alert_load([], 0.0, MONTH, MONTH, 1)
    load |= {"alerts": 812, "per_10_min": 1.3, "peak_10_min": 14, "peak_at": time(9000.0), "floods": 1}
    load["top"] = [{"rule": "power.outage", "count": 400, "share": 49.26}]
    return {**load, **span}


def _nothing() -> list[dict[str, Any]]:
    facts = Facts(alerts=[], orders=[], devices=[], passages=[], roster_gaps={}, households=0, oldest_log=None)
    return month_of(facts, MONTH, 2 * MONTH, 0.0, 2 * MONTH)


def _item(item: dict[str, Any]) -> dict[str, Any]:
    if item["name"] not in BROKEN:
        return item
    value, trend, records = BROKEN[item["name"]]
    met = value >= item["target"] if item["at_least"] else value <= item["target"]
    return {**item, "value": value, "trend": trend, "records": records, "met": met}
