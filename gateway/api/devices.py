"""Devices: what there is, how it is now, and its registration."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from gateway.api.acting import (
    Body,
    From,
    Id,
    IdempotencyKey,
    Named,
    NewId,
    Number,
    Reveal,
    Short,
    To,
    Word,
    act,
    act_with,
    found,
    read,
    require_site,
    revealed,
    seconds,
)
from gateway.api.auth import Who, WhoFully, needs, resource_router
from gateway.api.commands import CommandIn, SelectIn, request_command, select_command
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.reply import IfMatch, reply, require_version, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import (
    CommandOut,
    CredentialOut,
    DeviceOut,
    EventOut,
    KindState,
    Listing,
    NewDeviceOut,
    SelectionOut,
)
from gateway.api.sign_in import hash_device_secret, new_secret
from gateway.model import Actor, Role
from gateway.store.rows import DeviceRow

router = resource_router("devices")

Settings = Annotated[dict[Short, Any], Field(max_length=64)]


class NewDevice(Body):
    """A device to register. `external_id` is the maker's serial, the id where there is none."""

    id: NewId
    site: NewId
    adapter: NewId
    external_id: Short | None = None
    type: Short | None = None
    name: Named | None = None
    zone: NewId | None = None
    building: Short | None = None
    connected_via: NewId | None = None
    powered_by: NewId | None = None
    timezone: Short | None = None
    report_interval: Annotated[Number, Field(ge=0, le=31_536_000)] | None = None
    settings: Settings | None = None


class DeviceChange(Body):
    """What to change of a device; members left out stay."""

    external_id: Short | None = None
    type: Short | None = None
    name: Named | None = None
    zone: NewId | None = None
    building: Short | None = None
    connected_via: NewId | None = None
    powered_by: NewId | None = None
    timezone: Short | None = None
    report_interval: Annotated[Number, Field(ge=0, le=31_536_000)] | None = None
    settings: Settings | None = None


@router.get("/devices", **needs(Role.VIEWER), response_model=Listing[DeviceOut])
def devices(
    *,
    room: InRoom,
    actor: Who,
    site: Word = None,
    zone: Word = None,
    type: Word = None,
    q: Word = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Devices by id, with what is known of them now. `q` is a part of an id, a serial or a name."""
    after = place_of(cursor, str)
    page = room.reader.devices(actor.sites, site=site, zone=zone, type=type, q=q, after=after, limit=limit)
    return listing(page, room.presenter.device)


@router.post("/devices", status_code=201, **needs(Role.ENGINEER), response_model=NewDeviceOut)
async def add_device(body: NewDevice, room: InRoom, actor: Who, idempotency_key: IdempotencyKey = None) -> Response:
    """Registers a device. Its credential is in this answer and nowhere else."""
    require_site(actor, body.site)

    async def add() -> Response:
        secret = new_secret()
        hashed = await read(hash_device_secret, secret)
        await act(room, actor, "device.add", **body.model_dump(exclude_none=True), secret_hash=hashed)
        row = found(await read(room.reader.device, body.id, actor.sites), "device", body.id)
        shown = {**room.presenter.device(row), "credential": {"username": body.id, "password": secret}}
        return versioned(shown, 201, {"Location": f"/api/v1/devices/{body.id}"})

    return await room.remembered.once(actor.name, "devices", idempotency_key, body.model_dump_json(), add)


@router.get("/devices/{id}", **needs(Role.VIEWER), response_model=DeviceOut)
async def device(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One device, with what is known of it now."""
    row = await _known(room, actor, id)
    return versioned(room.presenter.device(row, await revealed(room, actor, f"device:{id}", reveal)))


@router.patch("/devices/{id}", **needs(Role.ENGINEER), response_model=DeviceOut)
async def change_device(id: Id, body: DeviceChange, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Changes a device's registration."""
    row = await _known(room, actor, id)
    version = require_version("device", id, row.version, if_match)
    args = {"id": id, **body.given()} if version is None else {"id": id, "version": version, **body.given()}
    await act_with(room, actor, "device.update", args)
    return versioned(room.presenter.device(await _known(room, actor, id)))


@router.post("/devices/{id}/disable", **needs(Role.ENGINEER), response_model=DeviceOut)
async def disable_device(id: Id, room: InRoom, actor: Who) -> Response:
    """Shuts a device out: its credential no longer works and its messages are not accepted."""
    return await _changed(room, actor, id, "device.disable")


@router.post("/devices/{id}/enable", **needs(Role.ENGINEER), response_model=DeviceOut)
async def enable_device(id: Id, room: InRoom, actor: Who) -> Response:
    """Lets a device in again."""
    return await _changed(room, actor, id, "device.enable")


@router.post("/devices/{id}/rotate", **needs(Role.ENGINEER), response_model=CredentialOut)
async def rotate_credential(id: Id, room: InRoom, actor: Who) -> Response:
    """Gives a device a new credential; the old one no longer works. The new one is in this answer and nowhere else."""
    await _known(room, actor, id)
    secret = new_secret()
    await act(room, actor, "device.rotate", id=id, secret_hash=await read(hash_device_secret, secret))
    return reply({"device": id, "credential": {"username": id, "password": secret}})


@router.get("/devices/{id}/state", **needs(Role.VIEWER), response_model=dict[str, KindState])
async def device_state(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """The newest event of each kind the device told."""
    row = await _known(room, actor, id)
    return reply(room.presenter.state(row.standing, await revealed(room, actor, f"device:{id}", reveal)))


@router.get("/devices/{id}/events", **needs(Role.VIEWER), response_model=Listing[EventOut])  # type: ignore[valid-type]
async def device_events(
    *,
    id: Id,
    room: InRoom,
    actor: Who,
    kind: Word = None,
    since: From = None,
    to: To = None,
    reveal: Reveal = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What the device said, newest first."""
    await _known(room, actor, id)
    open_ = await revealed(room, actor, f"device:{id}", reveal)
    page = await read(
        room.reader.events,
        actor.sites,
        device=id,
        kind=(kind,) if kind else (),
        since=seconds(since),
        until=seconds(to),
        after=place_of(cursor, int),
        limit=limit,
    )
    return listing(page, lambda row: room.presenter.event(row, open_))


@router.get("/devices/{id}/commands", **needs(Role.VIEWER), response_model=Listing[CommandOut])  # type: ignore[valid-type]
async def device_commands(id: Id, room: InRoom, actor: Who, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """The commands to the device, newest first."""
    await _known(room, actor, id)
    after = place_of(cursor, float, str)
    page = await read(room.reader.commands, actor.sites, device=id, after=after, limit=limit)
    return listing(page, room.presenter.command)


@router.post("/devices/{id}/commands/select", **needs(Role.OPERATOR), response_model=SelectionOut)
async def select_for_device(id: Id, body: SelectIn, room: InRoom, caller: WhoFully) -> Response:
    """The first of two steps: what would be commanded, what forbids it, and the token that confirms it in time."""
    return await select_command(room, caller, id, body)


@router.post("/devices/{id}/commands", status_code=202, **needs(Role.OPERATOR), response_model=CommandOut)
async def command_device(
    id: Id, body: CommandIn, room: InRoom, caller: WhoFully, idempotency_key: IdempotencyKey = None
) -> Response:
    """Confirms a selected command. It is carried out once or not at all; its state says which."""
    return await request_command(room, caller, id, body, idempotency_key)


async def _known(room: Room, actor: Actor, id: str) -> DeviceRow:
    return found(await read(room.reader.device, id, actor.sites), "device", id)


async def _changed(room: Room, actor: Actor, id: str, action: str) -> Response:
    await _known(room, actor, id)
    await act(room, actor, action, id=id)
    return versioned(room.presenter.device(await _known(room, actor, id)))
