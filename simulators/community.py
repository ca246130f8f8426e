"""A scenario made into devices: who has which id, name, serial, topics and connection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulators.access.door import DoorController
from simulators.access.doorway import Doorway
from simulators.access.face_terminal import FaceTerminal, terminal_topics
from simulators.device import Device
from simulators.lifts.liftfault import TOPIC as LIFT_TOPIC
from simulators.lifts.liftfault import LiftFaultLift
from simulators.lifts.native import NativeLift
from simulators.meters.dlt645 import DltMeter, DtuUnit
from simulators.meters.native import Concentrator, FluidMeter, HeatMeter
from simulators.meters.tasmota import TasmotaPlug, tasmota_topics
from simulators.native import native_topics
from simulators.parking.barrier import BarrierController
from simulators.parking.camera import LOOP_INPUT, NewCamera, OldCamera, camera_topics
from simulators.parking.lane import Lane
from simulators.people import Resident, residents
from simulators.plant import SYSTEMS
from simulators.scenario import BuildingSpec, GroupSpec, ItemSpec, Scenario, Source, duration
from simulators.wire import Identity

Names = dict[str, str]
Topics = tuple[tuple[str, ...], tuple[str, ...]]
_PLACES: dict[str, Names] = {
    "entrance": {"en": "entrance door", "zh": "单元门"},
    "basement": {"en": "basement door", "zh": "地下室门"},
    "roof": {"en": "roof door", "zh": "天台门"},
    "plant": {"en": "plant-room door", "zh": "设备间门"},
}
_UTILITIES: dict[str, Names] = {
    "electricity": {"en": "electricity meter", "zh": "电表"},
    "water": {"en": "water meter", "zh": "水表"},
    "gas": {"en": "gas meter", "zh": "燃气表"},
    "heat": {"en": "heat meter", "zh": "热量表"},
}
NO_TOPICS: Topics = ((), ())
_SHORT = {"electricity": "elec", "water": "water", "gas": "gas", "heat": "heat"}


class Spot(NamedTuple):
    """Where a device stands: zone and building, "" for none."""

    zone: str = ""
    building: str = ""


class Community:
    """All devices of a scenario. `links` maps a connection (named after the device that owns it) to its devices."""

    def __init__(self, scenario: Scenario, source: Source, seed: int | None = None) -> None:
        self.scenario = scenario
        self.site = scenario.site.id
        self.seed = scenario.seed if seed is None else seed
        self.devices: dict[str, Device] = {}
        self.links: dict[str, list[Device]] = {}
        try:
            ZoneInfo(scenario.site.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"no time zone {scenario.site.timezone!r}"
            raise source.error("$.site.timezone", message, "use an IANA name such as Asia/Shanghai") from error
        ids = [building.id for building in scenario.buildings]
        self.residents = residents(scenario.seed, ids or ["site"], scenario.residents_per_building)
        self.plates = [person.plate for person in self.residents if person.plate]
        self._cars_seen: dict[str, tuple[Lane, float]] = {}
        self._source = source
        self._counts: dict[str, int] = {}
        builders: dict[str, Callable[[GroupSpec, str], None]] = {
            "lift": self._lifts,
            "door": self._doors,
            "lane": self._lanes,
            "meter": self._meters,
            "plant": self._plant,
        }
        for index, group in enumerate(scenario.devices):
            builders[group.model](group, f"$.devices[{index}]")

    def registrations(self) -> list[dict[str, object]]:
        """Every device as a gateway must register it: parents before what reports through them.

        `places` gives the names of the zone and the building it stands in.
        """
        items = sorted(self.devices.values(), key=lambda device: device.identity.parent is not None)
        names = {zone["id"]: zone["name"] for zone in self._zones()}
        registrations: list[dict[str, object]] = []
        for identity in (device.identity for device in items):
            places = {place: names[place] for place in (identity.building, identity.zone) if place}
            registrations.append(identity.registration() | {"places": places})
        return registrations

    def passes(self) -> list[dict[str, object]]:
        """Who and what may go through: a person number and a card each, and the plates."""
        items: list[dict[str, object]] = []
        for person in self.residents:
            for kind, value in (("person", person.number), ("card", person.card), ("plate", person.plate)):
                if value:
                    item = {"id": f"{kind}-{person.number}", "kind": kind, "value": value, "name": person.name}
                    items.append({**item, "zones": [], "from": None, "until": None})
        return items

    def place(self) -> dict[str, object]:
        """The site with its zones: buildings, their units, gates."""
        site = self.scenario.site
        return {"id": site.id, "name": site.name.plain(), "timezone": site.timezone, "zones": self._zones()}

    def _zones(self) -> list[dict[str, object]]:
        zones: list[dict[str, object]] = []
        for building in self.scenario.buildings:
            zones.append({"id": building.id, "name": building.name.plain(), "kind": "building", "parent": None})
            for unit in range(1, building.units + 1):
                name = _joined(building.name.plain(), {"en": f"Unit {unit}", "zh": f"{unit}单元"})
                zones.append({"id": f"{building.id}-u{unit}", "name": name, "kind": "unit", "parent": building.id})
        for zone in self.scenario.zones:
            zones.append({"id": zone.id, "name": zone.name.plain(), "kind": "zone", "parent": None})
        return zones

    # -- one builder a model ------------------------------------------------------------------------------------

    def _lifts(self, group: GroupSpec, path: str) -> None:
        for building, unit, number in self._spots(group):
            identifier = f"{building.id}-u{unit}-lift{number}"
            name = {"en": f"Unit {unit}, Lift {number}", "zh": f"{unit}单元 {number}号电梯"}
            name = _joined(building.name.plain(), name)
            spot = Spot(f"{building.id}-u{unit}", building.id)
            if group.wire == "native":
                identity = self._native(identifier, "elevator", name, spot, interval=10.0)
                self._add(NativeLift(identity, self.seed, building.floors, group.per_day), path)
                continue
            serial = f"31{_digest(self.site) % 1000:03d}{self._count('lift'):05d}"
            identity = self._identity(
                identifier, "liftfault", "elevator", serial=serial, name=name, spot=spot, topics=((LIFT_TOPIC,), ())
            )
            self._add(LiftFaultLift(identity, self.seed, building.floors, group.per_day), path)

    def _doors(self, group: GroupSpec, path: str) -> None:
        place = _PLACES[group.place]
        for building, unit, number in self._spots(group):
            part = f"-u{unit}" if group.per_unit else ""
            tail = group.place + ("" if number == 1 else str(number))
            name = {"en": f"Unit {unit}, ", "zh": f"{unit}单元 "} if group.per_unit else {"en": "", "zh": ""}
            name = {language: name[language] + place[language] for language in name}
            name = _joined(building.name.plain(), name)
            spot = Spot(building.id + part, building.id)
            doorway = self._door(group, f"{building.id}{part}-door-{tail}", name, spot, path=path)
            if group.terminal is not None:
                self._terminal(group, f"{building.id}{part}-face-{tail}", name, spot, doorway=doorway, path=path)
        for item in group.items:
            spot = Spot(item.zone or "")
            doorway = self._door(group, item.id, item.name.plain(), spot, path=path)
            if group.terminal is not None:
                self._terminal(group, f"{item.id}-face", item.name.plain(), spot, doorway=doorway, path=path)

    def _people_of(self, spot: Spot) -> list[Resident]:
        return [person for person in self.residents if spot.building in ("", person.building)]

    def _door(self, group: GroupSpec, identifier: str, name: Names, spot: Spot, *, path: str) -> Doorway:
        doorway = Doorway()
        readers = self._people_of(spot) if group.terminal is None else []
        identity = self._native(identifier, "door", name, spot, interval=60.0)
        self._add(DoorController(identity, self.seed, doorway, readers, group.per_day), path)
        return doorway

    def _terminal(
        self, group: GroupSpec, identifier: str, name: Names, spot: Spot, *, doorway: Doorway, path: str
    ) -> None:
        serial = f"{1_000_000 + _digest(self.site) % 8000 * 1000 + self._count('face')}"
        name = {"en": f"{name['en']}, face terminal", "zh": f"{name['zh']} 人脸终端"}
        topics = terminal_topics(serial)
        face = self._identity(
            identifier, "mqttface", "face_terminal", serial=serial, name=name, spot=spot, topics=topics, interval=30.0
        )
        people, itself = self._people_of(spot), group.terminal == "own"
        self._add(FaceTerminal(face, self.seed, doorway, people, group.per_day, decides_itself=itself), path)

    def _lanes(self, group: GroupSpec, path: str) -> None:
        items = list(group.items)
        for building, _, number in self._spots(group):
            words = type(building.name)(f"{building.name.en}, lane {number}", f"{building.name.zh} {number}号道闸")
            items.append(ItemSpec(f"{building.id}-lane{number}", words, building.id))
        old = group.wire == "vzenith-old"
        for item in items:
            # Strangers come to the gate to be asked; those who leave have been let in, and are in the passes.
            strangers = 0.05 if item.direction == "in" else 0.003
            chance = Random(f"{self.seed}/lane/{item.id}")
            lane = Lane(chance, self.plates, group.per_day, strangers, self._cars_seen)
            digest = hashlib.sha256(f"{self.site}/{item.id}".encode()).hexdigest()
            serial = f"{digest[:8]}-{digest[8:16]}"
            topics = camera_topics(serial, old=old)
            spot = Spot(item.zone or "")
            camera, kind, name = item.id, "barrier", item.name.plain()
            if old:
                identity = self._native(item.id, "barrier", name, spot, interval=60.0)
                self._add(BarrierController(identity, self.seed, lane), path)
                camera, kind = f"{item.id}-camera", "plate_camera"
                name = {"en": f"{name['en']}, plate camera", "zh": f"{name['zh']} 车牌相机"}
            settings: dict[str, object] = {"direction": item.direction}
            settings |= {"variant": "old"} if old else {"loop_input": LOOP_INPUT, "holds_list": "plate"}
            identity = self._identity(
                camera, "vzenith", kind,
                serial=serial, name=name, spot=spot, topics=topics, interval=30.0, settings=settings,
            )  # fmt: skip
            self._add((OldCamera if old else NewCamera)(identity, self.seed, lane, item.direction), path)

    def _meters(self, group: GroupSpec, path: str) -> None:
        every = duration(group.every, self._source, f"{path}.every")
        for building in self._buildings(group):
            for index in range(1, group.per_building + group.per_unit * building.units + 1):
                if group.wire == "tasmota":
                    self._plug(building, index, every, path)
                elif group.wire == "dlt645":
                    self._dlt_meter(group, building, index, every=every, path=path)
                else:
                    self._native_meter(group, building, index, every=every, path=path)

    def _plant(self, group: GroupSpec, path: str) -> None:
        every = duration(group.every, self._source, f"{path}.every")
        buildings = [building.id for building in self.scenario.buildings]
        for item in group.items:
            zone = item.zone or ""
            spot = Spot(zone, zone if zone in buildings else "")
            identity = self._native(item.id, group.system, item.name.plain(), spot, interval=every)
            self._add(SYSTEMS[group.system](identity, self.seed, every), path)

    def _plug(self, building: BuildingSpec, index: int, every: float, path: str) -> None:
        topic = f"{self.site}-{building.id}-plug{index}"
        name = {"en": f"common-area circuit {index}", "zh": f"公区回路{index}"}
        name = _joined(building.name.plain(), name)
        spot, topics = Spot(building.id, building.id), tasmota_topics(topic)
        identifier = f"{building.id}-plug{index}"
        identity = self._identity(
            identifier, "tasmota", "meter", serial=topic, name=name, spot=spot, topics=topics, interval=every
        )
        self._add(TasmotaPlug(identity, self.seed, every), path)

    def _dlt_meter(self, group: GroupSpec, building: BuildingSpec, index: int, *, every: float, path: str) -> None:
        number = (index - 1) // max(1, group.behind) + 1
        unit = f"{building.id}-dtu{number}"
        if unit not in self.devices:
            name = _joined(building.name.plain(), {"en": f"meter unit {number}", "zh": f"集抄终端{number}"})
            spot, topics = Spot(building.id, building.id), ((f"dtu/{unit}/up",), (f"dtu/{unit}/down",))
            owner = self._identity(unit, "dlt645", "unit", serial=unit, name=name, spot=spot, topics=topics)
            self._add(DtuUnit(owner, self.seed), path)
        address = f"2{_digest(self.site) % 1000:03d}{self._count('dlt645'):08d}"
        identity = self._metering(group, building, index, serial=address, unit=unit, every=every)
        meter = DltMeter(identity, self.seed, unit, every)
        self._add(meter, path, link=unit)
        unit_device = self.devices[unit]
        if isinstance(unit_device, DtuUnit):
            unit_device.meters.append(meter)

    def _native_meter(self, group: GroupSpec, building: BuildingSpec, index: int, *, every: float, path: str) -> None:
        unit = f"{building.id}-concentrator"
        if unit not in self.devices:
            name = _joined(building.name.plain(), {"en": "meter concentrator", "zh": "表计集中器"})
            owner = self._native(unit, "unit", name, Spot(building.id, building.id), interval=0.0)
            self._add(Concentrator(owner, self.seed), path)
        identifier = f"{building.id}-{_SHORT[group.utility]}-{index:02d}"
        identity = self._metering(group, building, index, serial=identifier, unit=unit, every=every)
        meter: Device
        if group.utility == "heat":
            meter = HeatMeter(identity, self.seed, every)
        else:
            meter = FluidMeter(identity, self.seed, every, group.utility)
        self._add(meter, path, link=unit)

    # -- small parts --------------------------------------------------------------------------------------------

    def _metering(
        self, group: GroupSpec, building: BuildingSpec, index: int, *, serial: str, unit: str, every: float
    ) -> Identity:
        stair = (index - 1) % building.units + 1
        flat = (index - 1) // building.units
        number = f"{flat // 2 % building.floors + 1:02d}{flat % 2 + 1:02d}"
        what = _UTILITIES[group.utility]
        name = {"en": f"Unit {stair}, Flat {number}, {what['en']}", "zh": f"{stair}单元 {number}室 {what['zh']}"}
        identifier = f"{building.id}-{_SHORT[group.utility]}-{index:02d}"
        native = group.wire == "native"
        return self._identity(
            identifier,
            "cloudevents" if native else group.wire,
            "meter",
            serial=serial,
            name=_joined(building.name.plain(), name),
            spot=Spot(f"{building.id}-u{stair}", building.id),
            topics=native_topics(self.site, identifier) if native else NO_TOPICS,
            interval=every,
            parent=unit,
            settings={} if native else {"unit": unit},
        )

    def _native(self, identifier: str, kind: str, name: Names, spot: Spot, *, interval: float) -> Identity:
        topics = native_topics(self.site, identifier)
        return self._identity(
            identifier, "cloudevents", kind, serial=identifier, name=name, spot=spot, topics=topics, interval=interval
        )

    def _identity(
        self,
        identifier: str,
        adapter: str,
        kind: str,
        *,
        serial: str,
        name: Names,
        spot: Spot,
        topics: Topics,
        interval: float = 0.0,
        parent: str | None = None,
        settings: dict[str, object] | None = None,
    ) -> Identity:
        return Identity(
            id=identifier,
            site=self.site,
            adapter=adapter,
            type=kind,
            external_id=serial,
            name=name,
            zone=spot.zone or None,
            building=spot.building or None,
            parent=parent,
            timezone=self.scenario.site.timezone,
            publish=topics[0],
            subscribe=topics[1],
            report_interval=interval,
            settings=settings or {},
        )

    def _buildings(self, group: GroupSpec) -> list[BuildingSpec]:
        wanted = group.buildings
        return [building for building in self.scenario.buildings if wanted is None or building.id in wanted]

    def _spots(self, group: GroupSpec) -> list[tuple[BuildingSpec, int, int]]:
        """(building, unit, number) of each device counted by unit, or by building (unit 1)."""
        spots = [
            (building, unit, number)
            for building in self._buildings(group)
            for unit in range(1, building.units + 1)
            for number in range(1, group.per_unit + 1)
        ]
        spots += [(b, 1, number) for b in self._buildings(group) for number in range(1, group.per_building + 1)]
        return spots

    def _add(self, device: Device, path: str, link: str | None = None) -> None:
        if device.id in self.devices:
            raise self._source.error(path, f"makes the device {device.id!r} a second time", "give another place or id")
        self.devices[device.id] = device
        self.links.setdefault(link or device.id, []).append(device)

    def _count(self, what: str) -> int:
        self._counts[what] = self._counts.get(what, 0) + 1
        return self._counts[what]


def _joined(building: Names, part: Names) -> Names:
    return {"en": f"{building['en']}, {part['en']}", "zh": f"{building['zh']} {part['zh']}"}


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
