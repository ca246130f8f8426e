"""An order's photos and documents: uploaded as they are, kept by their hash, served so that no browser runs them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gateway.api.acting import NO_NUL, Id, act
from gateway.api.auth import Who, needs, resource_router
from gateway.api.reply import versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import WorkOrderOut
from gateway.api.work_orders import known_order
from gateway.errors import Invalid, NotFound, Unavailable
from gateway.model import Role
from gateway.store.files import FileStore, type_of

router = resource_router("work orders")

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
#: The only place where a body may be larger than elsewhere.
UPLOAD = "/files"
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf"}

_uploads = needs(Role.OPERATOR, any_body=True)
_uploads["openapi_extra"]["requestBody"] = {
    "description": "The file's bytes: JPEG, PNG, WebP or PDF.",
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
_serves = needs(Role.VIEWER)
_serves["responses"][200] = {
    "description": "The file.",
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _ENDINGS},
}


@router.post("/work-orders/{id}/files", status_code=201, **_uploads, response_model=WorkOrderOut)
async def attach(
    id: Id,
    request: Request,
    room: InRoom,
    actor: Who,
    name: Annotated[str, Query(min_length=1, max_length=128, pattern=NO_NUL)] = "",
) -> Response:
    """Adds a photo or a document, the body being its bytes. The same bytes again change nothing."""
    order = await known_order(room, actor, id)
    store = _store(room)
    body = await request.body()
    kind = type_of(body)
    if kind is None:
        raise Invalid("body", f"is none of {', '.join(sorted(_ENDINGS))}: other files are not kept")
    digest = await run_in_threadpool(store.put, body)
    told = name or f"{digest[:8]}{_ENDINGS[kind]}"
    await act(room, actor, "work_order.attach", order=order.id, sha256=digest, name=told, type=kind, size=len(body))
    return versioned(room.presenter.work_order(await known_order(room, actor, order.id)), 201)


@router.get("/work-orders/{id}/files/{sha256}", **_serves, response_class=Response)
async def served(id: Id, sha256: Digest, room: InRoom, actor: Who) -> Response:
    """One file of the order: a picture to look at, anything else to save."""
    order = await known_order(room, actor, id)
    file = next((one for one in order.files if one.sha256 == sha256), None)
    if file is None:
        raise NotFound("file of this order", sha256)
    body = await run_in_threadpool(_store(room).get, sha256)
    shown = "inline" if file.type.startswith("image/") else "attachment"
    headers = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(file.name, safe='')}",
        "Cache-Control": "private, max-age=86400, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(body, 200, headers, file.type)


def _store(room: Room) -> FileStore:
    if room.settings.files is None:
        raise Unavailable("this API has no folder for files")
    return FileStore(room.settings.files)
