"""Schedules with their next times, and the rounds that are walked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from starlette.responses import Response

from gateway.api.acting import Body, Id, Long, Short, Word, act, found, read
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.present import plain, rfc3339
from gateway.api.reply import reply, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import Listing, RoundOut, ScheduleOut
from gateway.model import Actor, Role, Schedule
from gateway.services.schedule_book import next_time

router = resource_router("schedules")

#: How many of its next times a schedule tells.
_AHEAD = 5


class ReasonIn(Body):
    """Why it does not run for a while."""

    reason: Short


class CheckIn(Body):
    """Somebody was at a point."""

    point: Short
    result: Literal["ok", "abnormal"] = "ok"
    text: Long | None = None


@router.get("/schedules", **needs(Role.VIEWER), response_model=Listing[ScheduleOut])
async def schedules(room: InRoom, actor: Who, site: Word = None) -> Response:
    """The schedules with where they stand and their next times."""
    states = await read(room.reader.schedules, actor.sites)
    zones = {one.id: one.timezone for one in await read(room.reader.sites, actor.sites)}
    items = [
        shown(room, one, states.get(str(one["id"])), zones)
        for one in room.definitions.schedules
        if actor.may_see(str(one["site"])) and site in (None, one["site"])
    ]
    return reply({"items": items, "next": None})


@router.get("/schedules/{id}", **needs(Role.VIEWER), response_model=ScheduleOut)
async def schedule(id: Id, room: InRoom, actor: Who) -> Response:
    """One schedule."""
    return reply(await _shown(room, actor, id))


@router.post("/schedules/{id}/run", **needs(Role.ENGINEER), response_model=ScheduleOut)
async def run(id: Id, room: InRoom, actor: Who) -> Response:
    """Runs it now, besides its times; `problem` says what kept it from that."""
    await _shown(room, actor, id)
    await act(room, actor, "schedule.run", schedule=id)
    return reply(await _shown(room, actor, id))


@router.post("/schedules/{id}/pause", **needs(Role.ENGINEER), response_model=ScheduleOut)
async def pause(id: Id, body: ReasonIn, room: InRoom, actor: Who) -> Response:
    """Lets its times pass, with a reason."""
    await _shown(room, actor, id)
    await act(room, actor, "schedule.pause", schedule=id, reason=body.reason)
    return reply(await _shown(room, actor, id))


@router.post("/schedules/{id}/resume", **needs(Role.ENGINEER), response_model=ScheduleOut)
async def resume(id: Id, room: InRoom, actor: Who) -> Response:
    """Lets it run again; what passed meanwhile is not made good."""
    await _shown(room, actor, id)
    await act(room, actor, "schedule.resume", schedule=id)
    return reply(await _shown(room, actor, id))


@router.get("/rounds", **needs(Role.VIEWER), response_model=Listing[RoundOut])  # type: ignore[valid-type]
async def rounds(
    *,
    room: InRoom,
    actor: Who,
    state: Literal["open", "running", "overdue", "finished", "missed"] | None = None,
    schedule: Word = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Patrol and inspection rounds, newest first. `open` are those whose points may still be visited."""
    after = place_of(cursor, float, str)
    page = await read(room.reader.rounds, actor.sites, state=state, schedule=schedule, after=after, limit=limit)
    return listing(page, plain)


@router.get("/rounds/{id}", **needs(Role.VIEWER), response_model=RoundOut)
async def round_(id: Id, room: InRoom, actor: Who) -> Response:
    """One round with its points."""
    return versioned(plain(found(await read(room.reader.round_, id, actor.sites), "round", id)))


@router.post("/rounds/{id}/check", **needs(Role.OPERATOR), response_model=RoundOut)
async def check(id: Id, body: CheckIn, room: InRoom, actor: Who) -> Response:
    """Writes down by hand that somebody was at a point."""
    found(await read(room.reader.round_, id, actor.sites), "round", id)
    await act(room, actor, "round.check", round=id, **body.given())
    return versioned(plain(found(await read(room.reader.round_, id, actor.sites), "round", id)))


async def _shown(room: Room, actor: Actor, id: str) -> dict[str, Any]:
    known = next((one for one in room.definitions.schedules if one["id"] == id), None)
    definition = found(known if known is not None and actor.may_see(str(known["site"])) else None, "schedule", id)
    states = await read(room.reader.schedules, actor.sites)
    zones = {one.id: one.timezone for one in await read(room.reader.sites, actor.sites)}
    return shown(room, definition, states.get(id), zones)


def shown(
    room: Room, definition: Mapping[str, Any], state: Schedule | None, zones: Mapping[str, str]
) -> dict[str, Any]:
    """A definition with where it stands; its next times by the site's zone."""
    at = str(definition.get("at") or "")
    times: list[float] = []
    if at and not (state is not None and state.paused):
        place = room.clock()
        while len(times) < _AHEAD:
            following = next_time(at, place, zones.get(str(definition["site"]), "UTC"))
            if following is None:
                break
            times.append(following)
            place = following
    stands = state or Schedule(id=str(definition["id"]), site=str(definition["site"]))
    return {
        "id": definition["id"],
        "site": definition["site"],
        "title": definition["title"],
        "does": definition["does"],
        "at": at,
        "counts": definition.get("counts"),
        "devices": list(definition.get("devices") or ()),
        "team": definition.get("team") or "",
        "plan": definition.get("plan") or "",
        "points": len(definition.get("points") or ()),
        "next_times": [rfc3339(time) for time in times],
        "last_at": rfc3339(stands.last_at),
        "ran": stands.ran,
        "missed": stands.missed,
        "paused": stands.paused,
        "problem": stands.problem,
        "result": stands.result,
        "totals": {device: count.total for device, count in stands.counts.items()},
    }
