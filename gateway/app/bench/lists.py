"""What the lists of a busy year cost: queries and their JSON, over 100,000 alerts and 50,000 work orders on SQLite."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from gateway.api.present import Presenter
from gateway.app.bench.machine import describe
from gateway.app.bench.report import Figure, Report, figure
from gateway.catalogue import load_catalogue
from gateway.core.rows import ChangeFeed, write_records
from gateway.model import Alert, AlertState, Changes, LogEntry, OrderKind, OrderState, Severity, WorkOrder
from gateway.store.queries import Reader
from gateway.store.writer import WriteBatch, Writer

#: The promise: any list page, so many milliseconds at most at the 95th percentile.
TARGET_MS = 100.0
_YEAR = 365 * 86_400.0
_BATCH = 5000
_STATES = tuple(OrderState)
_KINDS = tuple(OrderKind)


def lists(alerts: int, orders: int, asks: int, tell: Callable[[str], None]) -> Report:
    """Fills a database of its own, asks for each list `asks` times, first pages and deep ones."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{quote(str(Path(folder) / 'gatehouse.db'))}"
        tell(f"writing {alerts} alerts and {orders} work orders")
        _fill(url, alerts, orders)
        reader, presenter = Reader(url), Presenter(load_catalogue())
        try:
            figures = [one for name, query, show in _lists(reader, presenter) for one in _ask(name, query, show, asks)]
        finally:
            reader.close()
        about = describe(Path(folder))
    return Report(machine=about, figures=figures)


def _lists(reader: Reader, presenter: Presenter) -> list[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]]:
    def orders(**more: Any) -> Callable[[Any], Any]:
        return lambda after: reader.work_orders(after=after, limit=100, **more)

    show = presenter.work_order
    return [
        ("alerts, all", lambda after: reader.alerts(after=after, limit=100), presenter.alert),
        ("alerts, open", lambda after: reader.alerts(state="open", after=after, limit=100), presenter.alert),
        ("work orders, all", orders(), show),
        ("work orders, unfinished", orders(state="unfinished"), show),
        ("work orders, in progress", orders(state="in_progress"), show),
        ("work orders, one team", orders(team="team-3"), show),
        ("work orders, one team's closed", orders(team="team-3", state="closed"), show),
        ("work orders, one device", orders(device="device-7"), show),
        ("work orders, residents' complaints", orders(source="resident", kind="complaint"), show),
        ("work orders, one assignee", orders(assignee="person-11"), show),
        ("work orders, return visits due", orders(visit_due=True), show),
    ]


def _ask(name: str, query: Callable[[Any], Any], show: Callable[[Any], Any], asks: int) -> list[Figure]:
    """The 95th percentile over pages from the first to deep ones, each as the API would send it, and its CPU alone."""
    spent: list[float] = []
    computed: list[float] = []
    place: Any = None
    for _ in range(asks):
        began, used = time.perf_counter(), time.process_time()
        page = query(place)
        msgspec.json.encode([show(item) for item in page.items])
        spent.append((time.perf_counter() - began) * 1000.0)
        computed.append((time.process_time() - used) * 1000.0)
        place = page.next
    wall, cpu = (sorted(times)[int(len(times) * 0.95)] for times in (spent, computed))
    return [
        figure(f"{name}: p95 a page of 100", [wall], "ms", TARGET_MS),
        figure(f"{name}: p95 of its CPU", [cpu], "ms"),
    ]


def _fill(url: str, alerts: int, orders: int) -> None:
    writer, feed, now = Writer(url), ChangeFeed(), time.time()
    writer.open()
    try:
        made: list[Alert | WorkOrder] = [
            *(_alert(n, alerts, now) for n in range(alerts)),
            *(_order(n, orders, now) for n in range(orders)),
        ]
        for start in range(0, len(made), _BATCH):
            changes, rows = Changes(), WriteBatch()
            for record in made[start : start + _BATCH]:
                changes.put(record)
            batch = msgspec.structs.replace(rows, alerts=[], work_orders=[], changes=[])
            write_records(changes, batch, feed, now)
            batch.changes = []
            writer.commit(batch)
    finally:
        writer.close()


def _alert(number: int, all_: int, now: float) -> Alert:
    at = now - _YEAR * (all_ - number) / all_
    is_open = number > all_ - 300
    return Alert(
        id=f"al-{number:09d}",
        site=f"site-{number % 3}",
        rule=f"rule.{number % 150}",
        scope=f"device-{number % 2000}",
        severity=tuple(Severity)[number % 4],
        state=AlertState.UNACKNOWLEDGED if is_open else AlertState.CLOSED,
        title={"en": "Door 3-2 was forced open", "zh": "3-2 门被强行打开"},
        device=f"device-{number % 2000}",
        raised_at=at,
        last_at=at,
    )


def _order(number: int, all_: int, now: float) -> WorkOrder:
    at = now - _YEAR * (all_ - number) / all_
    state = _STATES[number % 7] if number > all_ - 700 else OrderState.CLOSED
    return WorkOrder(
        id=f"wo-{number:09d}",
        number=f"WO-BENCH-{number:06d}",
        site=f"site-{number % 3}",
        title={"en": "Door 3-2 was forced open", "zh": "3-2 门被强行打开"},
        state=state,
        kind=_KINDS[number % 5],
        source=("rule", "person", "resident", "schedule")[number % 4],
        team=f"team-{number % 9}",
        assignee=f"person-{number % 60}",
        device=f"device-{number % 2000}",
        opened_at=at,
        closed_at=at + 3600 if state is OrderState.CLOSED else None,
        visit_wanted=number % 30 == 0,
        log=tuple(LogEntry("user:anna", at + step, "comment", "looked at it, part is on order") for step in range(8)),
    )
