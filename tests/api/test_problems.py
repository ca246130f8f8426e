"""Bad requests get a clear problem, and cost nothing."""

from __future__ import annotations

import string
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import GatehouseError
from gateway.store.queries import Reader
from tests.api.conftest import bearer
from tests.api.core_double import CoreDouble

pytestmark = pytest.mark.anyio
ADMIN = bearer("admin")


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status and body["code"] == code and body["type"] == f"urn:gatehouse:problem:{code}"
    assert body["title"] and body["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["content-security-policy"]
    return body


async def test_unknown_route_is_a_problem(client: httpx.AsyncClient) -> None:
    is_problem(await client.get("/nothing", headers=ADMIN), 404, "not_found")
    is_problem(await client.get("http://gate.test/api/v2/alerts", headers=ADMIN), 404, "not_found")


async def test_wrong_method_is_a_problem_that_names_the_right_ones(client: httpx.AsyncClient) -> None:
    answer = await client.put("/alerts", headers=ADMIN, json={})
    is_problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


async def test_validation_names_the_field(client: httpx.AsyncClient) -> None:
    body = is_problem(await client.get("/alerts?limit=100000", headers=ADMIN), 422, "invalid")
    assert body["field"] == "limit" and body["errors"][0]["field"] == "limit"
    url = "/devices"
    wrong = {"id": "a b", "site": "east", "adapter": "x", "name": {"en": 5}, "extra": 1}
    body = is_problem(await client.post(url, headers=ADMIN, json=wrong), 422, "invalid")
    assert {item["field"] for item in body["errors"]} == {"id", "name.en", "extra"}


async def test_a_body_that_is_not_json_is_a_problem(client: httpx.AsyncClient) -> None:
    headers = {**ADMIN, "Content-Type": "application/json"}
    for content in (b"{", b"\xff\xfe", b'{"alerts": NaN', b"[" * 100_000, b"1" * 5000):
        is_problem(await client.post("/alerts/acknowledge", headers=headers, content=content), 422, "invalid")


async def test_a_body_of_another_type_is_refused(client: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = await client.post("/alerts/al-east/comment", headers={**ADMIN, "Content-Type": kind}, content=b"{}")
        is_problem(answer, 415, "unsupported_media_type")


async def test_a_bad_cursor_is_a_problem(client: httpx.AsyncClient) -> None:
    for cursor in ("x", "%00", "kQs", "gqFh", "w" * 500, "gaFh", "kw==", "../..", "ks0D6KEA", "k8sAAAAAAAAAAKFh"):
        body = is_problem(await client.get(f"/alerts?cursor={cursor}", headers=ADMIN), 422, "invalid")
        assert body["field"] == "cursor", cursor


async def test_times_without_an_offset_are_refused(client: httpx.AsyncClient) -> None:
    body = is_problem(await client.get("/events?from=2026-11-22T00:00:00", headers=ADMIN), 422, "invalid")
    assert body["field"] == "from"
    answer = await client.get("/events", params={"from": "2023-11-15T06:13:25+08:00"}, headers=ADMIN)
    assert [item["seq"] for item in answer.json()["items"]] == [10, 9, 8, 7, 6, 5]


async def test_an_error_of_the_core_keeps_its_code_and_status(client: httpx.AsyncClient, core: CoreDouble) -> None:
    core.away = True
    answer = await client.post("/alerts/al-east/acknowledge", headers=ADMIN)
    body = is_problem(answer, 503, "unavailable")
    assert body["retry"] is True and answer.headers["retry-after"] == "1"
    core.away, core.fails_with = False, GatehouseError("odd", where="x", path=object())
    assert (
        is_problem(await client.post("/alerts/al-east/acknowledge", headers=ADMIN), 500, "internal")["detail"] == "odd"
    )


async def test_a_crash_tells_nothing_of_the_inside(
    client: httpx.AsyncClient, core: CoreDouble, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(_action: Any) -> None:
        raise RuntimeError("canary-inside")

    monkeypatch.setattr(core, "act", crash)
    answer = await client.post("/alerts/al-east/acknowledge", headers=ADMIN)
    is_problem(answer, 500, "internal")
    assert "canary" not in answer.text and "Traceback" not in answer.text
    assert "canary-inside" in caplog.text


async def test_no_database_is_a_503(make_app: Callable[..., Any], core: CoreDouble, tmp_path: Any) -> None:
    app = make_app()
    app.state.room = app.state.room._replace(reader=Reader(f"sqlite:///{tmp_path}/none/gone.db"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gate.test/api/v1") as client:
        is_problem(await client.get("/alerts", headers=ADMIN), 503, "unavailable")
        is_problem(await client.get("/ready"), 503, "unavailable")
        assert (await client.get("/health")).json() == {"status": "ok"}


async def test_ready_tells_what_is_missing(client: httpx.AsyncClient, core: CoreDouble) -> None:
    assert (await client.get("/ready")).json() == {"status": "ready"}
    core.broker_up = False
    assert is_problem(await client.get("/ready"), 503, "unavailable")["facts"] == {"link": "broker"}
    core.away = True
    assert is_problem(await client.get("/ready"), 503, "unavailable")["facts"] == {"link": "core"}


_FIELDS = {
    "/devices": ["id", "site", "adapter", "name", "settings", "report_interval"],
    "/users": ["name", "role", "password", "sites"],
    "/work-orders": ["site", "title", "team", "priority"],
    "/commands": ["device", "name", "args", "expires_in"],
    "/passes": ["site", "kind", "value", "zones", "from_at", "until_at", "blocked"],
    "/alerts/al-east/shelve": ["reason", "minutes"],
    "/alerts/acknowledge": ["alerts"],
    "/session": ["user", "password"],
    "/tokens": ["name", "role", "sites", "expires_at"],
}


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, Any]:
    """A path that takes a body, and some body, often with the names it expects."""
    json = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    )
    path, fields = draw(st.sampled_from(sorted(_FIELDS.items())))
    some = st.dictionaries(st.sampled_from([*fields, "role", "__proto__"]), json, max_size=len(fields) + 1)
    return path, draw(json | some)


class TestFault087:
    """Fields that nobody offered, and values of another type."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/users", {"name": "eve", "role": "viewer", "disabled": False}),
            ("PATCH", "/users/anna", {"role": "viewer", "password_hash": "x"}),
            ("POST", "/tokens", {"name": "t", "role": "viewer", "hash": "0" * 64}),
            ("POST", "/alerts/al-east/acknowledge", {"comment": "x", "state": "closed"}),
            ("POST", "/devices", {"id": "n", "site": "east", "adapter": "x", "secret_hash": "x"}),
            ("POST", "/devices", {"id": "n", "site": "east", "adapter": "x", "__proto__": {"role": "admin"}}),
            ("POST", "/session", {"user": "anna", "password": "x", "role": "admin"}),
            ("POST", "/work-orders", {"site": "east", "title": "x", "state": "closed"}),
            ("POST", "/commands", {"device": "east-cam", "name": "raise", "by": "user:boss"}),
            ("POST", "/passes", {"site": "east", "kind": "plate", "value": "x", "created_by": "user:boss"}),
        ],
    )
    async def test_fault_087_extra_fields_are_refused_by_name(
        self, client: httpx.AsyncClient, core: CoreDouble, method: str, path: str, body: dict[str, Any]
    ) -> None:
        answer = await client.request(method, path, headers=ADMIN, json=body)
        assert is_problem(answer, 422, "invalid")["field"] in body
        assert core.actions == []

    @pytest.fixture
    async def quick(self, app: Any) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gate.test/api/v1", headers=ADMIN) as opened:
            yield opened

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(asked=requests())
    async def test_fault_087_no_body_of_any_shape_is_a_crash(
        self, quick: httpx.AsyncClient, asked: tuple[str, Any]
    ) -> None:
        answer = await quick.post(asked[0], json=asked[1])
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        path=st.sampled_from(["/alerts", "/devices", "/events", "/history", "/audit", "/passes", "/dead-letters"]),
        query=st.dictionaries(
            st.sampled_from(
                ["limit", "cursor", "site", "device", "q", "from", "to", "kind", "field", "points", "state"]
            ),
            st.text(max_size=12) | st.integers().map(str) | st.text(string.printable, max_size=40),
            max_size=3,
        ),
    )
    async def test_fault_087_no_query_is_a_crash(
        self, quick: httpx.AsyncClient, path: str, query: dict[str, str]
    ) -> None:
        answer = await quick.get(path, params=query)
        assert answer.status_code in (200, 422, 404), answer.text


_PATHS = (
    "..%2f..%2fsecret.txt", "../secret.txt", "%2e%2e/secret.txt", "..%5csecret.txt", "/etc/passwd", "%2fetc%2fpasswd",
     "link.txt", "js/../../secret.txt", "js/%00", "index.html%00.js", "a" * 5000, "js", ".git/config", "%c0%ae%c0%ae/",
     "....//secret.txt", "api/v1/../../secret.txt", "file:///etc/passwd",
)  # fmt: skip


async def test_fault_089_no_path_leads_out_of_the_page_folder(client: httpx.AsyncClient) -> None:
    for path in _PATHS:
        answer = await client.get(httpx.URL(f"http://gate.test/{path}"))
        assert answer.status_code in (404, 422), (path, answer.status_code, answer.text)
        assert "canary" not in answer.text and "root:" not in answer.text


async def test_fault_089_no_id_is_a_path(client: httpx.AsyncClient, core: CoreDouble) -> None:
    ids = ("..%2f..%2fetc%2fpasswd", "%00", "a%00b", "..", "%2e%2e%2f", "~", "x" * 3000, "'--", "*")
    for path in ("/devices/{}", "/alerts/{}", "/rules/{}", "/dead-letters/{}", "/work-orders/{}/close"):
        method = "POST" if path.endswith("close") else "GET"
        for id in ids:
            answer = await client.request(method, path.format(id), headers=ADMIN)
            assert answer.status_code in (404, 422, 405), (path, id, answer.text)
    assert core.actions == []


async def test_fault_088_what_looks_like_a_template_or_tag_stays_a_text(
    client: httpx.AsyncClient, core: CoreDouble
) -> None:
    for text in ("{{7*7}}", "${jndi:x}", "!!python/object/apply:os.system", "file:///etc/passwd", "{0.__class__}"):
        answer = await client.post("/alerts/al-east/comment", headers=ADMIN, json={"text": text})
        assert answer.json()["comments"][-1]["text"] == text
