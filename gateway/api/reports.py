"""Reports: the load of alerts on an operator, and the promises of a month. As JSON, for spreadsheets, on paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query
from starlette.responses import Response

from gateway.api.acting import From, To, Word, read, seconds
from gateway.api.auth import Who, needs, resource_router
from gateway.api.events import csv_answer
from gateway.api.present import rfc3339
from gateway.api.reply import reply
from gateway.api.report_print import alerts_page, kpi_page
from gateway.api.room import InRoom, Room
from gateway.api.schema import Shown, Text
from gateway.errors import Invalid
from gateway.model import Actor, Role
from gateway.model.facts import AlertFact, Facts
from gateway.services.calendar import gaps
from gateway.services.figures.load import alert_load
from gateway.services.figures.promises import month_of
from gateway.services.working_time import zone_of

router = resource_router("reports")

Form = Annotated[Literal["json", "csv", "html"], Query(description="`csv` for spreadsheets, `html` to print.")]
Language = Annotated[Literal["en", "zh"], Query(description="Of the page to print.")]
MonthWord = Annotated[
    str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="As 2026-11; this one if none.")
]
_declared = needs(Role.VIEWER)
_TEXT = {"schema": {"type": "string"}}
_declared["responses"][200] = {
    "content": {"text/csv": _TEXT, "text/html": _TEXT},
    "description": "The figures; as a sheet, or as a page to print.",
}
_KPI_COLUMNS = ("name", "title_en", "title_zh", "target", "value", "unit", "met", "trend", "of", "records")


class KpiItem(Shown):
    """One promise. `value` and `trend` are null where there is nothing to measure."""

    name: str
    title: Text
    target: float
    at_least: bool
    value: float | None
    met: bool | None
    unit: str
    trend: float | None
    of: str
    records: list[str]


class KpiOut(Shown):
    """The promises of a month."""

    month: str
    since: datetime
    until: datetime
    items: list[KpiItem]


class AlertReportOut(Shown):
    """The load of alerts after ISA-18.2. Shares are in per cent."""

    since: datetime
    until: datetime
    alerts: int
    operators: int
    per_10_min: float
    per_day: float
    peak_10_min: int
    peak_at: datetime | None
    windows_above_10: float
    time_in_flood: float
    flood_seconds: float
    floods: int
    mix: list[dict[str, Any]]
    top: list[dict[str, Any]]
    chattering: int
    stale: int
    stale_worst_day: int
    shelved: int
    acknowledgement: list[dict[str, Any]]


@router.get("/reports/alerts", **_declared, response_model=AlertReportOut)
async def alert_report(
    *,
    room: InRoom,
    actor: Who,
    since: From = None,
    to: To = None,
    month: MonthWord = None,
    site: Word = None,
    zone: Word = None,
    system: Word = None,
    operators: Annotated[int, Query(ge=1, le=1000, description="How many share the load.")] = 1,
    format: Form = "json",
    language: Language = "zh",
) -> Response:
    """The load of alerts on an operator after ISA-18.2: of a month, or of any time."""
    now = room.clock()
    timezone = await _timezone(room, actor, site)
    begin, end, _, _ = _month(month, now, timezone)
    begin, end = seconds(since) or begin, seconds(to) or end
    if end <= begin:
        raise Invalid("to", "is not after `from`")
    wanted = _wanted(site, zone, system)

    def figures() -> dict[str, Any]:
        alerts = [alert for alert in room.reader.alert_facts(begin, end, actor.sites) if wanted(alert)]
        return alert_load(alerts, begin, end, now, operators)

    found = await read(figures)
    shown = {**found, "since": rfc3339(begin), "until": rfc3339(end), "peak_at": rfc3339(found["peak_at"])}
    if format == "csv":
        return csv_answer("alert-load", ("figure", "of", "value", "target"), _load_rows(shown), None)
    if format == "html":
        return _paper(alerts_page(shown, language, timezone))
    return reply(shown)


@router.get("/reports/kpi", **_declared, response_model=KpiOut)
async def kpi(
    *,
    room: InRoom,
    actor: Who,
    month: MonthWord = None,
    site: Word = None,
    zone: Word = None,
    system: Word = None,
    format: Form = "json",
    language: Language = "zh",
) -> Response:
    """The promises of a month: each with target, value, trend and the records behind it."""
    now = room.clock()
    timezone = await _timezone(room, actor, site)
    begin, end, before, name = _month(month, now, timezone)

    def figures() -> list[dict[str, Any]]:
        only = (site,) if site is not None and (not actor.sites or site in actor.sites) else actor.sites
        rosters = room.reader.rosters(only, site=site)
        missing = {roster.id: sum(gap.end - gap.start for gap in gaps(roster)) for roster in rosters}
        facts = room.reader.facts(before, end, missing, only)
        return month_of(_narrowed(facts, site, zone, system), begin, end, before, now)

    items = await read(figures)
    if format == "csv":
        rows = [{**one, "title_en": one["title"]["en"], "title_zh": one["title"]["zh"],
                 "records": " ".join(one["records"])} for one in items]  # fmt: skip
        return csv_answer(f"kpi-{name}", _KPI_COLUMNS, rows, None)
    if format == "html":
        return _paper(kpi_page(items, name, language))
    return reply({"month": name, "since": rfc3339(begin), "until": rfc3339(end), "items": items})


def _paper(page: str) -> Response:
    return Response(page, 200, {"Cache-Control": "no-store"}, "text/html; charset=utf-8")


async def _timezone(room: Room, actor: Actor, site: str | None) -> str:
    """The zone whose months are meant: the site's, or the first one's."""
    found = await read(room.reader.sites, actor.sites)
    return next((one.timezone for one in found if site is None or one.id == site), "UTC")


def _month(word: str | None, now: float, timezone: str) -> tuple[float, float, float, str]:
    """Its first moment, the first one after it, the first of the month before, and its name."""
    zone = zone_of(timezone)
    here = datetime.fromtimestamp(now, zone)
    year, number = (int(part) for part in word.split("-")) if word is not None else (here.year, here.month)
    if year < 1971 or year > 9990:
        raise Invalid("month", "is not a month of this age")

    def first(months: int) -> float:
        years, rest = divmod(year * 12 + number - 1 + months, 12)
        return datetime(years, rest + 1, 1, tzinfo=zone).timestamp()

    return first(0), first(1), first(-1), f"{year:04}-{number:02}"


def _wanted(site: str | None, zone: str | None, system: str | None) -> Callable[[AlertFact], bool]:
    def fits(alert: AlertFact) -> bool:
        return (
            (site is None or alert.site == site)
            and (zone is None or zone in (alert.zone, alert.building))
            and (system is None or alert.system == system)
        )

    return fits


def _narrowed(facts: Facts, site: str | None, zone: str | None, system: str | None) -> Facts:
    """The facts of one site, zone or building, and system."""
    if site is None and zone is None and system is None:
        return facts
    wanted = _wanted(site, zone, system)
    devices = [one for one in facts.devices if site in (None, one.site) and zone in (None, one.zone, one.building)]
    known = {one.id for one in devices}
    orders = [
        one
        for one in facts.orders
        if site in (None, one.site)
        and (zone is None or zone == one.zone or one.device in known)
        and system in (None, (one.rule or "").partition(".")[0])
    ]
    return msgspec.structs.replace(
        facts,
        alerts=[alert for alert in facts.alerts if wanted(alert)],
        orders=orders,
        devices=devices,
        passages=[
            one
            for one in facts.passages
            if site in (None, one.site) and (zone is None or one.device in known) and system in (None, one.system)
        ],
    )


def _load_rows(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """The report as rows: figure, of what, value, target."""
    simple = [{"figure": name, "value": value} for name, value in shown.items() if not isinstance(value, list)]
    return [
        *simple,
        *(
            {"figure": "mix", "of": one["severity"], "value": one["share"], "target": one["target"]}
            for one in shown["mix"]
        ),
        *({"figure": "top", "of": one["rule"], "value": one["count"]} for one in shown["top"]),
        *(
            {
                "figure": "acknowledged in time",
                "of": one["severity"],
                "value": one["in_time"],
                "target": one["target_s"],
            }
            for one in shown["acknowledgement"]
        ),
    ]
