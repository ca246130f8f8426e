"""Where things are: sites, zones and devices."""

from __future__ import annotations

from typing import Any

import msgspec


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One community. `zone` is its IANA time zone; `lateness` the age in seconds past which a message is late."""

    id: str
    name: dict[str, str] = {}
    timezone: str = "Asia/Shanghai"
    lateness: float = 60.0


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a site: a building, a floor, a gate. Zones form a tree by `parent`."""

    id: str
    site: str
    name: dict[str, str] = {}
    kind: str = "zone"
    parent: str | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of equipment, with the credential's hash kept elsewhere.

    `external_id` is the maker's own serial, by which vendor formats name it; `connected_via` and `powered_by` name
    the devices it depends on; `report_interval` is how often it is expected to report, in seconds, 0 for never.
    """

    id: str
    site: str
    adapter: str
    external_id: str
    type: str = "device"
    name: dict[str, str] = {}
    zone: str | None = None
    building: str | None = None
    connected_via: str | None = None
    powered_by: str | None = None
    timezone: str | None = None
    report_interval: float = 0.0
    enabled: bool = True
    settings: dict[str, Any] = {}

    def title(self, language: str = "en") -> str:
        """The device's name in `language`, in any language it has, or its id."""
        return self.name.get(language) or next(iter(self.name.values()), self.id)
