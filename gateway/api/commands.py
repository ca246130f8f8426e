"""Commands: asked for, followed, never sent twice."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from gateway.api.acting import (
    Body,
    Id,
    IdempotencyKey,
    Long,
    NewId,
    Number,
    Reveal,
    Short,
    Word,
    act,
    found,
    read,
    revealed,
)
from gateway.api.auth import GuardedRoute, Who, needs
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.reply import versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import CommandOut, Listing
from gateway.api.sign_in import sha256
from gateway.model import Actor, Role

router = APIRouter(route_class=GuardedRoute, tags=["commands"])


class CommandIn(Body):
    """A command. `expires_in` is for how many seconds it keeps its force; later it is never sent."""

    name: Short
    args: Annotated[dict[Short, Any], Field(max_length=32)] | None = None
    expires_in: Annotated[Number, Field(gt=0, le=300)] | None = None
    reason: Long | None = None


class DeviceCommandIn(CommandIn):
    """A command and the device it is for."""

    device: NewId


@router.get("/commands", **needs(Role.VIEWER), response_model=Listing[CommandOut])  # type: ignore[valid-type]
def commands(
    *, room: InRoom, actor: Who, device: Word = None, state: Word = None, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Commands, newest first. `state` is one of theirs, or `open` for those that are not final."""
    after = place_of(cursor, float, str)
    page = room.reader.commands(actor.sites, device=device, state=state, after=after, limit=limit)
    return listing(page, room.presenter.command)


@router.post("/commands", status_code=202, **needs(Role.OPERATOR), response_model=CommandOut)
async def add_command(
    body: DeviceCommandIn, room: InRoom, actor: Who, idempotency_key: IdempotencyKey = None
) -> Response:
    """Asks for a command. It is carried out once or not at all; its state says which."""
    return await request_command(room, actor, body.device, body, idempotency_key)


@router.get("/commands/{id}", **needs(Role.VIEWER), response_model=CommandOut)
async def command(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One command and where it stands."""
    entry = found(await read(room.reader.command, id, actor.sites), "command", id)
    return versioned(room.presenter.command(entry, await revealed(room, actor, f"command:{id}", reveal)))


async def request_command(room: Room, actor: Actor, device: str, body: CommandIn, key: str | None) -> Response:
    """The answer to a request for a command. The key is the caller's own: another caller's same key is another."""
    found(await read(room.reader.device, device, actor.sites), "device", device)
    room.limits.commands.take(actor.name)
    result = await act(
        room,
        actor,
        "command.request",
        device=device,
        name=body.name,
        args=body.args,
        expires_in=body.expires_in,
        reason=body.reason,
        idempotency_key=_own_key(actor, key),
    )
    id = str(result.get("id", ""))
    entry = found(await read(room.reader.command, id, actor.sites), "command", id)
    return versioned(room.presenter.command(entry), 202, {"Location": f"/api/v1/commands/{id}"})


def _own_key(actor: Actor, key: str | None) -> str | None:
    """The key as the core keeps it: of this caller, and of a length the store takes."""
    if key is None:
        return None
    own = f"{actor.name}:{key}"
    return own if len(own) <= 128 else sha256(own)
