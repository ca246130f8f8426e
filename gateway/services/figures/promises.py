"""What the house promises its residents and itself, month by month, each with the records behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from gateway.model.facts import AlertFact, DeviceFact, Facts, OrderFact, Passage
from gateway.services.figures.load import alert_load

#: Records named behind a figure; there may be more.
RECORDS = 200
#: Types of devices whose being in order is promised.
EQUIPMENT = ("elevator", "fire_panel", "pump", "door", "barrier", "lamp", "light", "smoke_detector")
FIRE_POINTS = ("fire_panel", "smoke_detector", "fire_point", "hydrant")
FIRES = ("fire.two-points", "fire.two-detectors")
FIRE_WARNINGS = ("fire.alarm",)
INCIDENTS = ("access.duress", "access.forced-door", "access.blocklisted")
SERIOUS = ("access.duress",)
VIOLATIONS = ("parking.fire-lane-blocked", "parking.fake-plate", "parking.tailgating", "access.tailgating",
              "access.anti-passback", "charging.place-blocked", "parking.lane-blocked")  # fmt: skip
RESIDENTS = ("request", "complaint")
PLANNED = ("maintenance", "inspection")
MONTHS_KEPT = 183.0


class Month:
    """One period of the facts. `until` is not after `now`."""

    def __init__(self, facts: Facts, since: float, until: float, now: float) -> None:
        self.facts = facts
        self.since = since
        self.until = until
        self.now = now
        self.own = [alert for alert in facts.alerts if since <= alert.raised_at < until]
        self.opened = [one for one in facts.orders if since <= one.opened_at < until]

    @cached_property
    def load(self) -> dict[str, Any]:
        """The load of alerts on one operator."""
        return alert_load(self.facts.alerts, self.since, self.until, self.now, 1)

    def alerts(self, *rules: str) -> list[AlertFact]:
        """Alerts raised in it, of these rules."""
        return [alert for alert in self.own if alert.rule in rules] if rules else self.own

    def orders(self, *kinds: str) -> list[OrderFact]:
        """Orders opened in it, of these kinds."""
        return [one for one in self.opened if one.kind in kinds]

    def closed(self, *kinds: str) -> list[OrderFact]:
        """Orders closed in it that were not cancelled, of these kinds."""
        return [
            one
            for one in self.facts.orders
            if one.kind in kinds and one.outcome != "cancelled" and self.since <= (one.closed_at or 0.0) < self.until
        ]


class Figure(NamedTuple):
    """A value, None where there is nothing to measure, and the records that are not as promised, or all counted."""

    value: float | None
    records: Sequence[str] = ()


def share(good: Iterable[bool], names: Iterable[str]) -> Figure:
    """The part of all that is good in per cent; the records are those that are not."""
    pairs = list(zip(good, names, strict=True))
    if not pairs:
        return Figure(None)
    bad = [name for kept, name in pairs if not kept]
    return Figure(round(100 * (len(pairs) - len(bad)) / len(pairs), 3), bad)


def kept(did_at: float | None, by: float | None, now: float) -> bool | None:
    """Whether a promise was kept; None while it may still be, or where there is none."""
    if by is None:
        return None
    if did_at is not None:
        return did_at <= by
    return False if now > by else None


def _promise(orders: Iterable[OrderFact], did: str, by: str, now: float) -> Figure:
    judged = [(kept(getattr(one, did), getattr(one, by), now), one.number) for one in orders]
    known = [(good, number) for good, number in judged if good is not None]
    return share([good for good, _ in known], [number for _, number in known])


def response(month: Month) -> Figure:
    """Somebody took it in time."""
    return _promise(month.orders("repair", *RESIDENTS), "responded_at", "respond_by", month.now)


def answer(month: Month) -> Figure:
    """The resident was answered within two days."""
    return _promise(month.orders(*RESIDENTS), "answered_at", "answer_by", month.now)


def closed_in_a_week(month: Month) -> Figure:
    """The resident was helped by the promised day."""
    return _promise(month.orders(*RESIDENTS), "resolved_at", "resolve_by", month.now)


def repair_in_time(month: Month) -> Figure:
    """Repairs done by their deadline."""
    return _promise(month.orders("repair"), "resolved_at", "resolve_by", month.now)


def repair_quality(month: Month) -> Figure:
    """Repairs closed that did not come back."""
    closed = month.closed("repair")
    return share([one.reopened == 0 for one in closed], [one.number for one in closed])


def equipment(month: Month) -> Figure:
    """Device-hours without a standing fault."""
    devices: dict[str, DeviceFact] = {one.id: one for one in month.facts.devices if one.type in EQUIPMENT}
    since, until = month.since, month.until
    spans: dict[str, list[tuple[float, float]]] = {}
    for alert in month.facts.alerts:
        if alert.raised_at < until and alert.device in devices:
            end = alert.ended_at(month.now)
            if end > since and end > alert.raised_at:
                spans.setdefault(alert.device or "", []).append((max(alert.raised_at, since), min(end, until)))
    hours = sum(max(0.0, month.until - max(month.since, one.created_at)) for one in devices.values())
    if not hours:
        return Figure(None)
    lost = {device: covered(sorted(found)) for device, found in spans.items()}
    worst = sorted(lost, key=lambda device: (-lost[device], device))
    return Figure(round(100 * (1 - sum(lost.values()) / hours), 3), worst)


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length that sorted spans cover together."""
    total, reached = 0.0, float("-inf")
    for begin, end in spans:
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def visits(month: Month) -> Figure:
    """Closed repairs, requests and complaints that were visited afterwards."""
    closed = month.closed("repair", *RESIDENTS)
    return share([one.visit is not None for one in closed], [one.number for one in closed])


def complaints_handled(month: Month) -> Figure:
    """Complaints that were answered, or are still in time."""
    orders = month.orders("complaint")
    good = [kept(one.answered_at or one.closed_at, one.answer_by, month.now) is not False for one in orders]
    return share(good, [one.number for one in orders])


def founded(month: Month) -> Figure:
    """Founded complaints, per cent of the households."""
    found = [one.number for one in month.orders("complaint") if one.founded]
    households = month.facts.households
    return Figure(round(100 * len(found) / households, 3) if households else None, found)


def _count(month: Month, *rules: str) -> Figure:
    found = [alert.id for alert in month.alerts(*rules)]
    return Figure(float(len(found)), found)


def fires(month: Month) -> Figure:
    """Fires: what two points or detectors saw."""
    return _count(month, *FIRES)


def fire_warnings(month: Month) -> Figure:
    """Fire warnings, per mille of the points."""
    points = sum(one.type in FIRE_POINTS for one in month.facts.devices)
    found = _count(month, *FIRE_WARNINGS)
    return Figure(round(1000 * (found.value or 0.0) / points, 3) if points else None, found.records)


def incidents(month: Month) -> Figure:
    """What security had to deal with: duress, forced doors, people who must not be here."""
    return _count(month, *INCIDENTS)


def serious_incidents(month: Month) -> Figure:
    """What puts people in danger: duress."""
    return _count(month, *SERIOUS)


def violations(month: Month) -> Figure:
    """Violations that somebody dealt with."""
    found = month.alerts(*VIOLATIONS)
    return share([one.acknowledged_at is not None for one in found], [one.id for one in found])


def roster_gaps(month: Month) -> Figure:
    """Hours of the rosters in which nobody is on duty."""
    gaps = month.facts.roster_gaps
    return Figure(round(sum(gaps.values()) / 60, 2) if gaps else None, [name for name, gap in gaps.items() if gap])


def _registered(passages: Iterable[Passage]) -> Figure:
    found = list(passages)
    return share([one.pass_id is not None for one in found], [str(one.id) for one in found])


def vehicles(month: Month) -> Figure:
    """Vehicles let through that had a pass."""
    inside = [one for one in month.facts.passages if month.since <= one.time < month.until]
    return _registered(one for one in inside if one.kind == "plate")


def visitors(month: Month) -> Figure:
    """People let through that had a pass."""
    inside = [one for one in month.facts.passages if month.since <= one.time < month.until]
    return _registered(one for one in inside if one.kind != "plate")


def ledger(month: Month) -> Figure:
    """Devices that are named and placed."""
    devices = month.facts.devices
    return share([one.named and bool(one.zone or one.building) for one in devices], [one.id for one in devices])


def planned_work(month: Month) -> Figure:
    """Maintenance and inspections done on the planned day."""
    return _promise(month.orders(*PLANNED), "resolved_at", "resolve_by", month.now)


def fire_forwarded(month: Month) -> Figure:
    """Fire alarms that stood on the page within ten seconds."""
    return _forwarded(month.alerts(*FIRE_WARNINGS), 10.0)


def fire_states_forwarded(month: Month) -> Figure:
    """What else the fire system told that stood on the page within a hundred seconds."""
    others = [alert for alert in month.own if alert.system == "fire" and alert.rule not in FIRE_WARNINGS]
    return _forwarded(others, 100.0)


def _forwarded(alerts: Iterable[AlertFact], within: float) -> Figure:
    found = [alert for alert in alerts if alert.evidence]
    return share([one.raised_at - one.evidence[0].received <= within for one in found], [one.id for one in found])


def entrapment(month: Month) -> Figure:
    """Entrapments at which somebody was there within half an hour."""
    own = [one for one in month.opened if one.rule == "elevator.entrapment"]
    good = [kept(one.arrived_at or one.resolved_at, one.opened_at + 1800, month.now) for one in own]
    known = [(one, number.number) for one, number in zip(good, own, strict=True) if one is not None]
    return share([one for one, _ in known], [number for _, number in known])


def _load(field: str) -> Callable[[Month], Figure]:
    def figure(month: Month) -> Figure:
        return Figure(month.load[field], [one["rule"] for one in month.load["top"]])

    return figure


def urgent_share(month: Month) -> Figure:
    """Critical and high alerts among all."""
    alerts = month.alerts()
    urgent = [alert.id for alert in alerts if alert.severity in ("critical", "high")]
    return Figure(round(100 * len(urgent) / len(alerts), 3) if alerts else None, urgent)


def logs_kept(month: Month) -> Figure:
    """How far the log reaches back, in days."""
    oldest = month.facts.oldest_log
    return Figure(round((month.now - oldest) / 86400, 1) if oldest is not None else None)


class Promise(NamedTuple):
    """A figure with its name, its target and what is better: at least the target, or at most."""

    name: str
    en: str
    zh: str
    target: float
    at_least: bool
    unit: str
    figure: Callable[[Month], Figure]
    of: str = "work_order"
    """What its records are: work orders by number, the rest by id."""


PROMISES = (
    Promise("response", "Calls responded to in time", "三分钟服务承诺达成率", 100, True, "%", response),
    Promise("answer", "Residents answered within two days", "首接责任两日内答复率", 100, True, "%", answer),
    Promise("closed_in_a_week", "Residents helped within a week", "一周内办结率", 100, True, "%", closed_in_a_week),
    Promise("repair_in_time", "Repairs in time", "急修及时率", 99, True, "%", repair_in_time),
    Promise("repair_quality", "Repairs that lasted", "维修合格率", 100, True, "%", repair_quality),
    Promise("equipment_in_order", "Equipment in order", "设备完好率", 100, True, "%", equipment, "device"),
    Promise("return_visits", "Return visits after repairs", "回访率", 30, True, "%", visits),
    Promise("complaints_handled", "Complaints handled", "投诉处理率", 100, True, "%", complaints_handled),
    Promise("founded_complaints", "Founded complaints of households", "有效投诉率", 2, False, "%", founded),
    Promise("fires", "Fires", "火灾", 0, False, "count", fires, "alert"),
    Promise("fire_warnings", "Fire warnings of points", "火灾报警率", 1, False, "per mille", fire_warnings, "alert"),
    Promise("security_incidents", "Security incidents", "治安案件", 0, False, "count", incidents, "alert"),
    Promise("serious_incidents", "Serious incidents", "重大治安案件", 0, False, "count", serious_incidents, "alert"),
    Promise("violations_handled", "Violations dealt with", "违章处理率", 100, True, "%", violations, "alert"),
    Promise("roster_gaps", "Hours with nobody on duty", "值班空档", 0, False, "h", roster_gaps, "roster"),
    Promise("vehicles_registered", "Vehicles with a pass", "车辆登记率", 100, True, "%", vehicles, "decision"),
    Promise("visitors_registered", "People with a pass", "人员登记率", 100, True, "%", visitors, "decision"),
    Promise("equipment_ledger", "Devices in the ledger", "设备台账完整率", 100, True, "%", ledger, "device"),
    Promise("planned_work", "Maintenance on the planned day", "预防性维护按期率", 100, True, "%", planned_work),
    Promise("fire_forwarded", "Fire alarms within 10 s", "火警十秒送达率", 100, True, "%", fire_forwarded, "alert"),
    Promise(
        "fire_states_forwarded",
        "Other fire states within 100 s",
        "消防状态百秒送达率",
        100,
        True,
        "%",
        fire_states_forwarded,
        "alert",
    ),
    Promise("entrapment_30_min", "Entrapments reached in 30 min", "困人30分钟到场率", 100, True, "%", entrapment),
    Promise("alert_rate", "Alerts per 10 minutes", "每10分钟警报数", 1, False, "count", _load("per_10_min"), "rule"),
    Promise("time_in_flood", "Time in alert flood", "警报风暴时间占比", 1, False, "%", _load("time_in_flood"), "rule"),
    Promise("urgent_share", "Critical and high alerts", "紧急和高级警报占比", 5, False, "%", urgent_share, "alert"),
    Promise("logs_kept", "Days of log kept", "日志保存天数", MONTHS_KEPT, True, "d", logs_kept, "log"),
)


def month_of(facts: Facts, since: float, until: float, before: float, now: float) -> list[dict[str, Any]]:
    """Every promise of [since, until), with its trend against the period from `before` to `since`."""
    current = Month(facts, since, min(until, max(now, since)), now)
    last = Month(facts, before, since, now)
    items = []
    for promise in PROMISES:
        value, records = promise.figure(current)
        past = promise.figure(last).value
        met = None if value is None else value >= promise.target if promise.at_least else value <= promise.target
        items.append({
            "name": promise.name,
            "title": {"en": promise.en, "zh": promise.zh},
            "target": promise.target,
            "at_least": promise.at_least,
            "value": value,
            "met": met,
            "unit": promise.unit,
            "trend": None if value is None or past is None else round(value - past, 4),
            "of": promise.of,
            "records": list(records[:RECORDS]),
        })  # fmt: skip
    return items
