"""What the lists and reports of a busy year cost: every list of the API, by every filter, over SQLite."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from starlette.types import ASGIApp, Message

from gateway.api.app import create_app
from gateway.api.auth import PREFIX
from gateway.api.settings import ApiSettings, Definitions
from gateway.app.bench.lists_load import TOKEN, YEAR, fill
from gateway.app.bench.machine import describe
from gateway.app.bench.report import Figure, Report, figure, quantile
from gateway.catalogue import load_catalogue
from gateway.store.queries import Reader

#: The promise: any list page, so many milliseconds at most at the 95th percentile.
TARGET_MS = 100.0
#: A month's promises, and its load of alerts, in seconds.
REPORT_S = 2.0
#: Every list of the API, each with every filter: those that find much, and those that find little or nothing.
LISTS = {
    "/alerts": (
        "", "state=open", "state=unacknowledged", "state=acknowledged", "state=returned", "state=closed",
        "state=shelved", "state=out_of_service", "state=open&severity=critical", "severity=critical&severity=high",
        "site=site-1", "site=nowhere", "rule=rule.7", "rule=never", "state=open&rule=never", "device=device-7",
        "folded=true", "state=open&folded=true", "state=open&folded=false",
    ),
    "/alerts/al-000000001/children": ("", "ended=true"),
    "/work-orders": (
        "", "state=unfinished", "state=in_progress", "state=closed", "team=team-3", "team=team-3&state=closed",
        "team=nobody", "device=device-7", "alert=al-000000001", "site=site-1", "site=nowhere", "kind=complaint",
        "source=resident", "source=resident&kind=complaint", "assignee=person-11", "visit_due=true",
        "visit_due=true&team=nobody",
    ),
    "/plan-runs": ("", "state=running", "state=finished", "plan=plan-3", "plan=none"),
    "/commands": ("", "state=open", "state=done", "device=device-7", "state=failed&device=device-7"),
    "/devices": ("", "site=site-1", "zone=flat-7", "type=pump", "q=door", "q=nothing"),
    "/devices/device-7/events": ("", "kind=access.denied", "kind=never", "from={month}&to={month}"),
    "/devices/device-7/commands": ("",),
    "/events": (
        "", "kind=access.denied", "kind=access.denied&kind=parking.vehicle", "kind=never", "device=device-7",
        "device=device-7&kind=fire.status", "site=site-1", "site=nowhere", "from={month}", "to={month}",
    ),
    "/decisions": ("", "device=device-7", "site=site-1", "site=nowhere", "value=A7", "value=none", "allowed=false"),
    "/passes": ("", "site=site-1", "site=nowhere", "kind=plate", "kind=person", "value=A000007", "value=none"),
    "/notifications": ("", "state=unsent", "state=sent", "state=failed", "site=site-1", "site=nowhere",
                       "alert=al-000000007"),
    "/dead-letters": ("", "fate=undecodable", "state=kept", "state=discarded", "adapter=cloudevents", "adapter=none",
                      "device=device-7", "device=none"),
    "/quarantine": ("",),
    "/audit": ("", "by=user:person-7", "by=nobody", "action=pass.put", "action=none", "target=al-000000006",
               "target=none"),
    "/schedules": ("",),
    "/rounds": ("", "state=open", "schedule=walk"),
    "/shifts": ("", "state=current", "site=site-1"),
    "/rules/packs/site/versions": ("",),
    "/users": ("",),
    "/tokens": ("",),
    "/sites": ("",),
    "/zones": ("", "site=site-1"),
    "/rosters": ("",),
    "/people": ("",),
    "/plans": ("",),
}  # fmt: skip


class Spent(NamedTuple):
    """The slowest of every twenty pages of one list, in milliseconds: on the clock, and of CPU."""

    path: str
    clock: float
    cpu: float


def lists(alerts: int, orders: int, events: int, pages: int, tell: Callable[[str], None]) -> Report:
    """Fills a database of its own; asks for up to `pages` pages of each list, and for the reports of a month."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{quote(str(Path(folder) / 'gatehouse.db'))}"
        tell(f"writing {alerts} alerts, {orders} work orders and {events} events")
        now = time.time()
        fill(url, alerts, orders, events, now)
        tell("asking")
        spent, reports = asyncio.run(_ask_all(url, pages, now))
        about = describe(Path(folder))
    worst = max(spent, key=lambda one: one.clock)
    figures = [
        figure("list_page_p95_ms", [worst.clock], "ms", TARGET_MS),
        *(figure(f"{name}_month_s", [took], "s", REPORT_S) for name, took in reports.items()),
        *(one for each in spent for one in _figures(each)),
    ]
    return Report(machine=about, figures=figures)


def _figures(spent: Spent) -> list[Figure]:
    return [
        figure(f"GET {spent.path}: p95 a page of 100", [spent.clock], "ms", TARGET_MS),
        figure(f"GET {spent.path}: p95 of its CPU", [spent.cpu], "ms"),
    ]


async def _ask_all(url: str, pages: int, now: float) -> tuple[list[Spent], dict[str, float]]:
    reader = Reader(url)
    settings = ApiSettings(definitions=Definitions(catalogue=load_catalogue()), request_rate=1e9, request_burst=1e9)
    # Nothing here changes anything, so that no core is needed behind the door.
    app = create_app(settings, reader, None, clock=lambda: now)  # type: ignore[arg-type]
    month = datetime.fromtimestamp(now - YEAR / 12, UTC)
    try:
        spent = [
            await _pages(app, path, filters.format(month=f"{month:%Y-%m-%dT00:00:00Z}"), pages)
            for path, all_ in LISTS.items()
            for filters in all_
        ]
        reports = {}
        for name, path in (("kpi", "/reports/kpi"), ("alert_report", "/reports/alerts")):
            began = time.perf_counter()
            await ask(app, path, f"month={month:%Y-%m}")
            reports[name] = time.perf_counter() - began
    finally:
        reader.close()
    return spent, reports


async def _pages(app: ASGIApp, path: str, filters: str, pages: int) -> Spent:
    """Pages from the first on; a list that ends begins anew."""
    clock: list[float] = []
    cpu: list[float] = []
    cursor = ""
    await ask(app, path, filters)
    for _ in range(pages):
        query = "&".join(part for part in (filters, cursor and f"cursor={cursor}") if part)
        began, used = time.perf_counter(), time.process_time()
        body = await ask(app, path, query)
        clock.append((time.perf_counter() - began) * 1000.0)
        cpu.append((time.process_time() - used) * 1000.0)
        cursor = msgspec.json.decode(body).get("next") or ""
    return Spent(f"{path}{filters and '?'}{filters}", quantile(clock, 0.95), quantile(cpu, 0.95))


async def ask(app: ASGIApp, path: str, query: str = "") -> bytes:
    """The body of a GET as the API answers it, without a network. Raises `RuntimeError` for any status but 200."""
    status, parts = 0, []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": PREFIX + path, "raw_path": (PREFIX + path).encode(), "root_path": "", "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {TOKEN}".encode())],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    body = b"".join(parts)
    if status != 200:
        raise RuntimeError(f"GET {path}?{query} was answered {status}: {body[:200].decode(errors='replace')}")
    return body
