"""The rules' semantics once more, slow and obvious: second by second, from docs/rules.md, with no timers and no index.

It knows whole seconds only. Each rule sees every second of its life: first what time has done, then what was said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.model import Device

Data = Mapping[str, Any]
Verdict = Callable[[Data], bool | None]
Came = list[tuple[int, str, str, str]]


@dataclass
class Said:
    """One thing said at a second."""

    at: int
    device: str
    kind: str
    data: Data


class World:
    """When each device was heard of."""

    def __init__(self, devices: Mapping[str, Device]) -> None:
        self.devices = devices
        self.heard: dict[str, int] = {}
        self.wall_known = False


@dataclass
class Scope:
    """What is known of one scope of one rule."""

    active: bool = False
    over_since: int | None = None
    last_true: int | None = None
    standing: Data | None = None
    since: int | None = None
    confirmed: int = 0
    done: bool = False
    device: str = ""
    seen: list[tuple[int, Any]] = field(default_factory=list)
    waiting: int | None = None
    steps: list[int | None] = field(default_factory=list)
    lasting: tuple[int, Data] | None = None
    samples: list[tuple[int, float]] = field(default_factory=list)


@dataclass
class Figure:
    """An `aggregate` over field `x`: how it is worked out, whether that is enough, and what an empty window means."""

    over: int
    samples: int
    true: Callable[[list[float]], bool]
    empty: bool | None = None


@dataclass
class Reference:
    """One rule. `shape` is one of moment, hold, count, expect, sequence, silent."""

    rule: str
    shape: str
    kinds: tuple[str, ...]
    when: Verdict
    states: bool = True
    singly: bool = True
    clear: Verdict | None = None
    clear_after: int | None = None
    length: int = 0
    own: bool = False
    at_least: int = 0
    distinct: str | None = None
    in_a_row: bool = False
    expected: tuple[tuple[str, ...], Verdict] | None = None
    steps: tuple[tuple[str, Verdict], ...] = ()
    silence: Callable[[Device], int] | None = None
    scope_of: Callable[[Device], str] = lambda device: device.id
    scopes: dict[str, Scope] = field(default_factory=dict)
    during: tuple[int, int] | None = None
    figure: Figure | None = None
    inside: bool = False

    def second(self, at: int, world: World) -> Came:
        """What the passing of time to this second does, scope by scope."""
        came: Came = []
        if self.silence:
            return self._silences(at, world)
        if world.wall_known:
            self.turn(at, world, came)
        for name in sorted(self.scopes):
            scope = self.scopes[name]
            if scope.active and self._rested(scope, at):
                self._end(scope, name, "clear_after", at, came)
                scope = self.scopes[name]
            if self.figure and scope.samples and at == scope.samples[-1][0] + self.figure.over:
                scope.samples = []
                if self.figure.empty is False:
                    self._becomes_false(scope, name, "cleared", at, came)
                    scope = self.scopes[name]
            if self.shape == "hold":
                self._hold_second(scope, name, at, world, came)
            elif self.shape == "count" and scope.active and self._drains and not self._full(scope, at):
                scope.active = False
                came.append((at, self.rule, name, "cleared"))
            elif self.shape == "expect" and scope.waiting is not None and at == scope.waiting + self.length:
                scope.waiting = None
                self._come(scope, name, at, came)
        return came

    def event(self, said: Said, world: World) -> Came:
        """What an event does."""
        came: Came = []
        if self.silence:
            return self._heard(said, world)
        if said.kind not in (
            *self.kinds,
            *(self.expected[0] if self.expected else ()),
            *(kind for kind, _ in self.steps),
        ):
            return came
        name = self.scope_of(world.devices[said.device])
        scope = self.scopes.setdefault(name, Scope())
        scope.device = said.device
        verdict = self.when(said.data) if said.kind in self.kinds else None
        if self.during and verdict is not None:
            scope.lasting = (said.at, said.data) if verdict and self.states else None
        elif self.during and scope.lasting is not None:
            scope.lasting = (said.at, scope.lasting[1])
        if self.during and not self.inside:
            verdict = False
        elif self.figure:
            verdict = self._measure(scope, said) if verdict else None
        went = getattr(self, f"_{self.shape}")(scope, name, said, verdict, came, world)
        if went and scope.active:
            scope.active = False
            scope.over_since = None
            came.append((said.at, self.rule, name, "cleared"))
        elif scope.active and self._ends(scope, said, verdict):
            self._end(scope, name, "cleared", said.at, came)
        return came

    # Schedules and figures

    def turn(self, at: int, world: World, came: Came) -> None:
        """The schedule begins or ends, if it is time to."""
        if self.during is None or self.inside == (self.during[0] <= at < self.during[1]):
            return
        self.inside = not self.inside
        for name in sorted(self.scopes):
            scope = self.scopes[name]
            if not self.inside:
                scope.samples = []
                self._becomes_false(scope, name, "outside_schedule", at, came)
            elif scope.lasting is not None:
                scope.over_since = None
                if self.shape == "moment":
                    scope.standing = dict(scope.lasting[1])
                    if not scope.active:
                        self._come(scope, name, at, came)
                else:
                    scope.since, scope.confirmed, scope.done = at, scope.lasting[0], False

    def _becomes_false(self, scope: Scope, name: str, why: str, at: int, came: Came) -> None:
        """`when` is false from now on, though nothing was said."""
        scope.standing = scope.since = None
        scope.done = False
        if not scope.active or self.clear is not None or not self.states:
            return
        if self.clear_after is None:
            self._end(scope, name, why, at, came)
        elif scope.over_since is None:
            scope.over_since = at

    def _measure(self, scope: Scope, said: Said) -> bool | None:
        assert self.figure is not None
        if said.data.get("x") is None:
            return None
        inside = [sample for sample in scope.samples if sample[0] > said.at - self.figure.over]
        scope.samples = [*inside, (said.at, said.data["x"])]
        values = [value for _, value in scope.samples]
        return self.figure.true(values) if len(values) >= self.figure.samples else None

    # How it ends

    @property
    def _drains(self) -> bool:
        return self.clear is None and self.clear_after is None

    def _ends(self, scope: Scope, said: Said, verdict: bool | None) -> bool:
        if self.shape in ("expect", "sequence", "count") and self._drains:
            return False
        if verdict is True:
            scope.last_true, scope.over_since = said.at, None
            return False
        if self.clear is None and not self.states:
            return False
        over = self.clear(said.data) if self.clear else (None if verdict is None else not verdict)
        if over and self.clear_after is None:
            return True
        if over and scope.over_since is None:
            scope.over_since = said.at
        if over is False:
            scope.over_since = None
        return False

    def _rested(self, scope: Scope, at: int) -> bool:
        if self.clear_after is None:
            return False
        quiet = self.clear is None and not self.states
        since = scope.last_true if quiet else scope.over_since
        return since is not None and at == since + self.clear_after

    def _end(self, scope: Scope, name: str, why: str, at: int, came: Came) -> None:
        came.append((at, self.rule, name, why))
        self.scopes[name] = Scope(device=scope.device, lasting=scope.lasting, samples=scope.samples)

    def _come(self, scope: Scope, name: str, at: int, came: Came) -> None:
        ends = self.clear or self.clear_after is not None or self.shape in ("count", "expect")
        momentary = not ends and (not self.states or self.shape == "sequence")
        came.append((at, self.rule, name, "momentary" if momentary else "again" if scope.active else "raised"))
        scope.active = not momentary
        scope.last_true = at

    # How it comes

    def _moment(self, scope: Scope, name: str, said: Said, verdict: bool | None, came: Came, _world: World) -> bool:
        if verdict is False:
            scope.standing = None
        if verdict is True:
            before = scope.standing
            scope.standing = dict(said.data) if self.states else None
            news = before is None or (self.singly and any(before.get(key) != said.data[key] for key in said.data))
            if news:
                self._come(scope, name, said.at, came)
        return False

    def _hold(self, scope: Scope, name: str, said: Said, verdict: bool | None, came: Came, _world: World) -> bool:
        if verdict is False:
            scope.since, scope.done = None, False
        elif scope.since is not None:
            scope.confirmed = said.at
        elif verdict is True:
            scope.since, scope.confirmed, scope.done = said.at, said.at, False
        return False

    def _hold_second(self, scope: Scope, name: str, at: int, world: World, came: Came) -> None:
        if scope.since is None or scope.done:
            return
        confirmed = scope.confirmed if self.own else max(scope.confirmed, world.heard.get(scope.device, 0))
        gap = 2.5 * world.devices[scope.device].report_interval
        if at >= scope.since + self.length:
            scope.done = True
            self._come(scope, name, at, came)
        elif gap and at >= confirmed + gap:
            scope.since = None

    def _count(self, scope: Scope, name: str, said: Said, verdict: bool | None, came: Came, _world: World) -> bool:
        if verdict is False and self.in_a_row:
            scope.seen = []
            return self._drains
        value = said.data.get(self.distinct) if self.distinct else None
        if verdict is not True or (self.distinct and value is None):
            return False
        scope.seen.append((said.at, value))
        if self._full(scope, said.at):
            self._come(scope, name, said.at, came)
        return False

    def _full(self, scope: Scope, at: int) -> bool:
        inside = [(when, value) for when, value in scope.seen if at - self.length < when <= at]
        return len({value for _, value in inside} if self.distinct else inside) >= self.at_least

    def _expect(self, scope: Scope, name: str, said: Said, verdict: bool | None, came: Came, _world: World) -> bool:
        assert self.expected is not None
        kinds, expected = self.expected
        followed = said.kind in kinds and expected(said.data) is True
        if followed:
            scope.waiting = None
        if verdict is True and scope.waiting is None:
            scope.waiting = said.at
        return followed

    def _sequence(self, scope: Scope, name: str, said: Said, verdict: bool | None, came: Came, _world: World) -> bool:
        steps = scope.steps or [None] * len(self.steps)
        for index in reversed(range(len(self.steps))):
            kind, fits = self.steps[index]
            start = said.at if index == 0 else steps[index - 1]
            if said.kind != kind or fits(said.data) is not True or start is None or said.at - start >= self.length:
                continue
            if index:
                steps[index - 1] = None
            if index == len(self.steps) - 1:
                self._come(scope, name, said.at, came)
            else:
                steps[index] = start
        scope.steps = steps
        return False

    # Silences

    def _silences(self, at: int, world: World) -> Came:
        came: Came = []
        assert self.silence is not None
        for name in sorted(world.devices):
            scope = self.scopes.setdefault(name, Scope(waiting=0))
            allowed = self.silence(world.devices[name])
            if allowed and scope.waiting is not None and at == scope.waiting + allowed:
                scope.waiting = None
                self._come(scope, name, at, came)
        return came

    def _heard(self, said: Said, world: World) -> Came:
        came: Came = []
        assert self.silence is not None
        if said.kind not in (*self.kinds, "device.availability") if self.kinds else said.kind.startswith("gateway."):
            return came
        if not self.silence(world.devices[said.device]):
            return came
        scope = self.scopes.setdefault(said.device, Scope(waiting=0))
        if said.kind == "device.availability" and said.data["online"] is False:
            scope.waiting = None
            return came
        if said.kind == "device.availability" and self.kinds:
            scope.waiting = None if scope.active else said.at
            return came
        scope.waiting = said.at
        if scope.active:
            scope.active = False
            came.append((said.at, self.rule, said.device, "cleared"))
        return came


@dataclass
class Together:
    """What `together` makes of what a rule says of single devices."""

    rule: str
    place: Callable[[Device], str]
    at_least: int
    within: int
    members: dict[str, dict[str, tuple[int, bool]]] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)

    def second(self, at: int) -> Came:
        """Moments are forgotten after `within`."""
        came: Came = []
        for place in sorted(self.members):
            members = self.members[place]
            for device in [name for name, (since, moment) in members.items() if moment and at >= since + self.within]:
                del members[device]
            came += self._thin(place, at, "cleared")
        return came

    def take(self, one: tuple[int, str, str, str], world: World) -> Came:
        """One thing said of a device: what is said of its place."""
        at, _, device, what = one
        place = self.place(world.devices[device])
        members = self.members.setdefault(place, {})
        if what in ("raised", "again", "momentary"):
            if what == "again":
                return []
            members[device] = (at, what == "momentary")
            recent = [since for since, _ in members.values() if at - self.within < since]
            if place in self.active:
                return [(at, self.rule, place, "again")]
            if len(recent) < self.at_least:
                return []
            self.active.add(place)
            return [(at, self.rule, place, "raised")]
        members.pop(device, None)
        return self._thin(place, at, what)

    def _thin(self, place: str, at: int, why: str) -> Came:
        if place not in self.active or len(self.members[place]) >= self.at_least:
            return []
        self.active.discard(place)
        return [(at, self.rule, place, why)]


@dataclass
class Inhibited:
    """What `inhibited_by` makes of all that is said: `causes` are, by rule, its causes and where each has to stand."""

    causes: dict[str, list[tuple[str, Callable[[str], str]]]]
    standing: set[tuple[str, str]] = field(default_factory=set)
    withheld: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def take(self, one: tuple[int, str, str, str]) -> Came:
        """One thing said: what is said in its place, and of what it explains."""
        at, rule, scope, what = one
        key = (rule, scope)
        came: Came = []
        if what in ("raised", "again", "momentary"):
            cause = self._cause(key)
            if what == "raised":
                self.standing.add(key)
            if key in self.withheld:
                return []
            if cause is None:
                came.append(one)
            else:
                came.append((at, rule, scope, self._told(cause)))
                if what != "momentary":
                    self.withheld[key] = cause
            if what == "raised":
                for child in sorted(self.standing - self.withheld.keys()):
                    found = self._cause(child)
                    if found is not None and found[0] == rule:
                        self.withheld[child] = found
                        came.append((at, *child, self._told(found)))
            return came
        self.standing.discard(key)
        self.withheld.pop(key, None)
        came.append(one)
        children = sorted(child for child, cause in self.withheld.items() if cause == key)
        for child in children:
            del self.withheld[child]
        causes = {child: cause for child in children if (cause := self._cause(child)) is not None}
        came += [(at, *child, "raised") for child in children if child not in causes]
        came += [(at, *child, self._told(cause)) for child, cause in causes.items()]
        self.withheld.update(causes)
        return came

    def _cause(self, key: tuple[str, str]) -> tuple[str, str] | None:
        for cause, where in self.causes.get(key[0], ()):
            if (cause, where(key[1])) in self.standing:
                return cause, where(key[1])
        return None

    def _told(self, cause: tuple[str, str]) -> str:
        return f"withheld({cause[0]} {cause[1]})"
