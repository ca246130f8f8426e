"""GET /stream: what changes, as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header, Query
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.api.auth import WhoFully, needs, resource_router
from gateway.api.hub import Hub, Listener
from gateway.api.room import InRoom
from gateway.model import Role

router = resource_router("stream")

#: Set by our HTTP protocol: closes the connection without waiting for a client that does not read.
ABORT = "gatehouse.abort"

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_declared = needs(Role.VIEWER, origin=True)
_declared["responses"][200] = {"description": "Server-sent events.", "content": {"text/event-stream": {}}}


@router.get("/stream", **_declared, response_class=Response)
async def stream(
    room: InRoom,
    caller: WhoFully,
    last_event_id: Annotated[str | None, Query(max_length=40)] = None,
    last_event_header: Annotated[str | None, Header(alias="Last-Event-ID", max_length=40)] = None,
) -> Response:
    """What changes: `hello`, then a frame a change, and a `heartbeat` every second.

    `Last-Event-ID` resumes after that change without a gap or a repetition; where it is too old, `resync` says to load
    everything anew. Listeners who do not read are dropped and may resume.
    """
    # The header is the newer one: a browser sends it when it reconnects by itself, with the first address.
    last = last_event_header or last_event_id
    listener, start = await room.hub.join(caller.actor.sites, caller.still_valid)
    return EventStream(room.hub, listener, start, last)


class EventStream(Response):
    """The answer that goes on until the client, the server or the client's credential ends it."""

    def __init__(self, hub: Hub, listener: Listener, start: int, last: str | None) -> None:
        super().__init__(headers=_HEADERS, media_type="text/event-stream")
        del self.headers["content-length"]
        self._hub, self._listener, self._start, self._last = hub, listener, start, last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends until somebody ends it."""
        sender = asyncio.create_task(self._send(send), name="stream-sender")
        gone = asyncio.create_task(_disconnected(receive), name="stream-gone")
        dropped = asyncio.create_task(self._listener.dropped.wait(), name="stream-dropped")
        try:
            await asyncio.wait((sender, gone, dropped), return_when=asyncio.FIRST_COMPLETED)
            if dropped.done() and not gone.done():
                abort = scope.get("extensions", {}).get(ABORT)
                if abort is not None:
                    abort()
                    await asyncio.wait((gone,), timeout=1.0)
        finally:
            self._hub.leave(self._listener)
            await _cancelled(sender, gone, dropped)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in self._chunks():
            await send(_body(chunk, more=True))
        await send(_body(b"", more=False))

    async def _chunks(self) -> AsyncIterator[bytes]:
        known = self._last is not None and self._last.isascii() and self._last.isdigit() and len(self._last) < 19
        since = int(self._last) if known and self._last is not None else self._start
        yield b"retry: 1000\n\n" + self._hub.hello(min(since, self._start), self._start)
        if known:
            async for chunk in self._hub.missed(since, self._start, self._listener.sites):
                yield chunk
        elif self._last is not None:
            yield self._hub.resync(self._start)
        async for chunk in self._listener.chunks():
            yield chunk


def _body(chunk: bytes, more: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await task
