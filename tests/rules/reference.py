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

    def second(self, at: int, world: World) -> Came:
        """What the passing of time to this second does, scope by scope."""
        came: Came = []
        if self.silence:
            return self._silences(at, world)
        for name in sorted(self.scopes):
            scope = self.scopes[name]
            if scope.active and self._rested(scope, at):
                self._end(scope, name, "clear_after", at, came)
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
        went = getattr(self, f"_{self.shape}")(scope, name, said, verdict, came, world)
        if went and scope.active:
            scope.active = False
            scope.over_since = None
            came.append((said.at, self.rule, name, "cleared"))
        elif scope.active and self._ends(scope, said, verdict):
            self._end(scope, name, "cleared", said.at, came)
        return came

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
        self.scopes[name] = Scope()

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
