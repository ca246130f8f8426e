"""What is out of service: its owner, reason and end, and how many alerts it hides."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from gateway.api.acting import Body, Id, Long, Number, Short, act_with, found, read
from gateway.api.auth import Who, needs, resource_router
from gateway.api.present import plain
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.api.schema import OutageOut, OutagesOut
from gateway.model import Role

router = resource_router("alerts")


class OutageIn(Body):
    """What is taken out of service, why, and for how long: now, or `after` minutes from now."""

    site: Short
    scope: Literal["device", "rule", "zone"]
    target: Short
    reason: Long
    minutes: Annotated[Number, Field(gt=0, le=60 * 24 * 7)]
    after: Annotated[Number, Field(ge=0, le=60 * 24 * 90)] | None = None
    work_order: Short | None = None


@router.get("/out-of-service", **needs(Role.VIEWER), response_model=OutagesOut)
async def out_of_service(
    room: InRoom,
    actor: Who,
    ended: Annotated[bool, Query(description="What was out of service, newest first.")] = False,
) -> Response:
    """What is out of service or will be, and how many alerts each hides now."""
    outages = await read(room.reader.outages, actor.sites, ended=ended)
    return reply({"items": [plain(one) for one in outages]})


@router.post("/out-of-service", status_code=201, **needs(Role.ENGINEER), response_model=OutageOut)
async def begin(body: OutageIn, room: InRoom, actor: Who) -> Response:
    """Takes a device, a rule or a zone out of service for a time; with `work_order`, until its work is done."""
    args = body.model_dump(exclude_none=True)
    made = await act_with(room, actor, "outage.begin", args)
    outage = await read(room.reader.outage, str(made["id"]), actor.sites)
    return reply(plain(found(outage, "outage", str(made["id"]))), 201)


@router.post("/out-of-service/{id}/end", **needs(Role.OPERATOR), response_model=OutageOut)
async def end(id: Id, room: InRoom, actor: Who) -> Response:
    """Back in service before its time: what still holds is raised anew."""
    found(await read(room.reader.outage, id, actor.sites), "outage", id)
    await act_with(room, actor, "outage.end", {"outage": id})
    return reply(plain(found(await read(room.reader.outage, id, actor.sites), "outage", id)))
