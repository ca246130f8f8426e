"""What is known of each device now: the newest data of each kind, written and announced in coalesced form."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.model import Event

_encode = msgspec.json.Encoder().encode
#: Devices in one announcement; the rest wait for the next, so that one row stays readable.
ANNOUNCE_MOST = 50
#: Kinds of a device, and fields of a kind, that are kept as its present: more only comes from what invents names.
MOST_KINDS, MOST_FIELDS = 64, 500


class DeviceState(msgspec.Struct):
    """One device's present. `kinds` maps a kind to its newest data, device time and receipt (wall)."""

    site: str
    online: bool | None = None
    last_at: float = 0.0
    skew: float | None = None
    messages: int = 0
    kinds: dict[str, dict[str, Any]] = {}
    shadow: dict[str, Any] = {}


class States:
    """All devices' states, and which of them are not written or announced yet."""

    def __init__(self) -> None:
        self.devices: dict[str, DeviceState] = {}
        self._unwritten: set[str] = set()
        self._unannounced: dict[str, None] = {}

    def of(self, device: str, site: str) -> DeviceState:
        """A device's state, made at its first message."""
        state = self.devices.get(device)
        if state is None:
            state = self.devices[device] = DeviceState(site)
        return state

    def heard(self, device: str, site: str, wall: float) -> DeviceState:
        """Notes that a live message came."""
        state = self.of(device, site)
        state.messages += 1
        state.last_at = wall
        if state.online is not True:
            state.online = True
        self._unwritten.add(device)
        self._unannounced[device] = None
        return state

    def touch(self, device: str) -> None:
        """Marks a state that was changed in place."""
        self._unwritten.add(device)
        self._unannounced[device] = None

    def take(self, state: DeviceState, event: Event) -> None:
        """Merges an event: of each kind the newest by device time wins, an older one fills what is missing."""
        known = state.kinds.get(event.kind)
        if known is None:
            if len(state.kinds) >= MOST_KINDS:
                del state.kinds[min(state.kinds, key=lambda kind: state.kinds[kind]["received"])]
            state.kinds[event.kind] = {"data": event.data, "time": event.time, "received": event.received}
        elif event.time >= known["time"]:
            data, before = event.data, known["data"]
            whole = before.keys() <= data.keys() or len(before) + len(data) > MOST_FIELDS
            known["data"] = data if whole else before | data
            known["time"], known["received"] = event.time, event.received
        elif len(known["data"]) + len(event.data) <= MOST_FIELDS:
            known["data"] = event.data | known["data"]
        self._unwritten.add(event.device)
        self._unannounced[event.device] = None

    @property
    def unwritten(self) -> int:
        """How many states the database does not have yet."""
        return len(self._unwritten)

    @property
    def waiting(self) -> bool:
        """Whether there are changes that nobody was told of."""
        return bool(self._unannounced)

    def rows(self) -> list[tuple[Any, ...]]:
        """The unwritten states as rows of `device_states`; afterwards none is unwritten."""
        rows = []
        for device in sorted(self._unwritten):
            state = self.devices[device]
            shadow = _encode(state.shadow).decode() if state.shadow else None
            rows.append((
                device, state.site, state.online, state.last_at, state.skew, state.messages,
                _encode(state.kinds).decode(), shadow,
            ))  # fmt: skip
        self._unwritten.clear()
        return rows

    def announcement(self) -> bytes | None:
        """The next devices' states as the body of a `states` change, None when there is nothing to tell."""
        if not self._unannounced:
            return None
        chosen = list(self._unannounced)[:ANNOUNCE_MOST]
        for device in chosen:
            del self._unannounced[device]
        told = {}
        for device in chosen:
            state = self.devices[device]
            told[device] = {"site": state.site, "online": state.online, "last_at": state.last_at, "kinds": state.kinds}
        return _encode({"devices": told})
