"""The residents' form: a request or complaint without an account, and its state by the tracking number.

These routes are public, so each is bounded by address and all together, offers only the sites that the settings name,
and tells nothing of the order but what its resident may know.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import Path, Request
from pydantic import Field, Strict, StringConstraints
from starlette.responses import Response

from gateway.api.acting import NO_NUL, Body, IdempotencyKey, Long, NewId, act, found, read
from gateway.api.auth import PUBLIC, address_of, needs, resource_router
from gateway.api.present import rfc3339
from gateway.api.reply import reply
from gateway.api.room import InRoom, Room
from gateway.api.schema import RequestFormOut, RequestMadeOut, RequestStateOut
from gateway.errors import NotFound
from gateway.model import Actor, Site, WorkOrder

router = resource_router("requests")

#: Crockford's letters: none is mistaken for another when it is read out on the phone.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Tracking = Annotated[str, Path(pattern=r"^R[0-9A-HJKMNP-TV-Z]{12}$", description="The tracking number.")]
#: The steps a resident is told of.
_TOLD = frozenset((
    "open", "take", "dispatch", "assign", "accept", "arrive", "start", "answer", "defer", "pause", "resume", "done",
    "verify", "close", "cancel", "reopen",
))  # fmt: skip


class RequestIn(Body):
    """What a resident asks for. `email_again` is a trap for programs: people do not see it."""

    site: NewId
    kind: Literal["repair", "request", "complaint"]
    category: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")] | None = None
    text: Long
    place: Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)] | None = None
    name: Annotated[str, StringConstraints(max_length=128, pattern=NO_NUL)] | None = None
    phone: Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9+()\- ]*$")] | None = None
    language: Literal["zh", "en"] = "zh"
    email_again: str | None = None


class OpinionIn(Body):
    """1 (bad) to 5 (good)."""

    score: Annotated[int, Strict(), Field(ge=1, le=5)]
    text: Long | None = None


class NotHelpedIn(Body):
    """What is still wrong."""

    text: Long


@router.get("/requests/form", **needs(PUBLIC), response_model=RequestFormOut)
async def form(room: InRoom) -> Response:
    """What the form offers: the sites, the kinds and the categories."""
    offered = await _sites(room)
    categories = dict.fromkeys(word for team in room.definitions.teams for word in team.get("categories", ()))
    return reply({
        "sites": [{"id": site.id, "name": site.name} for site in offered],
        "kinds": ["repair", "request", "complaint"],
        "categories": list(categories),
        "language": room.settings.request_language,
    })  # fmt: skip


@router.post("/requests", status_code=201, **needs(PUBLIC), response_model=RequestMadeOut)
async def ask(body: RequestIn, request: Request, room: InRoom, idempotency_key: IdempotencyKey = None) -> Response:
    """Makes a request; its tracking number is told this once."""
    address = f"address:{address_of(request)}"
    if all(site.id != body.site for site in await _sites(room)):
        raise NotFound("site with a form", body.site)

    async def make() -> Response:
        room.limits.forms.take(address)
        room.limits.all_forms.take("all")
        tracking = "R" + "".join(secrets.choice(_LETTERS) for _ in range(12))
        if body.email_again:
            # Who fills in what nobody sees is no person, and need not learn that it was found out.
            return reply({"tracking": tracking, "number": "", "respond_by": None}, 201)
        given = body.model_dump(exclude_none=True, exclude={"email_again"})
        made = await act(room, _resident(body.site), "request.open", tracking=tracking, **given)
        told = {"tracking": tracking, "number": made.get("number", ""), "respond_by": rfc3339(made.get("respond_by"))}
        return reply(told, 201)

    return await room.remembered.once(address, "requests", idempotency_key, body.model_dump_json(), make)


@router.get("/requests/{tracking}", **needs(PUBLIC), response_model=RequestStateOut)
async def state(tracking: Tracking, request: Request, room: InRoom) -> Response:
    """How far a request is."""
    return reply(_told(await _tracked(room, request, tracking)))


@router.post("/requests/{tracking}/rate", **needs(PUBLIC), response_model=RequestStateOut)
async def rate(tracking: Tracking, body: OpinionIn, request: Request, room: InRoom) -> Response:
    """Says what the resident thinks of the work."""
    order = await _tracked(room, request, tracking)
    await act(room, _resident(order.site), "request.rate", tracking=tracking, score=body.score, text=body.text)
    return reply(_told(await _tracked(room, request, tracking)))


@router.post("/requests/{tracking}/reopen", **needs(PUBLIC), response_model=RequestStateOut)
async def reopen(tracking: Tracking, body: NotHelpedIn, request: Request, room: InRoom) -> Response:
    """Says that the work did not help: the order begins again under its number."""
    order = await _tracked(room, request, tracking)
    await act(room, _resident(order.site), "request.reopen", tracking=tracking, text=body.text)
    return reply(_told(await _tracked(room, request, tracking)))


def _resident(site: str) -> Actor:
    return Actor("resident", sites=(site,))


async def _sites(room: Room) -> list[Site]:
    wanted = room.settings.request_sites
    if not wanted:
        return []
    return await read(room.reader.sites, () if "*" in wanted else wanted)


async def _tracked(room: Room, request: Request, tracking: str) -> WorkOrder:
    room.limits.look_ups.take(f"address:{address_of(request)}")
    return found(await read(room.reader.tracked_order, tracking), "request", tracking)


def _told(order: WorkOrder) -> dict[str, Any]:
    """What its resident may know: nobody's name, and no remark but the answers meant for them."""
    steps = [
        {
            "action": "assign" if line.action == "dispatch" else line.action,
            "time": rfc3339(line.entry_at),
            "text": line.text if line.action == "answer" else "",
        }
        for line in order.log
        if line.action in _TOLD
    ]
    return {
        "tracking": order.tracking,
        "number": order.number,
        "kind": str(order.kind),
        "state": str(order.state),
        "outcome": order.outcome,
        "opened_at": rfc3339(order.opened_at),
        "respond_by": rfc3339(order.respond_by),
        "resolve_by": rfc3339(order.resolve_by),
        "taken": order.taken_at is not None or order.responded_at is not None,
        "paused": order.pause is not None,
        "founded": order.founded,
        "score": order.rating.score if order.rating is not None else None,
        "may_rate": order.state in ("done", "verified", "closed") and order.outcome != "cancelled",
        "may_reopen": order.state in ("done", "verified", "closed") and order.outcome != "cancelled",
        "steps": steps,
    }
