"""What flows through a meter: registers that count with the simulated day, and momentary values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulators.habits import electricity, gas, heat, water
from simulators.wire import DAY_S, Now, Trouble

DRAWING_SHARE = 0.05
ELECTRIC_FAULTS: Mapping[str, str] = {
    "overvoltage": "the voltage jumps up (option `volts`, 38)",
    "undervoltage": "the voltage drops (option `volts`, 45)",
    "voltage_drift": "the voltage creeps up, half a volt a second of real time",
    "overload": "draws 12 kW more (option `watts`)",
    "stuck": "every value stays as it is",
}
WATER_FAULTS: Mapping[str, str] = {
    "leak": "a steady small flow (option `lpm`, 1.5)",
    "burst": "a steady large flow (option `lpm`, 75)",
    "reverse": "water runs backwards",
    "stuck": "every value stays as it is",
}


@dataclass(frozen=True, slots=True)
class Electric:
    """One reading of an electricity meter."""

    energy_kwh: float
    power_w: float
    voltage_v: float
    current_a: float
    power_factor: float = 0.95


@dataclass(frozen=True, slots=True)
class Fluid:
    """One reading of a water or gas meter."""

    volume_m3: float
    flow_lpm: float


@dataclass(frozen=True, slots=True)
class Heat:
    """One reading of a heat meter."""

    heat_kwh: float
    power_w: float
    flow_lpm: float
    supply_c: float
    return_c: float


class _Flow:
    """Keeps the simulated time passed since the last reading, at most an hour of it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._last: Now | None = None

    def _elapsed(self, now: Now) -> tuple[float, float]:
        """Simulated and real seconds since the last reading."""
        before = self._last or now
        self._last = now
        return max(0.0, min(DAY_S, now.simulated - before.simulated)), max(0.0, now.wall - before.wall)


class ElectricLoad(_Flow):
    """One connection's load, `mean_w` on average over the day."""

    def __init__(self, random: Random, mean_w: float = 420.0) -> None:
        super().__init__(random)
        self._mean_w = mean_w * random.uniform(0.5, 1.6)
        self._energy = random.uniform(800, 24_000)
        self._volts = random.uniform(227, 233)
        self._drift = 0.0
        self._reading: Electric | None = None

    def read(self, now: Now, troubles: Mapping[str, Trouble]) -> Electric:
        """The reading of this moment."""
        if "stuck" in troubles and self._reading is not None:
            self._elapsed(now)
            return self._reading
        simulated, real = self._elapsed(now)
        usual = self._mean_w * electricity(now.hour)
        extra = _option(troubles, "overload", "watts", 12_000.0)
        self._energy += (usual + extra) * simulated / 3.6e6
        power = usual * self._random.lognormvariate(-0.08, 0.4) + extra
        self._volts += (230.0 - self._volts) * 0.1 + self._random.uniform(-0.8, 0.8)
        self._drift = self._drift + 0.5 * real if "voltage_drift" in troubles else 0.0
        volts = self._volts + min(60.0, self._drift) + _option(troubles, "overvoltage", "volts", 38.0)
        volts = max(0.0, volts - _option(troubles, "undervoltage", "volts", 45.0))
        current = power / (volts * 0.95) if volts > 1 else 0.0
        self._reading = Electric(round(self._energy, 3), round(power, 1), round(volts, 1), round(current, 3))
        return self._reading


class FluidDraw(_Flow):
    """Water or gas of one household: mostly nothing, now and then a draw. Registers count the mean."""

    def __init__(self, random: Random, *, utility: str) -> None:
        super().__init__(random)
        self._curve = gas if utility == "gas" else water
        self._mean_lpm = random.uniform(0.12, 0.3) * (3.0 if utility == "gas" else 1.0)
        self._volume = random.uniform(40, 900)
        self._reading: Fluid | None = None
        self.valve_open = True

    def read(self, now: Now, troubles: Mapping[str, Trouble]) -> Fluid:
        """The reading of this moment. A closed valve stops everything but the register's memory."""
        simulated, _ = self._elapsed(now)
        if "stuck" in troubles and self._reading is not None:
            return self._reading
        busy = self._curve(now.hour)
        steady = _option(troubles, "leak", "lpm", 1.5) + _option(troubles, "burst", "lpm", 75.0)
        if "reverse" in troubles:
            steady -= 3.0
        usual, draw = self._mean_lpm * busy, 0.0
        if "reverse" in troubles:
            usual = 0.0
        elif self._random.random() < min(0.9, DRAWING_SHARE * busy):
            draw = self._mean_lpm / DRAWING_SHARE * self._random.uniform(0.5, 1.5)
        if not self.valve_open:
            usual = draw = steady = 0.0
        self._volume = max(0.0, self._volume + (usual + steady) * simulated / 60_000.0)
        self._reading = Fluid(round(self._volume, 4), round(draw + steady, 2))
        return self._reading


class HeatDraw(_Flow):
    """Heat of one household: always some."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._mean_w = random.uniform(2500, 5500)
        self._heat = random.uniform(1000, 30_000)
        self._reading: Heat | None = None

    def read(self, now: Now, troubles: Mapping[str, Trouble]) -> Heat:
        """The reading of this moment. `cold_supply` cools the feed."""
        simulated, _ = self._elapsed(now)
        if "stuck" in troubles and self._reading is not None:
            return self._reading
        power = self._mean_w * heat(now.hour)
        self._heat += power * simulated / 3.6e6
        supply = 55.0 + self._random.uniform(-0.7, 0.7) - (25.0 if "cold_supply" in troubles else 0.0)
        flow = 8.0 + self._random.uniform(-0.2, 0.2)
        back = supply - power / (flow / 60.0 * 4186.0)
        self._reading = Heat(round(self._heat, 3), round(power, 1), round(flow, 2), round(supply, 1), round(back, 1))
        return self._reading


def _option(troubles: Mapping[str, Trouble], fault: str, name: str, default: float) -> float:
    """How much the fault adds: 0 without it."""
    trouble = troubles.get(fault)
    return 0.0 if trouble is None else trouble.options.get(name, default)
