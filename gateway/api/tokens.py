"""Programs' tokens."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field
from starlette.responses import Response

from gateway.api.acting import Body, Id, NewId, act, found, read, require_unscoped, seconds
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.api.schema import Listing, NewTokenOut, TokenOut
from gateway.api.sign_in import new_secret, sha256
from gateway.api.users import RoleWord, SiteList
from gateway.errors import Invalid
from gateway.model import Role

router = resource_router("people")


class NewToken(Body):
    """A token for a program. No sites means all; without `expires_at` it holds until it is revoked.

    The scope `commands:direct` lets it command in one step, without selecting and confirming.
    """

    name: NewId
    role: RoleWord
    sites: SiteList | None = None
    expires_at: AwareDatetime | None = None
    scopes: Annotated[list[Literal["commands:direct"]], Field(max_length=8)] | None = None


@router.get("/tokens", **needs(Role.ADMIN), response_model=Listing[TokenOut])  # type: ignore[valid-type]
async def tokens(room: InRoom, actor: Who, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """The tokens by id, revoked ones included."""
    require_unscoped(actor)
    return listing(await read(room.reader.tokens, after=place_of(cursor, str), limit=limit), room.presenter.token)


@router.post("/tokens", status_code=201, **needs(Role.ADMIN), response_model=NewTokenOut)
async def add_token(body: NewToken, room: InRoom, actor: Who) -> Response:
    """Makes a token. It is in this answer and nowhere else."""
    require_unscoped(actor)
    expires = seconds(body.expires_at)
    if expires is not None and expires <= room.clock():
        raise Invalid("expires_at", "lies in the past")
    id, secret = f"tk-{secrets.token_hex(8)}", f"gh_{new_secret()}"
    named = {"name": body.name, "role": body.role, "sites": body.sites, "expires_at": expires, "scopes": body.scopes}
    await act(room, actor, "token.create", id=id, hash=sha256(secret), **named)
    token = found(await read(room.reader.token_by_id, id), "token", id)
    return reply({**room.presenter.token(token), "token": secret}, 201, {"Location": f"/api/v1/tokens/{id}"})


@router.delete("/tokens/{id}", status_code=204, **needs(Role.ADMIN), response_class=Response)
async def revoke_token(id: Id, room: InRoom, actor: Who) -> Response:
    """Revokes a token: from now on it opens nothing, and its streams end within seconds."""
    require_unscoped(actor)
    found(await read(room.reader.token_by_id, id), "token", id)
    await act(room, actor, "token.revoke", id=id)
    return Response(status_code=204)
