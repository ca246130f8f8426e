"""The figures: each against another way to come by it, out of the raw rows."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import create_engine, insert, text

from gateway.api.app import create_app
from gateway.api.settings import ApiSettings, Definitions
from gateway.catalogue import load_catalogue
from gateway.model import Alert, AlertState, OrderKind, OrderState, Severity, Visit, WorkOrder
from gateway.services.figures.load import in_flood, peak
from gateway.services.figures.promises import PROMISES, covered
from gateway.store import tables as t
from gateway.store.queries import Reader
from gateway.store.writer import Writer

pytestmark = pytest.mark.anyio
SINCE = datetime(2026, 2, 1, tzinfo=UTC).timestamp()
UNTIL = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
NOW = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
RULES = ("power.outage", "fire.alarm", "parking.tailgating", "gateway.device-offline", "access.held-door")
HOUR = 3600.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def an_alert(number: int, dice: random.Random) -> Alert:
    raised = SINCE - 10 * 24 * HOUR + dice.random() * 37 * 24 * HOUR
    if number % 3 == 0:
        # A burst, so that there are floods.
        raised = SINCE + 5 * 24 * HOUR + dice.random() * 1200
    acknowledged = raised + dice.random() * 500 if dice.random() < 0.8 else None
    returned = raised + dice.random() * 60 * HOUR if dice.random() < 0.8 else None
    return Alert(
        id=f"al-{number:05}", site="s", rule=dice.choice(RULES), scope=f"d{number % 7}",
        severity=dice.choice(list(Severity)),
        state=AlertState.CLOSED if acknowledged and returned else AlertState.RETURNED
        if returned else AlertState.UNACKNOWLEDGED, title={"en": "=HYPERLINK(1)", "zh": "x"}, device=f"d{number % 7}",
        building="b1" if number % 2 else "b2", raised_at=raised, acknowledged_at=acknowledged, returned_at=returned,
        active=returned is None, chattered=number % 11 == 0,
    )  # fmt: skip


def an_order(number: int, dice: random.Random) -> WorkOrder:
    opened = SINCE + dice.random() * 27 * 24 * HOUR
    done = opened + dice.random() * 8 * HOUR if dice.random() < 0.7 else None
    closed = done + HOUR if done is not None else None
    return WorkOrder(
        id=f"wo-{number:05}", number=f"WO-{number:05}", site="s", title={"en": "x"},
        state=OrderState.CLOSED if closed else OrderState.OPEN, kind=dice.choice(list(OrderKind)), outcome="done",
        opened_at=opened, respond_by=opened + 180, responded_at=opened + dice.random() * 300,
        resolve_by=opened + 6 * HOUR, resolved_at=done, closed_at=closed, reopened=int(dice.random() < 0.1),
        founded=dice.random() < 0.5,
        visit=Visit(satisfied=True, text="", visited_at=NOW, visited_by="x") if dice.random() < 0.4 else None,
    )  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'figures.db'}"
    writer = Writer(url)
    writer.open()
    writer.close()
    dice = random.Random(7)
    alerts = [an_alert(number, dice) for number in range(400)]
    orders = [an_order(number, dice) for number in range(200)]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(t.sites).values(id="s", name={"en": "S"}, timezone="UTC", lateness=60.0))
        connection.execute(insert(t.zones).values([
            {"id": f"flat-{number}", "site": "s", "name": {}, "kind": "flat", "parent": None} for number in range(50)
        ]))  # fmt: skip
        connection.execute(insert(t.devices).values([
            {"id": f"d{number}", "site": "s", "adapter": "cloudevents", "external_id": f"d{number}", "type": kind,
             "name": {"en": "x"}, "zone": None, "building": "b1" if number % 2 else None, "report_interval": 0.0,
             "enabled": True, "settings": {}, "created_at": 0.0, "version": 1}
            for number, kind in enumerate(["elevator", "door", "pump", "barrier", "camera", "fire_panel", "door"])
        ]))  # fmt: skip
        connection.execute(insert(t.decisions).values([
            {"time": SINCE + number * HOUR, "site": "s", "device": "d3", "kind": "plate", "value": "x",
             "direction": "out", "allowed": number % 5 > 0, "reason": "pass", "pass_id": "p" if number % 3 else None}
            for number in range(100)
        ]))  # fmt: skip
        connection.execute(insert(t.alerts).values([
            {"id": one.id, "site": one.site, "state": one.state, "severity": one.severity, "rule": one.rule,
             "scope": one.scope, "device": one.device, "raised_at": one.raised_at, "version": 1,
             "body": msgspec.json.encode(one).decode()} for one in alerts
        ]))  # fmt: skip
        connection.execute(insert(t.work_orders).values([
            {"id": one.id, "number": one.number, "site": "s", "state": one.state, "team": "",
             "opened_at": one.opened_at, "closed_at": one.closed_at, "kind": one.kind,
             "version": 1, "body": msgspec.json.encode(one).decode()} for one in orders
        ]))  # fmt: skip
        connection.execute(insert(t.tokens).values(
            id="tk", name="v", role="viewer", sites=[], created_at=1.0,
            hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ))  # fmt: skip
    engine.dispose()
    return url


class Asked:
    """A client of the reports."""

    def __init__(self, url: str) -> None:
        self.reader = Reader(url)
        settings = ApiSettings(definitions=Definitions(catalogue=load_catalogue()))
        self.app = create_app(settings, self.reader, None, clock=lambda: NOW)  # type: ignore[arg-type]

    async def __call__(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gate.test/api/v1") as client:
            return await client.get(path, headers={"Authorization": "Bearer test"})


@pytest.fixture
def asked(url: str) -> Iterator[Asked]:
    asked = Asked(url)
    yield asked
    asked.reader.close()


def sql(url: str, statement: str) -> Any:
    """One number, out of the raw rows, by SQL."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text(statement), {"since": SINCE, "until": UNTIL, "now": NOW}).scalar()
    engine.dispose()
    return found


_OWN = "raised_at >= :since and raised_at < :until"


async def test_the_load_of_alerts_is_what_the_raw_rows_say(asked: Asked, url: str) -> None:
    shown = (await asked("/reports/alerts?month=2026-02")).json()
    count = sql(url, f"select count(*) from alerts where {_OWN}")
    assert shown["alerts"] == count > 200
    assert shown["per_10_min"] == pytest.approx(count / (28 * 144), abs=1e-4)
    urgent = sql(url, f"select count(*) from alerts where {_OWN} and severity in ('critical', 'high')")
    assert next(one["count"] for one in shown["mix"] if one["severity"] == "high") == urgent
    assert sum(one["count"] for one in shown["mix"]) == count
    assert shown["chattering"] == sql(
        url, f"select count(*) from alerts where {_OWN} and json_extract(body, '$.chattered')"
    )
    busiest = sql(url, "select max(n) from (select count(*) n from alerts a join alerts b on "
                       "b.raised_at <= a.raised_at "
                       "and b.raised_at > a.raised_at - 600 where a.raised_at >= :since and a.raised_at < :until "
                       "and b.raised_at >= :since group by a.id)")  # fmt: skip
    assert shown["peak_10_min"] == busiest
    assert shown["stale"] == sql(url, "select count(*) from alerts where raised_at + 86400 < :until and "
        "(json_extract(body, '$.returned_at') is null or json_extract(body, '$.returned_at') >= :until) "
        "and raised_at < :until")  # fmt: skip
    for one in shown["acknowledgement"]:
        late = sql(url, f"select count(*) from alerts where {_OWN} and severity = '{one['severity']}' and "
                        f"json_extract(body, '$.acknowledged_at') - raised_at <= {one['target_s']}")  # fmt: skip
        assert one["in_time"] == pytest.approx(100 * late / one["alerts"], abs=0.01)
    by_rule = sql(url, f"select count(*) from alerts where {_OWN} and rule = '{shown['top'][0]['rule']}'")
    assert shown["top"][0]["count"] == by_rule
    assert shown["floods"] == 1 and shown["flood_seconds"] > 600


async def test_promises_are_what_the_raw_rows_say(asked: Asked, url: str) -> None:
    answer = (await asked("/reports/kpi?month=2026-02")).json()
    found = {one["name"]: one for one in answer["items"]}
    assert set(found) == {promise.name for promise in PROMISES}

    def percent(good: str, of: str) -> Any:
        return pytest.approx(
            100 * sql(url, f"select sum({good}) * 1.0 / count(*) from work_orders where {of}"), abs=0.001
        )

    def field(name: str) -> str:
        return f"json_extract(body, '$.{name}')"

    month = "opened_at >= :since and opened_at < :until"
    assert found["response"]["value"] == percent(
        f"{field('responded_at')} <= {field('respond_by')}",
        f"{month} and {field('kind')} in ('repair', 'request', 'complaint')",
    )
    judged = f"({field('resolved_at')} is not null or {field('resolve_by')} < :now)"
    assert found["repair_in_time"]["value"] == percent(
        f"coalesce({field('resolved_at')} <= {field('resolve_by')}, 0)",
        f"{month} and {field('kind')} = 'repair' and {judged}",
    )
    closed = f"{field('closed_at')} >= :since and {field('closed_at')} < :until"
    assert found["repair_quality"]["value"] == percent(
        f"{field('reopened')} = 0", f"{closed} and {field('kind')} = 'repair'"
    )
    assert found["return_visits"]["value"] == percent(
        f"{field('visit')} is not null", f"{closed} and {field('kind')} in ('repair', 'request', 'complaint')"
    )
    founded = sql(
        url, f"select count(*) from work_orders where {month} and {field('kind')} = 'complaint' and {field('founded')}"
    )
    assert found["founded_complaints"]["value"] == pytest.approx(2 * founded)
    assert found["vehicles_registered"]["value"] == pytest.approx(
        100 * sql(url, "select avg(pass_id is not null) from decisions where allowed and kind = 'plate'"), abs=0.001
    )
    assert found["equipment_ledger"]["value"] == pytest.approx(100 * 3 / 7, abs=0.001)
    assert found["violations_handled"]["value"] == pytest.approx(
        100 * sql(url, "select avg(json_extract(body, '$.acknowledged_at') is not null) from alerts "
                       f"where {_OWN} and rule = 'parking.tailgating'"), abs=0.001
    )  # fmt: skip
    bad = sql(
        url,
        f"select count(*) from work_orders where {closed} and {field('kind')} = 'repair' and {field('reopened')} > 0",
    )
    assert len(found["repair_quality"]["records"]) == bad > 0
    assert found["repair_quality"]["met"] is False
    january = {one["name"]: one for one in (await asked("/reports/kpi?month=2026-01")).json()["items"]}
    for name in ("alert_rate", "equipment_in_order", "urgent_share"):
        assert found[name]["trend"] == pytest.approx(found[name]["value"] - january[name]["value"], abs=1e-3)


async def test_equipment_in_order_is_counted_minute_by_minute(asked: Asked, url: str) -> None:
    found = {one["name"]: one for one in (await asked("/reports/kpi?month=2026-02")).json()["items"]}
    engine = create_engine(url)
    with engine.connect() as connection:
        bodies = [json.loads(row[0]) for row in connection.execute(text("select body from alerts"))]
    engine.dispose()
    broken: dict[str, set[int]] = defaultdict(set)
    for body in bodies:
        if body["device"] != "d4":
            end = body["returned_at"] or NOW
            first, last = max(body["raised_at"], SINCE), min(end, UNTIL)
            broken[body["device"]] |= set(range(round(first / 60), round(last / 60)))
    minutes = 6 * (UNTIL - SINCE) / 60
    expected = 100 * (1 - sum(len(found) for found in broken.values()) / minutes)
    assert found["equipment_in_order"]["value"] == pytest.approx(expected, abs=0.05)


async def test_reports_by_zone_and_system_in_csv_and_on_paper(asked: Asked, url: str) -> None:
    fire = (await asked("/reports/alerts?month=2026-02&system=fire&zone=b1")).json()
    assert fire["alerts"] == sql(
        url,
        f"select count(*) from alerts where {_OWN} and rule like 'fire.%' and json_extract(body, '$.building') = 'b1'",
    )
    sheet = await asked("/reports/kpi?month=2026-02&format=csv")
    rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert [row["name"] for row in rows] == [promise.name for promise in PROMISES]
    load = await asked("/reports/alerts?month=2026-02&format=csv")
    assert any(row["figure"] == "top" for row in csv.DictReader(io.StringIO(load.text.removeprefix("\ufeff"))))
    for path in ("/reports/kpi?month=2026-02&format=html", "/reports/alerts?month=2026-02&format=html"):
        for language, word in (("en", "Target"), ("zh", "目标")):
            page = await asked(f"{path}&language={language}")
            assert page.status_code == 200 and word in page.text and "<script" not in page.text
    assert (await asked("/reports/kpi?month=2026-13")).status_code == 422
    assert (await asked("/reports/kpi?month=2026-02&site=elsewhere")).status_code == 200


def test_a_flood_begins_above_ten_and_ends_below_five() -> None:
    times = [float(number) for number in range(11)]
    # The eleventh begins it; at 606 s the seventh has left and four are of the last ten minutes.
    assert in_flood(times, 0.0, 10_000.0) == (596.0, 1)
    assert in_flood(times[:10], 0.0, 10_000.0) == (0.0, 0)
    assert peak(times) == (11, 10.0)
    assert covered([(0.0, 5.0), (3.0, 4.0), (8.0, 9.0)]) == 6.0
