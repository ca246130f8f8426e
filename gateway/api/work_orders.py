"""Work orders: who has to mend what by when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, StringConstraints
from starlette.responses import Response

from gateway.api.acting import (
    NO_NUL,
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
from gateway.api.auth import Who, needs, resource_router
from gateway.api.events import CSV_DECLARED, Format, csv_answer
from gateway.api.order_sheet import COLUMNS, sheet_row
from gateway.api.paging import Cursor, Limit, cursor_of, listing, place_of
from gateway.api.reply import IfMatch, require_version, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import Listing, WorkOrderOut
from gateway.model import Actor, Role, WorkOrder

router = resource_router("work orders")

Kind = Literal["repair", "request", "complaint", "maintenance", "inspection"]
Source = Literal["rule", "person", "resident", "schedule", "outside", "import"]
State = Literal["all", "unfinished", "open", "assigned", "accepted", "in_progress", "done", "verified", "closed"]
Seconds = Annotated[float, Strict(), Field(ge=1, le=30_000_000, allow_inf_nan=False)]
Priority = Literal["critical", "high", "medium", "low"]


class RequesterIn(Body):
    """The resident who asked by phone or at the desk. Personal data: shown masked."""

    name: Short | None = None
    phone: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)] | None = None
    address: Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)] | None = None
    channel: Literal["phone", "desk", "messaging", "web"] = "phone"
    language: Literal["zh", "en"] = "zh"


class NewOrder(Body):
    """An order that a person opens. `title` in one language, or in several by their codes.

    `respond_within` and `resolve_within` are seconds of the team's working time.
    """

    site: NewId
    title: Short | Named
    team: Short | None = None
    device: NewId | None = None
    priority: Priority | None = None
    kind: Kind | None = None
    skill: Short | None = None
    zone: NewId | None = None
    text: Long | None = None
    respond_within: Seconds | None = None
    resolve_within: Seconds | None = None
    requester: RequesterIn | None = None


class AssignIn(Body):
    """Who shall do it."""

    assignee: Short


class RemarkIn(Body):
    """A remark."""

    text: Long | None = None


class TextIn(Body):
    """What somebody writes."""

    text: Long


_listed = needs(Role.VIEWER)
_listed["responses"][200] = CSV_DECLARED


@router.get("/work-orders", **_listed, response_model=Listing[WorkOrderOut])  # type: ignore[valid-type]
async def work_orders(
    *,
    room: InRoom,
    actor: Who,
    state: State = "all",
    team: Word = None,
    device: Word = None,
    alert: Word = None,
    site: Word = None,
    kind: Kind | None = None,
    source: Source | None = None,
    assignee: Word = None,
    visit_due: bool = False,
    reveal: Reveal = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Response:
    """Work orders, newest first. `unfinished` means all but closed; `visit_due` those drawn for a return visit."""
    after = place_of(cursor, float, str)
    open_ = await revealed(room, actor, "work_orders", reveal)
    page = await read(
        room.reader.work_orders,
        actor.sites,
        state=state,
        team=team,
        kind=kind,
        source=source,
        assignee=assignee,
        visit_due=visit_due,
        device=device,
        alert=alert,
        site=site,
        after=after,
        limit=limit,
    )
    if format == "csv":
        rows = [sheet_row(room.presenter.work_order(order, open_)) for order in page.items]
        return csv_answer("work-orders", COLUMNS, rows, cursor_of(page.next))
    return listing(page, lambda order: room.presenter.work_order(order, open_))


@router.post("/work-orders", status_code=201, **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def open_order(body: NewOrder, room: InRoom, actor: Who, idempotency_key: IdempotencyKey = None) -> Response:
    """Opens a work order."""
    require_site(actor, body.site)
    if body.device is not None:
        found(await read(room.reader.device, body.device, actor.sites), "device", body.device)

    async def open_() -> Response:
        result = await act(room, actor, "work_order.open", **body.model_dump(exclude_none=True))
        order = await known_order(room, actor, str(result.get("id", "")))
        headers = {"Location": f"/api/v1/work-orders/{order.id}"}
        return versioned(room.presenter.work_order(order), 201, headers)

    return await room.remembered.once(actor.name, "work-orders", idempotency_key, body.model_dump_json(), open_)


@router.get("/work-orders/{id}", **needs(Role.VIEWER), response_model=WorkOrderOut)
async def work_order(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One order, by id or number."""
    order = await known_order(room, actor, id)
    return versioned(room.presenter.work_order(order, await revealed(room, actor, f"work_order:{order.id}", reveal)))


@router.post("/work-orders/{id}/assign", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def assign(id: Id, body: AssignIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Gives the order to somebody."""
    return await move(room, actor, id, if_match, "assign", assignee=body.assignee)


@router.post("/work-orders/{id}/accept", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def accept(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Takes the order on: the clock of the response stops."""
    return await move(room, actor, id, if_match, "accept")


@router.post("/work-orders/{id}/start", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def start(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Work begins."""
    return await move(room, actor, id, if_match, "start")


@router.post("/work-orders/{id}/done", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def done(id: Id, room: InRoom, actor: Who, body: RemarkIn | None = None, if_match: IfMatch = None) -> Response:
    """The work is done; one that demands proof waits until its alert has cleared."""
    return await move(room, actor, id, if_match, "done", text=body.text if body is not None else None)


@router.post("/work-orders/{id}/verify", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def verify(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Somebody has looked at the work and found it good."""
    return await move(room, actor, id, if_match, "verify")


@router.post("/work-orders/{id}/close", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def close(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Ends the order."""
    return await move(room, actor, id, if_match, "close")


@router.post("/work-orders/{id}/comment", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def comment(id: Id, body: TextIn, room: InRoom, actor: Who) -> Response:
    """Writes into the order's log."""
    return await move(room, actor, id, None, "comment", text=body.text)


async def known_order(room: Room, actor: Actor, id: str) -> WorkOrder:
    """The order by id or number. Raises `NotFound`, also for orders of sites the actor may not see."""
    return found(await read(room.reader.work_order, id, actor.sites), "work order", id)


async def move(room: Room, actor: Actor, id: str, if_match: str | None, verb: str, **args: Any) -> Response:
    """Does `work_order.<verb>` and answers with the order as it is then."""
    order = await known_order(room, actor, id)
    require_version("work order", id, order.version, if_match)
    await act(room, actor, f"work_order.{verb}", order=order.id, **args)
    return versioned(room.presenter.work_order(await known_order(room, actor, order.id)))
