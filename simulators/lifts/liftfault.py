"""A lift monitor that speaks `LiftFault`: silent while all is well, one message as a fault begins, one as it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from simulators.device import Device
from simulators.lifts.monitor import GRADUAL, LIFT_FAULTS, Shaft
from simulators.wire import Identity, Message, Now, local_time, to_json

TOPIC = "/API/V1/Up/LiftFault"
ENTRAPMENT, OVERSPEED = 1, 6
FAULT_TYPES = {"entrapment": ENTRAPMENT, "overspeed": OVERSPEED}
DIRECTIONS = {"stopped": "0", "up": "1", "down": "2"}
DOORS = {"closed": "0", "open": "1", "closing": "2", "opening": "3"}


@dataclass(slots=True)
class _Standing:
    key: str
    kind: int
    began: str


class LiftFaultLift(Device):
    """One `keyId` per fault: first with an empty `faultEndTime`, then with the time. The maker gives no other message.

    `door_reopening` and `machine_room_heat` have no number in this format, so they stay untold.
    """

    faults: ClassVar[Mapping[str, str]] = LIFT_FAULTS
    gradual: ClassVar[frozenset[str]] = GRADUAL

    def __init__(self, identity: Identity, seed: object, top: int, trips_per_day: float) -> None:
        super().__init__(identity, seed)
        self.shaft = Shaft(self.random, top, trips_per_day)
        self._standing: dict[str, _Standing] = {}
        digest = hashlib.sha256(identity.external_id.encode()).hexdigest()
        self._mac = ":".join(digest[i : i + 2] for i in range(0, 12, 2)).upper()
        self._uuid = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"

    def connected(self, now: Now) -> list[Message]:
        """Tells the standing faults again, under their old keys."""
        super().connected(now)
        return [self._message(standing, "", now) for standing in self._standing.values()]

    def _step(self, now: Now) -> list[Message]:
        self.shaft.advance(now, self._troubles)
        messages: list[Message] = []
        stamp = local_time(self.clock(now), self.identity.timezone)
        for name, kind in FAULT_TYPES.items():
            active = self.took_effect(name) is not None
            if active and name not in self._standing:
                key = f"{self.identity.external_id}{int(now.wall * 1000)}"
                self._standing[name] = _Standing(key, kind, stamp)
                messages.append(self._message(self._standing[name], "", now))
            elif not active and name in self._standing:
                messages.append(self._message(self._standing.pop(name), stamp, now))
        self.due = now.wall + self.tick
        return messages

    def _message(self, standing: _Standing, ended: str, now: Now) -> Message:
        car = self.shaft.car
        fault = {"keyId": standing.key, "faultType": standing.kind, "faultBeginTime": standing.began}
        body = {
            "type": "LiftFault",
            "macAddr": self._mac,
            "uuid": self._uuid,
            "elevatorNo": self.identity.external_id,
            "currentSpeed": f"{abs(car.speed):.2f}",
            "runningDirection": DIRECTIONS[car.motion],
            "doorStatus": DOORS[car.door_state],
            "personInLift": "1" if car.people else "0",
            "currentFloor": str(car.floor),
            "temperature": f"{self.shaft.machine_room_c:.1f}",
            "lightVariationAmplitude": "0",
            "ErrorListBean": [fault | {"faultEndTime": ended, "faultVideoUrl": ""}],
        }
        state = "end" if ended else "begin"
        return Message(TOPIC, to_json(body), self.id, f"{standing.key}:{state}")
