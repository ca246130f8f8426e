"""One real listener on the event stream, which notes when it heard of each alert."""

from __future__ import annotations

import http.client
import socket
import threading
import time

import msgspec

from gateway.app.bench.rules_pack import ALARM_RULE
from gateway.errors import Unavailable


class _Alert(msgspec.Struct):
    rule: str = ""
    device: str | None = None


class _Told(msgspec.Struct):
    body: _Alert | None = None


_decode = msgspec.json.Decoder(_Told).decode


class Watcher:
    """A thread that reads `/api/v1/stream`. `heard` maps each device to when its alerts were told (Unix seconds)."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._token = token
        self._sock: socket.socket | None = None
        self._thread = threading.Thread(target=self._read, name="bench-watcher", daemon=True)
        self._ready = threading.Event()
        self.heard: dict[str, list[float]] = {}
        self.problem = ""

    def start(self) -> None:
        """Returns when the stream has said hello. Raises `Unavailable` where it does not."""
        self._thread.start()
        if not self._ready.wait(10.0) or self.problem:
            raise Unavailable(f"the event stream did not begin: {self.problem or 'no hello within 10 s'}")

    def stop(self) -> None:
        """Ends the connection, and with it the thread."""
        if self._sock is not None:
            try:
                self._sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.problem = self.problem or "the stream had ended already"
        self._thread.join(10.0)
        self._connection.close()

    def _read(self) -> None:
        try:
            self._connection.connect()
            self._sock = self._connection.sock
            self._connection.request("GET", "/api/v1/stream", headers={"Authorization": f"Bearer {self._token}"})
            answer = self._connection.getresponse()
            if answer.status != 200:
                raise OSError(f"status {answer.status}")
            event = b""
            while line := answer.readline():
                if line.startswith(b"event:"):
                    event = line[6:].strip()
                elif event == b"alert" and line.startswith(b"data:"):
                    self._note(line[5:], time.time())
                elif event == b"hello":
                    self._ready.set()
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
            # Also how `stop` ends the reading.
            self.problem = str(error)
        self._ready.set()

    def _note(self, data: bytes, at: float) -> None:
        alert = _decode(data).body
        if alert is not None and alert.rule == ALARM_RULE and alert.device:
            self.heard.setdefault(alert.device, []).append(at)
