"""Changes as frames of the event stream: each encoded once, whoever listens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from gateway.api.present import Presenter, plain, rfc3339
from gateway.model import (
    Alert,
    Command,
    Device,
    DeviceList,
    Notification,
    Outage,
    Pass,
    PlanRun,
    Roster,
    Round,
    Schedule,
    Shift,
    WorkOrder,
)
from gateway.store.queries import Reader
from gateway.store.rows import ChangeRow, DeviceRow

log = logging.getLogger("gatehouse.api")
_encode = msgspec.json.Encoder().encode

#: What concerns the gateway as a whole, and so everybody who may listen.
_FOR_ALL = frozenset(("ledger", "rules"))
_VALUE = frozenset(("value",))


class Frame(NamedTuple):
    """One change, ready to send. `site` is empty where it belongs to none, or to several: then `parts` tells each."""

    id: int
    kind: str
    site: str
    data: bytes
    parts: tuple[tuple[str, bytes], ...] = ()

    def told_to(self, sites: tuple[str, ...]) -> bytes:
        """What somebody who may see `sites` (empty: all) is told; nothing where it does not concern them."""
        if not sites or self.site in sites or (not self.site and self.kind in _FOR_ALL):
            return self.data
        own = b"".join(part for site, part in self.parts if site in sites)
        # The id ends the parts: who loses the link between them gets them all again.
        return own + b"id: %d\n\n" % self.id if own else b""


def frame_bytes(event: str, data: Any, id: int | None = None) -> bytes:
    """A frame as it goes over the wire."""
    head = f"id: {id}\nevent: {event}\ndata: " if id is not None else f"event: {event}\ndata: "
    return head.encode() + _encode(data) + b"\n\n"


class Framer:
    """Reads changes and makes frames of them. Works in a thread, off the loop."""

    def __init__(self, reader: Reader, presenter: Presenter) -> None:
        self._reader = reader
        self._presenter = presenter
        self._show: dict[str, tuple[msgspec.json.Decoder[Any], Callable[[Any], Any]]] = {
            "alert": (msgspec.json.Decoder(Alert), presenter.alert),
            "work_order": (msgspec.json.Decoder(WorkOrder), presenter.work_order),
            "plan_run": (msgspec.json.Decoder(PlanRun), presenter.plan_run),
            "command": (msgspec.json.Decoder(Command), presenter.command),
            "pass": (msgspec.json.Decoder(Pass), presenter.pass_),
            "roster": (msgspec.json.Decoder(Roster), presenter.roster),
            "device_list": (msgspec.json.Decoder(DeviceList), plain),
            "outage": (msgspec.json.Decoder(Outage), plain),
            "schedule": (msgspec.json.Decoder(Schedule), plain),
            "round": (msgspec.json.Decoder(Round), plain),
            "shift": (msgspec.json.Decoder(Shift), presenter.shift),
            "notification": (msgspec.json.Decoder(Notification), presenter.notification),
        }
        self._device = msgspec.json.Decoder(Device)

    def after(self, last: int, limit: int = 500) -> list[Frame]:
        """The frames of the changes past `last`, in order."""
        rows = self._reader.changes_after(last, limit)
        devices = {row.ref for row in rows if row.kind == "device"}
        known = self._reader.standings(devices) if devices else {}
        return list(self._frames(rows, known))

    def _frames(self, rows: Iterable[ChangeRow], known: Mapping[str, DeviceRow]) -> Iterable[Frame]:
        for row in rows:
            try:
                body = self._body(row, known)
            except (msgspec.DecodeError, TypeError, AttributeError, ValueError) as error:
                # The listener learns that the thing changed, and can ask for it by its ref.
                log.warning("change %d (%s %s) cannot be shown: %s", row.id, row.kind, row.ref, error)
                body = None
            data = {"ref": row.ref, "time": rfc3339(row.time), "body": body}
            parts = _parts(data, body) if row.kind == "states" and not row.site and body else ()
            yield Frame(row.id, row.kind, row.site, frame_bytes(row.kind, data, row.id), parts)

    def _body(self, row: ChangeRow, known: Mapping[str, DeviceRow]) -> Any:
        if not row.body or row.body == "null":
            return None
        if row.kind in self._show:
            decoder, show = self._show[row.kind]
            return show(decoder.decode(row.body))
        if row.kind == "device":
            return self._presenter.bare_device(self._device.decode(row.body), known.get(row.ref))
        told = msgspec.json.decode(row.body)
        if row.kind == "states":
            return {"devices": {device: self._standing(now) for device, now in told.get("devices", {}).items()}}
        return _loosely(self._presenter.masking.named(told, _VALUE)) if isinstance(told, dict) else told

    def _standing(self, now: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "site": now.get("site", ""),
            "online": now.get("online"),
            "last_at": rfc3339(now.get("last_at")),
            "kinds": self._presenter.kinds(now.get("kinds") or {}),
        }


def _parts(data: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[tuple[str, bytes], ...]:
    """The states of devices of several sites, as one frame a site."""
    by_site: dict[str, dict[str, Any]] = {}
    for device, now in body["devices"].items():
        by_site.setdefault(now["site"], {})[device] = now
    return tuple(
        (site, frame_bytes("states", {**data, "body": {"devices": devices}})) for site, devices in by_site.items()
    )


def _loosely(told: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping of no known struct by the same rules as the structs: wall times told, steady ones left out."""
    shown: dict[str, Any] = {}
    for name, value in told.items():
        if name == "at" or name.endswith("_due"):
            continue
        is_time = name in ("time", "received", "expires") or name.endswith(("_at", "_by"))
        shown[name] = rfc3339(value) if is_time and isinstance(value, float) else value
    return shown
