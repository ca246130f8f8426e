"""What happens to a work order beside its states: the promise to who asked, the work, the verdict."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, Strict
from starlette.responses import Response

from gateway.api.acting import Body, Flag, Id, Long, Short
from gateway.api.auth import Who, needs, resource_router
from gateway.api.reply import IfMatch
from gateway.api.room import InRoom
from gateway.api.schema import WorkOrderOut
from gateway.api.work_orders import TextIn, move
from gateway.model import Role

router = resource_router("work orders")

Cents = Annotated[int, Strict(), Field(ge=0, le=1_000_000_000)]


class DeferIn(Body):
    """Why it takes longer, and until when. An order is deferred once."""

    reason: Literal["dispute", "part", "other"]
    text: Long
    until: AwareDatetime


class PauseIn(Body):
    """Why the clock stands still."""

    reason: Literal["part", "access", "resident", "weather", "other"]
    text: Long | None = None


class CancelIn(Body):
    """Why the work is not done."""

    reason: Literal["duplicate", "not_needed", "mistaken", "other"]
    text: Long


class FoundIn(Body):
    """Whether a complaint is founded, and what was found."""

    founded: Flag
    text: Long


class RatingIn(Body):
    """1 (bad) to 5 (good)."""

    score: Annotated[int, Strict(), Field(ge=1, le=5)]
    text: Long | None = None


class VisitIn(Body):
    """How the return visit went."""

    satisfied: Flag
    text: Long | None = None


class PartIn(Body):
    """Material that was used. `price_cents` is the price of one."""

    name: Short
    quantity: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] = 1.0
    price_cents: Cents = 0


class LabourIn(Body):
    """Time that was spent."""

    minutes: Annotated[int, Strict(), Field(ge=1, le=100_000)]
    cost_cents: Cents = 0


@router.post("/work-orders/{id}/dispatch", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def dispatch(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Gives the order to the least busy of those on duty who can do it and work there."""
    return await move(room, actor, id, if_match, "dispatch")


@router.post("/work-orders/{id}/take", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def take(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Takes responsibility: who takes it first stays responsible for telling who asked."""
    return await move(room, actor, id, if_match, "take")


@router.post("/work-orders/{id}/answer", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def answer(id: Id, body: TextIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Answers the resident, who reads it by the tracking number."""
    return await move(room, actor, id, if_match, "answer", text=body.text)


@router.post("/work-orders/{id}/arrive", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def arrive(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Somebody is there."""
    return await move(room, actor, id, if_match, "arrive")


@router.post("/work-orders/{id}/defer", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def defer(id: Id, body: DeferIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Moves the deadline, once, with a reason."""
    return await move(room, actor, id, if_match, "defer", **body.given())


@router.post("/work-orders/{id}/pause", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def pause(id: Id, body: PauseIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Stops the order's clock, with a reason."""
    return await move(room, actor, id, if_match, "pause", **body.given())


@router.post("/work-orders/{id}/resume", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def resume(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Lets the clock go on, with the working time that was left."""
    return await move(room, actor, id, if_match, "resume")


@router.post("/work-orders/{id}/cancel", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def cancel(id: Id, body: CancelIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Closes the order without the work, with a reason."""
    return await move(room, actor, id, if_match, "cancel", **body.given())


@router.post("/work-orders/{id}/reopen", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def reopen(id: Id, body: TextIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Begins again under the same number, within 7 days of its end."""
    return await move(room, actor, id, if_match, "reopen", text=body.text)


@router.post("/work-orders/{id}/found", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def found(id: Id, body: FoundIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Says whether a complaint is founded."""
    return await move(room, actor, id, if_match, "found", **body.given())


@router.post("/work-orders/{id}/rate", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def rate(id: Id, body: RatingIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Writes down what who asked thinks of the work."""
    return await move(room, actor, id, if_match, "rate", **body.given())


@router.post("/work-orders/{id}/visit", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def visit(id: Id, body: VisitIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Writes down the return visit."""
    return await move(room, actor, id, if_match, "visit", **body.given())


@router.post("/work-orders/{id}/parts", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def part(id: Id, body: PartIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Adds material that was used."""
    return await move(room, actor, id, if_match, "part", **body.model_dump())


@router.post("/work-orders/{id}/labour", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def labour(id: Id, body: LabourIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Adds time that was spent."""
    return await move(room, actor, id, if_match, "labour", **body.model_dump())
