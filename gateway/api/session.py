"""Signing in and out: by password, or by a link that works once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from gateway.api.acting import Body, Short, act, read
from gateway.api.auth import (
    COOKIE,
    PUBLIC,
    Caller,
    GuardedRoute,
    WhoFully,
    address_of,
    identify,
    needs,
    resource_router,
)
from gateway.api.present import rfc3339
from gateway.api.reply import reply
from gateway.api.room import InRoom, Room
from gateway.api.schema import SessionOut
from gateway.api.sign_in import hash_password, new_secret, sha256
from gateway.errors import Forbidden, GatehouseError, Unauthorized
from gateway.model import Actor, Role
from gateway.store.rows import UserRow

router = resource_router("session")
link_router = APIRouter(route_class=GuardedRoute, tags=["session"])

#: As many wrong attempts in a row are told as an alarm in the audit (GB 50396).
_ALARMING = 5
Password = Annotated[str, Field(min_length=1, max_length=256)]


class SignIn(Body):
    """A name and a password."""

    user: Short
    password: Password


class NewPassword(Body):
    """The password now, and the one to be."""

    current: Password
    new: Password


@router.post("/session", status_code=201, **needs(PUBLIC), response_model=SessionOut)
async def sign_in(body: SignIn, request: Request, room: InRoom) -> Response:
    """Signs in: sets the session's cookie. Wrong attempts make the same name wait longer at the same address."""
    address = address_of(request)
    room.gatekeeper.people.require(body.user, address)
    user = await read(room.reader.user, body.user)
    if not await room.gatekeeper.password_fits(user, body.password) or user is None:
        await _refused(room, user, address, room.gatekeeper.people.wrong(body.user, address))
        raise Unauthorized("the name or the password is wrong")
    room.gatekeeper.people.right(body.user, address)
    # Never a session that the browser brought along: a new secret each time.
    secret, csrf, expires = new_secret(), new_secret(), room.clock() + room.settings.session_hours * 3600
    actor = Actor(f"user:{user.name}", Role(user.role), user.sites)
    named = {"hash": sha256(secret), "user": user.name, "csrf": csrf, "kind": "session", "expires_at": expires}
    await act(room, actor, "session.open", **named)
    return _with_cookie(room, reply(_shown(user, csrf, expires), 201), secret)


@router.get("/session", **needs(Role.VIEWER), response_model=SessionOut)
async def session(caller: WhoFully) -> Response:
    """Who is signed in, and the CSRF token. A program's token has no session: its `csrf` is empty."""
    if caller.session is None:
        actor = caller.actor
        told = {"user": actor.name, "role": actor.role, "sites": list(actor.sites), "language": caller.language}
        return reply({**told, "csrf": "", "expires_at": None})
    return reply(_shown(caller.session.user, caller.session.csrf, caller.session.expires_at))


@router.delete("/session", status_code=204, **needs(Role.VIEWER), response_class=Response)
async def sign_out(room: InRoom, caller: WhoFully) -> Response:
    """Signs out."""
    _require_session(caller)
    await act(room, caller.actor, "session.close", hash=caller.secret_hash)
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=room.settings.tls)
    return answer


@router.put("/session/password", status_code=204, **needs(Role.VIEWER), response_class=Response)
async def change_password(body: NewPassword, request: Request, room: InRoom, caller: WhoFully) -> Response:
    """Changes one's own password."""
    _require_session(caller)
    name, address = caller.actor.name.removeprefix("user:"), address_of(request)
    room.gatekeeper.people.require(name, address)
    user = await read(room.reader.user, name)
    # Who came by a link has no password yet, and the session is proof enough.
    if user is not None and user.password_hash and not await room.gatekeeper.password_fits(user, body.current):
        await _refused(room, user, address, room.gatekeeper.people.wrong(name, address))
        raise Forbidden("the password is wrong")
    hashed = await read(hash_password, name, body.new)
    await act(room, caller.actor, "user.update", name=name, password_hash=hashed)
    return Response(status_code=204)


@link_router.get("/sign-in", **needs(PUBLIC), response_class=Response, include_in_schema=False)
async def sign_in_by_link(
    request: Request, room: InRoom, token: Annotated[str, Query(min_length=1, max_length=256)]
) -> Response:
    """Turns a one-time link into a session and goes on to the page; a used link goes there without one."""
    if await identify(request, room) is not None:
        return _to_page("/")
    link = await read(room.reader.session, sha256(token))
    if link is None or link.kind != "link" or link.expires_at <= room.clock() or link.user.disabled:
        return _to_page("/?link=expired")
    secret, expires = new_secret(), room.clock() + room.settings.session_hours * 3600
    actor = Actor(f"user:{link.user.name}", Role(link.user.role), link.user.sites)
    swap: dict[str, Any] = {"link_hash": sha256(token), "hash": sha256(secret)}
    try:
        await act(room, actor, "session.swap", **swap, csrf=new_secret(), expires_at=expires)
    except GatehouseError as error:
        if error.status >= 500:
            raise
        return _to_page("/?link=expired")
    return _with_cookie(room, _to_page("/"), secret)


async def _refused(room: Room, user: UserRow | None, address: str, count: int) -> None:
    """Tells the audit. A name that is no user's is not written down: it may be a password in the wrong box."""
    target = f"user:{user.name}" if user is not None else "user:unknown"
    action = "session.alarm" if count % _ALARMING == 0 else "session.refused"
    detail = {"address": address, "in_a_row": count}
    try:
        await act(room, Actor("system"), "audit.note", action=action, target=target, detail=detail)
    except GatehouseError:
        return


def _shown(user: UserRow, csrf: str, expires: float) -> dict[str, Any]:
    told = {"user": user.name, "role": user.role, "sites": list(user.sites), "language": user.language}
    return {**told, "csrf": csrf, "expires_at": rfc3339(expires)}


def _require_session(caller: Caller) -> None:
    if caller.session is None:
        raise Forbidden("this is for browsers' sessions; a token is revoked at /api/v1/tokens")


def _to_page(where: str) -> Response:
    return RedirectResponse(where, 303, {"Cache-Control": "no-store"})


def _with_cookie(room: Room, answer: Response, secret: str) -> Response:
    age = int(room.settings.session_hours * 3600)
    answer.set_cookie(COOKIE, secret, age, path="/", httponly=True, samesite="strict", secure=room.settings.tls)
    return answer
