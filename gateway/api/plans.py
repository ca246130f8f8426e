"""Emergency plans, and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from starlette.responses import Response

from gateway.api.acting import Body, Flag, Id, Long, NewId, Short, Word, act, found, read, require_site
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.present import times_told
from gateway.api.reply import reply, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import Listing, PlanRunOut
from gateway.errors import NotFound
from gateway.model import Actor, PlanRun, Role
from gateway.services.plan_report import Report, report_of
from gateway.services.plan_report_html import report_page

router = resource_router("plans")


class RunIn(Body):
    """Where a plan shall run. A `drill` changes nothing in the world."""

    site: NewId
    device: NewId | None = None
    zone: NewId | None = None
    drill: Flag = False


class StepIn(Body):
    """How a step ended; `answer` is the id of the answer to its question, where it asks one."""

    state: Literal["done", "failed", "skipped"] = "done"
    note: Long | None = None
    answer: Short | None = None


class StopIn(Body):
    """Why a run is stopped."""

    reason: Long


@router.get("/plans", **needs(Role.VIEWER), response_model=Listing[dict[str, Any]])
async def plans(room: InRoom) -> Response:
    """The plans the gateway was loaded with."""
    return reply({"items": [dict(plan) for plan in room.definitions.plans], "next": None})


@router.post("/plans/{id}/runs", status_code=201, **needs(Role.OPERATOR), response_model=PlanRunOut)
async def start_run(id: Id, body: RunIn, room: InRoom, actor: Who) -> Response:
    """Starts a plan."""
    require_site(actor, body.site)
    if room.definitions.plans and all(plan.get("id") != id for plan in room.definitions.plans):
        raise NotFound("plan", id)
    result = await act(room, actor, "plan.start", plan=id, **body.model_dump(exclude_none=True))
    run = await _known(room, actor, str(result.get("id", "")))
    return versioned(room.presenter.plan_run(run), 201, {"Location": f"/api/v1/plan-runs/{run.id}"})


@router.get("/plan-runs", **needs(Role.VIEWER), response_model=Listing[PlanRunOut])  # type: ignore[valid-type]
def plan_runs(
    *,
    room: InRoom,
    actor: Who,
    state: Literal["running", "proposed", "finished", "stopped", "lapsed"] | None = None,
    plan: Word = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Runs of plans, newest first."""
    after = place_of(cursor, float, str)
    return listing(
        room.reader.plan_runs(actor.sites, state=state, plan=plan, after=after, limit=limit), room.presenter.plan_run
    )


@router.get("/plan-runs/{id}", **needs(Role.VIEWER), response_model=PlanRunOut)
async def plan_run(id: Id, room: InRoom, actor: Who) -> Response:
    """One run with its steps and its log."""
    return versioned(room.presenter.plan_run(await _known(room, actor, id)))


@router.post("/plan-runs/{id}/steps/{step}/complete", **needs(Role.OPERATOR), response_model=PlanRunOut)
async def complete_step(id: Id, step: Id, room: InRoom, actor: Who, body: StepIn | None = None) -> Response:
    """Says how a step ended."""
    run = await _known(room, actor, id)
    if all(entry.id != step for entry in run.steps):
        raise NotFound("step", step)
    told = body or StepIn()
    await act(room, actor, "plan.step", run=id, step=step, state=told.state, note=told.note, answer=told.answer)
    return versioned(room.presenter.plan_run(await _known(room, actor, id)))


@router.post("/plan-runs/{id}/steps/{step}/retry", **needs(Role.OPERATOR), response_model=PlanRunOut)
async def retry_step(id: Id, step: Id, room: InRoom, actor: Who) -> Response:
    """Commands the devices again that did not do a failed automatic step; those that did, not."""
    run = await _known(room, actor, id)
    if all(entry.id != step for entry in run.steps):
        raise NotFound("step", step)
    await act(room, actor, "plan.retry", run=id, step=step)
    return versioned(room.presenter.plan_run(await _known(room, actor, id)))


@router.post("/plan-runs/{id}/approve", **needs(Role.OPERATOR), response_model=PlanRunOut)
async def approve_run(id: Id, room: InRoom, actor: Who) -> Response:
    """The second person confirms the start of a plan that waits for one."""
    await _known(room, actor, id)
    await act(room, actor, "plan.approve", run=id)
    return versioned(room.presenter.plan_run(await _known(room, actor, id)))


@router.get("/plan-runs/{id}/report", **needs(Role.VIEWER), response_model=dict[str, Any])
async def run_report(
    id: Id, room: InRoom, actor: Who, format: Literal["json", "html"] = "json", lang: Literal["en", "zh"] = "en"
) -> Response:
    """The after-action report: steps against their deadlines, commands, timeline. `format=html` prints."""
    run = await _known(room, actor, id)
    report, names, zone = await read(_report, room, run, lang)
    if format == "json":
        return reply(times_told(report))
    page = report_page(report, lang, zone, names, '<link rel="stylesheet" href="../../../../css/report.css">')
    return Response(page, headers={"Cache-Control": "no-store"}, media_type="text/html")


def _report(room: Room, run: PlanRun, language: str) -> tuple[Report, dict[str, str], str]:
    """The report, the names of what it speaks of, and the site's time zone."""
    found = (room.reader.command(ident) for step in run.steps for ident in step.commands)
    report = report_of(run, [command for command in found if command is not None])
    site = next((one for one in room.reader.sites() if one.id == run.site), None)
    named: dict[str, Mapping[str, str]] = {one.id: one.name for one in room.reader.zones(site=run.site)}
    spoken = {one["device"] for step in report["steps"] for one in step["commands"]} | {run.device or ""}
    named |= {ident: row.device.name for ident, row in room.reader.standings(sorted(spoken - {""})).items()}
    if site is not None:
        named[site.id] = site.name
    names = {ident: name.get(language) or next(iter(name.values()), ident) for ident, name in named.items()}
    return report, names, site.timezone if site is not None else "UTC"


@router.post("/plan-runs/{id}/stop", **needs(Role.OPERATOR), response_model=PlanRunOut)
async def stop_run(id: Id, body: StopIn, room: InRoom, actor: Who) -> Response:
    """Stops a run before its end."""
    await _known(room, actor, id)
    await act(room, actor, "plan.stop", run=id, reason=body.reason)
    return versioned(room.presenter.plan_run(await _known(room, actor, id)))


async def _known(room: Room, actor: Actor, id: str) -> PlanRun:
    return found(await read(room.reader.plan_run, id, actor.sites), "plan run", id)
