"""What is known of one rule and one device at a moment: the engine's memory, and the events it judged last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.model.event import Event
from gateway.model.place import Device
from rules.conditions import CompiledRule, Track
from rules.engine import Engine
from rules.inputs import Input, Told, play
from rules.past import Past
from rules.plan import covers, scope_of


class Seen(msgspec.Struct, frozen=True):
    """An event, with what `previous` and its like looked back on when it came; None where that is not known."""

    event: Event
    past: Past | None


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One rule and one device at a moment. `at` is steady, `wall` the wall clock.

    `scope` is what the rule's condition is kept for, `place` what its alerts are for: they differ under `together`.
    `inside` is whether the schedule has begun, `cause` the condition that explains this one.
    """

    rule: CompiledRule
    device: Device | None
    name: str
    scope: str
    place: str
    covered: bool
    at: float
    wall: float
    inside: bool
    seen: Mapping[str, Seen]
    last_heard: float | None
    cause: tuple[str, str] | None

    @property
    def track(self) -> Track | None:
        """What is remembered of the condition."""
        return self.rule.tracks.get(self.scope)

    @property
    def reported(self) -> Track | None:
        """What is remembered of its alert."""
        return self.rule.reported.get(self.place)

    def newest(self, kinds: tuple[str, ...]) -> Seen | None:
        """The newest event of these kinds."""
        found = [self.seen[kind] for kind in kinds if kind in self.seen]
        return max(found, key=lambda seen: (seen.event.at, seen.event.seq), default=None)


class Watch:
    """Plays inputs to an engine, and keeps what bears on one rule and device."""

    def __init__(self, engine: Engine, rule: str, device: str) -> None:
        self._engine = engine
        self._device = device
        self._rule = engine.compiled(rule)
        self._kinds = frozenset(self._rule.rule.kinds)
        self._wide = self._rule.rule.scope != "device"
        self.seen: dict[str, Seen] = {}

    def play(self, given: Input) -> None:
        """Tells the engine one input."""
        if type(given) is Told and given.kind in self._kinds and self._judged(given) and self._concerns(given):
            past = self._engine.past_of(given.device, given.kind)
            self.seen[given.kind] = Seen(given, copied(past, given.at))
        play(self._engine, given)

    def _judged(self, event: Event) -> bool:
        return not event.replay and (not event.late or self._rule.rule.late)

    def _concerns(self, event: Event) -> bool:
        if event.device == self._device:
            return True
        if not self._wide:
            return False
        own, other = (self._engine.device(name) for name in (self._device, event.device))
        return scope_of(self._rule, event.device, other, event.site) == scope_of(
            self._rule, self._device, own, own.site if own is not None else ""
        )

    def scene(self, wall: float, at: float) -> Scene:
        """All that is known now."""
        engine, rule = self._engine, self._rule
        device = engine.device(self._device)
        newest = max(self.seen.values(), key=lambda seen: seen.event.at, default=None)
        site = device.site if device is not None else newest.event.site if newest is not None else ""
        scope = scope_of(rule, self._device, device, site)
        if rule.scope_by is not None:
            scope = f"{scope}/{_part(rule, newest)}"
        place = scope
        if rule.rule.together is not None and device is not None:
            level = rule.rule.together.scope
            place = {"zone": device.zone, "building": device.building, "site": device.site}[level] or device.id
        reported = rule.reported.get(place)
        return Scene(
            rule=rule,
            device=device,
            name=self._device,
            scope=scope,
            place=place,
            covered=covers(rule, device, site),
            at=at,
            wall=wall,
            inside=rule.rule.schedule is None or engine.inside(rule.rule.id, site),
            seen=self.seen,
            last_heard=engine.heard_at(self._device),
            cause=reported.withheld if reported is not None else None,
        )


def copied(past: Past | None, at: float) -> Past:
    """What is looked back on, as it is now."""
    copy = Past(past.fields if past is not None else ())
    copy.at = at
    copy.values = dict(past.values) if past is not None else {}
    return copy


def _part(rule: CompiledRule, seen: Seen | None) -> Any:
    if seen is None or rule.scope_by is None:
        return "?"
    try:
        return rule.scope_by(seen.event.data.get, seen.past or Past(()))
    except (TypeError, ArithmeticError, ValueError):
        return "?"
