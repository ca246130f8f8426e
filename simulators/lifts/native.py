"""A lift monitor of the native format: `elevator.status`, `elevator.fault`, `elevator.call`; obeys `recall`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulators.lifts.monitor import GRADUAL, LIFT_FAULTS, Shaft
from simulators.native import NativeDevice, Status
from simulators.wire import Identity, Message, Now

REPORT_S = 10.0
# Numbers of the code set that several Chinese monitors share.
CODES = {"entrapment": "8", "overspeed": "3", "door_reopening": "12"}
NAMES = {"entrapment": "entrapment_between", "overspeed": "overspeed", "door_reopening": "door_close_fault"}
CALL_AFTER_S = 4.0


class NativeLift(NativeDevice):
    """Reports its status on every change of floor, door, motion or mode, and every ten seconds.

    Obeys `recall` (to the ground floor, answered when it stands there with its door open), `release` (back to
    service) and `announce`.
    """

    faults: ClassVar[Mapping[str, str]] = LIFT_FAULTS
    gradual: ClassVar[frozenset[str]] = GRADUAL

    def __init__(
        self, identity: Identity, seed: object, top: int, trips_per_day: float, tells_faults: bool = True
    ) -> None:
        super().__init__(identity, seed)
        self.shaft = Shaft(self.random, top, trips_per_day)
        self._tells_faults = tells_faults
        self._told: tuple[object, ...] = ()
        self._next_report = 0.0
        self._standing: set[str] = set()
        self._called_at: float | None = None
        self._recalls: list[str] = []

    def obey(self, identifier: str, command: str, args: Mapping[str, Any], now: Now) -> tuple[Status, str] | None:
        """`recall` answers `failed` at once when the car is trapped, else when it has arrived."""
        self.due = now.wall
        if command == "recall":
            if not self.shaft.car.recall():
                return "failed", "the car is stuck between two floors"
            self._recalls.append(identifier)
            return None
        if command in ("release", "resume"):
            self.shaft.car.resume()
            return "done", ""
        if command == "announce":
            return "done", ""
        return "rejected", f"a lift has no command {command!r}; it has recall, release, announce"

    def _step(self, now: Now) -> list[Message]:
        self.shaft.advance(now, self._troubles)
        messages = self._fault_changes(now) + self._alarm_button(now) + self._finished_recalls()
        data = self._status()
        told = (data["floor"], data["door"], data["motion"], data["mode"], data["occupied"])
        if told != self._told or now.wall >= self._next_report:
            self._told = told
            self._next_report = now.wall + REPORT_S
            messages.append(self.event("elevator.status", data, now))
        self.due = now.wall + self.tick
        return messages

    def _status(self) -> dict[str, object]:
        car = self.shaft.car
        return {
            "floor": car.floor,
            "door": car.door_state,
            "motion": car.motion,
            "in_door_zone": car.in_door_zone,
            "occupied": car.people > 0,
            "load_kg": car.load_kg,
            "speed_mps": round(abs(car.speed), 2),
            "mode": "recall" if car.recalled else "normal",
            "machine_room_c": round(self.shaft.machine_room_c, 1),
            "power": "mains",
            "cycles": car.cycles,
            "running_hours": round(car.running_s / 3600.0, 3),
        }

    def _fault_changes(self, now: Now) -> list[Message]:
        """The monitor's own diagnosis, which comes when the fault shows and goes when it is mended."""
        if not self._tells_faults:
            return []
        messages: list[Message] = []
        for name, code in CODES.items():
            standing = self.took_effect(name) is not None
            if standing == (name in self._standing):
                continue
            self._standing.symmetric_difference_update((name,))
            data = {"fault": NAMES[name], "code": code, "active": standing, "floor": self.shaft.car.floor}
            data["occupied"] = self.shaft.car.people > 0
            messages.append(self.event("elevator.fault", data, now))
        return messages

    def _alarm_button(self, now: Now) -> list[Message]:
        since = self.took_effect("entrapment")
        if since is None:
            self._called_at = None
        elif self._called_at is None and now.wall - since >= CALL_AFTER_S:
            self._called_at = now.wall
            return [self.event("elevator.call", {"floor": self.shaft.car.floor, "kind": "alarm"}, now)]
        return []

    def _finished_recalls(self) -> list[Message]:
        car = self.shaft.car
        if not self._recalls or not (car.recalled and car.floor == 1 and car.door_state == "open"):
            return []
        finished, self._recalls = self._recalls, []
        return [self.finish(identifier, "done", "at the ground floor with its door open") for identifier in finished]
