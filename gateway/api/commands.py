"""Commands: asked for, followed, never sent twice."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
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
from gateway.api.auth import Caller, Who, WhoFully, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.present import rfc3339
from gateway.api.reply import IfMatch, reply, versioned, wanted_version
from gateway.api.room import InRoom, Room
from gateway.api.schema import CommandOut, Listing, SelectionOut
from gateway.api.sign_in import new_secret, sha256
from gateway.errors import Invalid
from gateway.model import DIRECT, Actor, Role

router = resource_router("commands")


class SelectIn(Body):
    """What is to be commanded: a word of the device's, with its arguments."""

    name: Short
    args: Annotated[dict[Short, Any], Field(max_length=32)] | None = None


class DeviceSelectIn(SelectIn):
    """The same, and the device it is for."""

    device: NewId


class CommandIn(SelectIn):
    """A command. `expires_in` is for how many seconds it keeps its force; later it is never sent.

    `confirm` is the token of the selection that this confirms: with the very same device, name and args.
    """

    confirm: Short | None = None
    expires_in: Annotated[Number, Field(gt=0, le=300)] | None = None
    reason: Long | None = None


class DeviceCommandIn(CommandIn):
    """A command and the device it is for."""

    device: NewId


class WithdrawIn(Body):
    """Why a command is withdrawn, or refused by the second person."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]*$")] | None = None


@router.get("/commands", **needs(Role.VIEWER), response_model=Listing[CommandOut])  # type: ignore[valid-type]
def commands(
    *, room: InRoom, actor: Who, device: Word = None, state: Word = None, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Commands, newest first. `state` is one of theirs, or `open` for those that are not final."""
    after = place_of(cursor, float, str)
    page = room.reader.commands(actor.sites, device=device, state=state, after=after, limit=limit)
    return listing(page, room.presenter.command)


@router.post("/commands/select", **needs(Role.OPERATOR), response_model=SelectionOut)
async def select(body: DeviceSelectIn, room: InRoom, caller: WhoFully) -> Response:
    """The first of two steps: what would be commanded, what forbids it, and the token that confirms it in time."""
    return await select_command(room, caller, body.device, body)


@router.post("/commands", status_code=202, **needs(Role.OPERATOR), response_model=CommandOut)
async def add_command(
    body: DeviceCommandIn, room: InRoom, caller: WhoFully, idempotency_key: IdempotencyKey = None
) -> Response:
    """Confirms a selected command. It is carried out once or not at all; its state says which."""
    return await request_command(room, caller, body.device, body, idempotency_key)


@router.get("/commands/{id}", **needs(Role.VIEWER), response_model=CommandOut)
async def command(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One command and where it stands."""
    entry = found(await read(room.reader.command, id, actor.sites), "command", id)
    return versioned(room.presenter.command(entry, await revealed(room, actor, f"command:{id}", reveal)))


@router.post("/commands/{id}/approve", **needs(Role.OPERATOR), response_model=CommandOut)
async def approve(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """The second person confirms a command that waits for one."""
    return await _changed(room, actor, "command.approve", id, version=wanted_version(if_match))


@router.post("/commands/{id}/withdraw", **needs(Role.OPERATOR), response_model=CommandOut)
async def withdraw(id: Id, room: InRoom, actor: Who, body: WithdrawIn | None = None) -> Response:
    """Takes back, or refuses as the second person, a command that waits for one."""
    return await _changed(room, actor, "command.withdraw", id, reason=body.reason if body else None)


async def _changed(room: Room, actor: Actor, action: str, id: str, **args: Any) -> Response:
    found(await read(room.reader.command, id, actor.sites), "command", id)
    await act(room, actor, action, command=id, **args)
    return versioned(room.presenter.command(found(await read(room.reader.command, id, actor.sites), "command", id)))


async def select_command(room: Room, caller: Caller, device: str, body: SelectIn) -> Response:
    """The answer to a selection: what the core says, the device's live state, and a token that is shown once."""
    actor = caller.actor
    row = found(await read(room.reader.device, device, actor.sites), "device", device)
    token = new_secret()
    told = await act(
        room,
        actor,
        "command.select",
        device=device,
        name=body.name,
        args=body.args,
        confirm=sha256(token),
        session=_session(caller),
    )
    shown = room.presenter.device(row)
    selection = {
        **told,
        "args": room.presenter.masking.named(told.get("args") or {}),
        "confirm": token if told.get("confirm_by") is not None else None,
        "confirm_by": rfc3339(told.get("confirm_by")),
        "last_at": shown["last_at"],
        "state": shown["state"],
    }
    return reply(selection)


async def request_command(room: Room, caller: Caller, device: str, body: CommandIn, key: str | None) -> Response:
    """The answer to a confirmation. The key is the caller's own: another caller's same key is another."""
    actor = caller.actor
    found(await read(room.reader.device, device, actor.sites), "device", device)
    if body.confirm is None and DIRECT in actor.scopes and key is None:
        raise Invalid("Idempotency-Key", "missing: a command in one step carries a key of your own")
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
        confirm=sha256(body.confirm) if body.confirm is not None else None,
        session=_session(caller) if body.confirm is not None else None,
    )
    id = str(result.get("id", ""))
    entry = found(await read(room.reader.command, id, actor.sites), "command", id)
    return versioned(room.presenter.command(entry), 202, {"Location": f"/api/v1/commands/{id}"})


def _session(caller: Caller) -> str:
    """What tells this session, or this program's token, from others, without giving it away."""
    return sha256(f"commands {caller.secret_hash}")


def _own_key(actor: Actor, key: str | None) -> str | None:
    """The key as the core keeps it: of this caller, and of a length the store takes."""
    if key is None:
        return None
    own = f"{actor.name}:{key}"
    return own if len(own) <= 128 else sha256(own)
