"""Events, one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query
from starlette.responses import Response

from gateway.api.acting import From, Reveal, To, Word, read, revealed, seconds
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, cursor_of, listing, place_of
from gateway.api.room import InRoom
from gateway.api.schema import EventOut, Listing
from gateway.model import Role

router = resource_router("events")

Format = Annotated[Literal["json", "csv"], Query(description="`csv` for spreadsheets; the next cursor is in a header.")]
CSV_DECLARED: dict[str, Any] = {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A page."}
_COLUMNS = ("seq", "received", "time", "site", "device", "kind", "late", "replay", "data")
_declared = needs(Role.VIEWER)
_declared["responses"][200] = CSV_DECLARED


@router.get("/events", **_declared, response_model=Listing[EventOut])  # type: ignore[valid-type]
async def events(
    *,
    room: InRoom,
    actor: Who,
    device: Word = None,
    kind: Annotated[list[str] | None, Query(max_length=32)] = None,
    site: Word = None,
    since: From = None,
    to: To = None,
    reveal: Reveal = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Response:
    """Events, newest first, by the time of receipt. Readings are in `/history`."""
    after = place_of(cursor, int)
    open_ = await revealed(room, actor, "events", reveal)
    page = await read(
        room.reader.events,
        actor.sites,
        device=device,
        kind=tuple(word for word in kind or () if "\x00" not in word),
        site=site,
        since=seconds(since),
        until=seconds(to),
        after=after,
        limit=limit,
    )
    if format == "csv":
        rows = [room.presenter.event(row, open_) for row in page.items]
        return csv_answer("events", _COLUMNS, rows, cursor_of(page.next))
    return listing(page, lambda row: room.presenter.event(row, open_))


def csv_answer(name: str, columns: Sequence[str], rows: Iterable[dict[str, Any]], cursor: str | None) -> Response:
    """A page as CSV that no spreadsheet takes for formulas. The cursor of the next page is in `X-Next-Cursor`."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell_of(row.get(column)) for column in columns])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    if cursor is not None:
        headers["X-Next-Cursor"] = cursor
    # The mark at the start tells spreadsheets that the text is UTF-8.
    return Response("\ufeff" + sheet.getvalue(), 200, headers, "text/csv; charset=utf-8")


def cell_of(value: Any) -> str:
    """A value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    # What begins like this is a formula to spreadsheets, also behind blanks; an apostrophe makes it a text.
    return (
        "'" + text
        if text.lstrip(" \t\r\n\u00a0\ufeff")[:1] in ("=", "+", "-", "@", "|", "%") or text[:1] in "\t\r\n"
        else text
    )
