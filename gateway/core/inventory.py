"""The actions on the inventory: sites, zones and devices."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from sqlalchemy import delete, update

from gateway.contract import Adapter
from gateway.core.handlers import Handlers
from gateway.core.registry import SELF, Registry
from gateway.core.rows import Statements
from gateway.errors import Conflict, Forbidden, GatehouseError, Invalid, NotFound, StaleVersion
from gateway.model import Action, Device, Role, Site, Zone
from gateway.store import tables

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Names at the broker that are the gateway's own.
OURS = "gatehouse-"
LONGEST_TEXT = 128
MOST_TOPICS, LONGEST_TOPIC = 32, 256


def check_id(field: str, value: object) -> str:
    """`value` as an id. Raises `Invalid`: ids stand in MQTT topics and in file names, so they are plain."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise Invalid(field, f"{str(value)[:80]!r} is no id: use 1 to 64 letters, digits, '-' and '_'")
    return value


def check_topics(settings: Mapping[str, Any]) -> None:
    """Raises `Invalid` where `settings.topics`, what a credential may use besides its adapter's, is no such thing.

    Topics of the native format are never given like this: those are a device's own, by its site and its id.
    """
    topics = settings.get("topics")
    if topics is None:
        return
    if not isinstance(topics, dict) or not set(topics) <= {"publish", "subscribe"}:
        raise Invalid("settings.topics", 'lists of MQTT filters under "publish" and "subscribe", and nothing else')
    for way, filters in topics.items():
        field = f"settings.topics.{way}"
        if not isinstance(filters, list) or len(filters) > MOST_TOPICS:
            raise Invalid(field, f"a list of at most {MOST_TOPICS} MQTT filters")
        for text in filters:
            if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TOPIC or not text.isprintable():
                raise Invalid(field, f"{str(text)[:80]!r} is no MQTT filter of 1 to {LONGEST_TOPIC} characters")
            if text.startswith("$") or text.split("/")[0] in ("gatehouse", "+", "#"):
                raise Invalid(
                    field, f"'{text[:80]}' would reach the topics of other devices: begin it with a level of its own"
                )


def _site(args: dict[str, Any]) -> Site:
    site: Site = _convert({"name": {}, **args}, Site)
    check_id("id", site.id)
    if site.timezone not in zoneinfo.available_timezones():
        raise Invalid("timezone", f"'{site.timezone}' is no IANA time zone; for example Asia/Shanghai")
    return site


def _names(device: Device) -> list[tuple[str, str]]:
    return [(f"name.{language}", text) for language, text in device.name.items()]


def _shown(device: Device) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(device)
    return body


def _convert(args: dict[str, Any], kind: type[Any]) -> Any:
    known = {field.name for field in msgspec.structs.fields(kind)}
    for name in args:
        if name not in known:
            raise Invalid(name, f"not known; one of {', '.join(sorted(known))}")
    if isinstance(args.get("name"), str):
        args = {**args, "name": {"en": args["name"]}}
    try:
        return msgspec.convert(args, kind)
    except msgspec.ValidationError as error:
        found = re.search(r"`\$\.?([\w.]*)", str(error))
        raise Invalid(found.group(1) if found else "", str(error).split(" - ")[0]) from error


class Inventory(Handlers):
    """Carries out `ROLES`' actions on the registry; its statements go into the batch's transaction."""

    ROLES = dict.fromkeys(
        (
            "site.put",
            "zone.put",
            "device.add",
            "device.import",
            "device.update",
            "device.disable",
            "device.enable",
            "device.rotate",
            "device.adopt",
        ),
        Role.ENGINEER,
    )

    def __init__(self, registry: Registry, adapters: Mapping[str, Adapter], statements: Statements) -> None:
        self._registry = registry
        self._adapters = adapters
        self._statements = statements
        self._versions: dict[str, int] = {}
        self.changed: list[Device] = []
        """Devices added or changed by the present batch; whoever knows devices by heart is told, then it is emptied."""

    def load(self, versions: Mapping[str, int]) -> None:
        """Takes over the devices' versions of the database."""
        self._versions = dict(versions)

    # Places.

    def _site_put(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        site = _site(args)
        self._registry.put_site(site)
        self._statements.put(tables.sites, msgspec.structs.asdict(site))
        return msgspec.structs.asdict(site)

    def _zone_put(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        zone: Zone = _convert({"name": {}, **args}, Zone)
        check_id("id", zone.id)
        check_id("site", zone.site)
        parent, seen = zone.parent, {zone.id}
        while parent is not None:
            if parent in seen:
                raise Invalid("parent", f"zone '{zone.id}' would stand inside itself")
            seen.add(parent)
            parent = self._registry.zones[parent].parent if parent in self._registry.zones else None
        self._registry.zones[zone.id] = zone
        self._statements.put(tables.zones, msgspec.structs.asdict(zone))
        return msgspec.structs.asdict(zone)

    # Devices.

    def _device_add(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        secret = args.pop("secret_hash", None)
        device = self._device(args)
        if device.id in self._registry.devices:
            raise Conflict(
                f"device '{device.id}' exists already: choose another id, or 'gatehouse device show {device.id}'"
            )
        taken = self._registry.find(device.adapter, device.external_id)
        if taken is not None:
            raise Conflict(f"serial '{device.external_id}' belongs to device '{taken.id}' already")
        self._sites_of(action, device.site)
        self._topics_by(action, {}, device.settings)
        self._save(device, {"secret_hash": secret, "created_at": wall, "version": 1})
        return _shown(device)

    def _device_import(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        """All or nothing: every device is checked before the first is added. Devices that exist are left alone."""
        fresh = []
        serials: dict[tuple[str, str], str] = {}
        names: set[str] = set()
        for index, item in enumerate(args.get("devices") or []):
            body = dict(item)
            secret = body.pop("secret_hash", None)
            try:
                device = self._device(body)
            except GatehouseError as error:
                raise Invalid(f"devices[{index}]", error.message) from error
            if device.id in self._registry.devices:
                continue
            serial = device.adapter, device.external_id
            owner = self._registry.find(*serial)
            taken = owner.id if owner is not None else serials.get(serial)
            if taken is not None and taken != device.id:
                raise Invalid(f"devices[{index}]", f"serial '{device.external_id}' belongs to device '{taken}' already")
            if serials.get(serial) == device.id or device.id in names:
                raise Invalid(f"devices[{index}]", f"device '{device.id}' stands in the list twice")
            serials[serial] = device.id
            names.add(device.id)
            fresh.append((device, secret))
        rows = []
        for device, secret in fresh:
            self._place(device)
            rows.append({**msgspec.to_builtins(device), "secret_hash": secret, "created_at": wall, "version": 1})
        self._statements.add_rows(tables.devices, rows)
        return {"added": [device.id for device, _ in fresh]}

    def _device_adopt(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        result = self._device_add(args, action, wall)
        self._statements.add(
            delete(tables.quarantine).where(
                tables.quarantine.c.adapter == result["adapter"],
                tables.quarantine.c.external_id == result["external_id"],
            )
        )
        return result

    def _device_update(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        known = self._known(args.pop("id", None), action)
        version = args.pop("version", None)
        current = self._versions.get(known.id, 1)
        if version is not None and version != current:
            raise StaleVersion("device", known.id, current, version)
        device = self._device({**msgspec.to_builtins(known), **args})
        self._topics_by(action, known.settings, device.settings)
        if (device.adapter, device.external_id) != (known.adapter, known.external_id):
            taken = self._registry.find(device.adapter, device.external_id)
            if taken is not None:
                raise Conflict(f"serial '{device.external_id}' belongs to device '{taken.id}' already")
        self._change(device)
        return _shown(device)

    def _device_disable(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        return self._switch(args, action, enabled=False)

    def _device_enable(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        return self._switch(args, action, enabled=True)

    def _switch(self, args: dict[str, Any], action: Action, *, enabled: bool) -> dict[str, Any]:
        device = msgspec.structs.replace(self._known(args.get("id"), action), enabled=enabled)
        self._change(device)
        return _shown(device)

    def _device_rotate(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        device = self._known(args.get("id"), action)
        self._statements.add(
            update(tables.devices).where(tables.devices.c.id == device.id).values(secret_hash=args.get("secret_hash"))
        )
        self.changed.append(device)
        return _shown(device)

    def _device(self, args: dict[str, Any]) -> Device:
        device_id = check_id("id", args.get("id"))
        if device_id.startswith(OURS):
            raise Invalid("id", f"names that begin with '{OURS}' are the gateway's own at the broker: choose another")
        check_id("site", args.get("site"))
        adapter = self._adapters.get(str(args.get("adapter")))
        if adapter is None:
            names = ", ".join(sorted({adapter.manifest.name for adapter in self._adapters.values()}))
            raise Invalid("adapter", f"'{args.get('adapter')}' is not known; one of {names}")
        device: Device = _convert(
            {**args, "adapter": adapter.manifest.name, "external_id": args.get("external_id") or device_id}, Device
        )
        if device.timezone is not None and device.timezone not in zoneinfo.available_timezones():
            raise Invalid("timezone", f"'{device.timezone}' is no IANA time zone; for example Asia/Shanghai")
        self._zone_of(device)
        if any(char in device.external_id for char in "+#\0/") or len(device.external_id) > 128:
            raise Invalid("external_id", "a serial stands in MQTT topics: no '+', '#', '/', and at most 128 characters")
        for field, text in (("type", device.type), ("building", device.building), *_names(device)):
            if text is not None and not 1 <= len(text) <= LONGEST_TEXT:
                raise Invalid(field, f"1 to {LONGEST_TEXT} characters, not {len(text)}")
        check_topics(device.settings)
        return device

    def _zone_of(self, device: Device) -> None:
        """Refuses a zone that its site does not have: a slip of the pen would stand in nobody's view.

        A site whose zones nobody described takes any.
        """
        zones = sorted(zone.id for zone in self._registry.zones.values() if zone.site == device.site)
        if device.zone is None or not zones or device.zone in zones:
            return
        close = get_close_matches(device.zone, zones, n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"it has {', '.join(zones[:8])}"
        raise Invalid("zone", f"site '{device.site}' has no zone '{device.zone}': {hint}")

    def _known(self, device: object, action: Action) -> Device:
        known = self._registry.devices.get(str(device))
        if known is None or not action.actor.may_see(known.site) or known.id == SELF:
            raise NotFound("device", device)
        return known

    @staticmethod
    def _topics_by(action: Action, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """A vendor's topic may be anybody's: who answers for some sites only cannot give one away."""
        if action.actor.sites and after.get("topics") and after.get("topics") != before.get("topics"):
            raise Forbidden("topics besides the adapter's own concern all sites: ask somebody who may see them all")

    def _sites_of(self, action: Action, site: str) -> None:
        if not action.actor.may_see(site):
            raise NotFound("site", site)

    def _save(self, device: Device, extra: dict[str, Any]) -> None:
        self._place(device)
        self._statements.put(tables.devices, {**msgspec.to_builtins(device), **extra})

    def _place(self, device: Device) -> None:
        if device.site not in self._registry.sites:
            site = self._registry.site(device.site)
            self._registry.put_site(site)
            self._statements.put(tables.sites, msgspec.structs.asdict(site))
        self._registry.put(device)
        self.changed.append(device)

    def _change(self, device: Device) -> None:
        version = self._versions.get(device.id, 1) + 1
        self._versions[device.id] = version
        self._registry.put(device)
        self._statements.add(
            update(tables.devices)
            .where(tables.devices.c.id == device.id)
            .values(**msgspec.to_builtins(device), version=version)
        )
        self.changed.append(device)
