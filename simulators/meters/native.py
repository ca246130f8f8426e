"""Water, gas and heat meters of the native format, behind a concentrator that shares its connection with them."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

from simulators.meters.flows import WATER_FAULTS, FluidDraw, HeatDraw
from simulators.native import NativeDevice, Status
from simulators.wire import Identity, Message, Now


class _BehindConcentrator(NativeDevice, abc.ABC):
    """Reports every `every` seconds of real time. Its availability is its concentrator's."""

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed)
        self._every = every
        self._next_report: float | None = None

    @property
    def will(self) -> Message | None:
        """None: the connection is the concentrator's."""
        return None

    def connected(self, now: Now) -> list[Message]:
        """Says nothing: the concentrator speaks for it."""
        super().connected(now)
        return []

    def _step(self, now: Now) -> list[Message]:
        if self._next_report is None:
            self._next_report = now.wall + self.random.uniform(0, self._every)
        messages: list[Message] = []
        if now.wall >= self._next_report:
            self._next_report = max(self._next_report + self._every, now.wall)
            messages.append(self.event("meter.reading", self._values(now), now))
        self.due = self._next_report
        return messages

    @abc.abstractmethod
    def _values(self, now: Now) -> dict[str, object]:
        """The fields of one reading."""


class FluidMeter(_BehindConcentrator):
    """A water or gas meter with a valve: obeys `valve_close` and `valve_open`."""

    faults: ClassVar[Mapping[str, str]] = WATER_FAULTS

    def __init__(self, identity: Identity, seed: object, every: float, utility: str) -> None:
        super().__init__(identity, seed, every)
        self._utility = utility
        self.draw = FluidDraw(self.random, utility=utility)

    def obey(self, identifier: str, command: str, args: Mapping[str, Any], now: Now) -> tuple[Status, str]:
        """The valve moves at once."""
        if command not in ("valve_close", "valve_open"):
            return "rejected", f"this meter has no command {command!r}; it has valve_close, valve_open"
        self.draw.valve_open = command == "valve_open"
        self._next_report = self.due = now.wall
        return "done", ""

    def _values(self, now: Now) -> dict[str, object]:
        reading = self.draw.read(now, self._troubles)
        return {
            "utility": self._utility,
            "volume_m3": reading.volume_m3,
            "flow_lpm": reading.flow_lpm,
            "valve": "open" if self.draw.valve_open else "closed",
        }


class HeatMeter(_BehindConcentrator):
    """A heat meter."""

    faults: ClassVar[Mapping[str, str]] = {"stuck": "every value stays as it is", "cold_supply": "the feed is cold"}

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self._draw = HeatDraw(self.random)

    def _values(self, now: Now) -> dict[str, object]:
        reading = self._draw.read(now, self._troubles)
        return {
            "utility": "heat",
            "heat_kwh": reading.heat_kwh,
            "power_w": reading.power_w,
            "flow_lpm": reading.flow_lpm,
            "supply_c": reading.supply_c,
            "return_c": reading.return_c,
        }


class Concentrator(NativeDevice):
    """Collects the meters of a building; only its availability is its own."""

    def _step(self, now: Now) -> list[Message]:
        self.due = now.wall + 3600.0
        return []
