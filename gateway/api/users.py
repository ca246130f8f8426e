"""Accounts of people."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.responses import Response

from gateway.api.acting import Body, Flag, Id, NewId, act, found, read, require_unscoped
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.reply import IfMatch, require_version, versioned
from gateway.api.room import InRoom
from gateway.api.schema import Listing, UserOut
from gateway.api.sign_in import hash_password
from gateway.errors import Conflict
from gateway.model import Role

router = resource_router("people")

RoleWord = Literal["viewer", "operator", "engineer", "admin"]
Password = Annotated[str, Field(min_length=1, max_length=256)]
UserName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")]
SiteList = Annotated[list[NewId], Field(max_length=1000)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$")]


class NewUser(Body):
    """An account. No sites means all; without a password it is signed in to by link."""

    name: UserName
    role: RoleWord
    password: Password | None = None
    sites: SiteList | None = None
    language: Language | None = None


class UserChange(Body):
    """What to change of an account; members left out stay."""

    role: RoleWord | None = None
    password: Password | None = None
    sites: SiteList | None = None
    language: Language | None = None
    disabled: Flag | None = None


@router.get("/users", **needs(Role.ADMIN), response_model=Listing[UserOut])
async def users(room: InRoom, actor: Who, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """The accounts by name."""
    require_unscoped(actor)
    return listing(await read(room.reader.users, after=place_of(cursor, str), limit=limit), room.presenter.user)


@router.post("/users", status_code=201, **needs(Role.ADMIN), response_model=UserOut)
async def add_user(body: NewUser, room: InRoom, actor: Who) -> Response:
    """Makes an account."""
    require_unscoped(actor)
    args = await _args(body.name, body)
    await act(room, actor, "user.add", **args)
    user = found(await read(room.reader.user, body.name), "user", body.name)
    return versioned(room.presenter.user(user), 201, {"Location": f"/api/v1/users/{body.name}"})


@router.patch("/users/{name}", **needs(Role.ADMIN), response_model=UserOut)
async def change_user(name: Id, body: UserChange, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Changes an account. Nobody takes the administration from themselves."""
    require_unscoped(actor)
    user = found(await read(room.reader.user, name), "user", name)
    require_version("user", name, user.version, if_match)
    lesser = body.disabled or body.sites or (body.role is not None and body.role != "admin")
    if actor.name == f"user:{name}" and lesser:
        raise Conflict("you cannot take the administration from yourself: let another administrator do it")
    await act(room, actor, "user.update", **{**await _args(name, body), "name": name})
    return versioned(room.presenter.user(found(await read(room.reader.user, name), "user", name)))


async def _args(name: str, body: NewUser | UserChange) -> dict[str, Any]:
    args = body.model_dump(exclude_none=True, exclude={"password"})
    if body.password is not None:
        args["password_hash"] = await read(hash_password, name, body.password)
    return args
