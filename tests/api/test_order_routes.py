"""Work orders, residents' requests, files, paper and sheets: the real routes over the real core."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.services.schedule_reading import read_schedules
from tests.support.lab import Lab
from tests.support.lab_door import LabApi

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 100


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    one = Lab(tmp_path, pack="[]")
    one.act("site.put", id="s1", name={"en": "Garden", "zh": "花园"})
    one.act("site.put", id="s2", name={"en": "Harbour", "zh": "港湾"})
    yield one
    one.close()


@pytest.fixture
def api(lab: Lab, tmp_path: Path) -> Iterator[LabApi]:
    one = LabApi(lab, tmp_path, request_sites=("s1",))
    yield one
    one.close()


async def opened(api: LabApi, **more: Any) -> dict[str, Any]:
    answer = await api("POST", "/work-orders", json={"site": "s1", "title": "Pump hums", **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_whole_life_through_the_api(api: LabApi, lab: Lab) -> None:
    order = await opened(api, resolve_within=7200, requester={"name": "Zhang San", "phone": "13812345678"})
    assert order["requester"]["phone"] == "13********8", order["requester"]
    until = datetime.fromtimestamp(lab.clock.wall() + 3 * 86_400, UTC).isoformat()
    for verb, body in (
        ("take", None),
        ("accept", None),
        ("arrive", None),
        ("pause", {"reason": "part"}),
        ("resume", None),
        ("defer", {"reason": "part", "text": "valve on order", "until": until}),
        ("start", None),
        ("parts", {"name": "valve", "quantity": 2, "price_cents": 1250}),
        ("labour", {"minutes": 30, "cost_cents": 5000}),
        ("done", {"text": "new valve"}),
        ("verify", None),
        ("answer", {"text": "A new valve is in"}),
        ("close", None),
        ("rate", {"score": 5}),
        ("visit", {"satisfied": True}),
        ("reopen", {"text": "hums again"}),
        ("cancel", {"reason": "duplicate", "text": "see the other"}),
    ):
        answer = await api("POST", f"/work-orders/{order['id']}/{verb}", json=body)
        assert answer.status_code == 200, f"{verb}: {answer.text}"
    ended = answer.json()
    assert (ended["state"], ended["outcome"], ended["reopened"]) == ("closed", "cancelled", 1)
    assert ended["cost_cents"] == 7500
    seen = await api("GET", f"/work-orders/{order['id']}", params={"reveal": "phoning the resident"})
    assert seen.json()["requester"]["phone"] == "13812345678"
    refused = await api(
        "POST", f"/work-orders/{order['id']}/defer", json={"reason": "part", "text": "x", "until": "soon"}
    )
    assert refused.status_code == 422


async def test_lists_are_filtered(api: LabApi) -> None:
    first = await opened(api, kind="complaint", team="security")
    second = await opened(api, team="security")
    await api("POST", f"/work-orders/{second['id']}/assign", json={"assignee": "li"})

    async def found(**query: Any) -> list[str]:
        answer = await api("GET", "/work-orders", params=query)
        return [item["id"] for item in answer.json()["items"]]

    assert await found(kind="complaint") == [first["id"]]
    assert await found(assignee="li", team="security") == [second["id"]]
    assert await found(visit_due=True) == []
    assert await found(source="person") == [second["id"], first["id"]]


async def test_a_photo_is_kept_by_its_hash_and_served_to_be_looked_at(api: LabApi, lab: Lab, tmp_path: Path) -> None:
    order = await opened(api)
    url = f"/work-orders/{order['id']}/files"
    kept = await api("POST", url, content=PNG, params={"name": "前 before.png"})
    assert kept.status_code == 201, kept.text
    file = kept.json()["files"][0]
    assert (file["type"], file["size"], file["name"]) == ("image/png", len(PNG), "前 before.png")
    assert len((await api("POST", url, content=PNG)).json()["files"]) == 1, "the same bytes again change nothing"
    served = await api("GET", f"{url}/{file['sha256']}", as_="viewer")
    assert served.content == PNG and served.headers["content-type"] == "image/png"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in served.headers["content-security-policy"]
    assert served.headers["content-disposition"].startswith("inline")
    pdf = (await api("POST", url, content=b"%PDF-1.7 x")).json()["files"][-1]
    shown = await api("GET", f"{url}/{pdf['sha256']}")
    assert shown.headers["content-disposition"].startswith("attachment")
    other = await opened(api)
    assert (await api("GET", f"/work-orders/{other['id']}/files/{file['sha256']}")).status_code == 404
    for bad in (b"", b"<html><script>alert(1)</script>", b"<svg xmlns='x'/>", b"GIF89a"):
        assert (await api("POST", url, content=bad)).status_code == 422, bad
    assert (await api("POST", url, content=PNG, as_="viewer")).status_code == 403
    (tmp_path / "files" / file["sha256"][:2] / file["sha256"]).write_bytes(b"\x89PNG\r\n\x1a\nanother")
    assert (await api("GET", f"{url}/{file['sha256']}")).status_code == 404, "damaged bytes are not served"


async def test_a_file_may_be_larger_than_other_bodies_and_not_larger_than_its_limit(api: LabApi) -> None:
    order = await opened(api)
    large = b"\xff\xd8\xff" + bytes(2 * 1024 * 1024)
    assert (await api("POST", f"/work-orders/{order['id']}/files", content=large)).status_code == 201
    assert (await api("POST", "/work-orders/import", content=large, as_="engineer")).status_code == 413
    huge = b"\xff\xd8\xff" + bytes(8 * 1024 * 1024)
    assert (await api("POST", f"/work-orders/{order['id']}/files", content=huge)).status_code == 413


async def test_fault_091_an_order_on_paper_and_in_a_sheet_is_text_whatever_it_says(api: LabApi) -> None:
    nasty = '=cmd|" /C calc"!A0<img src=x onerror=alert(1)>'
    order = await opened(api, title=nasty, text="@SUM(A1)", team="plumbing")
    page = await api("GET", f"/work-orders/{order['id']}/print", params={"language": "en"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<img" not in page.text and "&lt;img" in page.text and order["number"] in page.text
    assert "工单" in (await api("GET", f"/work-orders/{order['id']}/print")).text
    sheet = await api("GET", "/work-orders", params={"format": "csv"})
    row = next(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    assert row["title_en"] == "'" + nasty and row["number"] == order["number"]


async def test_a_sheet_is_taken_whole_or_every_wrong_line_is_named(api: LabApi, lab: Lab) -> None:
    good = (
        'external,site,title,team,priority\r\nMX-1,s1,\'=pump,plumbing,high\r\nMX-2,s1,"Lamp,\nhall",electrical,low\r\n'
    )
    wrong = good + "MX-3,nowhere,Door,,\r\nMX-4,s1,,,\r\nMX-5,s1,Door,,urgent\r\nMX-6,s1,Door\r\n"
    refused = await api("POST", "/work-orders/import", content=wrong.encode(), as_="engineer")
    assert refused.status_code == 422 and refused.json()["code"] == "sheet_refused"
    assert [one["line"] for one in refused.json()["facts"]["lines"]] == [6, 8]
    wrong = good + "MX-3,nowhere,Door,,\r\nMX-5,s1,Door,,urgent\r\n"
    refused = await api("POST", "/work-orders/import", content=wrong.encode(), as_="engineer")
    assert [one["line"] for one in refused.json()["facts"]["lines"]] == [5, 6], refused.text
    assert "nowhere" in refused.json()["detail"] and "urgent" in refused.json()["detail"]
    assert lab.work_orders() == []
    for bad in (b"site,title\n", b"external,site,title,colour\n", b"", b"external,site,title\n", b"\xff\xfe"):
        assert (await api("POST", "/work-orders/import", content=bad, as_="engineer")).status_code == 422, bad
    checked = await api("POST", "/work-orders/import", content=good.encode(), as_="engineer", params={"check": True})
    assert checked.json()["result"] == {"opened": 0, "known": 0, "checked": 2}
    for opened_, known in ((2, 0), (0, 2)):
        taken = await api("POST", "/work-orders/import", content=good.encode(), as_="engineer")
        assert taken.json()["result"] == {"opened": opened_, "known": known, "checked": 2}
        lab.crash()
    assert sorted(order.title["en"] for order in lab.work_orders()) == ["=pump", "Lamp,\nhall"]
    assert (await api("POST", "/work-orders/import", content=good.encode())).status_code == 403


# The residents' form


ASK = {"site": "s1", "kind": "repair", "category": "water", "text": "The tap drips", "name": "Zhang San"}


async def test_a_resident_asks_looks_it_up_rates_and_reopens_without_an_account(api: LabApi, lab: Lab) -> None:
    form = (await api("GET", "/requests/form", as_="")).json()
    assert [site["id"] for site in form["sites"]] == ["s1"] and "water" in form["categories"]
    made = await api("POST", "/requests", as_="", json=ASK)
    assert made.status_code == 201, made.text
    tracking = made.json()["tracking"]
    seen = (await api("GET", f"/requests/{tracking}", as_="")).json()
    assert (seen["state"], seen["number"], seen["taken"]) == ("open", made.json()["number"], False)
    assert "Zhang" not in str(seen) and "tap" not in str(seen)
    order = lab.work_orders()[0]
    assert (order.team, order.source) == ("plumbing", "resident")
    assert order.respond_by == pytest.approx(lab.clock.wall() + 180, abs=5)
    early = await api("POST", f"/requests/{tracking}/rate", as_="", json={"score": 5})
    assert early.status_code == 409
    told = ("answer", {"text": "New washer"}), ("comment", {"text": "resident was rude"})
    for verb, body in (("take", None), ("accept", None), ("start", None), ("done", None), *told):
        assert (await api("POST", f"/work-orders/{order.id}/{verb}", json=body)).status_code == 200
    lab.crash()
    rated = (await api("POST", f"/requests/{tracking}/rate", as_="", json={"score": 2})).json()
    assert rated["score"] == 2 and "New washer" in str(rated) and "rude" not in str(rated)
    assert "token:operator" not in str(rated), "nobody's name is told"
    again = (await api("POST", f"/requests/{tracking}/reopen", as_="", json={"text": "drips again"})).json()
    assert again["state"] == "open"
    assert (await api("GET", "/requests/R0000000000ZZ", as_="")).status_code == 404
    assert (await api("GET", f"/requests/{order.number}", as_="")).status_code == 422


async def test_the_form_is_bounded_offered_where_the_site_says_so_and_one_press_is_one_request(
    lab: Lab, tmp_path: Path
) -> None:
    api = LabApi(lab, tmp_path, request_sites=("s1",), requests_per_hour=3.0)
    try:
        assert (await api("POST", "/requests", as_="", json={**ASK, "site": "s2"})).status_code == 404
        twice = [await api("POST", "/requests", as_="", json=ASK, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
        assert twice[0].json() == twice[1].json() and len(lab.work_orders()) == 1
        trap = await api("POST", "/requests", as_="", json={**ASK, "email_again": "x@y"})
        assert trap.status_code == 201 and len(lab.work_orders()) == 1
        assert (await api("POST", "/requests", as_="", json=ASK)).status_code == 201
        refused = await api("POST", "/requests", as_="", json=ASK)
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 600
        for bad in ({"phone": "<script>"}, {"kind": "inspection"}, {"text": ""}, {"state": "closed"}):
            assert (await api("POST", "/requests", as_="", json={**ASK, **bad})).status_code == 422
    finally:
        api.close()


async def test_nothing_is_offered_by_default(lab: Lab, tmp_path: Path) -> None:
    api = LabApi(lab, tmp_path)
    try:
        assert (await api("GET", "/requests/form", as_="")).json()["sites"] == []
        assert (await api("POST", "/requests", as_="", json=ASK)).status_code == 404
    finally:
        api.close()


# Schedules and rounds


PLAN = """
schedules:
  - id: night
    site: s1
    title: {en: Night round, zh: 夜巡}
    does: patrol
    at: "30 22 * * *"
    points:
      - {id: gate, to: 20m}
  - id: lifts
    site: s2
    title: {en: Lifts, zh: 电梯}
    does: maintenance
    at: "0 9 1 * *"
"""


async def test_schedules_tell_their_next_times_and_are_run_and_paused(tmp_path: Path) -> None:
    book = read_schedules({"x.yaml": PLAN})
    lab = Lab(tmp_path, pack="[]", schedules=book)
    lab.act("site.put", id="s1", name={"en": "Garden"}, timezone="Asia/Shanghai")
    api = LabApi(lab, tmp_path, schedules=book)
    try:
        shown = (await api("GET", "/schedules")).json()["items"]
        assert [one["id"] for one in shown] == ["night", "lifts"]
        # The lab's day is 2 March 2026, six o'clock in the afternoon in Shanghai.
        assert shown[0]["next_times"][:2] == ["2026-03-02T14:30:00.000Z", "2026-03-03T14:30:00.000Z"]
        ran = await api("POST", "/schedules/night/run", as_="engineer")
        assert ran.status_code == 200 and ran.json()["ran"] == 1
        begun = (await api("GET", "/rounds", params={"state": "open"})).json()["items"][0]
        assert begun["id"] == ran.json()["result"] and begun["points"][0]["state"] == "waiting"
        found = {"point": "gate", "result": "abnormal", "text": "lock"}
        checked = await api("POST", f"/rounds/{begun['id']}/check", json=found)
        assert checked.json()["state"] == "finished" and checked.json()["points"][0]["result"] == "abnormal"
        assert (await api("POST", f"/rounds/{begun['id']}/check", json={"point": "gate"})).status_code == 404
        paused = await api("POST", "/schedules/night/pause", as_="engineer", json={"reason": "holiday"})
        assert paused.json()["paused"] == "holiday" and paused.json()["next_times"] == []
        assert (await api("POST", "/schedules/night/resume", as_="engineer")).json()["paused"] == ""
        assert (await api("POST", "/schedules/night/resume", as_="engineer")).status_code == 409
        assert (await api("POST", "/schedules/moon/run", as_="engineer")).status_code == 404
        assert (await api("POST", "/schedules/night/run")).status_code == 403
    finally:
        api.close()
        lab.close()
