"""Every route says who may use it, and one place sees to it before anything else of a request is read.

A route without a declared role cannot be made (`GuardedRoute` refuses), so nothing is open by omission.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gateway.api.problems import MEDIA_TYPE, Problem, problem
from gateway.api.room import Room
from gateway.api.sign_in import sha256
from gateway.errors import Forbidden, Unauthorized
from gateway.model import Actor, Role
from gateway.store.rows import DeviceSecret, SessionRow

PREFIX = "/api/v1"
COOKIE = "gatehouse_session"
CSRF_HEADER = "X-CSRF-Token"
PUBLIC, DEVICE = "public", "device"
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_ROLE = "x-role"


def needs(role: Role | str, *, any_body: bool = False, origin: bool = False) -> dict[str, Any]:
    """What a route declares: its least role, `PUBLIC` or `DEVICE`. For use as `@router.get(path, **needs(...))`.

    `any_body` admits bodies other than JSON; `origin` refuses other sites' pages even for a GET.
    """
    extra: dict[str, Any] = {_ROLE: str(role), "x-any-body": any_body, "x-origin": origin}
    if role == DEVICE:
        extra["security"] = [{"device": []}]
    elif role != PUBLIC:
        extra["security"] = [{"session": []}, {"token": []}]
    told = {"model": Problem, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {"openapi_extra": extra, "responses": {"default": {**told, "description": "A problem, as RFC 9457 has it."}}}


def role_of(route: APIRoute) -> str | None:
    """The role a route declares."""
    return (route.openapi_extra or {}).get(_ROLE)


class Caller(NamedTuple):
    """Who asks. `session` is set for a browser, `still_valid` tells whether the credential still holds."""

    actor: Actor
    language: str = "en"
    session: SessionRow | None = None
    secret_hash: str = ""
    still_valid: Callable[[], bool] = bool


class GuardedRoute(APIRoute):
    """A route that lets nobody in whom its declared role does not admit."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **rest: Any) -> None:
        super().__init__(path, endpoint, **rest)
        if role_of(self) is None:
            raise TypeError(f"{path} declares no role: add **needs(...) to its decorator")

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind the guard."""
        handle = super().get_route_handler()
        declared = role_of(self)
        extra = self.openapi_extra or {}

        async def guarded(request: Request) -> Response:
            room: Room = request.app.state.room
            if request.method not in _SAFE or extra.get("x-origin"):
                _require_same_origin(request, room)
            if declared == DEVICE:
                request.state.device = await _device(request, room)
            elif declared != PUBLIC:
                request.state.caller = await _admit(request, room, Role(str(declared)))
            else:
                room.limits.requests.take(f"address:{address_of(request)}")
            if not extra.get("x-any-body") and not _is_json(request):
                return problem(415, "unsupported_media_type", "send the body as application/json")
            return await handle(request)

        return guarded


def resource_router(*tags: str) -> APIRouter:
    """The routes of one resource, each guarded and with its whole path.

    `create_app` takes them as they are. FastAPI's own way, a router that is included by another, works every route
    out a second time: half a second and some megabytes at every start.
    """
    return APIRouter(prefix=PREFIX, route_class=GuardedRoute, tags=[*tags])


async def caller_of(request: Request) -> Caller:
    """The caller that the guard admitted."""
    caller: Caller = request.state.caller
    return caller


async def actor_of(request: Request) -> Actor:
    """The actor that the guard admitted."""
    actor: Actor = request.state.caller.actor
    return actor


async def device_of(request: Request) -> DeviceSecret:
    """The device that the guard admitted."""
    device: DeviceSecret = request.state.device
    return device


Who = Annotated[Actor, Depends(actor_of)]
WhoFully = Annotated[Caller, Depends(caller_of)]
WhichDevice = Annotated[DeviceSecret, Depends(device_of)]


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


async def _admit(request: Request, room: Room, role: Role) -> Caller:
    caller = await identify(request, room)
    if caller is None:
        raise Unauthorized("sign in first, or send a token: Authorization: Bearer <token>")
    if caller.session is not None and request.method not in _SAFE:
        _require_csrf(request, caller.session)
    room.limits.requests.take(caller.actor.name)
    if not caller.actor.role.includes(role):
        raise Forbidden(f"this takes the role {role}, and {caller.actor.name} is {caller.actor.role}", role=str(role))
    return caller


async def identify(request: Request, room: Room) -> Caller | None:
    """Who asks, by token or by cookie; None where neither holds. A wrong token is not made good by a cookie."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            return None
        return await run_in_threadpool(_by_token, room, sha256(secret.strip()))
    cookie = request.cookies.get(COOKIE)
    return await run_in_threadpool(_by_session, room, sha256(cookie)) if cookie else None


def _by_token(room: Room, secret_hash: str) -> Caller | None:
    token = room.reader.token(secret_hash)
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= room.clock():
        return None
    actor = Actor(f"token:{token.name}", Role(token.role), token.sites, token.scopes)
    return Caller(actor, secret_hash=secret_hash, still_valid=lambda: _by_token(room, secret_hash) is not None)


def _by_session(room: Room, secret_hash: str) -> Caller | None:
    session = room.reader.session(secret_hash)
    if session is None or session.kind != "session" or session.expires_at <= room.clock() or session.user.disabled:
        return None
    user = session.user
    return Caller(
        Actor(f"user:{user.name}", Role(user.role), user.sites),
        user.language,
        session,
        secret_hash,
        lambda: _by_session(room, secret_hash) is not None,
    )


async def _device(request: Request, room: Room) -> DeviceSecret:
    """The device whose credential a push carries: it must be the one in the path. The core checks the adapter."""
    name, secret = _basic(request)
    address = address_of(request)
    room.gatekeeper.devices.require(name, address)
    row = await run_in_threadpool(room.reader.device_secret, name) if name else None
    meant = row if name == request.path_params.get("device") else None
    if not await room.gatekeeper.secret_fits(meant, secret) or row is None:
        if name:
            room.gatekeeper.devices.wrong(name, address)
        raise Unauthorized("send the device's credential (HTTP Basic, device id and secret)", scheme="Basic")
    room.gatekeeper.devices.right(name, address)
    room.limits.requests.take(f"device:{name}")
    return row


def _basic(request: Request) -> tuple[str, str]:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return ("", "") if "\x00" in name else (name, secret)


def _require_csrf(request: Request, session: SessionRow) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    if not sent or sha256(sent) != sha256(session.csrf):
        raise Forbidden(f"the header {CSRF_HEADER} is missing or wrong: take it from GET /api/v1/session", csrf=True)


def _require_same_origin(request: Request, room: Room) -> None:
    """Pages of other sites may neither write nor listen. Programs send no `Origin` and are not concerned."""
    origin = request.headers.get("origin")
    if origin is not None and origin not in room.settings.origins:
        host = request.headers.get("host", "")
        if not host or _host_of(origin) != host.lower():
            raise Forbidden("this page is of another site", origin=origin[:200])
    elif origin is None and request.headers.get("sec-fetch-site") == "cross-site":
        raise Forbidden("this page is of another site")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_json(request: Request) -> bool:
    """Whether the body, where there is one, calls itself JSON."""
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return True
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")
