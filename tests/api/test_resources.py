"""What people and programs do through the API, resource by resource."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from gateway.store import tables as t
from tests.api.conftest import NOW, an_alert, bearer
from tests.api.core_double import CoreDouble

pytestmark = pytest.mark.anyio
VIEWER, OPERATOR, ENGINEER, ADMIN = (bearer(role) for role in ("viewer", "operator", "engineer", "admin"))


async def items(client: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params=params, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest.mark.parametrize(
    ("path", "count"), [("/alerts", 27), ("/devices", 25), ("/work-orders", 25), ("/events", 35), ("/passes", 25)]
)
async def test_pages_hold_everything_once_in_order(
    client: httpx.AsyncClient, core: CoreDouble, path: str, count: int
) -> None:
    for number in range(23):
        # Several at the very same moment: the cursor must not lose any of them.
        core.put_alert(an_alert(f"al-{number:03}", raised_at=NOW + number // 5))
        device = core.put_device
        device(_device(f"d-{number:03}"))
        core._work_order_open(_action(), site="east", title="x")
        core._pass_put(_action(), site="east", kind="card", value=str(number))
    core.put_alert(an_alert("al-x"))
    core.put_alert(an_alert("al-y"))
    core.run(*(
        insert(t.events).values(
            seq=100 + number, site="east", device="east-cam", kind="k", time=NOW, received=NOW + 100, late=False,
            replay=False, key=b"", digest=1, data="{}",
        )
        for number in range(25)
    ))  # fmt: skip
    whole = await items(client, path, limit=1000)
    walked: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=params, headers=ADMIN)).json()
        assert len(page["items"]) <= 4
        walked, cursor = walked + page["items"], page["next"]
    assert walked == whole and len(whole) == count
    key = "seq" if path == "/events" else "id"
    assert len({item[key] for item in whole}) == count


def _device(id: str) -> Any:
    from gateway.model import Device

    return Device(id=id, site="east", adapter="x", external_id=id)


def _action() -> Any:
    from gateway.model import Action

    return Action(name="x")


async def test_alerts_by_state_severity_device_and_site(client: httpx.AsyncClient, core: CoreDouble) -> None:
    core._alert_close(_action(), "al-west")
    core._alert_shelve(_action(), "al-east", "cleaning", 5)
    assert [item["id"] for item in await items(client, "/alerts", state="open")] == ["al-east"]
    assert [item["id"] for item in await items(client, "/alerts", state="shelved")] == ["al-east"]
    for other in ("out_of_service", "suppressed"):
        assert await items(client, "/alerts", state=other) == []
    assert [item["id"] for item in await items(client, "/alerts", state="closed")] == ["al-west"]
    assert len(await items(client, "/alerts")) == 2
    assert len(await items(client, "/alerts", severity=["high", "low"])) == 2
    assert await items(client, "/alerts", severity="critical") == []
    assert [item["id"] for item in await items(client, "/alerts", device="west-cam", site="west")] == ["al-west"]
    assert (await client.get("/alerts?state=odd", headers=ADMIN)).status_code == 422


async def test_an_alert_is_handled(client: httpx.AsyncClient, core: CoreDouble) -> None:
    url = "/alerts/al-east"
    shown = await client.get(url, headers=VIEWER)
    assert shown.headers["etag"] == 'W/"1"' and shown.headers["cache-control"] == "no-store"
    based = {**OPERATOR, "If-Match": shown.headers["etag"]}
    done = await client.post(f"{url}/acknowledge", headers=based, json={"comment": "on my way"})
    assert done.json()["state"] == "acknowledged" and done.headers["etag"] == 'W/"2"'
    assert core.actions[-1].args == {"alert": "al-east", "version": 1, "comment": "on my way"}
    late = await client.post(f"{url}/acknowledge", headers=based)
    assert late.status_code == 412 and late.json()["code"] == "stale_version" and len(core.actions) == 1
    assert (await client.post(f"{url}/close", headers={**OPERATOR, "If-Match": "odd"})).json()["field"] == "If-Match"
    assert (await client.post(f"{url}/acknowledge", headers={**OPERATOR, "If-Match": "*"})).status_code == 200
    shelved = await client.post(f"{url}/shelve", headers=OPERATOR, json={"reason": "cleaning", "minutes": 30})
    assert shelved.json()["shelving"]["until_at"] > shelved.json()["shelving"]["from_at"]
    assert "until_due" not in shelved.json()["shelving"]
    assert (await client.post(f"{url}/unshelve", headers=OPERATOR)).json()["shelving"] is None
    told = await client.post(f"{url}/comment", headers=OPERATOR, json={"text": "looked at it"})
    assert told.json()["comments"][0]["by"] == "token:operator"
    order = await client.post(f"{url}/work-order", headers=OPERATOR, json={"team": "gate"})
    assert order.status_code == 201 and order.json()["team"] == "gate"
    assert order.headers["location"] == f"/api/v1/work-orders/{order.json()['id']}"
    assert (await client.post(f"{url}/close", headers=OPERATOR, json={"comment": "fine"})).json()["state"] == "closed"
    many = await client.post("/alerts/acknowledge", headers=OPERATOR, json={"alerts": ["al-west"]})
    assert many.json() == {"done": True, "result": {"acknowledged": ["al-west"]}}


async def test_an_alert_explains_itself(client: httpx.AsyncClient) -> None:
    why = (await client.get("/alerts/al-east/why", headers=VIEWER)).json()
    assert why["rule"] == "parking.blocked" and why["definition"]["id"] == "parking.blocked"
    assert why["values"] == {"plate": "京A****5", "direction": "in"} and why["evidence"][0]["seq"] == 7


async def test_a_work_order_goes_its_way(client: httpx.AsyncClient, core: CoreDouble) -> None:
    body = {"site": "east", "title": {"en": "Lamp", "zh": "灯"}, "team": "electric", "priority": "low"}
    made = await client.post("/work-orders", headers=OPERATOR, json=body)
    order = made.json()
    assert made.status_code == 201 and order["title"]["zh"] == "灯" and order["opened_by"] == "token:operator"
    states = []
    for verb, more in (("assign", {"assignee": "li"}), ("accept", None), ("start", None), ("done", {"text": "lamp"}),
                       ("verify", None), ("close", None)):  # fmt: skip
        answer = await client.post(f"/work-orders/{order['number']}/{verb}", headers=OPERATOR, json=more)
        assert answer.status_code == 200, answer.text
        states.append(answer.json()["state"])
    assert states == ["assigned", "accepted", "in_progress", "done", "verified", "closed"]
    told = await client.post(f"/work-orders/{order['id']}/comment", headers=OPERATOR, json={"text": "thanks"})
    assert told.json()["log"][-1]["text"] == "thanks"
    assert [item["id"] for item in await items(client, "/work-orders", state="unfinished")] == ["wo-west", "wo-east"]
    assert [item["id"] for item in await items(client, "/work-orders", team="electric")] == [order["id"]]


async def test_the_same_idempotency_key_makes_one_order(client: httpx.AsyncClient, core: CoreDouble) -> None:
    async def post(key: str, title: str = "Lamp", who: dict[str, str] = OPERATOR) -> httpx.Response:
        body = {"site": "east", "title": title}
        return await client.post("/work-orders", headers={**who, "Idempotency-Key": key}, json=body)

    first, twin = await asyncio.gather(post("k1"), post("k1"))
    assert first.json() == twin.json() == (await post("k1")).json()
    assert (await post("k2")).json()["id"] != first.json()["id"]
    assert (await post("k1", who=ADMIN)).json()["id"] != first.json()["id"], "another caller's key is another key"
    assert (await post("k1", "Door")).status_code == 409
    assert len(core.of("work_order.open")) == 3
    core.away = True
    assert (await post("k3")).status_code == 503
    core.away = False
    assert (await post("k3")).status_code == 201, "what failed may be tried again"


async def test_a_command_is_asked_for_once_a_key(client: httpx.AsyncClient, core: CoreDouble) -> None:
    url, headers = "/devices/east-cam/commands", {**OPERATOR, "Idempotency-Key": "k1"}
    body = {"name": "raise", "args": {"lane": 1}, "expires_in": 3, "reason": "ambulance"}
    first = await client.post(url, headers=headers, json=body)
    assert first.status_code == 202 and first.json()["state"] == "pending" and first.json()["args"] == {"lane": 1}
    assert first.headers["location"] == f"/api/v1/commands/{first.json()['id']}"
    again = await client.post(url, headers=headers, json=body)
    assert again.json()["id"] == first.json()["id"]
    other = await client.post(
        "/commands", headers={**ADMIN, "Idempotency-Key": "k1"}, json={"device": "east-cam", **body}
    )
    assert other.json()["id"] != first.json()["id"]
    assert core.actions[0].args["idempotency_key"] == "token:operator:k1"
    found = await items(client, "/commands", device="east-cam", state="open")
    assert {item["id"] for item in found} == {"cmd-east", first.json()["id"], other.json()["id"]}
    assert found == (await client.get(url, headers=VIEWER)).json()["items"]
    wrong: dict[str, Any]
    for wrong in ({"expires_in": 0}, {"expires_in": 1e9}, {"expires_in": "5"}, {"args": []}, {"name": ""}):
        assert (await client.post(url, headers=OPERATOR, json={**body, **wrong})).status_code == 422, wrong


async def test_a_plan_runs_and_is_stopped(client: httpx.AsyncClient) -> None:
    assert [plan["id"] for plan in await items(client, "/plans")] == ["fire"]
    assert (await client.post("/plans/none/runs", headers=OPERATOR, json={"site": "east"})).status_code == 404
    run = (await client.post("/plans/fire/runs", headers=OPERATOR, json={"site": "east", "drill": True})).json()
    assert (
        run["drill"] is True and run["steps"][0]["complete_by"].endswith("Z") and "complete_due" not in run["steps"][0]
    )
    url = f"/plan-runs/{run['id']}"
    done = await client.post(f"{url}/steps/look/complete", headers=OPERATOR, json={"state": "failed", "note": "locked"})
    assert done.json()["steps"][0]["state"] == "failed"
    assert (await client.post(f"{url}/steps/none/complete", headers=OPERATOR)).status_code == 404
    assert (await client.post(f"{url}/stop", headers=OPERATOR, json={"reason": "over"})).json()["state"] == "stopped"
    assert run["id"] not in [item["id"] for item in await items(client, "/plan-runs", state="running")]


async def test_a_device_is_registered_changed_and_shut_out(client: httpx.AsyncClient, core: CoreDouble) -> None:
    body = {"id": "door-1", "site": "east", "adapter": "native", "name": {"zh": "一号门"}, "settings": {"a": [1]}}
    made = await client.post("/devices", headers={**ENGINEER, "Idempotency-Key": "k"}, json=body)
    assert made.status_code == 201 and made.json()["credential"]["username"] == "door-1"
    assert made.json()["online"] is None and made.json()["state"] == {} and made.json()["settings"] == {"a": [1]}
    again = await client.post("/devices", headers={**ENGINEER, "Idempotency-Key": "k"}, json=body)
    assert again.json() == made.json(), "the same key gives the same credential"
    assert (await client.post("/devices", headers=ENGINEER, json=body)).status_code == 409
    url = "/devices/door-1"
    based = {**ENGINEER, "If-Match": made.headers["etag"]}
    changed = await client.patch(url, headers=based, json={"zone": "east-gate", "building": None})
    assert changed.json()["zone"] == "east-gate" and changed.json()["version"] == 2
    assert core.actions[-1].args == {"id": "door-1", "version": 1, "zone": "east-gate", "building": None}
    assert (await client.patch(url, headers=based, json={"zone": None})).status_code == 412
    assert (await client.post(f"{url}/disable", headers=ENGINEER)).json()["enabled"] is False
    assert (await client.post(f"{url}/enable", headers=ENGINEER)).json()["enabled"] is True
    adopted = await client.post(
        "/quarantine/vzenith/east-new/adopt", headers=ENGINEER, json={"id": "cam-2", "site": "east"}
    )
    assert adopted.status_code == 201 and adopted.json()["external_id"] == "east-new"
    assert [item["id"] for item in await items(client, "/devices", zone="east-gate", site="east")] == [
        "door-1",
        "east-cam",
    ]


async def test_sites_zones_passes_and_letters(client: httpx.AsyncClient, core: CoreDouble) -> None:
    site = await client.put("/sites/north", headers=ENGINEER, json={"name": {"en": "North"}})
    assert site.json() == {"id": "north", "name": {"en": "North"}, "timezone": "Asia/Shanghai", "lateness": 60.0}
    zone = await client.put(
        "/zones/n-1", headers=ENGINEER, json={"site": "north", "name": {"en": "N1"}, "parent": None}
    )
    assert zone.json()["kind"] == "zone" and [item["id"] for item in await items(client, "/zones", site="north")] == [
        "n-1"
    ]
    body = {
        "site": "north",
        "kind": "plate",
        "value": "沪B77777",
        "until_at": "2026-12-01T08:00:00+08:00",
        "zones": ["n-1"],
    }
    made = (await client.post("/passes", headers=OPERATOR, json=body)).json()
    assert made["value"] == "沪B****7" and made["until_at"] == "2026-12-01T00:00:00.000Z" and made["zones"] == ["n-1"]
    backwards = {**body, "from_at": "2027-01-01T00:00:00Z"}
    assert (await client.post("/passes", headers=OPERATOR, json=backwards)).json()["field"] == "until_at"
    assert (await client.delete(f"/passes/{made['id']}", headers=OPERATOR)).status_code == 204
    assert (await client.get(f"/passes/{made['id']}", headers=OPERATOR)).status_code == 404
    assert (await client.post("/dead-letters/1/retry", headers=ENGINEER)).json()["done"] is True
    assert core.of("dead_letter.retry")[0].args == {"id": 1}


async def test_events_by_device_kind_and_time(client: httpx.AsyncClient) -> None:
    assert [item["seq"] for item in await items(client, "/events", device="east-cam")] == [9, 7, 5, 3, 1]
    assert await items(client, "/events", kind="none") == []
    bounds = {"from": "2023-11-14T22:13:23Z", "to": "2023-11-14T22:13:26Z"}
    assert [item["seq"] for item in await items(client, "/events", **bounds)] == [5, 4, 3]
    event = (await items(client, "/devices/east-cam/events", kind="parking.vehicle"))[0]
    assert event == {
        "seq": 9, "site": "east", "device": "east-cam", "kind": "parking.vehicle", "time": "2023-11-14T22:13:29.000Z",
        "received": "2023-11-14T22:13:29.000Z", "late": False, "replay": False,
        "data": {"plate": "京A****5", "direction": "in"},
    }  # fmt: skip


def readings(core: CoreDouble, count: int, step: float, kind: str, data: Any, first: float = NOW) -> None:
    rows = [
        {"seq": int(first) % 10_000_000 + number, "site": "east", "device": "east-cam", "kind": kind,
         "time": first + number * step, "received": first, "late": False, "replay": False, "key": b"", "digest": 1,
         "data": data(number)}
        for number in range(count)
    ]  # fmt: skip
    core.run(insert(t.readings).values(rows))


async def test_history_with_gaps_and_units(client: httpx.AsyncClient, core: CoreDouble) -> None:
    def told(number: int) -> str:
        return f'{{"voltage_a":{220 + number},"on":{"true" if number else "false"},"word":"x"}}'

    readings(core, 3, 900, "meter.odd", told)
    readings(core, 2, 900, "meter.odd", told, NOW + 20_000)
    asked = {"device": "east-cam", "field": "voltage_a", "from": "2023-11-14T22:00:00Z", "to": "2023-11-15T22:00:00Z"}
    shown = (await client.get("/history", params=asked, headers=VIEWER)).json()
    assert shown["device"] == "east-cam" and shown["field"] == "voltage_a"
    assert [value for _, value in shown["points"]] == [220, 221, 222, None, 220, 221]
    assert shown["points"][0][0] == "2023-11-14T22:13:20.000Z"
    in_ms = (await client.get("/history", params={**asked, "times": "epoch_ms"}, headers=VIEWER)).json()
    assert in_ms["points"][1] == [1_700_000_900_000, 221]
    flags = (await client.get("/history", params={**asked, "field": "on"}, headers=VIEWER)).json()["points"]
    assert [value for _, value in flags] == [0, 1, 1, None, 0, 1]
    for nothing in ("word", "none", "a.b"):
        empty = await client.get("/history", params={**asked, "field": nothing}, headers=VIEWER)
        assert empty.status_code == 200 and empty.json()["points"] == [], nothing
    for wrong in ({"field": 'a"b'}, {"field": "direction"}, {"to": asked["from"]}, {"points": 0}, {"points": 10**6}):
        assert (await client.get("/history", params={**asked, **wrong}, headers=VIEWER)).status_code == 422, wrong
    assert (await client.get("/history", params={**asked, "device": "none"}, headers=VIEWER)).status_code == 404


async def test_history_is_thinned_to_the_points_asked_for(client: httpx.AsyncClient, core: CoreDouble) -> None:
    readings(core, 2000, 1.0, "meter.odd", lambda number: f'{{"power_kw":{number}}}')
    asked = {"device": "east-cam", "field": "power_kw", "from": "2023-11-14T22:13:20Z", "to": "2023-11-14T22:46:40Z"}
    points = (await client.get("/history", params={**asked, "points": 100}, headers=VIEWER)).json()["points"]
    assert len(points) == 100 and points[0][1] == 9.5 and points[-1][1] == 1989.5


async def test_ledger_status_and_metrics(client: httpx.AsyncClient, core: CoreDouble) -> None:
    assert (await client.get("/ledger", headers=VIEWER)).json() == {
        "received": 12, "fates": {"accepted": 10, "duplicate": 2}
    }  # fmt: skip
    status = (await client.get("/status", headers=VIEWER)).json()
    assert status["links"] == {"core": "up", "broker": "up", "store": "up"} and status["version"] == "0.0-test"
    assert status["counts"]["devices"] == 2 and status["alerts"] == {"high": {"unacknowledged": 2}}
    west = (await client.get("/status", headers=bearer("west-viewer"))).json()
    assert west["counts"]["devices"] == 1 and west["counts"]["dead_letters"] == 1
    core.away = True
    assert (await client.get("/status", headers=VIEWER)).json()["links"]["core"] == "down"
    for url in ("/metrics", "http://gate.test/metrics"):
        told = await client.get(url, headers=VIEWER)
        assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = told.text.splitlines()
        assert 'gatehouse_messages_total{fate="accepted"} 10' in lines
        assert (
            'gatehouse_alerts_open{severity="high"} 2' in lines and 'gatehouse_alerts_open{severity="low"} 0' in lines
        )
        assert 'gatehouse_api_requests_total{method="GET",status="200"}' in told.text
        assert all(line.startswith(("#", "gatehouse_")) for line in lines)
        assert (await client.get(url)).status_code == 401


async def test_rules_catalogue_and_description(client: httpx.AsyncClient) -> None:
    assert [rule["id"] for rule in await items(client, "/rules")] == ["parking.blocked"]
    assert (await client.get("/rules/none", headers=VIEWER)).status_code == 404
    kinds = {kind["name"]: kind for kind in await items(client, "/catalogue")}
    assert kinds["parking.vehicle"]["fields"]["plate"]["personal"] is True
    assert (await client.get("/openapi.json")).json()["info"]["title"] == "Gatehouse"


async def test_accounts(client: httpx.AsyncClient) -> None:
    body = {
        "name": "li.wei@gate",
        "role": "viewer",
        "password": "correct horse",
        "sites": ["west"],
        "language": "zh-CN",
    }
    made = await client.post("/users", headers=ADMIN, json=body)
    assert made.status_code == 201 and made.json()["has_password"] is True and "correct" not in made.text
    url = "/users/li.wei@gate"
    assert (await client.patch(url, headers=ADMIN, json={"role": "operator"})).json()["role"] == "operator"
    assert (await client.patch(url, headers={**ADMIN, "If-Match": 'W/"1"'}, json={})).status_code == 412
    assert [user["name"] for user in await items(client, "/users")] == ["anna", "li.wei@gate"]
    assert "hash" not in str(await items(client, "/users")).replace("password_hash", "hash")
    assert "secret" not in str(await items(client, "/tokens"))
    assert [line["action"] for line in await items(client, "/audit", by="user:anna")] == ["pass.put"]
