"""A barrier controller of the native format, for lanes whose camera tells nothing of the arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulators.native import NativeDevice, Status
from simulators.parking.lane import Lane
from simulators.wire import Identity, Message, Now

REPORT_S = 60.0


class BarrierController(NativeDevice):
    """Reports `parking.barrier` on every change and every minute. Obeys `raise`, `lower` and `hold_open`."""

    faults: ClassVar[Mapping[str, str]] = {
        "stuck_open": "the arm stops upright and will not lower",
        "stuck_closed": "the arm lies and will not rise",
        "obstructed": "each time the arm comes down it hits something and rises again",
    }
    gradual: ClassVar[frozenset[str]] = frozenset(("stuck_open", "obstructed"))
    tick: ClassVar[float] = 0.25

    def __init__(self, identity: Identity, seed: object, lane: Lane) -> None:
        super().__init__(identity, seed)
        self.lane = lane
        self._told: dict[str, object] = {}
        self._next_report = 0.0
        self._still_since = 0.0

    def begin(self, fault: str, now: Now, options: Mapping[str, float] | None = None) -> None:
        """As for every device; the arm is raised where the fault needs it up."""
        super().begin(fault, now, options)
        if fault in ("stuck_open", "obstructed"):
            self.lane.jammed = fault == "obstructed"
            self.lane.drive_through(now.wall)
        elif fault == "stuck_closed":
            self.lane.stuck = True

    def end(self, fault: str, now: Now) -> None:
        """As for every device; a freed arm comes down."""
        super().end(fault, now)
        if fault in self.faults:
            self.lane.stuck = self.lane.jammed = False
            self.lane.close()

    def obey(self, identifier: str, command: str, args: Mapping[str, Any], now: Now) -> tuple[Status, str]:
        """`lower` is refused while a car stands on the loop."""
        if command in ("raise", "open", "hold_open"):
            self.lane.keep_open = command == "hold_open" or self.lane.keep_open
            moved = self.lane.open()
        elif command in ("lower", "close"):
            if self.lane.loop:
                return "rejected", "a vehicle stands under the arm"
            moved = self.lane.close()
        else:
            return "rejected", f"a barrier has no command {command!r}; it has raise, lower, hold_open"
        self.due = now.wall
        return ("done", "") if moved else ("failed", "the arm does not move")

    def _step(self, now: Now) -> list[Message]:
        self.lane.advance(now)
        if self.suffers("stuck_open") and self.lane.arm >= 1.0:
            self.lane.stuck = True
            self._effective("stuck_open", now)
        if self.lane.obstructed:
            self._effective("obstructed", now)
        data: dict[str, object] = {
            "position": self.lane.position,
            "loop_occupied": self.lane.loop,
            "obstructed": self.lane.obstructed,
            "fault": self.lane.stuck,
        }
        self.due = now.wall + self.tick
        if data == self._told and now.wall < self._next_report:
            return []
        self._told = data
        self._next_report = now.wall + REPORT_S
        return [self.event("parking.barrier", data, now)]
