"""uvicorn's HTTP protocol with bounds it lacks: the size of a request's head, and the time for it.

Leans on four methods of `uvicorn.protocols.http.httptools_impl.HttpToolsProtocol`; a test pins their behaviour.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.api.stream import ABORT

#: The parser itself would take a head of any length.
_MAX_HEAD = 64 * 1024
_HEAD_TIMEOUT = 10.0

_REFUSAL = (
    b"HTTP/1.1 %d %s\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
)


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._head_bytes = 0
        self._head_complete = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected: its head must come soon."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(_HEAD_TIMEOUT, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if not self._head_complete and self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_TIMEOUT, self._too_slow)
        counted = not self._head_complete
        if counted:
            self._head_bytes += len(data)
        super().data_received(data)
        if counted and not self._head_complete and self._head_bytes > _MAX_HEAD:
            self._refuse(431, b"Request Header Fields Too Large", b"headers_too_large")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_complete = False
        self._head_bytes = 0
        self.scope["extensions"] = {ABORT: self.transport.abort}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._head_complete = True
        self._disarm()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete; the next one's head may come when it likes, keep-alive bounds that."""
        super().on_message_complete()
        self._head_complete = False
        self._head_bytes = 0

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if not self._head_complete:
            self._refuse(408, b"Request Timeout", b"timeout")

    def _refuse(self, status: int, phrase: bytes, code: bytes) -> None:
        if self.transport.is_closing():
            return
        body = b'{"type":"urn:gatehouse:problem:%s","title":"%s","status":%d,"code":"%s"}' % (
            code,
            phrase,
            status,
            code,
        )
        self.transport.write(_REFUSAL % (status, phrase, len(body), body))
        self.transport.close()
