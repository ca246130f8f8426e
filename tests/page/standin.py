"""A stand-in for the gateway's HTTP API, for fast tests of the page alone: the shapes of the API, a world it can bend.

It serves the page's real files under the real content security policy, answers from a `World`, and streams its
changes. It can be killed and brought back on the same port.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from gateway.api.security_headers import policy
from tests.page.packs import RefusedPack
from tests.page.world import Refused, World

STATIC = Path(__file__).resolve().parents[2] / "dashboards/control_room/static"
TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
TYPES |= {".json": "application/json", ".svg": "image/svg+xml", ".txt": "text/plain"}
COOKIE = "gatehouse_session=stand-in"


class StandIn:
    """One stand-in on a loopback port of its own. `world` outlives `kill` and `revive`."""

    def __init__(self, world: World | None = None, signed_in: bool = True) -> None:
        self.world = world or World()
        self.signed_in = signed_in
        self.port = 0
        self.requests: list[tuple[str, str]] = []
        self.links: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def revive(self) -> None:
        """Listens; after `kill` on the same port as before."""
        handler = type("Handler", (_Handler,), {"standin": self})
        server = ThreadingHTTPServer(("127.0.0.1", self.port), handler, bind_and_activate=False)
        server.allow_reuse_address = True
        server.daemon_threads = True
        server.server_bind()
        server.server_activate()
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), name="stand-in", daemon=True).start()

    def kill(self) -> None:
        """Stops listening and tears every connection, as `kill -9` would."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for link in list(self.links):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)


@contextmanager
def standing_in(world: World | None = None, signed_in: bool = True) -> Iterator[StandIn]:
    """A running stand-in, stopped at the end."""
    standin = StandIn(world, signed_in)
    standin.revive()
    try:
        yield standin
    finally:
        standin.kill()


class _Handler(BaseHTTPRequestHandler):
    standin: StandIn
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.standin.links.add(self.connection)

    def finish(self) -> None:
        self.standin.links.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(ConnectionError, OSError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        """Files, lists, things, the stream."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Actions."""
        self._answer("POST")

    def do_PUT(self) -> None:
        """A change of the whole."""
        self._answer("PUT")

    def do_DELETE(self) -> None:
        """Removals."""
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        split = urlsplit(self.path)
        path, query = unquote(split.path), {name: values[0] for name, values in parse_qs(split.query).items()}
        body: dict[str, Any] = {}
        if length := int(self.headers.get("Content-Length") or 0):
            body = json.loads(self.rfile.read(length))
        self.standin.requests.append((method, path))
        if not path.startswith("/api/v1/"):
            self._file(path)
            return
        path = path.removeprefix("/api/v1")
        if path == "/session" or not self._signed_in():
            self._session(method, path, body)
        elif path == "/stream":
            self._stream(query)
        elif method != "GET" and self.headers.get("X-CSRF-Token") != "stand-in":
            self._send(403, {"title": "Forbidden", "detail": "the CSRF token is missing", "code": "forbidden"})
        else:
            self._api(method, path, query, body)

    def _api(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> None:
        version = (self.headers.get("If-Match") or "").removeprefix('W/"').rstrip('"')
        try:
            status, told = self.standin.world.answer(method, path, query, body, int(version) if version else None)
        except RefusedPack as refused:
            self._send(422, refused.body)
        except Refused as refused:
            self._send(refused.status, {"title": "Refused", "detail": str(refused), "code": "refused"})
        else:
            self._send(status, told)

    def _signed_in(self) -> bool:
        return self.standin.signed_in or COOKIE in (self.headers.get("Cookie") or "")

    def _session(self, method: str, path: str, body: dict[str, Any]) -> None:
        told = {"user": "anna", "role": self.standin.world.role, "sites": [], "language": "en", "csrf": "stand-in"}
        if method == "POST" and path == "/session":
            right = body == {"user": "anna", "password": "correct horse"}
            self._send(
                201 if right else 401,
                told if right else {"title": "Unauthorized"},
                {"Set-Cookie": COOKIE} if right else {},
            )
        elif method == "GET" and path == "/session" and self._signed_in():
            self._send(200, told)
        elif method == "DELETE":
            self._send(204, None, {"Set-Cookie": "gatehouse_session=; Max-Age=0"})
        else:
            self._send(401, {"title": "Unauthorized", "detail": "sign in first", "code": "unauthorized"})

    def _file(self, path: str) -> None:
        file = (STATIC / (path.lstrip("/") or "index.html")).resolve()
        if not file.is_relative_to(STATIC) or not file.is_file():
            self._send(404, {"title": "Not found"})
            return
        self._send(200, file.read_bytes(), {"Content-Type": f"{TYPES.get(file.suffix, 'text/plain')}; charset=utf-8"})

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        given = {"Content-Type": "application/json", "Cache-Control": "no-cache", **(headers or {})}
        for name, value in given.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", policy((STATIC / "index.html").read_text()))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, query: dict[str, str]) -> None:
        world = self.standin.world
        last = self.headers.get("Last-Event-ID") or query.get("last_event_id")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        position = int(last) if last else world.last_id
        self._frame("hello", {**world.times(), "version": "0.1.0"}, min(position, world.last_id))
        if position < world.oldest_id - 1:
            self._frame("resync", {**world.times(), "oldest_id": world.oldest_id}, world.last_id)
            position = world.last_id
        beat = 0.0
        while True:
            for id, kind, ref, body in world.after(position):
                self._frame(kind, {"ref": ref, "time": world.time(), "body": body}, id)
                position = id
            if time.monotonic() - beat >= 1.0:
                beat = time.monotonic()
                self._frame("heartbeat", world.times())
            world.wait(0.1)

    def _frame(self, event: str, data: Any, id: int | None = None) -> None:
        head = f"id: {id}\n" if id is not None else ""
        self.wfile.write(f"{head}event: {event}\ndata: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()
