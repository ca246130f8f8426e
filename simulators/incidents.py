"""When what goes wrong, and the truth of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulators.device import COMMON_FAULTS, Device
from simulators.scenario import IncidentSpec, Scenario, Source, duration, nearest, time_of_day
from simulators.wire import DAY_S, Now

GIVE_UP_S = 120.0


@dataclass(slots=True)
class Occurrence:
    """One incident that happened. Wall clock; `began` is when it took physical effect, `ended` None while it lasts."""

    incident: str
    device: str
    fault: str
    began: float | None = None
    ended: float | None = None

    def truth(self) -> dict[str, object]:
        """The line for the truth file."""
        return {
            "incident": self.incident,
            "device": self.device,
            "fault": self.fault,
            "from": self.began,
            "to": self.ended,
        }


@dataclass(slots=True)
class _Plan:
    spec: IncidentSpec
    devices: list[str]
    lasts: float
    offset: float | None
    daily: float | None
    round: int = 0
    next_at: float = 0.0
    since: float = 0.0
    current: Occurrence | None = field(default=None)


class Timeline:
    """Begins and ends incidents on the devices. A gradual fault lasts from its effect on, not from its beginning."""

    def __init__(self, scenario: Scenario, source: Source, devices: Mapping[str, Device]) -> None:
        self.occurrences: list[Occurrence] = []
        self._devices = devices
        self._cycle = None if scenario.cycle is None else duration(scenario.cycle, source, "$.cycle")
        self._plans = [_plan(spec, f"$.incidents[{i}]", source, devices) for i, spec in enumerate(scenario.incidents)]

    def start(self, now: Now) -> None:
        """The moment from which `+30s` counts."""
        for plan in self._plans:
            if plan.offset is not None:
                plan.next_at = now.wall + plan.offset
            elif plan.daily is not None:
                ahead = (plan.daily - now.simulated) % DAY_S
                plan.next_at = now.wall + ahead / now.speed

    def advance(self, now: Now) -> list[Occurrence]:
        """Begins and ends what is due; gives the occurrences that changed."""
        changed: list[Occurrence] = []
        for plan in self._plans:
            if plan.current is not None:
                self._watch(plan, plan.current, now, changed)
            elif now.wall >= plan.next_at:
                self._begin(plan, now, changed)
        return changed

    def stop(self, now: Now) -> None:
        """The simulation ends; what still lasts keeps an open end."""
        for plan in self._plans:
            if plan.current is not None:
                self._devices[plan.current.device].end(plan.current.fault, now)

    def _begin(self, plan: _Plan, now: Now, changed: list[Occurrence]) -> None:
        device = plan.devices[plan.round % len(plan.devices)]
        plan.round += 1
        plan.since = now.wall
        plan.current = Occurrence(plan.spec.id, device, plan.spec.fault)
        self._devices[device].begin(plan.spec.fault, now, plan.spec.options)
        self.occurrences.append(plan.current)
        if plan.offset is not None:
            plan.next_at = plan.next_at + self._cycle if self._cycle else float("inf")
        else:
            plan.next_at += DAY_S / now.speed
        self._watch(plan, plan.current, now, changed)

    def _watch(self, plan: _Plan, current: Occurrence, now: Now, changed: list[Occurrence]) -> None:
        device = self._devices[current.device]
        if current.began is None:
            current.began = device.took_effect(current.fault)
            if current.began is not None:
                changed.append(current)
        start = current.began if current.began is not None else plan.since + GIVE_UP_S
        if now.wall - start >= plan.lasts:
            device.end(current.fault, now)
            plan.current = None
            if current.began is None:
                self.occurrences.remove(current)
            else:
                current.ended = now.wall
                changed.append(current)


def _plan(spec: IncidentSpec, path: str, source: Source, devices: Mapping[str, Device]) -> _Plan:
    """A checked incident. Raises `ScenarioError`."""
    names = [spec.device] if isinstance(spec.device, str) else spec.device
    if not names:
        raise source.error(f"{path}.device", "names no device")
    for name in names:
        if name not in devices:
            suggestion = nearest(name, list(devices)) + " (`python -m simulators devices` lists them)"
            raise source.error(f"{path}.device", f"no device {name!r}", suggestion)
        possible = sorted({*devices[name].faults, *COMMON_FAULTS})
        if spec.fault not in possible:
            problem = f"{name} cannot suffer {spec.fault!r}"
            raise source.error(f"{path}.fault", problem, nearest(spec.fault, possible))
    lasts = duration(spec.lasts, source, f"{path}.for")
    if isinstance(spec.at, str) and spec.at.startswith("+"):
        return _Plan(spec, names, lasts, duration(spec.at[1:], source, f"{path}.at"), None)
    return _Plan(spec, names, lasts, None, time_of_day(spec.at, source, f"{path}.at"))
