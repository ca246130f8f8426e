"""How the gateway is: links, counts, ledger, and the figures for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gateway.api.acting import read
from gateway.api.auth import GuardedRoute, Who, needs, resource_router
from gateway.api.present import rfc3339
from gateway.api.reply import reply
from gateway.api.room import InRoom, Room
from gateway.api.schema import LedgerOut, StatusOut
from gateway.errors import GatehouseError
from gateway.model import Role, Severity

router = resource_router("running")
metrics_router = APIRouter(route_class=GuardedRoute, tags=["running"])

_FOR_METRICS = needs(Role.VIEWER)
_FOR_METRICS["responses"][200] = {
    "description": "Figures in Prometheus' text format.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


@router.get("/status", **needs(Role.VIEWER), response_model=StatusOut)
async def status(room: InRoom, actor: Who) -> Response:
    """How the gateway is, in numbers."""
    core = await _core(room)
    counts = await read(room.reader.counts, actor.sites)
    alerts = await read(room.reader.open_alerts_by_severity, actor.sites)
    links = {"core": "up" if core is not None else "down", "broker": _broker(core), "store": _store(core)}
    return reply({
        "version": room.settings.version,
        "server_time": rfc3339(room.clock()),
        "uptime_seconds": round(room.clock() - room.started_at, 3),
        "links": links,
        "counts": counts,
        "alerts": alerts,
        "last_change": (await read(room.reader.change_span))[1],
        "streams": room.hub.count,
        "core": core or {},
    })  # fmt: skip


async def _core(room: Room) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(2.0):
            return await room.door.health()
    except (GatehouseError, TimeoutError):
        return None


def _broker(core: dict[str, Any] | None) -> str:
    """What the core says of its link to the broker, in our words; without the core nobody knows."""
    if core is None:
        return "unknown"
    return "up" if core.get("broker", {}).get("up") else "down"


def _store(core: dict[str, Any] | None) -> str:
    """Reading works, or this answer would not come; whether the core can write, it says itself."""
    return "up" if core is None or core.get("store", {}).get("up", True) else "down"


@router.get("/ledger", **needs(Role.VIEWER), response_model=LedgerOut)
def ledger(room: InRoom) -> Response:
    """How many messages came in, and what became of them: the fates sum up to what was received."""
    fates = room.reader.ledger()
    received = fates.pop("received", None)
    return reply({"received": sum(fates.values()) if received is None else received, "fates": fates})


@router.get("/metrics", **_FOR_METRICS, response_class=Response)
@metrics_router.get("/metrics", **_FOR_METRICS, response_class=Response, include_in_schema=False)
def metrics(room: InRoom, actor: Who) -> Response:
    """The figures, for Prometheus."""
    text = "".join(_lines(room, actor.sites))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _lines(room: Room, sites: tuple[str, ...]) -> Iterator[str]:
    fates = room.reader.ledger()
    received = fates.pop("received", sum(fates.values()))
    yield from _family("messages_received_total", "counter", "Messages received.", [("", received)])
    labelled = [(f'{{fate="{fate}"}}', count) for fate, count in sorted(fates.items())]
    yield from _family("messages_total", "counter", "Messages by fate.", labelled)
    open_alerts = room.reader.open_alerts_by_severity(sites)
    by_severity = [(f'{{severity="{level}"}}', sum(open_alerts.get(level, {}).values())) for level in Severity]
    yield from _family("alerts_open", "gauge", "Open alerts by severity.", by_severity)
    for name, count in room.reader.counts(sites).items():
        if name != "alerts_open":
            yield from _family(name, "gauge", f"{name.replace('_', ' ').capitalize()}.", [("", count)])
    figures = room.reader.figures()
    yield from _family("journal_position", "counter", "Last row of the journal.", [("", figures["journal_position"])])
    yield from _family(
        "outbox_waiting", "gauge", "Messages not yet with the broker.", [("", figures["outbox_waiting"])]
    )
    yield from _family("changes_last_id", "counter", "Newest change.", [("", figures["last_change"])])
    lag = max(0.0, figures["last_change"] - room.hub.position) if room.hub.count else 0.0
    yield from _family("stream_lag_changes", "gauge", "Changes not yet told to listeners.", [("", lag)])
    yield from _family("stream_listeners", "gauge", "Open event streams.", [("", room.hub.count)])
    answers = [
        (f'{{method="{method}",status="{code}"}}', count)
        for (method, code), count in sorted(room.limits.answers.items())
    ]
    yield from _family("api_requests_total", "counter", "Requests by method and status.", answers)
    yield from _family("api_start_time_seconds", "gauge", "When the API started.", [("", room.started_at)])


def _family(name: str, kind: str, text: str, samples: Iterable[tuple[str, float]]) -> Iterator[str]:
    full = f"gatehouse_{name}"
    yield f"# HELP {full} {text}\n# TYPE {full} {kind}\n"
    for labels, value in samples:
        yield f"{full}{labels} {value:.17g}\n"
