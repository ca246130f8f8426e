"""Messages of devices that push over HTTP."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import Request
from starlette.responses import Response

from gateway.api.acting import Id, act
from gateway.api.auth import DEVICE, WhichDevice, needs, resource_router
from gateway.api.problems import problem
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.model import Actor, Fate

router = resource_router("ingest")

_declared = needs(DEVICE, any_body=True)
_declared["openapi_extra"]["requestBody"] = {
    "description": "The message as the device sends it.",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
_declared["responses"][200] = {
    "description": "The answer the adapter gives the device, or the message's fate.",
    "content": {"application/json": {"schema": {}}, "*/*": {"schema": {}}},
}


@router.post("/ingest/{adapter}/{device}", **_declared, response_class=Response)
async def ingest(adapter: Id, device: Id, request: Request, room: InRoom, known: WhichDevice) -> Response:
    """Takes one message. The answer comes after it is stored; one that cannot be read is kept and answered 422."""
    payload = await request.body()
    result = await act(
        room,
        Actor(f"device:{known.id}", sites=(known.site,)),
        "message.ingest",
        adapter=adapter,
        device=known.id,
        payload=base64.b64encode(payload).decode(),
        content_type=request.headers.get("content-type", "")[:200],
    )
    return _answer(result)


def _answer(result: dict[str, Any]) -> Response:
    fate, reason = str(result.get("fate", "")), str(result.get("reason") or "")
    if fate in (Fate.UNDECODABLE, Fate.OVERSIZED):
        return problem(413 if fate == Fate.OVERSIZED else 422, fate, reason or "the adapter cannot read this message")
    body = base64.b64decode(result.get("body") or "")
    if body:
        return Response(body, 200, media_type=str(result.get("content_type") or "application/json"))
    return reply({"fate": fate, "reason": reason})
