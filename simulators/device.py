"""What a simulated device is. Pure: it opens nothing and reads no clock; its randomness is seeded."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from random import Random
from typing import ClassVar

from simulators.wire import Identity, Message, Now, Trouble

COMMON_FAULTS: Mapping[str, str] = {
    "silent": "connected, but says nothing",
    "offline": "its connection is cut; what it has to say waits or is stored, as the maker's firmware does",
}


class Device(abc.ABC):
    """One device. The simulation calls `step` whenever the wall clock has passed `due`.

    `faults` lists what it can suffer beside `COMMON_FAULTS`; those in `gradual` take effect some time after they begin
    (a lift must be moving before it can get stuck), and the model says when through `took_effect`.
    """

    faults: ClassVar[Mapping[str, str]] = {}
    gradual: ClassVar[frozenset[str]] = frozenset()
    tick: ClassVar[float] = 0.5

    def __init__(self, identity: Identity, seed: object = 0) -> None:
        self.identity = identity
        self.random = Random(f"{seed}/{identity.id}")
        self.due = 0.0
        self.skew = 0.0
        self.online = False
        self.boot: int | None = None
        self._troubles: dict[str, Trouble] = {}

    @property
    def id(self) -> str:
        """The device's id in the scenario and the gateway."""
        return self.identity.id

    @property
    def will(self) -> Message | None:
        """The last will its connection announces, if its format has one."""
        return None

    def step(self, now: Now) -> list[Message]:
        """Everything it says up to `now`."""
        if self.boot is None:
            self.boot = int(now.wall)
            self.due = now.wall
        messages = self._step(now)
        return [] if "silent" in self._troubles else messages

    def command(self, topic: str, payload: bytes, now: Now) -> list[Message]:
        """What it answers to a message from the gateway; nothing where it would not answer."""
        return []

    def connected(self, now: Now) -> list[Message]:
        """The connection is up: what it says first, records stored meanwhile included."""
        self.online = True
        return []

    def disconnected(self, now: Now) -> None:
        """The connection is gone."""
        self.online = False

    def begin(self, fault: str, now: Now, options: Mapping[str, float] | None = None) -> None:
        """The fault begins. Raises `ValueError` for one this device cannot suffer."""
        if fault not in self.faults and fault not in COMMON_FAULTS:
            known = ", ".join(sorted({*self.faults, *COMMON_FAULTS}))
            raise ValueError(f"{self.id} cannot suffer {fault!r}; it can suffer {known}")
        since = None if fault in self.gradual else now.wall
        self._troubles[fault] = Trouble(fault, dict(options or {}), since)
        self.due = min(self.due, now.wall)

    def end(self, fault: str, now: Now) -> None:
        """The fault is mended. Nothing happens if it was not there."""
        self._troubles.pop(fault, None)
        self.due = min(self.due, now.wall)

    def suffers(self, fault: str) -> bool:
        """Whether the fault is there, in effect or about to be."""
        return fault in self._troubles

    def took_effect(self, fault: str) -> float | None:
        """When the fault took physical effect (wall clock), None if it has not."""
        trouble = self._troubles.get(fault)
        return None if trouble is None else trouble.since

    def clock(self, now: Now) -> float:
        """The wall clock as this device's own clock shows it, Unix seconds."""
        return now.wall + self.skew

    @abc.abstractmethod
    def _step(self, now: Now) -> list[Message]:
        """The model's own step; sets `due`."""

    def _option(self, fault: str, name: str, default: float) -> float:
        trouble = self._troubles.get(fault)
        return default if trouble is None else trouble.options.get(name, default)

    def _effective(self, fault: str, now: Now) -> None:
        trouble = self._troubles.get(fault)
        if trouble is not None and trouble.since is None:
            trouble.since = now.wall

    def _happens(self, per_simulated_day: float, elapsed_simulated_s: float) -> bool:
        """Whether an event of that daily rate falls into the elapsed stretch (at most once)."""
        return self.random.random() < per_simulated_day * elapsed_simulated_s / 86_400.0
