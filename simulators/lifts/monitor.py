"""What both lift monitors share: traffic by the hour, faults, the machine room's heat."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import ClassVar

from simulators.habits import movement
from simulators.lifts.car import Car, Trip
from simulators.wire import Now, Trouble

HEATING_S = 25.0
HOT_C = 52.0

LIFT_FAULTS: Mapping[str, str] = {
    "entrapment": "stops between two floors with people inside, until mended",
    "door_reopening": "the closing door opens again and again",
    "overspeed": "runs at 1.45 times its rated speed",
    "machine_room_heat": "the machine room's fan has failed",
}
GRADUAL = frozenset(("entrapment", "door_reopening", "overspeed", "machine_room_heat"))


class Shaft:
    """A car with its passengers and its machine room; steps on both clocks."""

    EXCURSIONS: ClassVar[float] = 2.0

    def __init__(self, random: Random, top: int, trips_per_day: float) -> None:
        self.car = Car(random, top)
        self.machine_room_c = 24.0
        self._random = random
        self._trips_per_day = trips_per_day
        self._last: Now | None = None

    def advance(self, now: Now, troubles: Mapping[str, Trouble]) -> None:
        """Moves up to `now` under the given troubles, and notes when each took physical effect."""
        before = self._last or now
        self._last = now
        seconds = now.wall - before.wall
        chance = self._trips_per_day * movement(now.hour) * (now.simulated - before.simulated) / 86_400.0
        if self._random.random() < chance:
            self.car.call(self._trip())
        self._suffer(troubles, seconds)
        self.car.advance(seconds)
        self._note(troubles, now.wall)

    def _trip(self) -> Trip:
        upper = self._random.randrange(2, self.car.top + 1)
        people = self._random.choice((1, 1, 1, 2, 2, 3))
        kind = self._random.random()
        if kind < 0.45:
            return Trip(1, upper, people)
        if kind < 0.9:
            return Trip(upper, 1, people)
        other = self._random.randrange(1, self.car.top + 1)
        return Trip(upper, other if other != upper else 1, people)

    def _suffer(self, troubles: Mapping[str, Trouble], seconds: float) -> None:
        car = self.car
        if "entrapment" in troubles:
            car.trap = True
        elif car.trap:
            car.free()
        car.fail_closing = "door_reopening" in troubles
        car.overspeed = "overspeed" in troubles
        needs_passengers = car.trap or car.fail_closing or car.overspeed
        if needs_passengers and car.idle:
            far = car.top if car.floor <= car.top / 2 else 1
            car.call(Trip(car.floor, far, 2))
        goal = HOT_C if "machine_room_heat" in troubles else 24.0 + 4.0 * min(1.0, car.running_s / 3600.0)
        self.machine_room_c += (goal - self.machine_room_c) * min(1.0, seconds / HEATING_S)

    def _note(self, troubles: Mapping[str, Trouble], wall: float) -> None:
        car = self.car
        signs = {
            "entrapment": car.trapped,
            "door_reopening": car.fail_closing and car.door_state == "opening" and car.reopenings > 0,
            "overspeed": abs(car.speed) > 1.9,
            "machine_room_heat": self.machine_room_c >= 40.0,
        }
        for name, visible in signs.items():
            trouble = troubles.get(name)
            if visible and trouble is not None and trouble.since is None:
                trouble.since = wall
