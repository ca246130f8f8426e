"""Shifts: who has the desk, the shift log, and the hand-over that two people sign."""

from __future__ import annotations

from typing import Any, Literal

from starlette.responses import Response

from gateway.api.acting import Body, Id, Long, NewId, Short, Word, act, found, read, require_site
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.present import plain
from gateway.api.reply import IfMatch, reply, require_version, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import HandoverOut, Listing, ShiftOut
from gateway.model import Actor, Alert, Handover, Role, Severity, Shift
from gateway.services.handover import UNSEEN, chapters
from gateway.services.notifications import undelivered

router = resource_router("duty")

#: Open alerts that a preview looks at.
_MOST = 1000


class TakeOverIn(Body):
    """Which desk is taken over."""

    site: NewId
    desk: NewId | None = None
    note: Long | None = None


class NoteIn(Body):
    """A line of the shift log."""

    text: Long


class HandoverIn(Body):
    """What the next shift should know besides the list. `reason` says why somebody else signs for who had the desk."""

    notes: Long | None = None
    reason: Short | None = None


class AcceptIn(Body):
    """A first line for the new shift's log."""

    note: Long | None = None


@router.get("/shifts", **needs(Role.VIEWER), response_model=Listing[ShiftOut])  # type: ignore[valid-type]
async def shifts(
    *,
    room: InRoom,
    actor: Who,
    site: Word = None,
    state: Literal["current", "open", "handover", "closed"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The shift log, newest first."""
    after = place_of(cursor, float, str)
    page = await read(room.reader.shifts, actor.sites, site=site, state=state, after=after, limit=limit)
    return listing(page, room.presenter.shift)


@router.post("/shifts", status_code=201, **needs(Role.OPERATOR), response_model=ShiftOut)
async def take_over(body: TakeOverIn, room: InRoom, actor: Who) -> Response:
    """Takes over a desk that nobody has."""
    require_site(actor, body.site)
    result = await act(room, actor, "shift.take_over", **body.model_dump(exclude_none=True))
    shift = await _known(room, actor, str(result.get("id", "")))
    return versioned(room.presenter.shift(shift), 201, {"Location": f"/api/v1/shifts/{shift.id}"})


@router.get("/shifts/{id}", **needs(Role.VIEWER), response_model=ShiftOut)
async def shift(id: Id, room: InRoom, actor: Who) -> Response:
    """One shift with its notes and its hand-over."""
    return versioned(room.presenter.shift(await _known(room, actor, id)))


@router.post("/shifts/{id}/notes", **needs(Role.OPERATOR), response_model=ShiftOut)
async def note(id: Id, body: NoteIn, room: InRoom, actor: Who) -> Response:
    """Writes into the shift log."""
    await _known(room, actor, id)
    await act(room, actor, "shift.note", shift=id, text=body.text)
    return versioned(room.presenter.shift(await _known(room, actor, id)))


@router.get("/shifts/{id}/handover", **needs(Role.VIEWER), response_model=HandoverOut)
async def handover(id: Id, room: InRoom, actor: Who) -> Response:
    """The hand-over as it was signed, or what it would hold now."""
    return reply(await read(_handover, room, await _known(room, actor, id)))


@router.post("/shifts/{id}/handover", **needs(Role.OPERATOR), response_model=ShiftOut)
async def sign(id: Id, room: InRoom, actor: Who, body: HandoverIn | None = None, if_match: IfMatch = None) -> Response:
    """Signs the hand-over; refused while a critical alert is not acknowledged."""
    known = await _known(room, actor, id)
    version = require_version("shift", id, known.version, if_match)
    told = body or HandoverIn()
    await act(room, actor, "shift.handover", shift=id, notes=told.notes, reason=told.reason, version=version)
    return versioned(room.presenter.shift(await _known(room, actor, id)))


@router.delete("/shifts/{id}/handover", **needs(Role.OPERATOR), response_model=ShiftOut)
async def withdraw(id: Id, room: InRoom, actor: Who) -> Response:
    """Takes a hand-over back that nobody has accepted yet."""
    await _known(room, actor, id)
    await act(room, actor, "shift.withdraw", shift=id)
    return versioned(room.presenter.shift(await _known(room, actor, id)))


@router.post("/shifts/{id}/handover/accept", status_code=201, **needs(Role.OPERATOR), response_model=ShiftOut)
async def accept(id: Id, room: InRoom, actor: Who, body: AcceptIn | None = None, if_match: IfMatch = None) -> Response:
    """Signs as the next shift: ends this one and answers with the new one."""
    known = await _known(room, actor, id)
    version = require_version("shift", id, known.version, if_match)
    note = body.note if body is not None else None
    result = await act(room, actor, "shift.accept", shift=id, note=note, version=version)
    following = await _known(room, actor, str(result.get("next", "")))
    return versioned(room.presenter.shift(following), 201, {"Location": f"/api/v1/shifts/{following.id}"})


async def _known(room: Room, actor: Actor, id: str) -> Shift:
    return found(await read(room.reader.shift, id, actor.sites), "shift", id)


def _handover(room: Room, shift: Shift) -> dict[str, Any]:
    if shift.handover is not None:
        signed, body = True, shift.handover
    else:
        signed, body = False, Handover(chapters=_preview(room, shift.site))
    shown = plain(body)
    if not signed:
        shown["signed_by"] = shown["signed_at"] = None
    unseen: list[Alert] = room.reader.alerts(state="open", site=shift.site, severity=("critical",), limit=_MOST).items
    blocking = [one.id for one in unseen if one.severity is Severity.CRITICAL and one.state in UNSEEN]
    ended = shift.ended_at is not None
    return {"shift": shift.id, "site": shift.site, "signed": signed, **shown, "blocking": [] if ended else blocking}


def _preview(room: Room, site: str) -> Any:
    reader = room.reader
    rows = reader.devices((site,), limit=100_000).items
    return chapters(
        reader.alerts(state="open", site=site, limit=_MOST).items,
        reader.plan_runs((site,), state="running", limit=_MOST).items,
        (row.device for row in rows),
        {row.device.id: row.standing.online for row in rows},
        undelivered(reader.notifications((site,), state="unsent", limit=_MOST).items),
    )
