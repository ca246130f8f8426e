"""What an outside maintenance system reports of work orders."""

from __future__ import annotations

from typing import Literal

from starlette.responses import Response

from gateway.api.acting import Body, Long, Named, NewId, Short, act
from gateway.api.auth import Who, needs, resource_router
from gateway.api.reply import versioned
from gateway.api.room import InRoom
from gateway.api.schema import WorkOrderOut
from gateway.api.work_orders import known_order
from gateway.model import Role

router = resource_router("work orders")


class ReportIn(Body):
    """`event` names the message, `external` the order in the other system, `order` ours where it is known."""

    event: Short
    external: Short
    order: Short | None = None
    state: Literal["accepted", "in_progress", "done"] | None = None
    text: Long | None = None
    site: NewId | None = None
    title: Short | Named | None = None
    team: Short | None = None


@router.post("/maintenance/reports", **needs(Role.OPERATOR), response_model=WorkOrderOut)
async def report(body: ReportIn, room: InRoom, actor: Who) -> Response:
    """Takes a report of the outside maintenance system; the same `event` again changes nothing."""
    done = await act(room, actor, "work_order.outside", **body.model_dump(exclude_none=True))
    return versioned(room.presenter.work_order(await known_order(room, actor, str(done.get("id", body.order or "")))))
