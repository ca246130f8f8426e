"""Pump rooms, tanks, sumps: what keeps water where it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from simulators.habits import water
from simulators.plant.device import PlantDevice, Told, towards
from simulators.wire import Identity, Now

SETPOINT_KPA = 420.0


class Pump(PlantDevice):
    """A pump with a drive that holds the pressure; stands ready at night, when nobody draws."""

    faults: ClassVar[Mapping[str, str]] = {
        "fault": "the drive has tripped",
        "burst": "a pipe draws more than the pump gives",
        "mains_lost": "no water comes from the street",
        "hot": "the motor runs hot",
        "worn": "a bearing is worn and it vibrates",
    }

    switches: ClassVar[Mapping[str, bool]] = {"start": True, "stop": False}

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.outlet_kpa = SETPOINT_KPA
        self.inlet_kpa = 210.0
        self.motor_c = 55.0
        self.hours = 4100.0

    @property
    def running(self) -> bool:
        """Whether it turns."""
        return self.switched is not False and not self.suffers("fault")

    def advance(self, seconds: float, now: Now) -> None:
        """Pressure follows the drive, the motor its load."""
        pressure = SETPOINT_KPA if self.running else 40.0
        pressure = pressure * 0.6 if self.suffers("burst") else pressure
        self.outlet_kpa = towards(self.outlet_kpa, pressure, seconds, 20.0)
        self.inlet_kpa = towards(self.inlet_kpa, 10.0 if self.suffers("mains_lost") else 210.0, seconds, 60.0)
        warm = 118.0 if self.suffers("hot") else 45.0 + 12.0 * min(1.0, water(now.hour))
        self.motor_c = towards(self.motor_c, warm if self.running else 25.0, seconds, 600.0)
        self.hours += seconds / 3600.0 if self.running else 0.0

    def tell(self, now: Now) -> Sequence[Told]:
        """`water.pump`."""
        shake = 9.5 if self.suffers("worn") else 2.1
        failed = self.suffers("fault")
        data = {
            "state": "fault" if failed else "running" if self.running else "stopped",
            "mode": "auto",
            "outlet_kpa": round(self.outlet_kpa, 1),
            "inlet_kpa": round(self.inlet_kpa, 1),
            "setpoint_kpa": SETPOINT_KPA,
            "motor_c": round(self.motor_c, 1),
            "vibration_mmps": round(shake + self.random.uniform(-0.2, 0.2), 2) if self.running else 0.0,
            "running_hours": round(self.hours, 2),
        }
        return [("water.pump", {**data, "fault": "overcurrent"} if failed else data)]


class Tank(PlantDevice):
    """A tank that the street fills and people empty; a float keeps it near 85 %."""

    faults: ClassVar[Mapping[str, str]] = {
        "inlet_closed": "its inlet valve stays closed",
        "float_stuck": "its float hangs and it fills without end",
        "lid": "somebody opens its lid",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.level_pct = 85.0

    def advance(self, seconds: float, now: Now) -> None:
        """The balance of what comes and goes; half a day empties it."""
        drawn = 0.0025 * max(0.3, water(now.hour))
        filling = 0.0 if self.suffers("inlet_closed") else 0.012 if self.suffers("float_stuck") else 0.008
        wanted = self.suffers("float_stuck") or self.level_pct < 85.0
        self.level_pct += seconds * ((filling if wanted else 0.0) - drawn)
        self.level_pct = max(0.0, min(100.0, self.level_pct))

    def tell(self, now: Now) -> Sequence[Told]:
        """`water.tank`."""
        full = self.level_pct >= 99.0
        data = {"level_pct": round(self.level_pct, 1), "overflow": full, "lid_open": self.suffers("lid")}
        return [("water.tank", data)]


class Quality(PlantDevice):
    """An instrument behind the tank."""

    faults: ClassVar[Mapping[str, str]] = {
        "turbid": "the water is cloudy",
        "no_chlorine": "the dosing has stopped",
        "alkaline": "the water is alkaline",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.turbidity, self.chlorine, self.ph = 0.25, 0.4, 7.4

    def advance(self, seconds: float, now: Now) -> None:
        """What is in the water changes within minutes."""
        self.turbidity = towards(self.turbidity, 2.6 if self.suffers("turbid") else 0.25, seconds, 300.0)
        self.chlorine = towards(self.chlorine, 0.01 if self.suffers("no_chlorine") else 0.4, seconds, 900.0)
        self.ph = towards(self.ph, 9.1 if self.suffers("alkaline") else 7.4, seconds, 600.0)

    def tell(self, now: Now) -> Sequence[Told]:
        """`water.quality`."""
        data = {"turbidity_ntu": self.turbidity, "chlorine_mgl": self.chlorine, "ph": self.ph}
        return [("water.quality", {name: round(value, 3) for name, value in data.items()})]


class Sump(PlantDevice):
    """A sump that fills slowly, and a pump that empties it between two floats."""

    faults: ClassVar[Mapping[str, str]] = {
        "pump_failed": "its pump does not start",
        "inflow": "more comes than its pump can lift",
        "lid": "its manhole lid is moved",
    }
    alarm_m = 1.2

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.level_m = 0.5
        self.pumping = False

    def advance(self, seconds: float, now: Now) -> None:
        """Centimetres a minute."""
        if self.level_m > 0.8:
            self.pumping = True
        elif self.level_m < 0.3:
            self.pumping = False
        lift = 0.0025 if self.pumping and not self.suffers("pump_failed") else 0.0
        inflow = 0.0040 if self.suffers("inflow") else 0.0003
        self.level_m = max(0.0, min(2.5, self.level_m + seconds * (inflow - lift)))

    def tell(self, now: Now) -> Sequence[Told]:
        """`flood.level`."""
        pump = "fault" if self.suffers("pump_failed") else "running" if self.pumping else "standby"
        data = {"level_m": round(self.level_m, 3), "alarm_m": self.alarm_m, "high": self.level_m > self.alarm_m}
        return [("flood.level", {**data, "lid_open": self.suffers("lid"), "pump": pump})]


class LeakCable(PlantDevice):
    """A cable along the wall that tells where it is wet."""

    faults: ClassVar[Mapping[str, str]] = {"leak": "a pipe drips on it", "cable": "the cable is broken"}

    def advance(self, seconds: float, now: Now) -> None:
        """Nothing of it moves."""

    def tell(self, now: Now) -> Sequence[Told]:
        """`flood.leak`."""
        wet = self.suffers("leak")
        data = {"active": wet, "cable_fault": self.suffers("cable")}
        return [("flood.leak", {**data, "distance_m": 12.5} if wet else data)]
