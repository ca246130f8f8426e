"""The API in front of the real core, broker and rules: one gateway for all tests of this file."""

from __future__ import annotations

import json
import socket
import statistics
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.brokers import SHARED
from tests.support.gateway import RealGateway, cloud_event

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGateway]:
    with RealGateway(tmp_path_factory.mktemp("real") / "home") as running:
        yield running


class Listening:
    """The event stream of a gateway, read with a blocking socket so that times are exact."""

    def __init__(self, gateway: RealGateway, query: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", gateway.api_port), timeout=30)
        authorization = gateway.headers["Authorization"]
        self._socket.sendall(
            f"GET /api/v1/stream{query} HTTP/1.0\r\nHost: x\r\nAuthorization: {authorization}\r\n\r\n".encode()
        )
        self._file = self._socket.makefile("rb")

    def next(self, event: str) -> tuple[dict[str, Any], float]:
        """The data of the next frame of that event, and when it came (monotonic)."""
        kind = ""
        for line in self._file:
            if line.startswith(b"event: "):
                kind = line[7:].strip().decode()
            elif line.startswith(b"data: ") and kind == event:
                came = time.monotonic()
                return json.loads(line[6:]), came
        raise AssertionError(f"the stream ended before a frame of {event}")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def door(state: str, forced: bool) -> dict[str, Any]:
    return {"state": state, "locked": True, "forced": forced, "cause": "force" if forced else "granted"}


def test_an_alert_is_on_the_stream_within_moments_and_is_handled(gateway: RealGateway) -> None:
    credential = gateway.add_device("door-1", site="s1", type="door")
    stream = Listening(gateway)
    stream.next("hello")
    delays = []
    with gateway.client(credential) as device:
        for number in range(10):
            forced = number % 2 == 0
            sent = time.monotonic()
            body = cloud_event("door-1", "access.door", number, door("open" if forced else "closed", forced))
            device.publish("gatehouse/v1/s1/door-1/events", body)
            told, came = stream.next("alert")
            delays.append(came - sent)
    assert told["body"]["rule"] == "access.forced-door" and told["body"]["evidence"]
    assert statistics.median(delays) < 0.25 * SHARED, f"{[round(delay * 1000) for delay in delays]} ms"
    alert = gateway.get("/alerts", state="open", device="door-1")["items"][0]
    assert alert == told["body"] or alert["version"] > told["body"]["version"]
    url = f"/alerts/{alert['id']}"
    assert gateway.post(f"{url}/comment", {"text": "on my way"})["comments"][-1]["text"] == "on my way"
    shown = httpx.get(gateway.url + url, headers=gateway.headers)
    based = {**gateway.headers, "If-Match": shown.headers["etag"]}
    done = httpx.post(f"{gateway.url}{url}/acknowledge", headers=based, json={"comment": "mine"})
    assert done.status_code == 200, done.text
    assert httpx.post(f"{gateway.url}{url}/acknowledge", headers=based).status_code == 412
    why = gateway.get(f"{url}/why")
    assert why["definition"]["id"] == "access.forced-door" and why["definition"]["when"]
    stream.close()


def test_orders_passes_plans_and_commands_go_through(gateway: RealGateway) -> None:
    gateway.add_device("door-2", site="s1", type="door")
    order = gateway.post("/work-orders", {"site": "s1", "title": "Lamp", "team": "electric", "priority": "low"}, 201)
    for verb, body in (("assign", {"assignee": "li"}), ("accept", {}), ("start", {}), ("done", {"text": "new lamp"}),
                       ("verify", {}), ("comment", {"text": "ok"}), ("close", {})):  # fmt: skip
        order = gateway.post(f"/work-orders/{order['id']}/{verb}", body)
    assert order["state"] == "closed" and [entry["action"] for entry in order["log"]][-1] in ("close", "closed")
    made = gateway.post("/passes", {"site": "s1", "kind": "plate", "value": "京A12345", "visitor": True}, 201)
    assert made["value"] == "京A****5"
    assert httpx.delete(f"{gateway.url}/passes/{made['id']}", headers=gateway.headers).status_code == 204
    run = gateway.post("/plans/fire/runs", {"site": "s1", "drill": True}, 201)
    step = next(entry for entry in run["steps"] if entry["state"] == "active")
    told = {"state": "done", "note": "seen", "answer": "fire"}
    run = gateway.post(f"/plan-runs/{run['id']}/steps/{step['id']}/complete", told)
    assert next(entry for entry in run["steps"] if entry["id"] == step["id"])["state"] == "done"
    assert gateway.post(f"/plan-runs/{run['id']}/stop", {"reason": "enough"})["state"] == "stopped"
    report = gateway.get(f"/plan-runs/{run['id']}/report")
    assert (report["drill"], report["figures"]["in_time"]) == (True, 1) and report["started_at"].endswith("Z")
    page = httpx.get(f"{gateway.url}/plan-runs/{run['id']}/report?format=html&lang=zh", headers=gateway.headers)
    assert page.headers["content-type"].startswith("text/html") and "演练报告" in page.text
    sheet = httpx.get(httpx.URL(f"{gateway.url}/plan-runs/{run['id']}/report").join("../../../../css/report.css"))
    assert sheet.status_code == 200 and "@media print" in sheet.text
    headers = {**gateway.headers, "Idempotency-Key": "once"}
    url = f"{gateway.url}/devices/door-2/commands"
    wanted: dict[str, Any] = {"name": "open", "expires_in": 2}
    first, again = (httpx.post(url, headers=headers, json=wanted) for _ in range(2))
    assert first.status_code == again.status_code == 202 and first.json()["id"] == again.json()["id"]


def test_a_device_pushes_over_http(gateway: RealGateway) -> None:
    credential = gateway.add_device("door-3", site="s1", type="door")
    auth = (credential["username"], credential["password"])
    url = f"{gateway.url}/ingest/cloudevents/door-3"
    body = cloud_event("door-3", "access.door", 1, door("closed", False))
    pushed = httpx.post(url, content=body, auth=auth, headers={"Content-Type": "application/cloudevents+json"})
    assert pushed.status_code == 200, pushed.text
    broken = httpx.post(url, content=b"{broken", auth=auth)
    assert broken.status_code == 422 and broken.json()["code"] == "undecodable", broken.text
    assert httpx.post(f"{gateway.url}/ingest/tasmota/door-3", content=body, auth=auth).status_code == 404
    state = gateway.get("/devices/door-3")
    assert state["online"] is True and state["state"]["access.door"]["data"]["state"] == "closed"
    for who in ((), ("s1",)):
        own = {"Authorization": f"Bearer {gateway.token('engineer', who)}"}
        letters = httpx.get(f"{gateway.url}/dead-letters", headers=own).json()["items"]
        assert letters and letters[0]["fate"] == "undecodable" and letters[0]["payload"] is None, letters
    stranger = {"Authorization": f"Bearer {gateway.token('engineer', ('s2',))}"}
    assert httpx.get(f"{gateway.url}/dead-letters", headers=stranger).json()["items"] == []
    ledger = gateway.get("/ledger")
    assert ledger["received"] == sum(ledger["fates"].values()) >= 2


def test_people_sign_in_and_the_audit_tells(gateway: RealGateway) -> None:
    user = {"name": "anna", "role": "operator", "password": "correct horse"}
    gateway.post("/users", user, 201)
    with httpx.Client(base_url=gateway.url) as browser:
        signed = browser.post("/session", json={"user": "anna", "password": "correct horse"})
        assert signed.status_code == 201
        assert browser.get("/session").json()["user"] == "anna"
        csrf = {"X-CSRF-Token": signed.json()["csrf"]}
        assert browser.get("/events", params={"reveal": "police request"}).status_code == 200
        assert browser.delete("/session", headers=csrf).status_code == 204
        assert browser.get("/session").status_code == 401
    told = [line["action"] for line in gateway.get("/audit", by="user:anna")["items"]]
    assert told[:2] == ["session.close", "personal.reveal"]


def test_status_tells_of_a_core_that_died(gateway: RealGateway) -> None:
    assert gateway.get("/status")["links"] == {"core": "up", "broker": "up", "store": "up"}
    old = gateway.kill("core")
    gateway.wait_back("core", old)
    stream = Listening(gateway, "?last_event_id=1")
    assert stream.next("hello")[0]["last_id"] >= 1
    stream.close()


def test_the_page_is_served(gateway: RealGateway) -> None:
    page = httpx.get(f"http://127.0.0.1:{gateway.api_port}/")
    assert page.status_code == 200 and "text/html" in page.headers["content-type"]
