"""Backtests: what rules would have said of a time that is over. Each runs in a process of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints
from starlette.responses import Response

from gateway.api.acting import Body, Id, Whole, require_unscoped
from gateway.api.auth import Who, needs, resource_router
from gateway.api.backtest_runs import Run, Runs
from gateway.api.masking import scrub
from gateway.api.present import rfc3339
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.api.schema import Listing
from gateway.errors import Invalid
from gateway.model import Role

router = resource_router("rules")

Pack = Annotated[str, StringConstraints(min_length=1, max_length=500_000)]
_TIMES = frozenset(("since", "until", "raised_at", "ended_at", "peak_at", "begins", "ends"))


class BacktestIn(Body):
    """What is to be tried: a pack's text, or the rules in force; on the journal between two times.

    It is compared with the alerts that did fire, with nothing, or with another pack's text.
    """

    pack: Pack | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    against: Literal["live", "none", "pack"] = "live"
    against_pack: Pack | None = None
    positions: Annotated[Whole, Field(ge=1, le=100)] = 1
    suggest: bool = True


@router.post("/rules/backtest", status_code=202, **needs(Role.ENGINEER), response_model=dict[str, Any])
async def start_backtest(body: BacktestIn, room: InRoom, actor: Who) -> Response:
    """Starts a backtest beside the running gateway; two may run at once."""
    require_unscoped(actor)
    if (body.against == "pack") is not (body.against_pack is not None):
        raise Invalid("against_pack", "give the other pack's text where `against` is `pack`, and only there")
    if body.since is not None and body.until is not None and body.since >= body.until:
        raise Invalid("since", "is not before `until`: choose a span")
    words = ["rules", "backtest", "--owned", "--json", "--positions", str(body.positions)]
    words += [] if body.suggest else ["--no-suggest"]
    packs: dict[str, str] = {}
    if body.pack is not None:
        packs["pack.yaml"] = body.pack
        words.append("{folder}/pack.yaml")
    if body.against_pack is not None:
        packs["against.yaml"] = body.against_pack
    words += ["--against", "{folder}/against.yaml" if body.against_pack is not None else body.against]
    for name, moment in (("--since", body.since), ("--until", body.until)):
        words += [name, moment.isoformat()] if moment is not None else []
    asked = {name: _shown(getattr(body, name)) for name in ("since", "until", "against", "positions")}
    run = await room.backtests.start(actor.name, asked, words, packs)
    return reply(_run(room.backtests, run), 202, {"Location": f"/api/v1/rules/backtest/{run.id}"})


@router.get("/rules/backtest", **needs(Role.ENGINEER), response_model=Listing[dict[str, Any]])
async def backtests(room: InRoom, actor: Who) -> Response:
    """The last backtests, newest first, without their reports."""
    require_unscoped(actor)
    return reply({"items": [_run(room.backtests, run) for run in room.backtests.all()], "next": None})


@router.get("/rules/backtest/{id}", **needs(Role.ENGINEER), response_model=dict[str, Any])
async def backtest(id: Id, room: InRoom, actor: Who) -> Response:
    """One backtest: how far it has come, and its report when it is done."""
    require_unscoped(actor)
    run = room.backtests.get(id)
    return reply({**_run(room.backtests, run), "report": _told(run.report)})


@router.delete("/rules/backtest/{id}", **needs(Role.ENGINEER), response_model=dict[str, Any])
async def cancel_backtest(id: Id, room: InRoom, actor: Who) -> Response:
    """Cancels a backtest."""
    require_unscoped(actor)
    return reply(_run(room.backtests, room.backtests.cancel(id)))


def _run(runs: Runs, run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "by": run.by,
        "asked": run.asked,
        "state": run.state,
        "progress": round(runs.share(run), 4),
        "started_at": rfc3339(run.started_at),
        "ended_at": rfc3339(run.ended_at),
        "error": {"code": run.error[0], "detail": run.error[1]} if run.error is not None else None,
    }


def _shown(value: Any) -> Any:
    return rfc3339(value.timestamp()) if isinstance(value, datetime) else value


def _told(value: Any, name: str = "") -> Any:
    """A report with its times in RFC 3339, and with what looks like a plate masked in scopes."""
    if isinstance(value, dict):
        return {key: _told(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_told(inner) for inner in value]
    if name in _TIMES and isinstance(value, int | float):
        return rfc3339(float(value))
    return scrub(value) if name == "scope" and isinstance(value, str) else value
