"""Switchgear, transformers, batteries, boilers, lamps, chargers: what carries energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from simulators.habits import electricity
from simulators.plant.device import PlantDevice, Told, towards
from simulators.wire import Identity, Now


class Switchgear(PlantDevice):
    """The main board of a building."""

    faults: ClassVar[Mapping[str, str]] = {
        "outage": "the mains are gone",
        "phase_lost": "one phase is missing",
        "tripped": "its breaker has tripped",
        "earth_fault": "current flows to earth",
        "hot_cable": "a terminal is loose and hot",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.cable_c = 38.0

    def advance(self, seconds: float, now: Now) -> None:
        """A loose terminal warms up within a quarter of an hour."""
        self.cable_c = towards(self.cable_c, 112.0 if self.suffers("hot_cable") else 38.0, seconds, 600.0)

    def tell(self, now: Now) -> Sequence[Told]:
        """`power.status`."""
        out = self.suffers("outage")
        a, b, c = (0.0 if out else 229.0 + self.random.uniform(-2, 2) for _ in range(3))
        c = 35.0 if self.suffers("phase_lost") and not out else c
        data = {
            "mains": not out,
            "source": "none" if out else "mains",
            "breaker": "tripped" if self.suffers("tripped") else "on",
            "voltage_a_v": round(a, 1),
            "voltage_b_v": round(b, 1),
            "voltage_c_v": round(c, 1),
            "residual_ma": 720.0 if self.suffers("earth_fault") else 60.0,
            "cable_c": round(self.cable_c, 1),
        }
        return [("power.status", data)]


class Transformer(PlantDevice):
    """A dry transformer: its winding follows load and fan."""

    faults: ClassVar[Mapping[str, str]] = {"fan": "its fan stands still", "overload": "too much hangs on it"}

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.winding_c = 80.0

    def _load(self, now: Now) -> float:
        return 99.0 if self.suffers("overload") else 30.0 * electricity(now.hour)

    def advance(self, seconds: float, now: Now) -> None:
        """An hour is its time constant."""
        warm = 142.0 if self.suffers("fan") else 55.0 + 0.5 * self._load(now)
        self.winding_c = towards(self.winding_c, warm, seconds, 3600.0)

    def tell(self, now: Now) -> Sequence[Told]:
        """`power.status`."""
        data = {"mains": True, "winding_c": round(self.winding_c, 1), "load_pct": round(self._load(now), 1)}
        return [("power.status", data)]


class Ups(PlantDevice):
    """A battery that carries its load for forty minutes."""

    faults: ClassVar[Mapping[str, str]] = {"on_battery": "the mains before it are gone"}

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.battery_pct = 100.0

    def advance(self, seconds: float, now: Now) -> None:
        """It empties in forty minutes and fills up in four hours."""
        change = -seconds / 2400.0 if self.suffers("on_battery") else seconds / 14_400.0
        self.battery_pct = max(0.0, min(100.0, self.battery_pct + 100.0 * change))

    def tell(self, now: Now) -> Sequence[Told]:
        """`power.status`."""
        battery = self.suffers("on_battery")
        data = {"mains": not battery, "source": "battery" if battery else "mains"}
        left = {"battery_pct": round(self.battery_pct, 1), "backup_min": round(self.battery_pct * 0.4, 1)}
        return [("power.status", {**data, **left})]


class Generator(PlantDevice):
    """It starts ten seconds after the mains are gone, if it starts."""

    faults: ClassVar[Mapping[str, str]] = {
        "outage": "the mains are gone, and it starts as it should",
        "no_start": "the mains are gone, and it does not start",
        "fuel": "its tank is nearly empty",
    }

    def advance(self, seconds: float, now: Now) -> None:
        """Its clock is the real one: see `tell`."""

    def tell(self, now: Now) -> Sequence[Told]:
        """`power.status`."""
        since = self.took_effect("outage") or self.took_effect("no_start")
        turning = since is not None and not self.suffers("no_start") and now.wall - since >= 10.0
        state = "stopped" if since is None else "running" if turning else "starting"
        fuel = 14.0 if self.suffers("fuel") else 82.0
        data = {"mains": since is None, "generator": state, "fuel_pct": fuel, "starter_v": 13.1}
        return [("power.status", data)]


class Boiler(PlantDevice):
    """A boiler on a winter's day."""

    faults: ClassVar[Mapping[str, str]] = {
        "flame_out": "its flame is out",
        "pressure": "the system loses water",
        "pump": "its circulation pump stands still",
        "frost": "no heat while it freezes outside",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.supply_c, self.return_c, self.pressure_kpa = 55.0, 43.0, 170.0

    def advance(self, seconds: float, now: Now) -> None:
        """Water cools within the hour."""
        cold = self.suffers("flame_out") or self.suffers("frost")
        self.supply_c = towards(self.supply_c, 5.0 if cold else 55.0, seconds, 1800.0)
        self.return_c = towards(self.return_c, 4.0 if self.suffers("frost") else self.supply_c - 12.0, seconds, 1200.0)
        self.pressure_kpa = towards(self.pressure_kpa, 40.0 if self.suffers("pressure") else 170.0, seconds, 900.0)

    def tell(self, now: Now) -> Sequence[Told]:
        """`heating.status`."""
        out = self.suffers("flame_out")
        data = {
            "state": "fault" if out else "running",
            "mode": "heating",
            "supply_c": round(self.supply_c, 1),
            "return_c": round(self.return_c, 1),
            "setpoint_c": 55.0,
            "outdoor_c": -7.0 if self.suffers("frost") else 3.0,
            "pressure_kpa": round(self.pressure_kpa, 1),
            "pump": "fault" if self.suffers("pump") else "running",
            "fault": out,
        }
        return [("heating.status", {**data, "code": "F28"} if out else data)]


class LightCircuit(PlantDevice):
    """Outdoor lamps, lit from six in the evening to seven in the morning."""

    faults: ClassVar[Mapping[str, str]] = {
        "stays_off": "it is not switched on in the evening",
        "stays_on": "it is not switched off in the morning",
        "cable": "its cable is cut",
        "tripped": "its breaker has tripped",
        "lamps": "a third of its lamps have failed",
    }
    switches: ClassVar[Mapping[str, bool]] = {"on": True, "off": False}

    def advance(self, seconds: float, now: Now) -> None:
        """Nothing of it moves."""

    def tell(self, now: Now) -> Sequence[Told]:
        """`lighting.status`."""
        dark = now.hour >= 18.0 or now.hour < 7.0
        tripped = self.suffers("tripped")
        wanted = (dark or self.suffers("stays_on")) if self.switched is None else self.switched
        lit = wanted and not self.suffers("stays_off") and not tripped
        data = {
            "lit": lit,
            "mode": "auto" if self.switched is None else "manual",
            "power_w": 900.0 if lit and not self.suffers("cable") else 0.3,
            "lamps": 30,
            "lamps_failed": 10 if self.suffers("lamps") else 0,
            "breaker": "tripped" if tripped else "on",
        }
        return [("lighting.status", data)]


class Charger(PlantDevice):
    """A charger in use."""

    faults: ClassVar[Mapping[str, str]] = {
        "overheating": "its plug runs hot",
        "smoke": "a battery begins to burn",
        "fault": "its electronics have failed",
        "emergency_stop": "somebody presses its button",
    }
    switches: ClassVar[Mapping[str, bool]] = {"stop": False, "start": True}

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.plug_c = 40.0

    def advance(self, seconds: float, now: Now) -> None:
        """The plug follows its contact."""
        self.plug_c = towards(self.plug_c, self._warm(), seconds, 300.0)

    def _warm(self) -> float:
        """No current, no heat: a bad contact cools down once it is stopped."""
        if self.switched is False:
            return 25.0
        return 110.0 if self.suffers("overheating") else 40.0

    def tell(self, now: Now) -> Sequence[Told]:
        """`charging.status`."""
        state = "fault" if self.suffers("fault") else "unavailable" if self.switched is False else "charging"
        data = {"state": state, "vehicle": "car", "power_w": 7000.0 if state == "charging" else 0.0}
        flags = {"smoke": self.suffers("smoke"), "emergency_stop": self.suffers("emergency_stop")}
        return [("charging.status", {**data, **flags, "temperature_c": round(self.plug_c, 1)})]
