"""The fire system, as a panel mirrors it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from simulators.plant.device import PlantDevice, Told, towards
from simulators.wire import Identity, Now

SECOND_POINT_S = 40.0


class FirePanel(PlantDevice):
    """A panel with its points. A fire reaches a second detector after forty seconds."""

    faults: ClassVar[Mapping[str, str]] = {
        "fire": "a room burns",
        "loop": "a loop is open",
        "valve": "somebody closes a valve",
        "manual": "its releases are left on manual",
        "mains": "it runs from its battery",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self._alarms: list[str] = []
        self._standing: dict[str, bool] = {}

    def advance(self, seconds: float, now: Now) -> None:
        """Nothing of it moves."""

    def tell(self, now: Now) -> Sequence[Told]:
        """`fire.status`."""
        mode = "alarm" if self.suffers("fire") else "fault" if self.suffers("loop") else "normal"
        power = "battery" if self.suffers("mains") else "mains"
        return [("fire.status", {"mode": mode, "automatic": not self.suffers("manual"), "isolated": 0, "power": power})]

    def happen(self, now: Now) -> Sequence[Told]:
        """Each alarm once, its reset, and what begins and ends."""
        since = self.took_effect("fire")
        points = [] if since is None else ["017", "018"][: 1 if now.wall - since < SECOND_POINT_S else 2]
        said: list[Told] = [
            ("fire.alarm", {"active": True, "source": "smoke", "loop": 1, "point": point})
            for point in points
            if point not in self._alarms
        ]
        if self._alarms and not points:
            said.append(("fire.alarm", {"active": False, "source": "panel"}))
        self._alarms = points
        said += self._changed("loop", "fire.fault", {"part": "loop", "loop": 2, "detail": "loop 2 open"})
        said += self._changed("valve", "fire.supervisory", {"what": "valve_closed", "point": "V12"})
        return said

    def _changed(self, fault: str, kind: str, data: Mapping[str, object]) -> list[Told]:
        standing = self.suffers(fault)
        if self._standing.get(fault, False) == standing:
            return []
        self._standing[fault] = standing
        return [(kind, {"active": standing, **data})]


class FirePump(PlantDevice):
    """A fire pump and the pressure behind it."""

    faults: ClassVar[Mapping[str, str]] = {
        "no_start": "it is called and does not start",
        "pressure": "the hydrants lose their pressure",
        "tank": "its tank runs low",
        "fault": "its cabinet reports a fault",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.pressure_kpa, self.tank_pct = 320.0, 97.0

    def advance(self, seconds: float, now: Now) -> None:
        """Pressure is lost within minutes, water within hours."""
        self.pressure_kpa = towards(self.pressure_kpa, 60.0 if self.suffers("pressure") else 320.0, seconds, 240.0)
        self.tank_pct = towards(self.tank_pct, 60.0 if self.suffers("tank") else 97.0, seconds, 7200.0)

    def tell(self, now: Now) -> Sequence[Told]:
        """`fire.status`."""
        data = {
            "pump_called": self.suffers("no_start"),
            "pump": "fault" if self.suffers("fault") else "standby",
            "pressure_kpa": round(self.pressure_kpa, 1),
            "tank_pct": round(self.tank_pct, 1),
        }
        return [("fire.status", data)]
