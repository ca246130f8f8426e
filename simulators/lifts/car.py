"""A lift car as a thing: it accelerates, stops at floors, opens its door, carries people. Seconds are wall-clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Literal

FLOOR_M = 3.0
RATED_MPS = 1.75
ACCELERATION = 0.8
DOOR_S = 2.0
DWELL_S = 4.0
PERSON_KG = 68.0
CAPACITY = 13
DOOR_ZONE_M = 0.15
TRAPPED_OFF_LEVEL_M = 0.9
STEP_S = 0.1
LONGEST_STRETCH_S = 60.0

DoorState = Literal["open", "closed", "opening", "closing"]
Motion = Literal["stopped", "up", "down"]


@dataclass(frozen=True, slots=True)
class Trip:
    """Somebody wants to go from one floor to another."""

    origin: int
    destination: int
    people: int = 1


class Car:
    """The car. `height` is metres above floor 1; faults are plain switches that the monitor's model sets.

    `trap` stops it dead between two floors once it moves with people; `held_until_freed` is then true.
    `fail_closing` makes every closing door open again. `overspeed` raises the speed it runs at.
    """

    def __init__(self, random: Random, top: int) -> None:
        self.top = top
        self.height = random.randrange(top) * FLOOR_M
        self.speed = 0.0
        self.door = 0.0
        self.people = 0
        self.cycles = 0
        self.running_s = 0.0
        self.reopenings = 0
        self.trap = False
        self.trapped = False
        self.fail_closing = False
        self.overspeed = False
        self.recalled = False
        self._random = random
        self._waiting: list[Trip] = []
        self._riding: list[Trip] = []
        self._target: int | None = None
        self._door_wanted = 0.0
        self._dwell = 0.0
        self._rest = 0.0

    @property
    def floor(self) -> int:
        """The nearest floor; 1 is the ground."""
        return round(self.height / FLOOR_M) + 1

    @property
    def in_door_zone(self) -> bool:
        """Whether the car stands (or passes) level with a floor."""
        return abs(self.height - (self.floor - 1) * FLOOR_M) <= DOOR_ZONE_M

    @property
    def motion(self) -> Motion:
        """What the direction lamps show."""
        return "up" if self.speed > 0.01 else "down" if self.speed < -0.01 else "stopped"

    @property
    def door_state(self) -> DoorState:
        """What the door contacts show."""
        if self.door >= 1.0:
            return "open"
        if self.door <= 0.0:
            return "closed"
        return "opening" if self._door_wanted > 0.5 else "closing"

    @property
    def load_kg(self) -> float:
        """The weighing device under the floor."""
        return self.people * PERSON_KG

    @property
    def idle(self) -> bool:
        """Nothing to do: no calls, nobody inside, door closed."""
        return not self._waiting and not self._riding and self._target is None and self.door <= 0.0

    def call(self, trip: Trip) -> None:
        """Adds a call; ignored while recalled."""
        if not self.recalled and trip.origin != trip.destination and len(self._waiting) < 6:
            self._waiting.append(trip)

    def recall(self) -> bool:
        """Sends the car to the ground floor, where it stays with its door open. False while it is trapped."""
        if self.trapped:
            return False
        self.recalled = True
        self._waiting.clear()
        self._target = None
        return True

    def resume(self) -> None:
        """Back to ordinary service."""
        self.recalled = False
        self._riding.clear()
        self.people = 0

    def free(self) -> None:
        """The rescuers level the car and the fault is over."""
        if self.trapped:
            self.trapped = False
            self._target = self.floor
            self._riding = [Trip(self.floor, self.floor, max(1, self.people))]
        self.trap = False

    def advance(self, seconds: float) -> None:
        """Moves on by that much wall-clock time; longer stretches than a minute are cut to one."""
        self._rest += min(seconds, LONGEST_STRETCH_S)
        while self._rest >= STEP_S:
            self._rest -= STEP_S
            self._tick()

    def _tick(self) -> None:
        if self.trapped:
            return
        self._move_door()
        if self.door <= 0.0 and self._door_wanted <= 0.0:
            self._decide()
            self._travel()

    def _move_door(self) -> None:
        step = STEP_S / DOOR_S
        if self._door_wanted > 0.5:
            if self.door < 1.0:
                self.door = min(1.0, self.door + step)
                if self.door >= 1.0:
                    self.cycles += 1
                    self._exchange()
                    self._dwell = DWELL_S
            elif self.recalled and self.floor == 1:
                self._dwell = DWELL_S
            else:
                self._dwell -= STEP_S
                if self._dwell <= 0:
                    self._door_wanted = 0.0
        elif self.door > 0.0:
            self.door = max(0.0, self.door - step)
            if self.fail_closing and self.door <= 0.4:
                self._door_wanted = 1.0
                self.reopenings += 1

    def _exchange(self) -> None:
        """The door is open: people leave and board."""
        here = self.floor
        if self.recalled:
            self._riding, self.people = [], 0
            return
        self._riding = [trip for trip in self._riding if trip.destination != here]
        self.people = sum(trip.people for trip in self._riding)
        for trip in [trip for trip in self._waiting if trip.origin == here]:
            if self.people + trip.people <= CAPACITY:
                self._waiting.remove(trip)
                self._riding.append(trip)
                self.people += trip.people

    def _decide(self) -> None:
        if self._target is not None:
            return
        if self.recalled:
            self._target = 1
        elif self._riding:
            self._target = min((trip.destination for trip in self._riding), key=lambda f: abs(f - self.floor))
        elif self._waiting:
            self._target = self._waiting[0].origin

    def _travel(self) -> None:
        if self._target is None:
            return
        goal = (self._target - 1) * FLOOR_M
        distance = goal - self.height
        limit = RATED_MPS * (1.45 if self.overspeed else 1.0)
        stopping = math.sqrt(2 * ACCELERATION * abs(distance))
        wanted = math.copysign(min(limit, max(stopping, 0.1)), distance)
        change = ACCELERATION * STEP_S * (2 if self.overspeed else 1)
        self.speed += max(-change, min(change, wanted - self.speed))
        if abs(distance) <= abs(self.speed) * STEP_S or abs(distance) < 0.005:
            self._arrive(goal)
            return
        self.height = min((self.top - 1) * FLOOR_M, max(0.0, self.height + self.speed * STEP_S))
        self.running_s += STEP_S
        off_level = abs(self.height - (self.floor - 1) * FLOOR_M)
        if self.trap and self.people and off_level > TRAPPED_OFF_LEVEL_M:
            self.trapped = True
            self.speed = 0.0

    def _arrive(self, goal: float) -> None:
        self.height, self.speed = goal, 0.0
        self._target = None
        self._door_wanted = 1.0
        if not self.recalled and not self._riding and not self._waiting:
            self._door_wanted = 0.0
