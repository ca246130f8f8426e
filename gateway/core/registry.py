"""Sites, zones and devices as the pipeline knows them: who speaks, where it stands, in which time zone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.model import Device, Site, Zone

#: The gateway's own device: what it has to say of its links and its store is said under this name.
SELF = "gateway"


class Registry:
    """An index over all places and devices. Changed only by actions, between messages."""

    def __init__(self, default: Site) -> None:
        self._default = default
        self.sites: dict[str, Site] = {}
        self.zones: dict[str, Zone] = {}
        self.devices: dict[str, Device] = {}
        self._by_serial: dict[tuple[str, str], Device] = {}
        self._changed_sites: list[tuple[Site | None, Site]] = []
        self._changed_devices: list[tuple[Device | None, Device]] = []

    def load(self, sites: Iterable[Site], zones: Iterable[Zone], devices: Iterable[Device]) -> None:
        """Takes over what the database holds."""
        self.sites = {site.id: site for site in sites}
        self.zones = {zone.id: zone for zone in zones}
        self.devices = {}
        self._by_serial = {}
        for device in devices:
            self._place(device.id, device)

    @property
    def time_zones(self) -> dict[str, str]:
        """The sites' IANA time zones, by site; under "" that of sites nobody described."""
        return {"": self._default.timezone, **{site.id: site.timezone for site in self.sites.values()}}

    def put(self, device: Device) -> None:
        """Adds a device or replaces its record."""
        self._changed_devices.append((self.devices.get(device.id), device))
        self._place(device.id, device)

    def put_site(self, site: Site) -> None:
        """Adds a site or replaces its record."""
        self._changed_sites.append((self.sites.get(site.id), site))
        self.sites[site.id] = site

    def take_changes(self) -> tuple[list[tuple[Site | None, Site]], list[tuple[Device | None, Device]]]:
        """Sites and devices that were put since the last call, as they were before and as they are."""
        changed = self._changed_sites, self._changed_devices
        self._changed_sites, self._changed_devices = [], []
        return changed

    def redo(self, sites: Iterable[tuple[Site | None, Site]], devices: Iterable[tuple[Device | None, Device]]) -> None:
        """Makes journaled changes again."""
        for _, site in sites:
            self.sites[site.id] = site
        for _, device in devices:
            self._place(device.id, device)

    def undo(self, sites: Sequence[tuple[Site | None, Site]], devices: Sequence[tuple[Device | None, Device]]) -> None:
        """Takes journaled changes back, the last one first."""
        for before, site in reversed(sites):
            if before is None:
                self.sites.pop(site.id, None)
            else:
                self.sites[site.id] = before
        for old, device in reversed(devices):
            self._place(device.id, old)

    def _place(self, name: str, device: Device | None) -> None:
        old = self.devices.pop(name, None) if device is None else self.devices.get(name)
        if old is not None:
            self._by_serial.pop((old.adapter, old.external_id), None)
        if device is not None:
            self.devices[name] = device
            self._by_serial[device.adapter, device.external_id] = device

    def find(self, adapter: str, serial: str) -> Device | None:
        """The adapter's device with that serial."""
        return self._by_serial.get((adapter, serial))

    def site(self, name: str) -> Site:
        """The site, or one made of the defaults where nobody described it."""
        return self.sites.get(name) or Site(id=name, timezone=self._default.timezone, lateness=self._default.lateness)

    def lateness(self, name: str) -> float:
        """The age in seconds past which a message of that site is late."""
        site = self.sites.get(name)
        return self._default.lateness if site is None else site.lateness

    def timezone(self, device: Device | None) -> str:
        """In which zone a device's local times are meant: its own, its site's, or the default."""
        if device is None:
            return self._default.timezone
        return device.timezone or self.site(device.site).timezone
