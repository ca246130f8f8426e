"""The incident pack: one file with everything about an alert, verifiable without the gateway."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from gateway.api.acting import Id, found, read
from gateway.api.auth import Who, needs, resource_router
from gateway.api.present import rfc3339
from gateway.api.room import InRoom, Room
from gateway.model import Actor, Alert, Role
from gateway.store.incident import AUDIT, audit_lines, pack

router = resource_router("alerts")

#: Most records of one kind in a pack.
MOST = 10_000
_declared = needs(Role.ENGINEER)
_declared["responses"][200] = {
    "description": "The pack.",
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
}


@router.get("/alerts/{id}/incident", **_declared, response_class=Response)
async def incident(id: Id, room: InRoom, actor: Who) -> Response:
    """Everything about the alert in one file, which `gatehouse audit verify FILE` checks anywhere."""
    alert = found(await read(room.reader.alert, id, actor.sites), "alert", id)
    content = await read(_packed, room, actor, alert)
    headers = {"Content-Disposition": f'attachment; filename="incident-{alert.id}.zip"', "Cache-Control": "no-store"}
    return Response(content, 200, headers, "application/zip")


def _packed(room: Room, actor: Actor, alert: Alert) -> bytes:
    reader, show, sites = room.reader, room.presenter, actor.sites
    orders = {order.id: order for order in reader.work_orders(sites, alert=alert.id, limit=MOST).items}
    linked = reader.work_order(alert.work_order, sites) if alert.work_order else None
    if linked is not None:
        orders[linked.id] = linked
    run = reader.plan_run(alert.plan_run, sites) if alert.plan_run else None
    of_plan = [ident for step in run.steps for ident in step.commands] if run is not None else []
    commands = [one for one in (reader.command(ident, sites) for ident in of_plan) if one is not None]
    commands += [one for one in reader.incident_commands(alert.id, sites) if one.id not in of_plan]
    notifications = reader.notifications(sites, alert=alert.id, limit=MOST).items
    children = reader.children(alert.id, sites, ended=True, limit=MOST).items
    about = frozenset([alert.id, *orders, *([run.id] if run is not None else []), *(one.id for one in commands),
                       *(one.id for one in notifications)])  # fmt: skip
    lines = audit_lines(reader.audit_chain(about), about)
    files: dict[str, Any] = {
        "alert.json": show.alert(alert),
        "evidence.json": show.alert(alert)["evidence"],
        "children.json": [show.child(child) for child in children],
        "work_orders.json": [show.work_order(order) for order in orders.values()],
        "plan_run.json": show.plan_run(run) if run is not None else None,
        "commands.json": [show.command(command) for command in commands],
        "notifications.json": [show.notification(one) for one in notifications],
        "timeline.json": _timeline(lines),
        AUDIT: lines,
    }
    return pack(alert.id, files, rfc3339(room.clock()) or "")


def _timeline(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was done and by whom, in order, as the audit tells it."""
    return [
        {"time": rfc3339(line["time"]), **{name: line[name] for name in ("actor", "action", "target", "outcome")}}
        for line in lines
        if "action" in line
    ]
