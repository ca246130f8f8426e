"""Passes: who and what may go through. Their values are personal data and masked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from gateway.api.acting import (
    Body,
    Flag,
    Id,
    Long,
    NewId,
    Reveal,
    Short,
    Whole,
    Word,
    act_with,
    found,
    read,
    require_site,
    require_unscoped,
    revealed,
)
from gateway.api.auth import Who, needs, resource_router
from gateway.api.codes import draw
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.reply import reply, versioned
from gateway.api.room import InRoom
from gateway.api.schema import DecisionOut, Listing, PassOut
from gateway.errors import Forbidden, Invalid
from gateway.model import Actor, Role
from gateway.services.pass_csv import rows_of

router = resource_router("passes")

Kind = Literal["plate", "card", "person", "qr"]


_picture = needs(Role.OPERATOR)
_picture["responses"][200] = {
    "description": "The picture.",
    "content": {
        "image/svg+xml": {"schema": {"type": "string"}},
        "image/png": {"schema": {"type": "string", "format": "binary"}},
    },
}


class PassIn(Body):
    """A pass to add, or with an `id` that is known, to change. No zones means the whole site."""

    id: NewId | None = None
    site: NewId
    kind: Kind
    value: Short | None = None
    name: Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    zones: Annotated[list[NewId], Field(max_length=64)] | None = None
    from_at: AwareDatetime | None = None
    until_at: AwareDatetime | None = None
    blocked: Flag | None = None
    visitor: Flag | None = None
    note: Long | None = None
    days: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] | None = None
    hours: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] | None = None
    household: Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")] | None = None
    spaces: Annotated[Whole, Field(ge=0, le=1000)] | None = None
    anti_passback: Flag | None = None
    host: Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    entries: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    picture: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] | None = None
    version: Whole | None = None


class ImportIn(Body):
    """Passes of one site as CSV, with a heading."""

    site: NewId
    csv: Annotated[str, Field(min_length=1, max_length=900_000)]


class RotateIn(Body):
    """How the key of visitors' codes is replaced."""

    at_once: Flag | None = None


class CheckIn(Body):
    """What stands at which device."""

    device: NewId
    kind: Kind
    value: Annotated[str, Field(min_length=1, max_length=600, pattern=r"^[^\x00]*$")]
    direction: Literal["in", "out"] | None = None


@router.post("/passes/import", **needs(Role.OPERATOR), response_model=dict[str, int])
async def import_passes(body: ImportIn, room: InRoom, actor: Who) -> Response:
    """Adds or changes many passes from CSV: all of them, or none and each line that is wrong."""
    require_site(actor, body.site)
    rows = await read(rows_of, body.csv)
    return reply(await act_with(room, actor, "pass.import", {"site": body.site, "rows": rows}))


@router.post("/passes/check", **needs(Role.OPERATOR), response_model=dict[str, Any])
async def check_pass(body: CheckIn, room: InRoom, actor: Who) -> Response:
    """Whether something would be let through a door or barrier now, and why not. Nothing opens."""
    found(await read(room.reader.device, body.device, actor.sites), "device", body.device)
    return reply(await act_with(room, actor, "pass.check", body.model_dump(exclude_none=True)))


@router.post("/passes/keys/rotate", **needs(Role.ADMIN), response_model=dict[str, Any])
async def rotate_keys(body: RotateIn, room: InRoom, actor: Who) -> Response:
    """Signs visitors' codes with a new key from now on; with `at_once` all codes given out so far are void."""
    require_unscoped(actor)
    return reply(await act_with(room, actor, "pass.rotate_keys", {"at_once": bool(body.at_once)}))


@router.get("/passes/{id}/qr", **_picture, response_class=Response)
async def picture(
    id: Id, room: InRoom, actor: Who, format: Annotated[Literal["svg", "png"], Query()] = "svg"
) -> Response:
    """The visitor's QR code as a picture to send. Whoever has it gets in, so it is audited and nowhere kept."""
    found(await read(room.reader.pass_, id, actor.sites), "pass", id)
    given = await act_with(room, actor, "pass.code", {"id": id})
    media, body = await read(draw, str(given["code"]), format)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="visitor-{id}.{format}"'}
    return Response(body, media_type=media, headers=headers)


@router.post("/passes/{id}/renew", **needs(Role.OPERATOR), response_model=PassOut)
async def renew(id: Id, room: InRoom, actor: Who) -> Response:
    """Makes the codes given out so far void: the next picture is good."""
    found(await read(room.reader.pass_, id, actor.sites), "pass", id)
    await act_with(room, actor, "pass.renew", {"id": id})
    return versioned(room.presenter.pass_(found(await read(room.reader.pass_, id, actor.sites), "pass", id)))


@router.post("/passes/{id}/outside", **needs(Role.OPERATOR), response_model=PassOut)
async def outside(id: Id, room: InRoom, actor: Who) -> Response:
    """It has left unseen: its space is free, and it may enter again."""
    found(await read(room.reader.pass_, id, actor.sites), "pass", id)
    await act_with(room, actor, "pass.outside", {"id": id})
    return versioned(room.presenter.pass_(found(await read(room.reader.pass_, id, actor.sites), "pass", id)))


@router.get("/passes", **needs(Role.VIEWER), response_model=Listing[PassOut])  # type: ignore[valid-type]
async def passes(
    *,
    room: InRoom,
    actor: Who,
    site: Word = None,
    kind: Kind | None = None,
    value: Word = None,
    reveal: Reveal = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Passes by id, masked; unmasked with a reason, which is audited. `value` looks for one whole value."""
    _require_search_allowed(actor, value)
    after = place_of(cursor, str)
    open_ = await revealed(room, actor, "passes", reveal)
    page = await read(room.reader.passes, actor.sites, site=site, kind=kind, value=value, after=after, limit=limit)
    return listing(page, lambda entry: room.presenter.pass_(entry, open_))


@router.post("/passes", status_code=201, **needs(Role.OPERATOR), response_model=PassOut)
async def put_pass(body: PassIn, room: InRoom, actor: Who) -> Response:
    """Adds a pass, or changes it."""
    require_site(actor, body.site)
    if body.value is None and body.kind != "qr":
        raise Invalid("value", "missing")
    if body.from_at is not None and body.until_at is not None and body.from_at >= body.until_at:
        raise Invalid("until_at", "must lie after from_at")
    if body.id is not None:
        known = await read(room.reader.pass_, body.id)
        if known is not None:
            require_site(actor, known.site)
    result = await act_with(room, actor, "pass.put", {name: v for name, v in body.given().items() if v is not None})
    id = str(result.get("id") or body.id or "")
    entry = found(await read(room.reader.pass_, id, actor.sites), "pass", id)
    return versioned(room.presenter.pass_(entry), 201, {"Location": f"/api/v1/passes/{id}"})


@router.get("/passes/{id}", **needs(Role.VIEWER), response_model=PassOut)
async def pass_(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One pass."""
    entry = found(await read(room.reader.pass_, id, actor.sites), "pass", id)
    return versioned(room.presenter.pass_(entry, await revealed(room, actor, f"pass:{id}", reveal)))


@router.delete("/passes/{id}", status_code=204, **needs(Role.OPERATOR), response_class=Response)
async def remove_pass(id: Id, room: InRoom, actor: Who) -> Response:
    """Takes a pass away."""
    found(await read(room.reader.pass_, id, actor.sites), "pass", id)
    await act_with(room, actor, "pass.remove", {"id": id})
    return Response(status_code=204)


@router.get("/decisions", **needs(Role.VIEWER), response_model=Listing[DecisionOut])
async def decisions(
    *,
    room: InRoom,
    actor: Who,
    device: Word = None,
    site: Word = None,
    value: Word = None,
    allowed: bool | None = None,
    reveal: Reveal = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What doors and barriers were answered, newest first, masked; unmasked with a reason, which is audited."""
    _require_search_allowed(actor, value)
    after = place_of(cursor, int)
    open_ = await revealed(room, actor, "decisions", reveal)
    page = await read(
        room.reader.decisions,
        actor.sites,
        device=device,
        site=site,
        value=value,
        allowed=allowed,
        after=after,
        limit=limit,
    )
    return listing(page, lambda row: room.presenter.decision(row, open_))


def _require_search_allowed(actor: Actor, value: str | None) -> None:
    if value is not None and not actor.role.includes(Role.OPERATOR):
        raise Forbidden("looking for a plate, card or person takes the role operator", role=str(Role.OPERATOR))
