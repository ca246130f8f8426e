"""A Tasmota power-metering plug: `tele/<t>/SENSOR`, `STATE`, `LWT`, and `cmnd/<t>/POWER`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import ClassVar

from simulators.device import Device
from simulators.meters.flows import ELECTRIC_FAULTS, Electric, ElectricLoad
from simulators.wire import DAY_S, Identity, Message, Now, local_time, to_json

STATE_S = 300.0
TIME = "%Y-%m-%dT%H:%M:%S"


def tasmota_topics(topic: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The topics a plug publishes on, and those it reads."""
    said = tuple(f"tele/{topic}/{name}" for name in ("SENSOR", "STATE", "LWT"))
    heard = (f"cmnd/{topic}/POWER", f"cmnd/{topic}/POWER1")
    return (*said, f"stat/{topic}/RESULT", f"stat/{topic}/POWER"), heard


class TasmotaPlug(Device):
    """Sends its telemetry every `every` seconds of real time (its TelePeriod). `POWER` switches the relay."""

    faults: ClassVar[Mapping[str, str]] = ELECTRIC_FAULTS

    def __init__(self, identity: Identity, seed: object, every: float, mean_w: float = 180.0) -> None:
        super().__init__(identity, seed)
        self.power_on = True
        self._load = ElectricLoad(self.random, mean_w)
        self._topic = identity.external_id
        self._every = every
        self._next_sensor: float | None = None
        self._next_state = 0.0
        self._midnight: tuple[int, float] | None = None
        self._yesterday = round(self.random.uniform(1, 6), 3)
        self._number = 0

    @property
    def will(self) -> Message | None:
        """`Offline`, retained."""
        return Message(f"tele/{self._topic}/LWT", b"Offline", self.id, "will", retain=True)

    def connected(self, now: Now) -> list[Message]:
        """Announces `Online`, retained."""
        super().connected(now)
        return [Message(f"tele/{self._topic}/LWT", b"Online", self.id, "lwt", retain=True)]

    def command(self, topic: str, payload: bytes, now: Now) -> list[Message]:
        """Answers with the relay's state on `stat/<t>/RESULT` and `stat/<t>/POWER`."""
        if topic not in tasmota_topics(self._topic)[1]:
            return []
        word = payload.decode("utf-8", "replace").strip().upper()
        if word in ("ON", "1"):
            self.power_on = True
        elif word in ("OFF", "0"):
            self.power_on = False
        elif word in ("TOGGLE", "2"):
            self.power_on = not self.power_on
        state = "ON" if self.power_on else "OFF"
        self._number += 1
        return [
            self._said("stat", "RESULT", to_json({"POWER": state})),
            self._said("stat", "POWER", state.encode()),
        ]

    def _step(self, now: Now) -> list[Message]:
        if self._next_sensor is None:
            self._next_sensor = now.wall + self.random.uniform(0, self._every)
        messages: list[Message] = []
        if now.wall >= self._next_sensor:
            self._next_sensor = max(self._next_sensor + self._every, now.wall)
            self._number += 1
            if self.online:
                messages.append(self._said("tele", "SENSOR", to_json(self._sensor(now))))
                if now.wall >= self._next_state:
                    self._next_state = now.wall + STATE_S
                    messages.append(self._said("tele", "STATE", to_json(self._state(now))))
        self.due = self._next_sensor
        return messages

    def _sensor(self, now: Now) -> dict[str, object]:
        reading = self._load.read(now, self._troubles)
        if not self.power_on:
            reading = Electric(reading.energy_kwh, 0.0, reading.voltage_v, 0.0, 0.0)
        day = int(now.simulated // DAY_S)
        if self._midnight is None:
            self._midnight = (day, reading.energy_kwh)
        elif self._midnight[0] != day:
            self._yesterday = round(reading.energy_kwh - self._midnight[1], 3)
            self._midnight = (day, reading.energy_kwh)
        power = round(reading.power_w)
        apparent = round(reading.voltage_v * reading.current_a)
        energy = {
            "TotalStartTime": "2025-01-01T00:00:00",
            "Total": reading.energy_kwh,
            "Yesterday": self._yesterday,
            "Today": round(reading.energy_kwh - self._midnight[1], 3),
            "Period": 0,
            "Power": power,
            "ApparentPower": apparent,
            "ReactivePower": round(max(0.0, apparent**2 - power**2) ** 0.5),
            "Factor": reading.power_factor,
            "Voltage": round(reading.voltage_v),
            "Current": reading.current_a,
        }
        return {"Time": local_time(self.clock(now), self.identity.timezone, TIME), "ENERGY": energy}

    def _state(self, now: Now) -> dict[str, object]:
        up = int(now.wall) - (self.boot or int(now.wall))
        days, rest = divmod(up, 86_400)
        digest = hashlib.sha256(self._topic.encode()).hexdigest().upper()
        station = ":".join(digest[i : i + 2] for i in range(0, 12, 2))
        return {
            "Time": local_time(self.clock(now), self.identity.timezone, TIME),
            "Uptime": f"{days}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}",
            "UptimeSec": up,
            "Heap": 25,
            "SleepMode": "Dynamic",
            "Sleep": 50,
            "LoadAvg": 19,
            "POWER": "ON" if self.power_on else "OFF",
            "Wifi": {"AP": 1, "SSId": "equipment", "BSSId": station, "RSSI": 60},
        }

    def _said(self, prefix: str, name: str, payload: bytes) -> Message:
        ref = f"{self.boot or 0:x}:{name}:{self._number}"
        return Message(f"{prefix}/{self._topic}/{name}", payload, self.id, ref)
