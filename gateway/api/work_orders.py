"""Work orders: who has to mend what by when."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import Response

from gateway.api.acting import (
    Body,
    Id,
    IdempotencyKey,
    Long,
    Named,
    NewId,
    Reveal,
    Short,
    Word,
    act,
    found,
    read,
    require_site,
    revealed,
)
from gateway.api.auth import GuardedRoute, Who, needs
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.reply import IfMatch, require_version, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import Listing, WorkOrderOut
from gateway.model import Actor, Role, WorkOrder

router = APIRouter(route_class=GuardedRoute, tags=["work orders"])

State = Literal["all", "unfinished", "open", "assigned", "accepted", "in_progress", "done", "verified", "closed"]
Priority = Literal["critical", "high", "medium", "low"]


class NewOrder(Body):
    """An order that a person opens. `title` in one language, or in several by their codes."""

    site: NewId
    title: Short | Named
    team: Short | None = None
    device: NewId | None = None
    priority: Priority | None = None


class AssignIn(Body):
    """Who shall do it."""

    assignee: Short


class RemarkIn(Body):
    """A remark."""

    text: Long | None = None


class TextIn(Body):
    """What somebody writes."""

    text: Long


@router.get("/work-orders", **needs(Role.VIEWER), response_model=Listing[WorkOrderOut])  # type: ignore[valid-type]
def work_orders(
    *,
    room: InRoom,
    actor: Who,
    state: State = "all",
    team: Word = None,
    device: Word = None,
    alert: Word = None,
    site: Word = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Work orders, newest first. The state `unfinished` means all but closed."""
    page = room.reader.work_orders(
        actor.sites,
        state=state,
        team=team,
        device=device,
        alert=alert,
        site=site,
        after=place_of(cursor, float, str),
        limit=limit,
    )
    return listing(page, room.presenter.work_order)


@router.post("/work-orders", status_code=201, **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def open_order(body: NewOrder, room: InRoom, actor: Who, idempotency_key: IdempotencyKey = None) -> Response:
    """Opens a work order."""
    require_site(actor, body.site)
    if body.device is not None:
        found(await read(room.reader.device, body.device, actor.sites), "device", body.device)

    async def open_() -> Response:
        result = await act(room, actor, "work_order.open", **body.model_dump(exclude_none=True))
        order = await _known(room, actor, str(result.get("id", "")))
        headers = {"Location": f"/api/v1/work-orders/{order.id}"}
        return versioned(room.presenter.work_order(order), 201, headers)

    return await room.remembered.once(actor.name, "work-orders", idempotency_key, body.model_dump_json(), open_)


@router.get("/work-orders/{id}", **needs(Role.VIEWER), response_model=WorkOrderOut)
async def work_order(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One order, by id or number."""
    order = await _known(room, actor, id)
    return versioned(room.presenter.work_order(order, await revealed(room, actor, f"work_order:{order.id}", reveal)))


@router.post("/work-orders/{id}/assign", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def assign(id: Id, body: AssignIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Gives the order to somebody."""
    return await _move(room, actor, id, if_match, "assign", assignee=body.assignee)


@router.post("/work-orders/{id}/accept", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def accept(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Takes the order on: the clock of the response stops."""
    return await _move(room, actor, id, if_match, "accept")


@router.post("/work-orders/{id}/start", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def start(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Work begins."""
    return await _move(room, actor, id, if_match, "start")


@router.post("/work-orders/{id}/done", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def done(id: Id, room: InRoom, actor: Who, body: RemarkIn | None = None, if_match: IfMatch = None) -> Response:
    """The work is done; one that demands proof waits until its alert has cleared."""
    return await _move(room, actor, id, if_match, "done", text=body.text if body is not None else None)


@router.post("/work-orders/{id}/verify", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def verify(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Somebody has looked at the work and found it good."""
    return await _move(room, actor, id, if_match, "verify")


@router.post("/work-orders/{id}/close", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def close(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Ends the order."""
    return await _move(room, actor, id, if_match, "close")


@router.post("/work-orders/{id}/comment", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def comment(id: Id, body: TextIn, room: InRoom, actor: Who) -> Response:
    """Writes into the order's log."""
    return await _move(room, actor, id, None, "comment", text=body.text)


async def _known(room: Room, actor: Actor, id: str) -> WorkOrder:
    return found(await read(room.reader.work_order, id, actor.sites), "work order", id)


async def _move(room: Room, actor: Actor, id: str, if_match: str | None, verb: str, **args: Any) -> Response:
    order = await _known(room, actor, id)
    require_version("work order", id, order.version, if_match)
    await act(room, actor, f"work_order.{verb}", order=order.id, **args)
    return versioned(room.presenter.work_order(await _known(room, actor, order.id)))
