"""People who can be on duty and be told. How they are reached is personal data and masked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.api.acting import Body, Flag, Id, NewId, Reveal, Short, act_with, found, read, revealed
from gateway.api.auth import Who, needs, resource_router
from gateway.api.reply import IfMatch, reply, require_version, versioned
from gateway.api.room import InRoom
from gateway.api.schema import Listing, PersonOut
from gateway.model import Role

router = resource_router("duty")

Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")]
Words = Annotated[list[NewId], Field(max_length=50)]
AddressKind = Literal["email", "phone", "wecom", "dingtalk", "feishu"]


class PersonIn(Body):
    """Somebody who can be on duty. No sites means all."""

    name: Short | None = None
    teams: Words | None = None
    roles: Words | None = None
    skills: Words | None = None
    addresses: dict[AddressKind, Annotated[str, Field(max_length=200)]] | None = None
    sites: Annotated[list[NewId], Field(max_length=1000)] | None = None
    active: Flag | None = None


@router.get("/people", **needs(Role.VIEWER), response_model=Listing[PersonOut])  # type: ignore[valid-type]
async def people(room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """Everybody who can be on duty, by name; addresses masked, unmasked with a reason, which is audited."""
    open_ = await revealed(room, actor, "people", reveal)
    everybody = await read(room.reader.people, actor.sites)
    return reply({"items": [room.presenter.person(one, open_) for one in everybody], "next": None})


@router.get("/people/{id}", **needs(Role.VIEWER), response_model=PersonOut)
async def person(id: Id, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One person."""
    one = found(await read(room.reader.person, id, actor.sites), "person", id)
    return versioned(room.presenter.person(one, await revealed(room, actor, f"person:{id}", reveal)))


@router.put("/people/{id}", **needs(Role.ENGINEER), response_model=PersonOut)
async def put_person(id: Account, body: PersonIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Adds a person, or replaces what is known of them."""
    known = await read(room.reader.person, id)
    version = require_version("person", id, known.version if known is not None else 0, if_match)
    given = {name: value for name, value in body.given().items() if value is not None}
    await act_with(room, actor, "person.put", {"id": id, **given, **({"version": version} if version else {})})
    return versioned(room.presenter.person(found(await read(room.reader.person, id, actor.sites), "person", id)))


@router.delete("/people/{id}", status_code=204, **needs(Role.ENGINEER), response_class=Response)
async def remove_person(id: Id, room: InRoom, actor: Who) -> Response:
    """Removes a person; refused while a roster names them."""
    found(await read(room.reader.person, id, actor.sites), "person", id)
    await act_with(room, actor, "person.remove", {"id": id})
    return Response(status_code=204)
