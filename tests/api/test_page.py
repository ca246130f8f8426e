"""The page's files, the headers on every answer, and the limits at the edge."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from gateway.api.limits import Buckets
from gateway.api.protocol import GuardedProtocol
from gateway.api.security_headers import policy
from gateway.api.settings import ApiSettings
from gateway.errors import TooMany
from tests.api.conftest import bearer
from tests.api.core_double import CoreDouble
from tests.api.server import Running


@pytest.mark.anyio
async def test_the_page_is_served_and_asked_for_anew(client: httpx.AsyncClient) -> None:
    page = await client.get("http://gate.test/")
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    script = await client.get("http://gate.test/js/main.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    again = await client.get("http://gate.test/js/main.js", headers={"If-None-Match": script.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert (await client.get("http://gate.test/js/none.js")).headers["content-type"] == "application/problem+json"


@pytest.mark.anyio
async def test_fault_093_the_policy_allows_nothing_inline_but_the_import_map(
    client: httpx.AsyncClient, page_folder: Path
) -> None:
    """The policy follows the page: `page_folder` is the one the middleware looks at."""

    def allowed(script: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"

    told = (await client.get("http://gate.test/")).headers["content-security-policy"]
    assert "script-src 'self' " + allowed('{"imports":{}}') + ";" in told
    for word in ("default-src 'none'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
                 "require-trusted-types-for 'script'", "form-action 'self'"):  # fmt: skip
        assert word in told
    assert "unsafe" not in told
    (page_folder / "index.html").write_text('<script\ntype=importmap >{"a":\r\n1}</script><script>x()</script>')
    told = (await client.get("http://gate.test/")).headers["content-security-policy"]
    assert told.count("sha256-") == 1 and allowed('{"a":\n1}') in told
    (page_folder / "index.html").unlink()
    assert "sha256" not in (await client.get("http://gate.test/")).headers["content-security-policy"]


@pytest.mark.anyio
async def test_fault_094_every_answer_refuses_framing_and_sniffing(client: httpx.AsyncClient) -> None:
    for path in ("http://gate.test/", "/health", "/alerts", "/nothing", "http://gate.test/none.js"):
        headers = (await client.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-opener-policy"] == "same-origin" and headers["referrer-policy"] == "no-referrer"


def test_a_policy_of_a_page_without_import_map_names_no_hash() -> None:
    assert "sha256" not in policy("<html><script src='x.js'></script></html>")


@pytest.mark.anyio
async def test_no_page_is_no_page(make_app: Callable[..., Any]) -> None:
    transport = httpx.ASGITransport(make_app(static=None))
    async with httpx.AsyncClient(transport=transport, base_url="http://gate.test") as client:
        assert (await client.get("/")).status_code == 404


@pytest.fixture
def running(settings: ApiSettings, database: str, core: CoreDouble) -> Iterator[Running]:
    with Running(msgspec.structs.replace(settings, port=0, body_timeout=3.0), database, core) as server:
        yield server


def talk(running: Running, sent: bytes, *more: bytes, linger: float = 0.0) -> bytes:
    """What the API answers to raw bytes until it closes or answers."""
    with running.connect() as connection:
        try:
            for part in (sent, *more):
                connection.sendall(part)
            time.sleep(linger)
        except OSError:
            pass  # refused before everything was sent: the answer is what counts
        answer = b""
        connection.settimeout(30)
        try:
            while chunk := connection.recv(65536):
                answer += chunk
                if b"\r\n\r\n" in answer and b"connection: close" not in answer.lower():
                    break
        except (TimeoutError, ConnectionResetError):
            pass
        return answer


def head(*lines: str) -> bytes:
    return "\r\n".join((*lines, "", "")).encode()


POST = "POST /api/v1/alerts/acknowledge HTTP/1.1"
JSON = ("Host: x", "Content-Type: application/json", "Authorization: Bearer secret-admin")


def status(answer: bytes) -> int:
    assert answer, "no answer at all"
    return int(answer.split()[1])


def test_fault_100_a_body_that_calls_itself_huge_is_refused_unread(running: Running) -> None:
    answer = talk(running, head(POST, *JSON, "Content-Length: 1073741824"))
    assert status(answer) == 413 and b"too_large" in answer and b"connection: close" in answer.lower()
    assert b"content-security-policy" in answer.lower()


def test_fault_100_a_chunked_body_is_refused_when_it_grows_past_the_limit(running: Running) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    answer = talk(running, head(POST, *JSON, "Transfer-Encoding: chunked"), *[chunk] * 40)
    assert status(answer) == 413


def test_fault_100_a_body_that_never_comes_is_given_up(running: Running) -> None:
    answer = talk(running, head(POST, *JSON, "Content-Length: 100"), b'{"al')
    assert status(answer) == 408


def test_fault_100_ten_thousand_headers_are_refused(running: Running) -> None:
    few = [f"X-H{number}: v" for number in range(200)]
    assert status(talk(running, head("GET /api/v1/health HTTP/1.1", *few))) == 431
    many = [f"X-H{number}: vvvvvvvvvvvvvvvvvvvvvvv" for number in range(10_000)]
    assert status(talk(running, head("GET /api/v1/health HTTP/1.1", *many))) == 431


def test_fault_100_one_endless_header_is_refused(running: Running) -> None:
    answer = talk(running, b"GET /api/v1/health HTTP/1.1\r\nX: ", *[b"x" * 65536] * 8)
    assert status(answer) == 431


def test_fault_100_a_head_that_never_ends_is_given_up(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.api.protocol._HEAD_TIMEOUT", 0.3)
    assert status(talk(running, b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n")) == 408
    assert status(talk(running, b"")) == 408, "nor a connection that says nothing"


def test_the_protocol_still_serves_request_after_request(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.api.protocol._HEAD_TIMEOUT", 0.3)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    connection.connect()
    kept = connection.sock
    for _ in range(4):
        connection.request("GET", "/api/v1/health")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"status":"ok"}')
        time.sleep(0.2)  # idle between requests, all in all longer than a head may take
    assert connection.sock is kept, "the connection was closed between two requests"
    connection.close()
    assert GuardedProtocol.data_received is not GuardedProtocol.__mro__[1].data_received  # type: ignore[attr-defined]


def test_fault_100_garbage_is_refused(running: Running) -> None:
    assert status(talk(running, b"\x16\x03\x01\x02\x00garbage\r\n\r\n")) == 400
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(b"GET /api/v1/health HTTP/1.1\r\n")
    assert httpx.get(f"http://127.0.0.1:{running.port}/api/v1/health").json() == {"status": "ok"}


@pytest.mark.anyio
async def test_requests_beyond_the_rate_wait(make_app: Callable[..., Any]) -> None:
    app = make_app(request_rate=1.0, request_burst=3.0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gate.test/api/v1") as client:
        answers = [await client.get("/sites", headers=bearer("viewer")) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
        assert answers[-1].headers["retry-after"] == "1"
        assert (await client.get("/sites", headers=bearer("operator"))).status_code == 200, (
            "another caller does not wait"
        )


@pytest.mark.anyio
async def test_fault_081_a_flood_of_commands_ends_at_the_api(make_app: Callable[..., Any], core: CoreDouble) -> None:
    app = make_app(command_rate=0.001, command_burst=12.0)
    body = {"device": "east-cam", "name": "raise"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gate.test/api/v1") as client:
        told = [(await client.post("/commands", json=body, headers=bearer("operator"))).status_code for _ in range(20)]
    assert told == [202] * 12 + [429] * 8
    assert len(core.of("command.request")) == 12


def test_buckets_fill_again_and_forget_the_oldest() -> None:
    now = 0.0
    buckets = Buckets("things", 2.0, 2.0, lambda: now)
    buckets.take("a")
    buckets.take("a")
    with pytest.raises(TooMany):
        buckets.take("a")
    now = 0.5
    buckets.take("a")
    for number in range(10_001):
        buckets.take(f"caller-{number}")
    buckets.take("a")
