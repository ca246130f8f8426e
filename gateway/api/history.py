"""History of numeric fields."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from starlette.responses import Response

from gateway.api.acting import From, To, Word, found, read
from gateway.api.auth import Who, needs, resource_router
from gateway.api.present import rfc3339
from gateway.api.reply import reply
from gateway.api.room import InRoom, Room
from gateway.api.schema import HistoryOut
from gateway.errors import Invalid
from gateway.model import Role
from gateway.model.catalogue import Field

router = resource_router("history")

_DAY = 86_400.0
Name = Annotated[str, Query(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


@router.get("/history", **needs(Role.VIEWER), response_model=HistoryOut)
async def history(
    *,
    room: InRoom,
    actor: Who,
    device: Annotated[str, Query(min_length=1, max_length=128, pattern=r"^[^\x00]*$")],
    field: Name,
    kind: Word = None,
    since: From = None,
    to: To = None,
    points: Annotated[int, Query(ge=1, le=5000)] = 500,
    times: Literal["rfc3339", "epoch_ms"] = "rfc3339",
) -> Response:
    """A numeric field of a device over time, of the last day where no times are given; null stands in a gap."""
    found(await read(room.reader.device, device, actor.sites), "device", device)
    until = to.timestamp() if to is not None else room.clock()
    start = since.timestamp() if since is not None else until - _DAY
    if start >= until:
        raise Invalid("from", "must lie before 'to'")
    known = _field(room, field, kind)
    if known is not None and known.type in ("string", "enum", "time"):
        raise Invalid("field", f"'{field}' holds words, not numbers: see /api/v1/events")
    kinds = (kind,) if kind else ()
    series = await read(room.history.series, device, field, since=start, until=until, points=points, kinds=kinds)
    told = [(rfc3339(time) if times == "rfc3339" else round(time * 1000), value) for time, value in series]
    return reply({"device": device, "field": field, "unit": known.unit if known else "", "points": told})


def _field(room: Room, name: str, kind: str | None) -> Field | None:
    """The catalogue's word on a field, preferring a kind that keeps it as history."""
    kinds = room.settings.definitions.catalogue.kinds
    carrying = [entry for name_, entry in kinds.items() if kind is None or kind == name_]
    fields = [(entry.record != "reading", entry.fields[name]) for entry in carrying if name in entry.fields]
    return min(fields, key=lambda pair: pair[0])[1] if fields else None
