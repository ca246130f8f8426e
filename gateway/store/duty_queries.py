"""People, rosters, shifts and messages: who is on duty, and who was told."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from gateway.model import Notification, Person, Roster, Shift
from gateway.store import tables
from gateway.store.read_base import Page, Place, QueryBase, Sites, equal, within

_person = msgspec.json.Decoder(Person).decode
_roster = msgspec.json.Decoder(Roster).decode
_notification = msgspec.json.Decoder(Notification).decode
_shift = msgspec.json.Decoder(Shift).decode


class DutyQueries(QueryBase):
    """Who is on duty, and the shift log."""

    def people(self, only: Sites = ()) -> list[Person]:
        """Everybody who works at one of the sites, by id. There are at most some thousands."""
        rows = self.rows(select(tables.people.c.body).order_by(tables.people.c.id))
        found = [_person(row[0]) for row in rows]
        return [person for person in found if not only or not person.sites or set(person.sites) & set(only)]

    def person(self, id: str, only: Sites = ()) -> Person | None:
        """One of them, or None."""
        return next((person for person in self.people(only) if person.id == id), None)

    def rosters(self, only: Sites = (), *, site: str | None = None) -> list[Roster]:
        """The rosters by id."""
        c = tables.rosters.c
        where = [*equal(site=(c.site, site)), *within(c.site, only)]
        return [_roster(row[0]) for row in self.rows(select(c.body).where(*where).order_by(c.id))]

    def roster(self, id: str, only: Sites = ()) -> Roster | None:
        """One roster, or None."""
        c = tables.rosters.c
        row = self.one(select(c.body).where(c.id == id, *within(c.site, only)))
        return _roster(row[0]) if row else None

    def shifts(
        self,
        only: Sites = (),
        *,
        site: str | None = None,
        state: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Shifts, newest first. `state` is one of theirs, or `current` for those not closed."""
        c = tables.shifts.c
        where = [*equal(site=(c.site, site)), *within(c.site, only)]
        if state == "current":
            where.append(c.state.in_(("open", "handover")))
        elif state is not None:
            where.append(c.state == state)
        found, place = self.page(select(c.body, c.started_at, c.id).where(*where), [c.started_at, c.id], after, limit)
        return Page([_shift(row[0]) for row in found], place)

    def shift(self, id: str, only: Sites = ()) -> Shift | None:
        """One shift, or None."""
        c = tables.shifts.c
        row = self.one(select(c.body).where(c.id == id, *within(c.site, only)))
        return _shift(row[0]) if row else None

    def notifications(
        self,
        only: Sites = (),
        *,
        site: str | None = None,
        state: str | None = None,
        alert: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Messages to people, newest first. `state` is one of theirs, or `unsent` for those not sent."""
        c = tables.notifications.c
        where = [*equal(site=(c.site, site), alert=(c.alert, alert)), *within(c.site, only)]
        if state == "unsent":
            where.append(c.state.in_(("pending", "held", "failed")))
        elif state is not None:
            where.append(c.state == state)
        found, place = self.page(select(c.body, c.created_at, c.id).where(*where), [c.created_at, c.id], after, limit)
        return Page([_notification(row[0]) for row in found], place)

    def notification(self, id: str, only: Sites = ()) -> Notification | None:
        """One message, or None."""
        c = tables.notifications.c
        row = self.one(select(c.body).where(c.id == id, *within(c.site, only)))
        return _notification(row[0]) if row else None
