"""Messages that were not accepted: looked at, tried again, or put away."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from starlette.responses import Response

from gateway.api.acting import Reveal, Word, act, found, read, revealed
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.api.schema import DeadLetterOut, Listing, Outcome
from gateway.model import Role

router = resource_router("dead letters")

Number = Annotated[int, Path(ge=0, le=2**62)]


@router.get("/dead-letters", **needs(Role.ENGINEER), response_model=Listing[DeadLetterOut])  # type: ignore[valid-type]
def dead_letters(
    *,
    room: InRoom,
    actor: Who,
    fate: Word = None,
    state: Literal["kept", "retried", "discarded"] | None = None,
    adapter: Word = None,
    device: Word = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Messages that were not accepted, newest first, each with the reason and the offending place."""
    page = room.reader.dead_letters(
        actor.sites,
        fate=fate,
        state=state,
        adapter=adapter,
        device=device,
        after=place_of(cursor, int),
        limit=limit,
    )
    return listing(page, room.presenter.dead_letter)


@router.get("/dead-letters/{id}", **needs(Role.ENGINEER), response_model=DeadLetterOut)
async def dead_letter(id: Number, room: InRoom, actor: Who, reveal: Reveal = None) -> Response:
    """One of them; with a reason, its bytes as well, in base64."""
    letter = found(await read(room.reader.dead_letter, id, actor.sites), "dead letter", id)
    return reply(room.presenter.dead_letter(letter, await revealed(room, actor, f"dead_letter:{id}", reveal)))


@router.post("/dead-letters/{id}/retry", **needs(Role.ENGINEER), response_model=Outcome)
async def retry(id: Number, room: InRoom, actor: Who) -> Response:
    """Tries the message again, as if it came now."""
    found(await read(room.reader.dead_letter, id, actor.sites), "dead letter", id)
    return reply({"done": True, "result": await act(room, actor, "dead_letter.retry", id=id)})


@router.post("/dead-letters/{id}/discard", **needs(Role.ENGINEER), response_model=Outcome)
async def discard(id: Number, room: InRoom, actor: Who) -> Response:
    """Puts the message away."""
    found(await read(room.reader.dead_letter, id, actor.sites), "dead letter", id)
    return reply({"done": True, "result": await act(room, actor, "dead_letter.discard", id=id)})
