"""Who may do what: every route against every kind of caller."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Mount

from gateway.api.auth import DEVICE, PUBLIC, GuardedRoute, role_of
from gateway.api.openapi import every_route
from gateway.model import Role
from tests.api.conftest import ROLES, bearer
from tests.api.core_double import CoreDouble

pytestmark = pytest.mark.anyio

#: Routes of things that belong to a site, with the id of one in the site east.
THINGS = {
    "/device-lists/{id}": "east-cam", "/out-of-service/{id}": "oo-east",
    "/devices/{id}": "east-cam", "/alerts/{id}": "al-east", "/work-orders/{id}": "wo-east",
    "/plan-runs/{id}": "run-east",
    "/commands/{id}": "cmd-east", "/passes/{id}": "pass-east", "/dead-letters/{id}": "1", "/zones/{id}": "east-gate",
    "/sites/{id}": "east", "/rosters/{id}": "roster-east", "/shifts/{id}": "shift-east",
    "/notifications/{id}": "no-east",
}  # fmt: skip
BODIES: dict[str, Any] = {
    "/check": {"point": "gate"}, "schedules/{id}/pause": {"reason": "x"},
    "answer": {"text": "mended"}, "reopen": {"text": "again"}, "pause": {"reason": "part"},
    "cancel": {"reason": "other", "text": "x"}, "found": {"founded": True, "text": "x"}, "rate": {"score": 5},
    "visit": {"satisfied": True}, "parts": {"name": "valve"}, "labour": {"minutes": 5},
    "defer": {"reason": "part", "text": "x", "until": "2030-01-01T00:00:00Z"},
    "shelve": {"reason": "cleaning", "minutes": 10}, "comment": {"text": "seen"}, "assign": {"assignee": "li"},
    "stop": {"reason": "false alarm"}, "commands": {"name": "raise"}, "select": {"name": "raise"},
    "notes": {"text": "seen"}, "": {},
    "covers": {"from_at": "2026-01-01T00:00:00Z", "until_at": "2026-01-02T00:00:00Z", "people": ["li"]},
}  # fmt: skip


def filled(path: str) -> str:
    for pattern, id in THINGS.items():
        if pattern in path:
            path = path.replace(pattern, pattern.replace("{id}", id))
    named = {"{step}": "look", "{adapter}": "vzenith", "{external_id}": "east-new", "{device}": "east-cam",
             "{name}": "anna", "{sha256}": "a" * 64,
             "{number}": "1",
             "/schedules/{id}": "/schedules/night", "/rounds/{id}": "/rounds/rd-1",
             "/tokens/{id}": "/tokens/tk-viewer", "/plans/{id}": "/plans/fire",
             "/rules/{id}": "/rules/parking.blocked",
             "/rules/backtest/{id}": "/rules/backtest/bt-1", "/people/{id}": "/people/li"}  # fmt: skip
    for placeholder, value in named.items():
        path = path.replace(placeholder, value)
    assert "{" not in path, f"the test does not know how to fill {path}"
    return path


def declared(app: Any) -> list[tuple[str, str, str, APIRoute]]:
    found = []
    for path, route in every_route(app.routes):
        found += [(method, path, str(role_of(route)), route) for method in sorted(route.methods or ())]
    return found


def test_fault_084_a_route_without_a_declared_role_cannot_be_made() -> None:
    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(TypeError, match="declares no role"):
        router.get("/open")(lambda: None)


def test_fault_084_nothing_is_served_beside_the_guarded_routes_and_the_page(app: Any) -> None:
    walked = declared(app)
    assert len(walked) > 70
    assert all(isinstance(route, GuardedRoute) for *_, route in walked)
    others = [
        route for route in app.routes if not isinstance(route, APIRoute) and not hasattr(route, "original_router")
    ]
    assert [type(route) for route in others] == [Mount], others
    public = {path for _, path, role, _ in walked if role == PUBLIC}
    assert public == {
        "/api/v1/requests/form", "/api/v1/requests", "/api/v1/requests/{tracking}", "/api/v1/requests/{tracking}/rate",
        "/api/v1/requests/{tracking}/reopen",
        "/api/v1/health", "/api/v1/ready", "/api/v1/session", "/api/v1/openapi.json", "/sign-in",
        "/api/v1/sign-in", "/api/v1/{rest:path}",
    }  # fmt: skip


async def test_fault_084_every_route_refuses_whoever_its_role_does_not_admit(
    app: Any, client: httpx.AsyncClient, core: CoreDouble
) -> None:
    asked = 0
    for method, path, role, _ in declared(app):
        if role == PUBLIC:
            continue
        url = f"http://gate.test{filled(path)}"
        nobody = {"none": {}, "wrong": bearer("wrong"), "expired": bearer("expired"), "revoked": bearer("revoked"),
                  "old cookie": {"Cookie": "gatehouse_session=cookie-old"},
                  "basic": {"Authorization": "Basic eDp5"}}  # fmt: skip
        for who, headers in nobody.items():
            answer = await client.request(method, url, headers=headers, json={})
            assert answer.status_code == 401, f"{who} at {method} {path}: {answer.status_code} {answer.text}"
            assert answer.headers["www-authenticate"], (method, path)
        if role != DEVICE:
            for lesser in ROLES[: list(Role).index(Role(role))]:
                answer = await client.request(method, url, headers=bearer(lesser), json={})
                assert answer.status_code == 403, f"{lesser} at {method} {path}: {answer.status_code} {answer.text}"
                assert answer.json()["code"] == "forbidden"
        asked += 1
    assert asked > 60
    assert core.actions == [], "nobody who was refused reached the core"


async def test_fault_086_things_of_another_site_do_not_exist(
    app: Any, client: httpx.AsyncClient, core: CoreDouble
) -> None:
    checked = 0
    for method, path, _role, _ in declared(app):
        if not any(pattern in path for pattern in THINGS) and "{external_id}" not in path:
            continue
        body: Any = next((value for word, value in BODIES.items() if path.endswith(word) and word), {})
        if path.endswith("/zones/{id}"):
            body = {"site": "west", "name": {"en": "Gate"}}
        if path.endswith("/alerts/{id}/assign"):
            body = {"to": "li"}
        if path.endswith("/rosters/{id}"):
            body = {"site": "west", "team": "guards", "slots": []}
        if path.endswith("/sites/{id}"):
            body = {"name": {"en": "East"}}
        if path.endswith("adopt"):
            body = {"id": "n1", "site": "west"}
        url = f"http://gate.test{filled(path)}"
        answer = await client.request(method, url, headers=bearer("west-admin"), json=body if method != "GET" else None)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
        assert answer.json()["code"] == "not_found"
        checked += 1
    assert checked > 30
    assert core.actions == []


@pytest.mark.parametrize(
    "path",
    ["/sites", "/zones", "/devices", "/events", "/alerts", "/work-orders", "/plan-runs", "/commands", "/passes",
     "/dead-letters", "/quarantine", "/rosters", "/shifts", "/notifications"],
)  # fmt: skip
async def test_fault_086_lists_hold_things_of_ones_own_sites_only(client: httpx.AsyncClient, path: str) -> None:
    both = (await client.get(path, headers=bearer("admin"))).json()["items"]
    own = (await client.get(path, headers=bearer("west-admin"))).json()["items"]
    assert "east" in str(both) and "west" in str(both)
    assert own and "east" not in str(own), own


@pytest.mark.parametrize("path", ["/users", "/tokens", "/audit"])
async def test_fault_086_accounts_and_audit_are_not_for_administrators_of_one_site(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path, headers=bearer("admin"))).status_code == 200
    assert (await client.get(path, headers=bearer("west-admin"))).status_code == 403


async def test_fault_086_nothing_can_be_made_in_another_site(client: httpx.AsyncClient, core: CoreDouble) -> None:
    for path, body in (
        ("/devices", {"id": "n1", "site": "east", "adapter": "vzenith"}),
        ("/work-orders", {"site": "east", "title": "x"}),
        ("/plans/fire/runs", {"site": "east"}),
        ("/shifts", {"site": "east"}),
        ("/passes", {"site": "east", "kind": "plate", "value": "京A1"}),
        ("/passes", {"id": "pass-east", "site": "west", "kind": "plate", "value": "京A1"}),
        ("/commands", {"device": "east-cam", "name": "raise"}),
        ("/work-orders", {"site": "west", "title": "x", "device": "east-cam"}),
        ("/alerts/acknowledge", {"alerts": ["al-west", "al-east"]}),
    ):
        answer = await client.post(path, headers=bearer("west-admin"), json=body)
        assert answer.status_code == 404, (path, answer.text)
    assert core.actions == []


async def test_the_answer_to_a_refusal_comes_before_the_body_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/devices", content=b"{not json", headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


async def test_a_wrong_token_is_not_made_good_by_a_cookie(client: httpx.AsyncClient) -> None:
    headers = {**bearer("wrong"), "Cookie": "gatehouse_session=cookie-anna"}
    assert (await client.get("/alerts", headers=headers)).status_code == 401


async def test_fault_094_a_cookie_alone_changes_nothing(client: httpx.AsyncClient, core: CoreDouble) -> None:
    cookie = {"Cookie": "gatehouse_session=cookie-anna"}
    url = "/alerts/al-east/acknowledge"
    assert (await client.post(url, headers=cookie)).status_code == 403
    assert (await client.post(url, headers={**cookie, "X-CSRF-Token": "csrf-other"})).status_code == 403
    assert core.actions == []
    right = {**cookie, "X-CSRF-Token": "csrf-anna"}
    assert (await client.post(url, headers=right)).status_code == 200
    assert core.of("alert.acknowledge")[0].actor.name == "user:anna"


@pytest.mark.parametrize(
    "header",
    [{"Origin": "http://evil.test"}, {"Origin": "null"}, {"Origin": "http://gate.test.evil.test"},
     {"Origin": "http://["}, {"Sec-Fetch-Site": "cross-site"}],
)  # fmt: skip
async def test_fault_094_pages_of_other_sites_neither_write_nor_listen(
    client: httpx.AsyncClient, core: CoreDouble, header: dict[str, str]
) -> None:
    for method, path in (("POST", "/alerts/al-east/acknowledge"), ("GET", "/stream"), ("POST", "/session")):
        answer = await client.request(method, path, headers={**bearer("admin"), **header})
        assert answer.status_code == 403, (method, path, answer.text)
    assert core.actions == []


async def test_fault_094_the_page_itself_may_write(client: httpx.AsyncClient) -> None:
    own = {**bearer("operator"), "Origin": "http://gate.test"}
    assert (await client.post("/alerts/al-east/acknowledge", headers=own)).status_code == 200


async def test_a_disabled_user_is_out_at_once(client: httpx.AsyncClient, core: CoreDouble) -> None:
    cookie = {"Cookie": "gatehouse_session=cookie-anna"}
    assert (await client.get("/session", headers=cookie)).json()["csrf"] == "csrf-anna"
    core._user_update(None, "anna", disabled=True)  # type: ignore[arg-type]
    assert (await client.get("/session", headers=cookie)).status_code == 401
