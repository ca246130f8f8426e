"""Vzenith plate cameras over MQTT: the new variant (envelopes, base64 plates) and the old one (bare AlarmInfoPlate)."""

from __future__ import annotations

import abc
import base64
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from simulators.device import Device
from simulators.parking.lane import Car, Lane
from simulators.wire import Identity, Message, Now, to_json

KEEP_ALIVE_S = 30.0
STATUS_S = 60.0
STORED_RECORDS = 500
LOOP_INPUT = 0
_BLUE, _GREEN = 1, 5


def camera_topics(serial: str, *, old: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The topics a camera publishes on, and those it reads."""
    if old:
        return ("/device/push/result",), (f"/device/{serial}/command",)
    root = f"device/{serial}/message"
    up = tuple(f"{root}/up/{name}" for name in ("ivs_result", "gpio_in", "keep_alive", "barr_gate_status"))
    down = ("gpio_out", "gate_direct_open", "set_time", "white_list_operator")
    return up + tuple(f"{root}/down/{name}/reply" for name in down), tuple(f"{root}/down/{name}" for name in down)


class PlateCamera(Device, abc.ABC):
    """What both generations share: one result a car, stored while offline and sent with `isoffline` 1 afterwards."""

    faults: ClassVar[Mapping[str, str]] = {
        "stuck_open": "the arm stops upright after the next car and will not lower",
        "stuck_closed": "the arm lies and will not rise",
        "obstructed": "each time the arm comes down it hits something and rises again",
        "unread": "plates are dirty: the camera reads none",
    }
    gradual: ClassVar[frozenset[str]] = frozenset(("stuck_open", "obstructed"))
    tick: ClassVar[float] = 0.25

    def __init__(self, identity: Identity, seed: object, lane: Lane, direction: str = "in") -> None:
        super().__init__(identity, seed)
        self.lane = lane
        self._direction = 4 if direction == "in" else 3
        self._records = 0
        self._stored: OrderedDict[int, tuple[float, int, Car]] = OrderedDict()
        self._told_loop: bool | None = None
        self._told_arm: str | None = None
        self._next_alive = 0.0
        self._next_status = 0.0
        digest = hashlib.sha256(identity.external_id.encode()).digest()
        self.address = f"192.168.6.{digest[0] % 250 + 2}"

    def begin(self, fault: str, now: Now, options: Mapping[str, float] | None = None) -> None:
        """As for every device; a car comes at once where the fault needs one to show."""
        super().begin(fault, now, options)
        if fault in ("stuck_open", "obstructed"):
            self.lane.jammed = fault == "obstructed"
            self.lane.drive_through(now.wall)
        elif fault == "stuck_closed":
            self.lane.stuck = True

    def end(self, fault: str, now: Now) -> None:
        """As for every device; a freed arm comes down."""
        super().end(fault, now)
        if fault in ("stuck_open", "stuck_closed", "obstructed"):
            self.lane.stuck = self.lane.jammed = False
            self.lane.close()

    def connected(self, now: Now) -> list[Message]:
        """Sends what was stored while the line was down."""
        super().connected(now)
        self._next_alive = self._next_status = now.wall
        messages = [
            self._result(car, wall, number, now, offline=True) for number, (wall, _, car) in self._stored.items()
        ]
        self._stored.clear()
        return messages

    def _step(self, now: Now) -> list[Message]:
        self.lane.advance(now)
        if self.suffers("stuck_open") and self.lane.arm >= 1.0:
            self.lane.stuck = True
            self._effective("stuck_open", now)
        if self.lane.obstructed:
            self._effective("obstructed", now)
        messages: list[Message] = []
        for car in self.lane.arrivals:
            messages += self._seen(car, now)
        self.lane.arrivals.clear()
        if self.online:
            messages += self._condition(now)
            if now.wall >= self._next_alive:
                self._next_alive = now.wall + KEEP_ALIVE_S
                messages.append(self._keep_alive(now))
        self.due = now.wall + self.tick
        return messages

    def _seen(self, car: Car, now: Now) -> list[Message]:
        if self.suffers("unread"):
            car = Car(None, car.registered)
        self._records += 1
        # Numbers go on after a restart, as the camera's own database would.
        number = ((self.boot or 0) * 100 + self._records) & 0x7FFFFFFF
        if self.online:
            return [self._result(car, self.clock(now), number, now, offline=False)]
        self._stored[number] = (self.clock(now), number, car)
        while len(self._stored) > STORED_RECORDS:
            self._stored.popitem(last=False)
        return []

    def _plate_result(self, car: Car, wall: float, number: int, offline: bool, literal: str) -> dict[str, Any]:
        left = self.random.randrange(500, 1000)
        return {
            "bright": 0,
            "carBright": 0,
            "carColor": 255,
            "car_brand": {"brand": 255, "type": 255, "year": 65535},
            "car_location": {"RECT": {"bottom": 1086, "left": left - 200, "right": left + 430, "top": 879}},
            "colorType": 0 if car.plate is None else _GREEN if len(car.plate) > 7 else _BLUE,
            "colorValue": 0,
            "confidence": 0 if car.plate is None else self.random.randrange(86, 101),
            "direction": self._direction,
            "enable_encrypt": 0,
            "is_fake_plate": 0,
            "isoffline": int(offline),
            "license": literal,
            "location": {"RECT": {"bottom": 970, "left": left, "right": left + 200, "top": 902}},
            "plate_distance": 0,
            "plate_true_width": 0,
            "plateid": number,
            "timeStamp": {"Timeval": {"sec": int(wall), "usec": int(wall % 1 * 1_000_000)}},
            "timeUsed": self.random.randrange(100_000, 4_000_000),
            "triggerType": 8,
            "type": 0 if car.plate is None else 1,
        }

    @abc.abstractmethod
    def _result(self, car: Car, wall: float, number: int, now: Now, *, offline: bool) -> Message:
        """The recognition result."""

    @abc.abstractmethod
    def _keep_alive(self, now: Now) -> Message:
        """The heartbeat."""

    def _condition(self, now: Now) -> list[Message]:
        """What the variant tells of loop and arm."""
        return []


class NewCamera(PlateCamera):
    """`device/{sn}/message/up/...`, with the arm's controller behind it; `gpio_out` on io 0 raises, on io 1 lowers."""

    def __init__(self, identity: Identity, seed: object, lane: Lane, direction: str = "in") -> None:
        super().__init__(identity, seed, lane, direction)
        self.listed: dict[str, dict[str, Any]] = {}
        """Its white and black list, by plate."""
        self.list_space = 10_000

    def _list(self, wanted: Mapping[str, Any]) -> int:
        """`white_list_operator`: 200 where the list was changed, 400 for what it knows not, 507 where it is full."""
        operator, plate = wanted.get("operator_type"), wanted.get("plate")
        if operator == "delete" and isinstance(plate, str):
            self.listed.pop(plate, None)
            return 200
        records = wanted.get("dldb_rec")
        if operator not in ("update_or_add", "add") or not isinstance(records, list):
            return 400
        for record in records:
            if record["plate"] not in self.listed and len(self.listed) >= self.list_space:
                return 507
            self.listed[record["plate"]] = dict(record)
        return 200

    def command(self, topic: str, payload: bytes, now: Now) -> list[Message]:
        """Answers every command on its `/reply` topic; 200 where the relay switched, 500 where the arm cannot move."""
        try:
            body = msgspec.json.decode(payload)
            name, identifier = str(body["name"]), str(body["id"])
            inner = body.get("payload") or {}
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            return []
        code = 200
        if name == "gpio_out":
            wanted = inner.get("body") or {}
            moved = True
            if wanted.get("value") == 2:
                moved = self.lane.close() if wanted.get("io") == 1 else self.lane.open()
            code = 200 if moved else 500
        elif name == "gate_direct_open":
            code = 200 if self.lane.open() else 500
        elif name == "white_list_operator":
            code = self._list(inner.get("body") or {})
        elif name != "set_time":
            code = 404
        self.due = now.wall
        reply = {
            "id": identifier,
            "sn": self.identity.external_id,
            "name": name,
            "version": "1.0",
            "timestamp": int(self.clock(now)),
            "code": code,
            "msg": "ok" if code == 200 else "failed",
        }
        return [Message(f"{topic}/reply", to_json(reply), self.id, f"reply:{identifier}")]

    def _result(self, car: Car, wall: float, number: int, now: Now, *, offline: bool) -> Message:
        literal = base64.b64encode((car.plate or "_无_").encode()).decode()
        result = self._plate_result(car, wall, number, offline, literal)
        return self._up("ivs_result", {"AlarmInfoPlate": self._alarm({"PlateResult": result})}, now, f"plate:{number}")

    def _keep_alive(self, now: Now) -> Message:
        return self._up("keep_alive", {"body": {}}, now, "keep_alive")

    def _condition(self, now: Now) -> list[Message]:
        messages: list[Message] = []
        if self.lane.loop != self._told_loop:
            self._told_loop = self.lane.loop
            trigger = {"TriggerResult": {"source": LOOP_INPUT, "value": int(self.lane.loop)}}
            messages.append(self._up("gpio_in", {"body": {"AlarmGioIn": self._alarm(trigger)}}, now, "gpio_in"))
        position = self.lane.position
        if position != "moving" and (position != self._told_arm or now.wall >= self._next_status):
            self._told_arm = position
            self._next_status = now.wall + STATUS_S
            status = {"connect_status": 1, "enable": 1, "gate_ctrl_id": 1, "gate_status": int(position == "up")}
            messages.append(self._up("barr_gate_status", {"body": status}, now, "barr_gate_status"))
        return messages

    def _alarm(self, result: Mapping[str, object]) -> dict[str, object]:
        own = {"deviceName": "IVS", "ipaddr": self.address, "serialno": self.identity.external_id}
        return {"channel": 0, **own, "result": result}

    def _up(self, name: str, payload: Mapping[str, object], now: Now, ref: str) -> Message:
        serial = self.identity.external_id
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        identifier = f"{(self.boot or 0) & 0xFFFFFF:06x}" + "".join(self.random.choices(letters, k=10))
        envelope = {"sn": serial, "name": name, "version": "1.0", "timestamp": int(self.clock(now))}
        body = to_json({"id": identifier, "bv": 12378, **envelope, "payload": payload})
        return Message(f"device/{serial}/message/up/{name}", body, self.id, f"{ref}:{identifier}")


class OldCamera(PlateCamera):
    """`/device/push/result`, plates as plain text; opens by `Response_AlarmInfoPlate` and tells nothing of the arm."""

    def command(self, topic: str, payload: bytes, now: Now) -> list[Message]:
        """`channelNum` 0 raises, 1 lowers. This firmware gives no answer."""
        try:
            body = msgspec.json.decode(payload)
            order = body["Response_AlarmInfoPlate"]
        except (msgspec.DecodeError, KeyError, TypeError):
            return []
        if isinstance(order, dict) and order.get("info") == "ok":
            _ = self.lane.close() if order.get("channelNum") == 1 else self.lane.open()
            self.due = now.wall
        return []

    def _result(self, car: Car, wall: float, number: int, now: Now, *, offline: bool) -> Message:
        result = self._plate_result(car, wall, number, offline, car.plate or "_无_")
        return self._push({"result": {"PlateResult": result}}, f"plate:{number}")

    def _keep_alive(self, now: Now) -> Message:
        return self._push({"heartbeat": 1}, f"heartbeat:{int(now.wall)}")

    def _push(self, extra: Mapping[str, object], ref: str) -> Message:
        own = {"deviceName": "", "ipaddr": self.address, "serialno": self.identity.external_id}
        body = {"AlarmInfoPlate": {"channel": 0, **own, **extra}}
        return Message("/device/push/result", to_json(body), self.id, ref)
