"""Sites, zones, devices and what is known of them now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import String, cast, or_, select

from gateway.model import Device, Site, Zone
from gateway.store.read_base import Page, Place, QueryBase, Sites, decoded, equal, within
from gateway.store.rows import DeviceRow, DeviceSecret, Standing
from gateway.store.tables import device_states, devices, sites, zones

_DEVICE_COLUMNS = (
    devices.c.site, devices.c.adapter, devices.c.external_id, devices.c.type, devices.c.name, devices.c.zone,
    devices.c.building, devices.c.connected_via, devices.c.powered_by, devices.c.timezone, devices.c.report_interval,
    devices.c.enabled, devices.c.settings,
)  # fmt: skip
_STATE_COLUMNS = (
    device_states.c.online, device_states.c.last_at, device_states.c.skew, device_states.c.messages,
    device_states.c.kinds,
)  # fmt: skip


class PlaceQueries(QueryBase):
    """Where things are."""

    def sites(self, only: Sites = ()) -> list[Site]:
        """The sites, by id."""
        found = self.rows(select(sites).where(*within(sites.c.id, only)).order_by(sites.c.id))
        return [Site(id=row.id, name=row.name, timezone=row.timezone, lateness=row.lateness) for row in found]

    def zones(self, only: Sites = (), site: str | None = None) -> list[Zone]:
        """The zones, by id."""
        where = within(zones.c.site, only) + equal(site=(zones.c.site, site))
        found = self.rows(select(zones).where(*where).order_by(zones.c.id))
        return [Zone(id=row.id, site=row.site, name=row.name, kind=row.kind, parent=row.parent) for row in found]

    def devices(
        self,
        only: Sites = (),
        *,
        site: str | None = None,
        zone: str | None = None,
        type: str | None = None,
        q: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Devices by id, as `DeviceRow`. `q` is a part of an id, a serial or a name."""
        where = within(devices.c.site, only)
        where += equal(site=(devices.c.site, site), zone=(devices.c.zone, zone), type=(devices.c.type, type))
        if q:
            part = "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            # JSON is stored with non-ASCII characters escaped, so a Chinese name is looked for in that spelling.
            escaped = q.encode("ascii", "backslashreplace").decode().replace("\\", "\\\\").replace("%", "\\%")
            named = "%" + escaped.replace("_", "\\_") + "%"
            where.append(
                or_(
                    devices.c.id.ilike(part, escape="\\"),
                    devices.c.external_id.ilike(part, escape="\\"),
                    cast(devices.c.name, String).ilike(named, escape="\\"),
                    cast(devices.c.name, String).ilike(part, escape="\\"),
                )
            )
        found, place = self.page(_with_states().where(*where), [devices.c.id], after, limit, newest_first=False)
        return Page([_device_row(row) for row in found], place)

    def device(self, id: str, only: Sites = ()) -> DeviceRow | None:
        """One device, or None."""
        row = self.one(_with_states().where(devices.c.id == id, *within(devices.c.site, only)))
        return _device_row(row) if row else None

    def standings(self, ids: Iterable[str]) -> dict[str, DeviceRow]:
        """The rows of several devices by id."""
        found = self.rows(_with_states().where(devices.c.id.in_(list(ids))))
        return {row.id: _device_row(row) for row in found}

    def device_secret(self, id: str) -> DeviceSecret | None:
        """What a device's credential is checked against."""
        columns = (devices.c.id, devices.c.site, devices.c.adapter, devices.c.enabled, devices.c.secret_hash)
        row = self.one(select(*columns).where(devices.c.id == id))
        return DeviceSecret(**row._mapping) if row else None


def _with_states() -> Any:
    joined = devices.outerjoin(device_states, devices.c.id == device_states.c.device)
    columns = (*_DEVICE_COLUMNS, *_STATE_COLUMNS, devices.c.created_at, devices.c.version, devices.c.id)
    return select(*columns).select_from(joined)


def _device_row(row: Any) -> DeviceRow:
    device = Device(
        id=row.id, site=row.site, adapter=row.adapter, external_id=row.external_id, type=row.type, name=row.name or {},
        zone=row.zone, building=row.building, connected_via=row.connected_via, powered_by=row.powered_by,
        timezone=row.timezone, report_interval=row.report_interval, enabled=row.enabled, settings=row.settings or {},
    )  # fmt: skip
    standing = Standing()
    if row.messages is not None:
        standing = Standing(
            online=row.online,
            last_at=row.last_at,
            skew=row.skew,
            messages=row.messages,
            kinds=decoded(row.kinds) or {},
        )
    return DeviceRow(device=device, created_at=row.created_at, version=row.version, standing=standing)
