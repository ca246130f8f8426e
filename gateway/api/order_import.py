"""Work orders out of a spreadsheet: all of it or nothing, and every wrong line is named."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request
from starlette.responses import Response

from gateway.api.acting import act
from gateway.api.auth import Who, needs, resource_router
from gateway.api.order_sheet import as_order, read_sheet
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.api.schema import Outcome
from gateway.errors import Invalid, SheetRefused
from gateway.model import Role

router = resource_router("work orders")

_declared = needs(Role.ENGINEER, any_body=True)
_declared["openapi_extra"]["requestBody"] = {
    "description": "CSV, UTF-8, the first line naming the columns.",
    "required": True,
    "content": {"text/csv": {"schema": {"type": "string"}}},
}


@router.post("/work-orders/import", **_declared, response_model=Outcome)
async def import_orders(
    request: Request,
    room: InRoom,
    actor: Who,
    check: Annotated[bool, Query(description="Only look for mistakes.")] = False,
) -> Response:
    """Opens the orders of a CSV sheet, all or none; `external` names each, and one that is known is left as it is."""
    try:
        text = (await request.body()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("body", f"is not UTF-8 at byte {error.start}: save the sheet as 'CSV UTF-8'") from error
    lines = read_sheet(text)
    orders = [as_order(row) for _, row in lines]
    try:
        done = await act(room, actor, "work_order.import", orders=orders, check=check or None)
    except Invalid as error:
        wrong = error.facts.get("wrong")
        if not isinstance(wrong, str):
            raise
        told: list[tuple[int, str]] = msgspec.json.decode(wrong, type=list[tuple[int, str]])
        raise SheetRefused([(lines[index][0], why) for index, why in told]) from error
    return reply({"done": True, "result": _result(done)})


def _result(done: dict[str, Any]) -> dict[str, Any]:
    return {name: done.get(name, 0) for name in ("opened", "known", "checked")}
