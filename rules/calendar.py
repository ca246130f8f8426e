"""Where the schedules of rules stand, and what hour of the week it is, by the wall clock that events bring along.

Rules run on the steady clock; schedules cannot. An event carries both clocks, so their difference is known, and a
schedule's next change becomes a timer on the steady one. The difference is followed when it moves by more than a
second: when the wall clock is set, what that changes takes effect with the next event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rules.conditions import CompiledRule
from rules.schedule import Schedule, hour_of

#: A wall clock that is nearer than this, in seconds, to where it is expected is not followed.
TOLERATED = 1.0
DEFAULT_ZONE = "Asia/Shanghai"


class Calendar:
    """The schedules of all rules in all time zones. Before the first event it is outside of every one."""

    def __init__(self, zones: Mapping[str, str]) -> None:
        self.lag: float | None = None
        self._zones = dict(zones)
        self._schedules: dict[str, Schedule] = {}
        self._inside: dict[tuple[str, str], bool] = {}
        self._next: dict[tuple[str, str], float] = {}

    def take(self, rules: Iterable[CompiledRule]) -> None:
        """The rules whose schedules are to be known from now on."""
        self._schedules = {rule.rule.id: rule.rule.schedule for rule in rules if rule.rule.schedule is not None}
        self._inside = {key: inside for key, inside in self._inside.items() if key[0] in self._schedules}
        self._next = {key: due for key, due in self._next.items() if key[0] in self._schedules}

    def set_zones(self, zones: Mapping[str, str]) -> bool:
        """The sites' time zones, by site, and under "" that of all others; whether they are others than before."""
        changed = dict(zones) != self._zones
        self._zones = dict(zones)
        return changed

    def zone(self, site: str) -> str:
        """The time zone of a site."""
        return self._zones.get(site) or self._zones.get("", DEFAULT_ZONE)

    def hour(self, received: float, site: str) -> int:
        """The local hour at a site (`rules.schedule.hour_of`)."""
        return hour_of(received, self.zone(site))

    def scheduled(self) -> list[str]:
        """The rules that have a schedule, in order."""
        return sorted(self._schedules)

    def follow(self, received: float, at: float) -> None:
        """Takes the clocks of an event that are further than `TOLERATED` from where they were expected."""
        self.lag = received - at

    def wall(self, at: float) -> float | None:
        """The wall clock at a moment of the steady one; None before the first event."""
        return None if self.lag is None else at + self.lag

    def inside(self, rule: str, site: str) -> bool:
        """Whether the rule's schedule has begun and not ended at a site."""
        return self._inside.get((rule, self.zone(site)), False)

    def turn(self, rule: str, wall: float) -> dict[str, bool]:
        """Looks at a rule's schedule anew; the time zones in which it began or ended."""
        schedule = self._schedules[rule]
        turned: dict[str, bool] = {}
        for zone in sorted({self.zone(""), *self._zones.values()}):
            key = (rule, zone)
            inside = schedule.inside(wall, zone)
            if inside is not self._inside.get(key, False):
                turned[zone] = inside
            self._inside[key] = inside
            self._next[key] = schedule.next_change(wall, zone)
        return turned

    def due(self, rule: str) -> float | None:
        """When the rule's schedule next has to be looked at, on the steady clock."""
        changes = [due for (name, _), due in self._next.items() if name == rule]
        return None if self.lag is None or not changes else min(changes) - self.lag

    def next_wall(self, rule: str) -> float:
        """The same moment on the wall clock, exactly."""
        return min(due for (name, _), due in self._next.items() if name == rule)

    def memory(self) -> tuple[float | None, dict[str, dict[str, bool]]]:
        """What a snapshot keeps: the clocks' difference, and by rule and zone where the schedules stand."""
        inside: dict[str, dict[str, bool]] = {}
        for (rule, zone), standing in self._inside.items():
            inside.setdefault(rule, {})[zone] = standing
        return self.lag, inside

    def recall(self, lag: float | None, inside: Mapping[str, Mapping[str, bool]], now: float | None) -> None:
        """Goes on from a snapshot taken at `now`."""
        self.lag = lag
        for rule, zones in inside.items():
            if rule in self._schedules:
                self._inside.update({(rule, zone): standing for zone, standing in zones.items()})
        if lag is None or now is None:
            return
        for rule, zone in self._inside:
            self._next[rule, zone] = self._schedules[rule].next_change(now + lag, zone)
