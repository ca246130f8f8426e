"""Where schedules stand, and the rounds."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from gateway.model import Round, Schedule
from gateway.store import tables
from gateway.store.read_base import Page, Place, QueryBase, Sites, equal, within

_schedule = msgspec.json.Decoder(Schedule).decode
_round = msgspec.json.Decoder(Round).decode


class ScheduleQueries(QueryBase):
    """Schedules and rounds."""

    def schedules(self, only: Sites = ()) -> dict[str, Schedule]:
        """Where each schedule stands, by id. There are some hundreds at most."""
        c = tables.schedules.c
        rows = self.rows(select(c.body).where(*within(c.site, only)).order_by(c.id))
        return {state.id: state for state in (_schedule(row[0]) for row in rows)}

    def rounds(
        self,
        only: Sites = (),
        *,
        state: str | None = None,
        schedule: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Rounds, newest first. `state` is one of theirs, or `open` for those whose points may still be visited."""
        c = tables.rounds.c
        where = [*equal(schedule=(c.schedule, schedule)), *within(c.site, only)]
        if state == "open":
            where.append(c.state.in_(("running", "overdue")))
        elif state is not None:
            where.append(c.state == state)
        found, place = self.page(select(c.body, c.started_at, c.id).where(*where), [c.started_at, c.id], after, limit)
        return Page([_round(row[0]) for row in found], place)

    def round_(self, id: str, only: Sites = ()) -> Round | None:
        """One round, or None."""
        c = tables.rounds.c
        row = self.one(select(c.body).where(c.id == id, *within(c.site, only)))
        return _round(row[0]) if row else None
