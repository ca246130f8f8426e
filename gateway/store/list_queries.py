"""The lists that devices hold themselves, and what is out of service."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from gateway.model import DeviceList, ListEntry, Outage
from gateway.store import tables
from gateway.store.read_base import QueryBase, Sites, equal, within

_list = msgspec.json.Decoder(DeviceList).decode
_entry = msgspec.json.Decoder(ListEntry).decode
_outage = msgspec.json.Decoder(Outage).decode


class ListQueries(QueryBase):
    """How the lists stand, and what is on them."""

    def device_lists(self, only: Sites = (), *, device: str | None = None) -> list[DeviceList]:
        """All lists by device, or the one of `device`. There are some hundreds at most."""
        c = tables.device_lists.c
        where = [*equal(id=(c.id, device)), *within(c.site, only)]
        return [_list(row[0]) for row in self.rows(select(c.body).where(*where).order_by(c.id))]

    def list_entries(self, device: str, *, state: str | None = None, limit: int = 100) -> list[ListEntry]:
        """What is on a device's list, or shall be; with `state` those alone that are so."""
        c = tables.list_entries.c
        where = equal(device=(c.device, device), state=(c.state, state))
        return [_entry(row[0]) for row in self.rows(select(c.body).where(*where).order_by(c.id).limit(limit))]

    def outages(self, only: Sites = (), *, ended: bool = False, limit: int = 500) -> list[Outage]:
        """What is or will be out of service, by its begin; with `ended` what was, the newest first."""
        c = tables.outages.c
        where = [c.state == "ended" if ended else c.state != "ended", *within(c.site, only)]
        order = (c.from_at.desc(), c.id.desc()) if ended else (c.from_at, c.id)
        return [_outage(row[0]) for row in self.rows(select(c.body).where(*where).order_by(*order).limit(limit))]

    def outage(self, ident: str, only: Sites = ()) -> Outage | None:
        """One of them."""
        c = tables.outages.c
        rows = self.rows(select(c.body).where(c.id == ident, *within(c.site, only)))
        return _outage(rows[0][0]) if rows else None
