"""Why a rule has an alert for a device, or none; and an alert as a test of its rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime
from starlette.responses import Response

from gateway.api.acting import Id, found, read
from gateway.api.auth import Who, needs, resource_router
from gateway.api.masking import scrub
from gateway.api.present import rfc3339
from gateway.api.reply import reply
from gateway.api.room import InRoom, Room
from gateway.errors import GatehouseError
from gateway.model import Alert, Role

router = resource_router("rules")

_TIMES = frozenset(("at", "remembered_from", "received", "raised_at", "until"))
_WHY, _SAVE_TEST = ("rules", "why"), ("rules", "save-test")
_Device = Annotated[str, Query(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
_At = Annotated[AwareDatetime | None, Query(description="RFC 3339 with its offset; now where it is left out.")]


@router.get("/rules/{id}/why", **needs(Role.VIEWER), response_model=dict[str, Any])
async def why(id: Id, device: _Device, room: InRoom, actor: Who, at: _At = None) -> Response:
    """Why the rule has an alert for a device, or none: its condition clause by clause, now or at a time."""
    found(await read(room.reader.device, device, actor.sites), "device", device)
    words = ["--at", at.isoformat()] if at is not None else []
    answer = await room.questions.ask(_WHY, f"--device={device}", *words, "--", id)
    return reply(told(room, answer))


@router.get("/alerts/{id}/test", **needs(Role.ENGINEER), response_model=dict[str, Any])
async def saved_test(id: Id, room: InRoom, actor: Who) -> Response:
    """The alert as a test of its rule: what a pack would have under `tests`. It was run, and passes."""
    found(await read(room.reader.alert, id, actor.sites), "alert", id)
    return reply(await room.questions.ask(_SAVE_TEST, "--", id, remember=f"test {id}"))


async def answer_for(room: Room, alert: Alert) -> dict[str, Any]:
    """`answer`: the condition's tree when the alert was raised; or why there is none, under `answer_problem`."""
    # A thousandth later: the clause that came last has come by then, whatever the rounding.
    at = datetime.fromtimestamp(alert.raised_at + 0.001, UTC).isoformat()
    if alert.device is None:
        return {"answer": None, "answer_problem": "the alert is of no device"}
    words = (f"--device={alert.device}", "--at", at, "--", alert.rule)
    try:
        answer = await room.questions.ask(_WHY, *words, remember=f"why {alert.id}")
    except GatehouseError as error:
        return {"answer": None, "answer_problem": error.message}
    return {"answer": told(room, answer), "answer_problem": None}


def told(room: Room, value: Any, name: str = "") -> Any:
    """An answer with its times in RFC 3339, and with personal data masked."""
    if isinstance(value, dict):
        inner = {key: told(room, one, key) for key, one in value.items()}
        return room.presenter.masking.named(inner) if name == "values" else inner
    if isinstance(value, list):
        return [told(room, one) for one in value]
    if name in _TIMES and isinstance(value, int | float):
        return rfc3339(float(value))
    return scrub(value) if name in ("scope", "text", "en", "zh") and isinstance(value, str) else value
