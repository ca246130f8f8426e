"""The API on a real port, in a thread of the test."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from gateway.api.serve import Server, make_server
from gateway.api.settings import ApiSettings
from gateway.store.queries import Reader
from tests.api.core_double import CoreDouble
from tests.support.brokers import PATIENCE


class Running:
    """A server of a test. Use as a context manager."""

    def __init__(self, settings: ApiSettings, database: str, core: CoreDouble) -> None:
        self.port = 0
        self.core = core
        self.reader = Reader(database)
        self._ready = threading.Event()
        self.server: Server = make_server(settings, self.reader, core, self._serving)
        self.room = self.server._room
        self._thread = threading.Thread(target=self.server.run, name="api-under-test")

    def _serving(self, port: int) -> None:
        self.port = port
        self._ready.set()

    def __enter__(self) -> Running:
        self._thread.start()
        assert self._ready.wait(PATIENCE), f"the API did not come up within {PATIENCE} s"
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.reader.close()

    def stop(self) -> float:
        """Stops the server as a signal would; how long it took."""
        since = time.monotonic()
        self.server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the API still runs so long after it was told to stop"
        return time.monotonic() - since

    def poke(self) -> None:
        """Tells the API that there are changes, as the core does."""
        self.server.servers[0].get_loop().call_soon_threadsafe(self.core.poke)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)


class Stream:
    """One client of the event stream, by hand: what it read, frame by frame."""

    def __init__(self, running: Running, who: str = "admin", query: str = "", headers: str = "") -> None:
        self.connection = running.connect()
        self.connection.sendall(
            f"GET /api/v1/stream{query} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer secret-{who}\r\n{headers}\r\n".encode()
        )
        self._file = self.connection.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value

    def lines(self) -> Iterator[str]:
        """The lines of the body, the chunks of HTTP joined."""
        rest = b""
        while size := int(self._file.readline() or b"0", 16):
            rest += self._file.read(size)
            self._file.readline()
            *complete, rest = rest.split(b"\n")
            yield from (line.decode() for line in complete)

    def frames(self, beats: bool = False) -> Iterator[dict[str, Any]]:
        """{"event", "id", "data"} of each frame; heartbeats only where wanted."""
        frame: dict[str, Any] = {}
        for line in self.lines():
            name, _, value = line.partition(": ")
            if not line:
                if "data" in frame and (beats or frame["event"] != "heartbeat"):
                    yield frame
                frame = {}
            elif name == "data":
                frame["data"] = json.loads(value)
            else:
                frame[name] = int(value) if name == "id" else value

    def close(self) -> None:
        self._file.close()
        self.connection.close()
