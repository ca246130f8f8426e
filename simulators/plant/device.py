"""What all plant has in common: it moves on, and tells its state at intervals and whenever a word or flag changes."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from simulators.native import NativeDevice, Status
from simulators.wire import Identity, Message, Now

Told = tuple[str, Mapping[str, object]]
"""A kind of event, and its data."""
LONGEST_STRETCH_S = 120.0


class PlantDevice(NativeDevice, abc.ABC):
    """One piece of plant. Levels, temperatures and registers move on simulated time, switches at once."""

    tick = 1.0
    switches: ClassVar[Mapping[str, bool]] = {}
    """The command words it obeys, and whether each switches it on."""

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed)
        self._every = every
        self._next_report = 0.0
        self._told: tuple[object, ...] = ()
        self._last: Now | None = None
        self.switched: bool | None = None
        """What a person commanded last; None while it runs by itself."""

    def obey(self, identifier: str, command: str, args: Mapping[str, Any], now: Now) -> tuple[Status, str]:
        """Switches at once; what it reports next shows it."""
        if command not in self.switches:
            known = ", ".join(self.switches) or "none"
            return "rejected", f"a {self.identity.type} has no command {command!r}; it has {known}"
        self.switched = self.switches[command]
        self.due = now.wall
        return "done", ""

    @abc.abstractmethod
    def advance(self, seconds: float, now: Now) -> None:
        """`seconds` of simulated time pass; at most `LONGEST_STRETCH_S` at once."""

    @abc.abstractmethod
    def tell(self, now: Now) -> Sequence[Told]:
        """Its state."""

    def happen(self, now: Now) -> Sequence[Told]:
        """What happened in this step and is told once."""
        return ()

    def _step(self, now: Now) -> list[Message]:
        passed = 0.0 if self._last is None else now.simulated - self._last.simulated
        self._last = now
        while passed > 0:
            self.advance(min(passed, LONGEST_STRETCH_S), now)
            passed -= LONGEST_STRETCH_S
        state = self.tell(now)
        # What is measured waits for its turn, as it never stands still; a word or a flag is news.
        news = tuple(value for _, data in state for value in data.values() if isinstance(value, str | bool))
        messages: list[Message] = []
        if state and (news != self._told or now.wall >= self._next_report):
            self._told, self._next_report = news, now.wall + self._every
            messages += [self.event(kind, data, now) for kind, data in state]
        messages += [self.event(kind, data, now) for kind, data in self.happen(now)]
        self.due = now.wall + self.tick
        return messages


def towards(value: float, target: float, seconds: float, constant: float) -> float:
    """A first-order lag: what `value` has become after `seconds`, with its time constant in seconds."""
    return target + (value - target) * math.exp(-seconds / constant)
