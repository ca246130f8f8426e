"""The lists of passes that devices hold themselves: whether each is like the passes, and why not."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from starlette.responses import Response

from gateway.api.acting import Body, Flag, Id, act_with, found, read
from gateway.api.auth import Who, needs, resource_router
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.api.schema import DeviceListOut, DeviceListsOut, ListEntriesOut
from gateway.model import Role

router = resource_router("passes")


class ResyncIn(Body):
    """Why all of it is sent again: `empty` where the device has lost its list."""

    empty: Flag | None = None


@router.get("/device-lists", **needs(Role.VIEWER), response_model=DeviceListsOut)
async def device_lists(room: InRoom, actor: Who) -> Response:
    """Every device that holds a list of passes itself, and whether it has what it shall have."""
    lists = await read(room.reader.device_lists, actor.sites)
    return reply({"items": [room.presenter.device_list(one) for one in lists]})


@router.get("/device-lists/{id}", **needs(Role.VIEWER), response_model=ListEntriesOut)
async def list_entries(
    id: Id,
    room: InRoom,
    actor: Who,
    state: Annotated[Literal["pending", "sent", "held", "failed"] | None, Query()] = None,
) -> Response:
    """A device's list and up to 100 of its entries, masked, with why one is not there; `state` chooses."""
    lists = await read(room.reader.device_lists, actor.sites, device=id)
    one = found(lists[0] if lists else None, "list at device", id)
    entries = await read(room.reader.list_entries, id, state=state)
    shown = [room.presenter.list_entry(entry) for entry in entries]
    return reply({"summary": room.presenter.device_list(one), "items": shown})


@router.post("/device-lists/{id}/resync", **needs(Role.ENGINEER), response_model=DeviceListOut)
async def resync(id: Id, body: ResyncIn, room: InRoom, actor: Who) -> Response:
    """Sends a device all of its list again: after a reset, with `empty`, it is known to hold nothing."""
    found(await read(room.reader.device, id, actor.sites), "device", id)
    await act_with(room, actor, "list.resync", {"device": id, "empty": bool(body.empty)})
    lists = await read(room.reader.device_lists, actor.sites, device=id)
    return reply(room.presenter.device_list(found(lists[0] if lists else None, "list at device", id)))
