"""A lane as a thing: cars that arrive, an arm that moves, a loop in the ground. Seconds are wall-clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from simulators.habits import movement
from simulators.people import new_plate
from simulators.wire import Now

Position = Literal["up", "down", "moving"]
RAISE_S = 1.5
LOWER_S = 2.0
APPROACH_S = 1.5
PASS_S = 3.0
CLOSE_AFTER_S = 2.0
PATIENCE_S = 25.0
LONGEST_STRETCH_S = 0.25
ELSEWHERE_S = 120.0
"""A car that was just at one gate is not at another."""


@dataclass(frozen=True, slots=True)
class Car:
    """A car at the gate. `plate` is None where the camera cannot read one; `registered` is the truth."""

    plate: str | None
    registered: bool


class Lane:
    """Arm, loop and the car in front. `arm` is 0.0 lying to 1.0 upright.

    `stuck` freezes the arm where it is, `jammed` makes every lowering hit something and go up again.
    Lanes that share `seen` (plate: at which gate it was last, and when) never have one car in two places at once.
    Stepping it twice for the same moment changes nothing, so camera and controller may share one lane.
    """

    def __init__(
        self,
        random: Random,
        plates: Sequence[str],
        cars_per_day: float,
        strangers: float = 0.06,
        seen: dict[str, tuple[Lane, float]] | None = None,
    ) -> None:
        self.arm = 0.0
        self.loop = False
        self.car: Car | None = None
        self.stuck = False
        self.jammed = False
        self.obstructed = False
        self.keep_open = False
        self.passed = 0
        self.turned_away = 0
        self.arrivals: list[Car] = []
        self._random = random
        self._plates = plates
        self._cars_per_day = cars_per_day
        self._strangers = strangers
        self._seen = {} if seen is None else seen
        self._wanted = 0.0
        self._arrived_at = 0.0
        self._on_loop_since: float | None = None
        self._free_since: float | None = None
        self._last: Now | None = None

    @property
    def position(self) -> Position:
        """Where the limit switches see the arm."""
        return "up" if self.arm >= 1.0 else "down" if self.arm <= 0.0 else "moving"

    def open(self) -> bool:
        """The relay for `raise` closes. False when the arm cannot move."""
        if self.stuck and self.arm < 1.0:
            return False
        self._wanted = 1.0
        self._free_since = None
        return True

    def close(self) -> bool:
        """The relay for `lower` closes. False with a car on the loop (its own interlock) or a stuck arm."""
        if self.loop or (self.stuck and self.arm > 0.0):
            return False
        self.keep_open = False
        self._wanted = 0.0
        return True

    def arrive(self, car: Car, wall: float) -> bool:
        """A car drives up. False when the place in front is taken."""
        if self.car is not None:
            return False
        self.car = car
        self._arrived_at = wall
        self.arrivals.append(car)
        return True

    def drive_through(self, wall: float) -> None:
        """A registered car comes and the arm is raised for it."""
        if self._plates:
            self.arrive(Car(self._random.choice(self._plates), True), wall)
        self.open()

    def advance(self, now: Now) -> None:
        """Moves cars and arm up to `now`."""
        if self._last is None:
            self._last = now
            return
        elapsed = now.wall - self._last.wall
        if elapsed <= 0:
            return
        simulated = now.simulated - self._last.simulated
        chance = self._cars_per_day * movement(now.hour) * simulated / 86_400.0
        start = self._last.wall
        self._last = now
        # Cars queue behind the line: the next one is read once the arm lies again.
        if self.car is None and self.position == "down" and self._random.random() < chance:
            self.arrive(self._next_car(now.wall), now.wall)
        steps = min(400, max(1, round(elapsed / LONGEST_STRETCH_S)))
        for index in range(steps):
            self._drive(start + elapsed * (index + 1) / steps)
            self._swing(elapsed / steps)

    def _next_car(self, wall: float) -> Car:
        if self._random.random() < 0.02:
            return Car(None, False)
        if not self._plates or self._random.random() < self._strangers:
            return Car(new_plate(self._random), False)
        near = [plate for plate in self._plates if not self._elsewhere(plate, wall)]
        if not near:
            return Car(new_plate(self._random), False)
        plate = self._random.choice(near)
        self._seen[plate] = (self, wall)
        return Car(plate, True)

    def _elsewhere(self, plate: str, wall: float) -> bool:
        lane, at = self._seen.get(plate, (self, 0.0))
        return lane is not self and wall - at < ELSEWHERE_S

    def _drive(self, wall: float) -> None:
        if self._on_loop_since is not None:
            if wall - self._on_loop_since >= PASS_S:
                self.loop, self._on_loop_since, self.car = False, None, None
                self._free_since = wall
                self.passed += 1
        elif self.car is not None and wall - self._arrived_at >= APPROACH_S:
            if self.arm >= 1.0:
                self.loop, self._on_loop_since = True, wall
                self._free_since = None
            elif wall - self._arrived_at >= PATIENCE_S:
                self.car = None
                self.turned_away += 1
        closing_due = self._free_since is not None and wall - self._free_since >= CLOSE_AFTER_S
        if closing_due and not self.loop and not self.keep_open:
            self._wanted, self._free_since = 0.0, None

    def _swing(self, seconds: float) -> None:
        if self.stuck:
            return
        if self.arm < self._wanted:
            self.arm = min(1.0, self.arm + seconds / RAISE_S)
            self.obstructed = self.obstructed and self.arm < 1.0
            if self.arm >= 1.0 and self.car is None and self._free_since is None:
                self._free_since = (self._last.wall if self._last else 0.0) + PATIENCE_S / 2
        elif self.arm > self._wanted:
            if self.loop:
                self._wanted = 1.0
            elif self.jammed and self.arm <= 0.5:
                self._wanted, self.obstructed = 1.0, True
            else:
                self.arm = max(0.0, self.arm - seconds / LOWER_S)
