"""Places and devices as the services see them, and the little of their state that commands depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gateway.errors import NotFound
from gateway.model import Actor, Device, Event, Site, Zone

#: The kind by which a device is known to be there.
AVAILABILITY = "device.availability"


class World:
    """The topology, which devices are there, and the newest they said of the watched kinds. None: it is not known."""

    def __init__(self) -> None:
        self.words: Mapping[str, Collection[str]] = {}
        """The command words that each adapter can carry, by its name. An adapter that is not here may carry any."""
        self.devices: Mapping[str, Device] = {}
        self.zones: Mapping[str, Zone] = {}
        self.sites: Mapping[str, Site] = {}
        self.online: dict[str, bool] = {}
        self.watched: frozenset[str] = frozenset((AVAILABILITY,))
        """The kinds of events that `observe` reads."""
        self._newest: dict[tuple[str, str], Mapping[str, Any]] = {}

    def watch(self, kinds: Iterable[str]) -> None:
        """Takes note of these kinds as well."""
        self.watched |= frozenset(kinds)

    def set_topology(
        self,
        devices: Mapping[str, Device] | Iterable[Device],
        zones: Mapping[str, Zone] | Iterable[Zone],
        sites: Mapping[str, Site] | Iterable[Site],
    ) -> None:
        """Replaces the topology. A mapping is read where it is, so that its owner may go on changing it."""
        self.devices = devices if isinstance(devices, Mapping) else {device.id: device for device in devices}
        self.zones = zones if isinstance(zones, Mapping) else {zone.id: zone for zone in zones}
        self.sites = sites if isinstance(sites, Mapping) else {site.id: site for site in sites}

    def forget(self) -> None:
        """Drops what is known of the devices' state."""
        self.online.clear()
        self._newest.clear()

    def observe(self, device: str, kind: str, data: Mapping[str, Any]) -> None:
        """Takes note of a device's availability, or of a watched kind."""
        if kind != AVAILABILITY:
            if kind in self.watched:
                self._newest[device, kind] = data
            return
        online = data.get("online")
        if online is None:
            self.online.pop(device, None)
        else:
            self.online[device] = bool(online)
        if not online:
            # What an absent device last said is no longer known.
            for watched in self.watched:
                self._newest.pop((device, watched), None)

    def hears(self, event: Event) -> bool:
        """Whether the event tells something of now: late and replayed ones tell of the past."""
        return event.kind in self.watched and not event.late and not event.replay

    def newest(self, device: str, kind: str) -> Mapping[str, Any] | None:
        """The device's newest event of a watched kind; None where it is not known."""
        return self._newest.get((device, kind))

    def takes(self, device: Device, word: str) -> bool:
        """Whether the device's wire format has a message for that command word."""
        words = self.words.get(device.adapter)
        return words is None or word in words

    def device(self, ident: str, actor: Actor) -> Device:
        """The device. Raises `NotFound` where it does not exist or the actor may not know of it."""
        device = self.devices.get(ident)
        if device is None or not actor.may_see(device.site):
            raise NotFound("device", ident)
        return device

    def site(self, ident: str, actor: Actor) -> str:
        """The site's id. Raises `NotFound` where it does not exist or the actor may not know of it."""
        if ident not in self.sites or not actor.may_see(ident):
            raise NotFound("site", ident)
        return ident

    def places(self, device: Device) -> tuple[str, ...]:
        """The device's zone, the zones around it, and its building."""
        chain: list[str] = []
        zone = device.zone
        while zone is not None and zone not in chain:
            chain.append(zone)
            around = self.zones.get(zone)
            zone = around.parent if around is not None else None
        if device.building is not None and device.building not in chain:
            chain.append(device.building)
        return tuple(chain)
