"""Whether the API lives and whether the gateway can work: for probes, without a credential."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from gateway.api.acting import read
from gateway.api.auth import PUBLIC, needs, resource_router
from gateway.api.reply import reply
from gateway.api.room import InRoom, Room
from gateway.api.schema import HealthOut
from gateway.errors import GatehouseError, Unavailable

router = resource_router("running")


@router.get("/health", **needs(PUBLIC), response_model=HealthOut)
async def health() -> Response:
    """The API answers."""
    return reply({"status": "ok"})


@router.get("/ready", **needs(PUBLIC), response_model=HealthOut)
async def ready(room: InRoom) -> Response:
    """The database can be read, the core answers and reaches its broker; a 503 names what is missing."""
    if not await store_is_up(room):
        raise Unavailable("the database cannot be read", link="store")
    try:
        async with asyncio.timeout(2.0):
            health = await room.door.health()
    except TimeoutError:
        raise Unavailable("the core does not answer", link="core") from None
    except GatehouseError:
        raise Unavailable("the core is not running", link="core") from None
    if not health.get("broker", {}).get("up"):
        raise Unavailable("the core does not reach its broker", link="broker")
    return reply({"status": "ready"})


async def store_is_up(room: Room) -> bool:
    """Whether the database can be read."""
    try:
        await read(room.reader.change_span)
    except SQLAlchemyError:
        return False
    return True
