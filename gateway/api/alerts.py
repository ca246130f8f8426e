"""Alerts: what needs a person, and what persons do about it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.api.acting import (
    Body,
    Id,
    Long,
    Number,
    Reveal,
    Short,
    Word,
    act,
    found,
    read,
    revealed,
)
from gateway.api.auth import Who, needs, resource_router
from gateway.api.events import CSV_DECLARED, Format, csv_answer
from gateway.api.explaining import answer_for
from gateway.api.paging import Cursor, Limit, cursor_of, listing, place_of
from gateway.api.reply import IfMatch, reply, require_version, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import AlertOut, ChildOut, Listing, Outcome, WhyOut, WorkOrderOut
from gateway.model import Actor, Alert, Role

router = resource_router("alerts")

State = Literal[
    "all", "open", "unacknowledged", "acknowledged", "returned", "closed", "shelved", "suppressed", "out_of_service"
]
Severity = Literal["critical", "high", "medium", "low"]
_COLUMNS = ("id", "raised_at", "severity", "state", "site", "building", "zone", "device", "rule", "count", "title_en",
            "title_zh", "acknowledged_by", "acknowledged_at", "returned_at", "closed_at", "work_order",
            "parent", "children", "first_out", "stale")  # fmt: skip
_declared = needs(Role.VIEWER)
_declared["responses"][200] = CSV_DECLARED


Before = Annotated[
    Annotated[str, StringConstraints(max_length=100)] | None,
    Field(description="Whose it was when you looked, empty for nobody's: refused where that is so no more."),
]


class CommentIn(Body):
    """A remark."""

    comment: Long | None = None


class TextIn(Body):
    """What somebody writes."""

    text: Long


class ShelveIn(Body):
    """Why, and for how many minutes, an alert is put aside."""

    reason: Long
    minutes: Annotated[Number, Field(gt=0, le=60 * 24 * 7)]


class OrderIn(Body):
    """The team that shall mend it; the rule's own where none is named."""

    team: Short | None = None


class AlertAssignIn(Body):
    """The account that shall see to it."""

    to: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")]
    before: Before = None


class ReleaseIn(Body):
    """Whose it was when the caller looked."""

    before: Before = None


class ManyIn(Body):
    """Several alerts."""

    alerts: Annotated[list[Short], Field(min_length=1, max_length=500)]


@router.get("/alerts", **_declared, response_model=Listing[AlertOut])  # type: ignore[valid-type]
def alerts(
    *,
    room: InRoom,
    actor: Who,
    state: State = "all",
    severity: Annotated[list[Severity] | None, Query()] = None,
    device: Word = None,
    site: Word = None,
    rule: Word = None,
    folded: Annotated[bool | None, Query(description="Only those under another alert, or only the others.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Response:
    """Alerts, newest first."""
    page = room.reader.alerts(
        actor.sites,
        state=state,
        severity=severity or (),
        device=device,
        site=site,
        rule=rule,
        folded=folded,
        after=place_of(cursor, float, str),
        limit=limit,
    )
    if format == "csv":
        rows = [_row(room.presenter.alert(alert)) for alert in page.items]
        return csv_answer("alerts", _COLUMNS, rows, cursor_of(page.next))
    return listing(page, room.presenter.alert)


def _row(shown: dict[str, Any]) -> dict[str, Any]:
    titles = shown["title"]
    return {**shown, "title_en": titles.get("en", ""), "title_zh": titles.get("zh", "")}


@router.post("/alerts/acknowledge", **needs(Role.OPERATOR), response_model=Outcome)
async def acknowledge_many(body: ManyIn, room: InRoom, actor: Who) -> Response:
    """Acknowledges several alerts at once."""
    for id in body.alerts:
        await _known(room, actor, id)
    return reply({"done": True, "result": await act(room, actor, "alert.acknowledge_many", alerts=body.alerts)})


@router.get("/alerts/{id}", **needs(Role.VIEWER), response_model=AlertOut)
async def alert(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One alert with its evidence."""
    entry = await _known(room, actor, id)
    return versioned(room.presenter.alert(entry, await revealed(room, actor, f"alert:{id}", reveal)))


@router.get("/alerts/{id}/children", **needs(Role.VIEWER), response_model=Listing[ChildOut])  # type: ignore[valid-type]
async def children(
    id: Id,
    room: InRoom,
    actor: Who,
    ended: Annotated[bool, Query(description="Also what stood under it and no longer does.")] = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What the alert explains: the symptoms folded under it, in the order in which they came."""
    await _known(room, actor, id)
    found = partial(room.reader.children, id, actor.sites, ended=ended, after=place_of(cursor, str), limit=limit)
    return listing(await read(found), room.presenter.child)


@router.get("/alerts/{id}/why", **needs(Role.VIEWER), response_model=WhyOut)
async def why(id: Id, room: InRoom, actor: Who) -> Response:
    """Why the alert was raised: the rule's definition, values and events it came of, and its condition as a tree."""
    entry = await _known(room, actor, id)
    shown = room.presenter.alert(entry)
    definition = await read(room.rules.get, shown["rule"])
    picked = {name: shown[name] for name in ("rule", "title", "values", "evidence")}
    return reply({**picked, "definition": definition, **await answer_for(room, entry)})


@router.post("/alerts/{id}/acknowledge", **needs(Role.OPERATOR), response_model=AlertOut)
async def acknowledge(
    id: Id, room: InRoom, actor: Who, body: CommentIn | None = None, if_match: IfMatch = None
) -> Response:
    """Acknowledges: somebody has seen it and takes care."""
    entry = await _known(room, actor, id)
    version = require_version("alert", id, entry.version, if_match)
    comment = body.comment if body is not None else None
    return await _done(room, actor, id, "alert.acknowledge", version=version, comment=comment)


@router.post("/alerts/{id}/shelve", **needs(Role.OPERATOR), response_model=AlertOut)
async def shelve(id: Id, body: ShelveIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Puts the alert aside for a time, with a reason; if its condition still holds then, it comes back."""
    await _based_on(room, actor, id, if_match)
    return await _done(room, actor, id, "alert.shelve", reason=body.reason, minutes=body.minutes)


@router.post("/alerts/{id}/unshelve", **needs(Role.OPERATOR), response_model=AlertOut)
async def unshelve(id: Id, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Takes the alert back before its time."""
    await _based_on(room, actor, id, if_match)
    return await _done(room, actor, id, "alert.unshelve")


@router.post("/alerts/{id}/comment", **needs(Role.OPERATOR), response_model=AlertOut)
async def comment(id: Id, body: TextIn, room: InRoom, actor: Who) -> Response:
    """Writes something about the alert."""
    await _known(room, actor, id)
    return await _done(room, actor, id, "alert.comment", text=body.text)


@router.post("/alerts/{id}/take", **needs(Role.OPERATOR), response_model=AlertOut)
async def take(id: Id, room: InRoom, actor: Who) -> Response:
    """Takes the alert: one person's from now on, it no longer escalates. Who comes second learns who has it."""
    await _known(room, actor, id)
    return await _done(room, actor, id, "alert.take")


@router.post("/alerts/{id}/assign", **needs(Role.OPERATOR), response_model=AlertOut)
async def assign(id: Id, body: AlertAssignIn, room: InRoom, actor: Who) -> Response:
    """Gives the alert to somebody."""
    await _known(room, actor, id)
    return await _done(room, actor, id, "alert.assign", to=body.to, **_before(body.before))


@router.post("/alerts/{id}/release", **needs(Role.OPERATOR), response_model=AlertOut)
async def release(id: Id, room: InRoom, actor: Who, body: ReleaseIn | None = None) -> Response:
    """Gives the alert back: nobody's again, and escalating if nobody acknowledged it."""
    await _known(room, actor, id)
    return await _done(room, actor, id, "alert.release", **_before(body.before if body is not None else None))


def _before(seen: str | None) -> dict[str, str]:
    return {} if seen is None else {"before": seen}


@router.post("/alerts/{id}/close", **needs(Role.OPERATOR), response_model=AlertOut)
async def close(id: Id, room: InRoom, actor: Who, body: CommentIn | None = None, if_match: IfMatch = None) -> Response:
    """Closes a latched alert by hand."""
    await _based_on(room, actor, id, if_match)
    return await _done(room, actor, id, "alert.close", comment=body.comment if body is not None else None)


@router.post("/alerts/{id}/work-order", status_code=201, **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def work_order(id: Id, room: InRoom, actor: Who, body: OrderIn | None = None) -> Response:
    """Opens a work order for the alert, or gives the one it has."""
    await _known(room, actor, id)
    result = await act(room, actor, "alert.work_order", alert=id, team=body.team if body is not None else None)
    entry = await _known(room, actor, id)
    order_id = entry.work_order or str(result.get("work_order") or result.get("id", ""))
    order = found(await read(room.reader.work_order, order_id, actor.sites), "work order", order_id)
    return versioned(room.presenter.work_order(order), 201, {"Location": f"/api/v1/work-orders/{order.id}"})


async def _known(room: Room, actor: Actor, id: str) -> Alert:
    return found(await read(room.reader.alert, id, actor.sites), "alert", id)


async def _based_on(room: Room, actor: Actor, id: str, if_match: str | None) -> None:
    require_version("alert", id, (await _known(room, actor, id)).version, if_match)


async def _done(room: Room, actor: Actor, id: str, action: str, **args: Any) -> Response:
    await act(room, actor, action, alert=id, **args)
    return versioned(room.presenter.alert(await _known(room, actor, id)))
