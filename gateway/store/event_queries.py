"""Events, one by one, and the rows behind the history of readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select

from gateway.store.read_base import Page, Place, QueryBase, Sites, decoded, equal, within
from gateway.store.rows import DecisionRow, EventRow
from gateway.store.tables import decisions, events

_COLUMNS = (
    events.c.site, events.c.device, events.c.kind, events.c.time, events.c.received, events.c.late, events.c.replay,
    events.c.data, events.c.seq,
)  # fmt: skip


class EventQueries(QueryBase):
    """What devices said."""

    _places: dict[float, int]

    def events(
        self,
        only: Sites = (),
        *,
        device: str | None = None,
        kind: Sequence[str] = (),
        site: str | None = None,
        since: float | None = None,
        until: float | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Events, newest first, as `EventRow`. `since` and `until` bound the time of receipt."""
        c = events.c
        where = within(c.site, only) + equal(device=(c.device, device), site=(c.site, site))
        if kind:
            # Of one device, its own index is the narrow one: an expression keeps the planner from that of the kinds.
            column: ColumnElement[str] = c.kind if device is None else c.kind.concat("")
            where.append(column.in_(list(kind)))
        if since is not None:
            where += [c.seq >= self._seq_at(since), c.received >= since]
        if until is not None:
            where += [c.seq < self._seq_at(until + 1.0), c.received < until]
        found, place = self.page(select(*_COLUMNS).where(*where), [c.seq], after, limit)
        return Page([_event_row(row) for row in found], place)

    def event(self, seq: int, only: Sites = ()) -> EventRow | None:
        """One event by its place in the journal, or None."""
        row = self.one(select(*_COLUMNS).where(events.c.seq == seq, *within(events.c.site, only)))
        return _event_row(row) if row else None

    def decisions(
        self,
        only: Sites = (),
        *,
        device: str | None = None,
        site: str | None = None,
        value: str | None = None,
        allowed: bool | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Decisions at doors and barriers, newest first, as `DecisionRow`. `value` must match whole."""
        c = decisions.c
        where = within(c.site, only) + equal(
            device=(c.device, device), site=(c.site, site), value=(c.value, value), allowed=(c.allowed, allowed)
        )
        columns = [column for column in c if column.name != "id"]
        found, place = self.page(select(*columns, c.id).where(*where), [c.id], after, limit)
        return Page([DecisionRow(**row._mapping) for row in found], place)

    def _seq_at(self, received: float) -> int:
        """A place in the journal before which nothing was received at or after `received`, by bisection.

        The time of receipt rises with the place but has no index; a second of slack covers small steps of the clock.
        What was found once of a time that is over is right for ever: a reader who turns pages asks for it with each.
        """
        known = self.__dict__.setdefault("_places", {})
        if (found := known.get(received)) is not None:
            return int(found)
        with self.engine.connect() as connection:
            low, high = connection.execute(select(func.min(events.c.seq), func.max(events.c.seq))).one()
            if low is None:
                return 0
            high += 1
            over = False
            while low < high:
                middle = (low + high) // 2
                row = connection.execute(_NEXT_EVENT, {"middle": middle}).first()
                if row is None or row.received >= received - 1.0:
                    high = middle
                    over = over or row is not None
                else:
                    low = row.seq + 1
        if over:
            while len(known) >= _MOST_PLACES:
                known.pop(next(iter(known)), None)
            known[received] = low
        return int(low)


#: How many moments are remembered with their places.
_MOST_PLACES = 256

_NEXT_EVENT = (
    select(events.c.seq, events.c.received).where(events.c.seq >= bindparam("middle")).order_by(events.c.seq).limit(1)
)


def _event_row(row: Any) -> EventRow:
    return EventRow(
        seq=row.seq, site=row.site, device=row.device, kind=row.kind, time=row.time, received=row.received,
        late=row.late, replay=row.replay, data=decoded(row.data) or {},
    )  # fmt: skip
