"""The words every model shares: the two clocks of a moment, a message, and how times are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Now:
    """A moment on both clocks.

    `wall` is real time in Unix seconds: what devices stamp their messages with, and what lifts, doors and arms move by.
    `simulated` is seconds since midnight of the first simulated day: what the habits of people and the load curves
    follow, and what registers count by. It runs `speed` times faster.
    """

    wall: float
    simulated: float
    speed: float = 1.0

    @property
    def hour(self) -> float:
        """The simulated hour of the day, 0 <= hour < 24."""
        return self.simulated % DAY_S / 3600.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message a device wants to publish. `ref` names it within the device, for the ledger of truth."""

    topic: str
    payload: bytes
    device: str
    ref: str = ""
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a gateway must know of a device to register it. `external_id` is the maker's serial."""

    id: str
    site: str
    adapter: str
    type: str
    external_id: str
    name: dict[str, str]
    zone: str | None = None
    building: str | None = None
    parent: str | None = None
    timezone: str = "Asia/Shanghai"
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    report_interval: float = 0.0
    settings: dict[str, object] = field(default_factory=dict)

    def registration(self) -> dict[str, object]:
        """The device as `python -m simulators devices` prints it."""
        return {
            "id": self.id,
            "site": self.site,
            "adapter": self.adapter,
            "name": self.name,
            "zone": self.zone,
            "building": self.building,
            "type": self.type,
            "external_id": self.external_id,
            "parent": self.parent,
            "report_interval": self.report_interval,
            "settings": self.settings,
            "topics": {"publish": list(self.publish), "subscribe": list(self.subscribe)},
        }


@dataclass(slots=True)
class Trouble:
    """A fault a device suffers now. `since` is when it took physical effect (wall clock), None until it has."""

    name: str
    options: dict[str, float] = field(default_factory=dict)
    since: float | None = None


def to_json(value: object) -> bytes:
    """Compact UTF-8 JSON, as firmware writes it."""
    return msgspec.json.encode(value)


def rfc3339(wall: float) -> str:
    """Unix seconds as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(wall: float, timezone: str, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Unix seconds as the zone-less local time that Chinese terminals and Tasmota print."""
    return datetime.fromtimestamp(wall, ZoneInfo(timezone)).strftime(form)
