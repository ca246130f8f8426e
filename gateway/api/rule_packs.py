"""The site's rule packs: their texts, their versions, and changes that wait for a second person."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.api.acting import Body, Long, Whole, act, found, read
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.present import plain
from gateway.api.reply import IfMatch, reply, require_version, versioned
from gateway.api.room import InRoom, Room
from gateway.api.schema import Listing, PackOut, PackTextOut, PackVersionOut, PackVersionTextOut
from gateway.errors import Conflict
from gateway.model import PackVersion, Role, VersionState
from gateway.store.rows import PackRow

router = resource_router("rules")

#: Begins the names of the packs that come with the product.
SHIPPED = "shipped."
#: How long an answer waits for the check of a change that may hide critical alerts, in seconds.
CHECK_WITHIN = 5.0
Name = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00/]*$")]
Number = Annotated[int, Path(ge=1, le=10**9)]
_changing = needs(Role.ENGINEER)
_changing["responses"] |= {
    201: {"model": PackTextOut, "description": "The pack is new."},
    202: {"model": PackTextOut, "description": "The change is being checked, or waits for a second person."},
}


class PackIn(Body):
    """A pack's new text, and why."""

    text: Annotated[str, StringConstraints(max_length=2_000_000, pattern=r"^[^\x00]*$")]
    reason: Long


class RestoreIn(Body):
    """Which version is to be in force again, and why."""

    number: Annotated[Whole, Field(ge=1)]
    reason: Long


class PendingIn(Body):
    """Which version is meant; the one that waits where it is not said."""

    number: Annotated[Whole, Field(ge=1)] | None = None


@router.get("/rules/packs", **needs(Role.VIEWER), response_model=Listing[PackOut])
def packs(room: InRoom) -> Response:
    """All packs, the product's and the site's, and what is to be known of each."""
    waiting = room.reader.open_pack_versions()
    own = [_pack(room, row, waiting.get(row.name)) for row in room.reader.rule_packs()]
    names = {row["name"] for row in own}
    # A pack that was never in force, as its first version waits, has no row yet.
    own += [_pack(room, PackRow(name=name), version) for name, version in waiting.items() if name not in names]
    known = [item for item in own if item["version"] or item["waiting"] or item["refused"]]
    shipped = [_shipped(room, name) for name in sorted(room.settings.definitions.shipped_packs)]
    return reply({"items": [*sorted(known, key=lambda item: str(item["name"])), *shipped], "next": None})


@router.get("/rules/packs/{name}", **needs(Role.VIEWER), response_model=PackTextOut)
def pack(name: Name, room: InRoom) -> Response:
    """One pack with its text. Of a pack of the product the name begins with `shipped.`."""
    if name.startswith(SHIPPED):
        text = found(room.settings.definitions.shipped_packs.get(name.removeprefix(SHIPPED)), "rule pack", name)
        return versioned({**_shipped(room, name.removeprefix(SHIPPED)), "text": text})
    return versioned(_known(room, name))


@router.put("/rules/packs/{name}", **_changing, response_model=PackTextOut)
async def put_pack(name: Name, body: PackIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Puts a pack in force: 202 where it has to be checked or confirmed first, 422 with every error in it."""
    row = await read(_row, room, name)
    version = require_version("rule pack", name, row.number, if_match)
    answer = await act(room, actor, "rules.put", pack=name, text=body.text, reason=body.reason, version=version)
    return await _outcome(room, name, answer, new=not row.number)


@router.delete("/rules/packs/{name}", **_changing, response_model=PackTextOut)
async def delete_pack(
    name: Name,
    room: InRoom,
    actor: Who,
    reason: Annotated[str, Query(min_length=1, max_length=2000, pattern=r"^[^\x00]*$", description="Why.")],
    if_match: IfMatch = None,
) -> Response:
    """Takes a pack out of force; its versions stay and can be restored."""
    row = await read(_row, room, name)
    version = require_version("rule pack", name, row.number, if_match)
    answer = await act(room, actor, "rules.delete", pack=name, reason=reason, version=version)
    return await _outcome(room, name, answer)


@router.get("/rules/packs/{name}/versions", **needs(Role.VIEWER), response_model=Listing[PackVersionOut])  # type: ignore[valid-type]
def versions(name: Name, room: InRoom, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """Every version of a pack, newest first: who made it, when and why, and what became of it."""
    return listing(room.reader.pack_versions(name, after=place_of(cursor, int), limit=limit), plain)


@router.get("/rules/packs/{name}/versions/{number}", **needs(Role.VIEWER), response_model=PackVersionTextOut)
def version(name: Name, number: Number, room: InRoom) -> Response:
    """One version with its text; null where the pack was deleted."""
    kept = found(room.reader.pack_version(name, number), "version of the pack", f"{name}/{number}")
    text = room.reader.rule_text(kept.hash) if kept.hash else None
    return reply({**plain(kept), "text": text})


@router.post("/rules/packs/{name}/restore", **_changing, response_model=PackTextOut)
async def restore_pack(name: Name, body: RestoreIn, room: InRoom, actor: Who, if_match: IfMatch = None) -> Response:
    """Puts an earlier version in force again, as a new version."""
    row = await read(_row, room, name)
    version = require_version("rule pack", name, row.number, if_match)
    answer = await act(room, actor, "rules.restore", pack=name, number=body.number, reason=body.reason, version=version)
    return await _outcome(room, name, answer)


@router.post("/rules/packs/{name}/pending/confirm", **_changing, response_model=PackTextOut)
async def confirm(name: Name, room: InRoom, actor: Who, body: PendingIn | None = None) -> Response:
    """Puts a waiting change in force; whoever made it may not."""
    answer = await act(room, actor, "rules.confirm", pack=name, number=body.number if body is not None else None)
    return await _outcome(room, name, answer)


@router.delete("/rules/packs/{name}/pending", **_changing, response_model=PackTextOut)
async def withdraw(name: Name, room: InRoom, actor: Who) -> Response:
    """Takes a waiting change back."""
    await act(room, actor, "rules.withdraw", pack=name)
    return versioned(await read(_known, room, name))


async def _outcome(room: Room, name: str, answer: dict[str, Any], *, new: bool = False) -> Response:
    """The pack as it is now. A check that takes long goes on after the answer."""
    number, state = answer.get("number"), answer.get("state")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + CHECK_WITHIN
    while state == VersionState.CHECKING and loop.time() < deadline:
        await asyncio.sleep(0.1)
        kept = await read(room.reader.pack_version, name, int(number or 0))
        if kept is None:
            raise Conflict(f"version {number} of '{name}' is gone: look at its versions")
        state = kept.state
    status = 202 if state in (VersionState.CHECKING, VersionState.WAITING) else 201 if new else 200
    return versioned(await read(_known, room, name), status)


def _row(room: Room, name: str) -> PackRow:
    return next((row for row in room.reader.rule_packs() if row.name == name), None) or PackRow(name=name)


def _known(room: Room, name: str) -> dict[str, Any]:
    row, waiting = _row(room, name), room.reader.open_pack_versions().get(name)
    if not row.number and waiting is None and not row.refused:
        found(None, "rule pack", name)
    return {**_pack(room, row, waiting), "text": room.reader.rule_text(row.hash) if row.hash else None}


def _pack(room: Room, row: PackRow, waiting: PackVersion | None) -> dict[str, Any]:
    """What is to be known of a pack of the site."""
    current = room.reader.pack_version(row.name, row.number) if row.number else None
    refused = room.reader.pack_version(row.name, row.refused) if row.refused else None
    shown = plain(current) if current is not None else {}
    return {
        "name": row.name,
        "shipped": False,
        "deleted": not row.hash,
        "version": row.number,
        "hash": row.hash,
        "rules": shown.get("rules", 0),
        "author": shown.get("author"),
        "reason": shown.get("reason"),
        "created_at": shown.get("created_at"),
        "confirmed_by": shown.get("confirmed_by"),
        "written": not row.unwritten,
        "waiting": plain(waiting) if waiting is not None else None,
        "refused": plain(refused) if refused is not None else None,
    }


def _shipped(room: Room, name: str) -> dict[str, Any]:
    """What is to be known of a pack of the product."""
    file = f"packs/{name}.yaml"
    return {
        "name": f"{SHIPPED}{name}",
        "shipped": True,
        "deleted": False,
        "version": 0,
        "hash": "",
        "rules": sum(1 for rule in room.rules.all() if rule.get("pack") == file),
        "author": None,
        "reason": None,
        "created_at": None,
        "confirmed_by": None,
        "written": True,
        "waiting": None,
        "refused": None,
    }
