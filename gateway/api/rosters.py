"""Rosters: who is on duty when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints
from starlette.responses import Response

from gateway.api.acting import (
    Body,
    Flag,
    From,
    Id,
    Named,
    NewId,
    Short,
    Whole,
    Word,
    act_with,
    found,
    read,
    require_site,
)
from gateway.api.auth import Who, needs, resource_router
from gateway.api.people import Account
from gateway.api.present import rfc3339
from gateway.api.reply import IfMatch, reply, require_version, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import DutyOut, Listing, RosterOut
from gateway.model import Role
from gateway.services.calendar import on_duty as duty_of

router = resource_router("duty")

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Names = Annotated[list[Account], Field(max_length=100)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class SlotIn(Body):
    """A span of each named day, local time; no days means all seven. An end not after its start is on the next day."""

    days: Annotated[list[Day], Field(max_length=7)] | None = None
    start: TimeOfDay
    end: TimeOfDay
    people: Names
    role: NewId | None = None
    week: Annotated[Whole, Field(ge=0, le=12)] | None = None


class CoverIn(Body):
    """Who stands in, instead of whoever the slots name."""

    from_at: AwareDatetime
    until_at: AwareDatetime
    people: Annotated[list[Account], Field(min_length=1, max_length=100)]
    note: Short | None = None


class RosterIn(Body):
    """A team's weeks. `continuous`, the default, refuses a roster with a gap."""

    site: NewId
    team: NewId
    title: Short | Named | None = None
    slots: Annotated[list[SlotIn], Field(max_length=200)]
    covers: Annotated[list[CoverIn], Field(max_length=200)] | None = None
    cycle_weeks: Annotated[Whole, Field(ge=1, le=12)] | None = None
    cycle_from: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None
    continuous: Flag | None = None


@router.get("/rosters", **needs(Role.VIEWER), response_model=Listing[RosterOut])
async def rosters(room: InRoom, actor: Who, site: Word = None) -> Response:
    """The rosters, each with the times at which nobody is on duty."""
    items = await read(room.reader.rosters, actor.sites, site=site)
    return reply({"items": [room.presenter.roster(one) for one in items], "next": None})


@router.get("/rosters/on-duty", **needs(Role.VIEWER), response_model=Listing[DutyOut])
async def on_duty(room: InRoom, actor: Who, site: Word = None, at: From = None) -> Response:
    """Who is on duty now, or at the time `from`."""
    wall = at.timestamp() if at is not None else room.clock()
    return reply({"items": await read(_on_duty, room, actor.sites, site, wall), "next": None})


def _on_duty(room: Room, only: tuple[str, ...], site: str | None, wall: float) -> list[dict[str, Any]]:
    people = {person.id: person for person in room.reader.people(only)}
    zones = {place.id: place.timezone for place in room.reader.sites(only)}
    return [
        {**duty._asdict(), "site": roster.site, "name": people[duty.person].name, "until_at": rfc3339(duty.until_at)}
        for roster in room.reader.rosters(only, site=site)
        for duty in duty_of(roster, wall, zones.get(roster.site, "UTC"))
        if duty.person in people and people[duty.person].serves(roster.site)
    ]


@router.get("/rosters/{id}", **needs(Role.VIEWER), response_model=RosterOut)
async def roster(id: Id, room: InRoom, actor: Who) -> Response:
    """One roster."""
    return versioned(room.presenter.roster(found(await read(room.reader.roster, id, actor.sites), "roster", id)))


@router.put("/rosters/{id}", **needs(Role.ENGINEER), response_model=RosterOut)
async def put_roster(id: NewId, body: RosterIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Adds a roster, or replaces it. One that must be continuous is refused with its gaps."""
    require_site(actor, body.site)
    known = await read(room.reader.roster, id)
    if known is not None:
        require_site(actor, known.site)
    version = require_version("roster", id, known.version if known is not None else 0, if_match)
    given = body.model_dump(exclude_none=True)
    for cover in given.get("covers", ()):
        cover.update(from_at=cover["from_at"].timestamp(), until_at=cover["until_at"].timestamp())
    await act_with(room, actor, "roster.put", {"id": id, **given, **({"version": version} if version else {})})
    return versioned(room.presenter.roster(found(await read(room.reader.roster, id, actor.sites), "roster", id)))


@router.post("/rosters/{id}/covers", **needs(Role.ENGINEER), response_model=RosterOut)
async def add_cover(id: Id, body: CoverIn, room: InRoom, actor: Who) -> Response:
    """Says who stands in for a time."""
    found(await read(room.reader.roster, id, actor.sites), "roster", id)
    given = {name: value for name, value in body.given().items() if value is not None}
    await act_with(room, actor, "roster.cover", {"roster": id, **given})
    return versioned(room.presenter.roster(found(await read(room.reader.roster, id, actor.sites), "roster", id)))


@router.delete("/rosters/{id}", status_code=204, **needs(Role.ENGINEER), response_class=Response)
async def remove_roster(id: Id, room: InRoom, actor: Who) -> Response:
    """Removes a roster."""
    found(await read(room.reader.roster, id, actor.sites), "roster", id)
    await act_with(room, actor, "roster.remove", {"roster": id})
    return Response(status_code=204)
