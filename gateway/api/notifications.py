"""Messages to people: the log, trying again, the channels and a test of them."""

from __future__ import annotations

from typing import Any, Literal

from starlette.responses import Response

from gateway.api.acting import Body, Id, NewId, Word, act, found, read
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.people import Account
from gateway.api.reply import reply, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import ChannelOut, Listing, NotificationOut, Outcome
from gateway.model import Actor, Notification, Role
from gateway.services.health import ChannelHealth

router = resource_router("notifications")

State = Literal["unsent", "pending", "held", "digested", "sent", "failed"]
#: The newest messages by which is told how a channel is.
_LOOKED_AT = 500


class TestIn(Body):
    """Which channel is tested, all where none is named, and for whom."""

    channel: NewId | None = None
    to: Account | None = None
    site: NewId | None = None


@router.get("/notifications", **needs(Role.VIEWER), response_model=Listing[NotificationOut])  # type: ignore[valid-type]
async def notifications(
    *,
    room: InRoom,
    actor: Who,
    site: Word = None,
    state: State | None = None,
    alert: Word = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Messages to people, newest first, with every attempt that failed. `unsent` means pending, held or failed."""
    after = place_of(cursor, float, str)
    page = await read(
        room.reader.notifications, actor.sites, site=site, state=state, alert=alert, after=after, limit=limit
    )
    return listing(page, room.presenter.notification)


@router.post("/notifications/test", status_code=202, **needs(Role.ENGINEER), response_model=Outcome)
async def test(body: TestIn, room: InRoom, actor: Who) -> Response:
    """Sends a message that says that it is a test. The outcome stands in the log, under the ids of the answer."""
    result = await act(room, actor, "notification.test", **body.model_dump(exclude_none=True))
    return reply({"done": True, "result": result}, 202)


@router.get("/notifications/{id}", **needs(Role.VIEWER), response_model=NotificationOut)
async def notification(id: Id, room: InRoom, actor: Who) -> Response:
    """One message."""
    return versioned(room.presenter.notification(await _known(room, actor, id)))


@router.post("/notifications/{id}/retry", **needs(Role.OPERATOR), response_model=NotificationOut)
async def retry(id: Id, room: InRoom, actor: Who) -> Response:
    """Tries again at once, also one that was given up."""
    await _known(room, actor, id)
    await act(room, actor, "notification.retry", notification=id)
    return versioned(room.presenter.notification(await _known(room, actor, id)))


@router.get("/channels", **needs(Role.OPERATOR), response_model=Listing[ChannelOut])
async def channels(room: InRoom) -> Response:
    """The channels to people, secrets masked, and which of them fail."""
    failing = await read(_failing, room)
    items = [{**channel, "failing": failing.get(str(channel["id"]))} for channel in room.definitions.channels]
    return reply({"items": items, "next": None})


@router.get("/escalation", **needs(Role.VIEWER), response_model=Listing[dict[str, Any]])
async def escalation(room: InRoom) -> Response:
    """The escalation chains in their order: the first that fits an alert is used."""
    return reply({"items": [dict(chain) for chain in room.definitions.chains], "next": None})


def _failing(room: Room) -> dict[str, str]:
    health = ChannelHealth()
    page = room.reader.notifications(limit=_LOOKED_AT)
    for one in reversed(page.items):
        health.learn(one)
    return health.failing


async def _known(room: Room, actor: Actor, id: str) -> Notification:
    return found(await read(room.reader.notification, id, actor.sites), "notification", id)
