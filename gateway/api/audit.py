"""The audit: who did what."""

from __future__ import annotations

from starlette.responses import Response

from gateway.api.acting import Word, read, require_unscoped
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.room import InRoom
from gateway.api.schema import AuditOut, Listing
from gateway.model import Role

router = resource_router("audit")


@router.get("/audit", **needs(Role.ADMIN), response_model=Listing[AuditOut])  # type: ignore[valid-type]
async def audit(
    *,
    room: InRoom,
    actor: Who,
    by: Word = None,
    action: Word = None,
    target: Word = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The audit, newest first, each line with its hash in the chain. `by` is an actor such as `user:anna`."""
    require_unscoped(actor)
    after = place_of(cursor, int)
    page = await read(room.reader.audit, actor=by, action=action, target=target, after=after, limit=limit)
    return listing(page, room.presenter.audit)
