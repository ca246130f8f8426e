"""What the gateway was loaded with: rules and the catalogue of kinds."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from gateway.api.acting import Id, found, read
from gateway.api.auth import needs, resource_router
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.api.schema import Listing
from gateway.model import Role

router = resource_router("rules")


@router.get("/rules", **needs(Role.VIEWER), response_model=Listing[dict[str, Any]])
async def rules(room: InRoom) -> Response:
    """The rules that are in force."""
    return reply({"items": [dict(rule) for rule in await read(room.rules.all)], "next": None})


@router.get("/rules/{id}", **needs(Role.VIEWER), response_model=dict[str, Any])
async def rule(id: Id, room: InRoom) -> Response:
    """One rule."""
    return reply(dict(found(await read(room.rules.get, id), "rule", id)))


@router.get("/catalogue", **needs(Role.VIEWER), response_model=Listing[dict[str, Any]])
async def catalogue(room: InRoom) -> Response:
    """All kinds of event with their fields, units, ranges and which are personal."""
    kinds = room.settings.definitions.catalogue.kinds.values()
    return reply({"items": [msgspec.to_builtins(kind) for kind in kinds], "next": None})
