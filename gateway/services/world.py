"""Places and devices as the services see them, and the little of their state that commands depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gateway.errors import NotFound
from gateway.model import Actor, Device, Event, Site, Zone

#: The kinds of events that `World.observe` reads.
OBSERVED = frozenset(("device.availability", "parking.barrier"))


class World:
    """The topology, which devices are there, and which loops are occupied. None means that it is not known."""

    def __init__(self) -> None:
        self.words: Mapping[str, Collection[str]] = {}
        """The command words that each adapter can carry, by its name. An adapter that is not here may carry any."""
        self.devices: Mapping[str, Device] = {}
        self.zones: Mapping[str, Zone] = {}
        self.sites: Mapping[str, Site] = {}
        self.online: dict[str, bool] = {}
        self._loops: dict[str, bool] = {}

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
        self._loops.clear()

    def observe(self, device: str, kind: str, data: Mapping[str, Any]) -> None:
        """Takes note of a device's availability or a barrier's loop."""
        if kind == "device.availability":
            online = data.get("online")
            if online is None:
                self.online.pop(device, None)
            else:
                self.online[device] = bool(online)
            if not online:
                # What an absent device last said of its loop is no longer known.
                self._loops.pop(device, None)
        elif kind == "parking.barrier":
            occupied = data.get("loop_occupied")
            if isinstance(occupied, bool) and data.get("connected") is not False:
                self._loops[device] = occupied
            else:
                self._loops.pop(device, None)

    def hears(self, event: Event) -> bool:
        """Whether the event tells something of now: late and replayed ones tell of the past."""
        return event.kind in OBSERVED and not event.late and not event.replay

    def takes(self, device: Device, word: str) -> bool:
        """Whether the device's wire format has a message for that command word."""
        words = self.words.get(device.adapter)
        return words is None or word in words

    def loop(self, device: str) -> bool | None:
        """Whether a vehicle stands under that barrier; None where that is not known."""
        return self._loops.get(device)

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
