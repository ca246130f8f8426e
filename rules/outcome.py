"""From a condition that came or went to what the engine says of it: alone, together with others, or under a cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model.judgement import Cleared, Raised, RuleChange, Withheld
from gateway.model.place import Device
from rules.conditions import CompiledRule, Sight, Track
from rules.conditions.track import MOST_EVIDENCE, Gathering, Member
from rules.inhibition import Inhibition, Key, place_of
from rules.timers import TOGETHER, Timers

#: The cause is over, but what it explained is given time to be over, too.
NOBODY: Key = ("", "")


class Outcomes:
    """The last stages of judging: `together`, then `inhibited_by`, then the change. Remembers nothing beside tracks."""

    def __init__(self, rules: Mapping[str, CompiledRule], devices: Mapping[str, Device], timers: Timers) -> None:
        self._rules = rules
        self._devices = devices
        self._timers = timers
        self.inhibition = Inhibition(rules.values(), devices)

    def came(self, rule: CompiledRule, scope: str, track: Track, at: float, changes: list[RuleChange]) -> None:
        """A condition came, or came again."""
        if rule.rule.together is not None:
            self._join(rule, scope, track, at, changes)
        else:
            self._report(rule, scope, track, at, rule.rule.momentary, changes)
        if track.active and rule.ending is not None:
            rule.ending.began(track, at)

    def went(
        self,
        rule: CompiledRule,
        scope: str,
        track: Track,
        at: float,
        reason: str,
        changes: list[RuleChange],
        sight: Sight | None = None,
    ) -> None:
        """A condition that stood has ended; the event that ended it, if one did, is the evidence."""
        track.active = False
        track.clears = None
        if rule.rule.together is not None:
            self._leave(rule, place_of(scope), at, reason, changes)
        else:
            self._end(rule, scope, track, at, reason, changes, sight)

    def drain(self, rule: CompiledRule, place: str, at: float, changes: list[RuleChange]) -> None:
        """A timer of a place whose devices are judged together: some moments are too long ago, or a cause is over."""
        track = rule.places[place]
        if track.ripens is not None and track.ripens <= at:
            self._drop_moments(rule, track, at)
            self._thin(rule, place, track, at, "cleared", changes)
        if track.released is not None and track.released <= at:
            self.release(rule, place, track, at, changes)
        self._settle(rule, place, track)

    def release(self, rule: CompiledRule, scope: str, track: Track, at: float, changes: list[RuleChange]) -> None:
        """The cause has been over for long enough: what is still true is raised, unless there is another cause."""
        track.withheld = track.released = None
        cause = self.inhibition.cause_of(rule.rule.id, scope, track)
        if cause is not None:
            self._withhold(rule, scope, track, at, cause, changes)
        else:
            self._raise(rule, scope, track, at, again=False, momentary=False, changes=changes)

    def reconcile(self, at: float, changes: list[RuleChange]) -> None:
        """Other rules are in force: what is withheld under a cause that is gone with its rule comes out."""
        alone: list[Key] = []
        for name, rule in self._rules.items():
            for scope in sorted(rule.reported):
                track = rule.reported[scope]
                if track.withheld is None or track.released is not None:
                    continue
                cause = self._rules.get(track.withheld[0])
                standing = cause.reported.get(track.withheld[1]) if cause is not None else None
                if standing is None or not standing.active:
                    self.inhibition.let_go((name, scope), track.withheld)
                    alone.append((name, scope))
        self._uncover(sorted(alone), at, changes)

    # What is said.

    def _report(
        self, rule: CompiledRule, scope: str, track: Track, at: float, momentary: bool, changes: list[RuleChange]
    ) -> None:
        again = track.active
        track.active = not momentary
        if track.withheld is not None:
            return
        cause = self.inhibition.cause_of(rule.rule.id, scope, track)
        if cause is None:
            self._raise(rule, scope, track, at, again=again, momentary=momentary, changes=changes)
        elif momentary:
            changes.append(self._withheld(rule, scope, track, at, cause, momentary))
            track.evidence = []
        else:
            self._withhold(rule, scope, track, at, cause, changes)
        if track.active and not again:
            self.inhibition.note(rule.rule.id, scope)
            for key in self.inhibition.explained_by(rule.rule.id, scope):
                self._cover(key, at, changes)

    def _raise(
        self,
        rule: CompiledRule,
        scope: str,
        track: Track,
        at: float,
        *,
        again: bool,
        momentary: bool,
        changes: list[RuleChange],
    ) -> None:
        changes.append(
            Raised(
                rule=rule.rule.id,
                scope=scope,
                at=at,
                site=track.site,
                device=track.device,
                again=again,
                momentary=momentary,
                values=_values(rule, track),
                evidence=tuple(track.evidence),
            )
        )
        track.evidence = []

    def _withhold(
        self, rule: CompiledRule, scope: str, track: Track, at: float, cause: Key, changes: list[RuleChange]
    ) -> None:
        """From now on it stands under the cause. Its evidence is kept: it may have to be raised yet."""
        track.withheld = cause
        track.released = None
        self.inhibition.hold((rule.rule.id, scope), cause)
        changes.append(self._withheld(rule, scope, track, at, cause, False))

    def _withheld(
        self, rule: CompiledRule, scope: str, track: Track, at: float, cause: Key, momentary: bool
    ) -> Withheld:
        top = self.inhibition.top(cause)
        return Withheld(
            rule=rule.rule.id,
            scope=scope,
            at=at,
            site=track.site,
            cause=top[0],
            cause_scope=top[1],
            nearest=cause,
            device=track.device,
            momentary=momentary,
            values=_values(rule, track),
            evidence=tuple(track.evidence),
        )

    def _end(
        self,
        rule: CompiledRule,
        scope: str,
        track: Track,
        at: float,
        reason: str,
        changes: list[RuleChange],
        sight: Sight | None = None,
    ) -> None:
        evidence = () if sight is None else (sight.evidence(),)
        changes.append(Cleared(rule=rule.rule.id, scope=scope, at=at, reason=reason, evidence=evidence))
        if track.withheld is not None:
            self.inhibition.let_go((rule.rule.id, scope), track.withheld)
            track.withheld = track.released = None
            track.evidence = []
        self._uncover(self.inhibition.forget(rule.rule.id, scope), at, changes)

    # Under a cause.

    def _cover(self, key: Key, at: float, changes: list[RuleChange]) -> None:
        """A cause came that may explain what stands already."""
        rule = self._rules[key[0]]
        track = rule.reported[key[1]]
        if track.withheld is not None and track.released is None:
            return
        cause = self.inhibition.cause_of(*key, track)
        if cause is not None:
            self._withhold(rule, key[1], track, at, cause, changes)
            self._settle(rule, key[1], track)

    def _uncover(self, keys: list[Key], at: float, changes: list[RuleChange]) -> None:
        """Their cause has ended: each is raised, at once or after a while, unless there is another cause.

        What is raised is told first, as it may be the cause of others.
        """
        found: list[tuple[Key, Key]] = []
        for key in keys:
            self._rules[key[0]].reported[key[1]].withheld = None
        for key in keys:
            rule = self._rules[key[0]]
            track = rule.reported[key[1]]
            cause = self.inhibition.cause_of(*key, track)
            settle = rule.rule.inhibited_by.settle if rule.rule.inhibited_by is not None else 0.0
            if cause is not None:
                # Noted at once: two that would explain each other must not hide each other both.
                track.withheld = cause
                found.append((key, cause))
            elif settle:
                track.withheld, track.released = NOBODY, at + settle
            else:
                self.release(rule, key[1], track, at, changes)
        for key, cause in found:
            rule = self._rules[key[0]]
            self._withhold(rule, key[1], rule.reported[key[1]], at, cause, changes)
        for key in keys:
            self._settle(self._rules[key[0]], key[1], self._rules[key[0]].reported[key[1]])

    # Together with others.

    def _join(self, rule: CompiledRule, scope: str, track: Track, at: float, changes: list[RuleChange]) -> None:
        """A device's condition came: it is one more of its place."""
        words = rule.rule.together
        if words is None:
            return
        again = track.active
        track.active = not rule.rule.momentary
        event = track.evidence[-1] if track.evidence else None
        track.evidence = []
        if again:
            return
        device = place_of(scope)
        place = self._place(device, track.site, words.scope)
        standing = rule.places.get(place)
        if standing is None:
            standing = rule.places[place] = Track(site=track.site, state=Gathering())
        members = _members(standing)
        members.pop(device, None)
        members[device] = Member(at, track.active, event)
        self._drop_moments(rule, standing, at)
        recent = sum(at < member.at + words.within for member in members.values())
        standing.device = device
        if standing.active or recent >= words.at_least:
            came = [event] if standing.active else [member.event for member in members.values()]
            standing.evidence = [one for one in came if one is not None][-MOST_EVIDENCE:]
            self._report(rule, place, standing, at, False, changes)
        self._settle(rule, place, standing)

    def _leave(self, rule: CompiledRule, device: str, at: float, reason: str, changes: list[RuleChange]) -> None:
        """A device's condition has ended."""
        for place in [name for name, track in rule.places.items() if device in _members(track)]:
            track = rule.places[place]
            del _members(track)[device]
            self._thin(rule, place, track, at, reason, changes)
            self._settle(rule, place, track)

    def _thin(
        self, rule: CompiledRule, place: str, track: Track, at: float, reason: str, changes: list[RuleChange]
    ) -> None:
        """Ends what stands for a place where too few devices are left."""
        words = rule.rule.together
        if track.active and words is not None and len(_members(track)) < words.at_least:
            track.active = False
            self._end(rule, place, track, at, reason, changes)

    def _drop_moments(self, rule: CompiledRule, track: Track, at: float) -> None:
        """Lets go of moments that are too long ago, and says when the next will be."""
        within = rule.rule.together.within if rule.rule.together is not None else 0.0
        members = _members(track)
        for device in [name for name, one in members.items() if not one.standing and at >= one.at + within]:
            del members[device]
        moments = [member.at + within for member in members.values() if not member.standing]
        track.ripens = min(moments) if moments else None

    def _place(self, device: str, site: str, level: str) -> str:
        known = self._devices.get(device)
        if known is None:
            return site if level == "site" else device
        return {"zone": known.zone, "building": known.building, "site": known.site}[level] or device

    def _settle(self, rule: CompiledRule, scope: str, track: Track) -> None:
        """Sets the timer of a track that others changed."""
        if rule.rule.together is None:
            self._timers.set((rule.rule.id, scope), track.due)
            return
        if not track.active and not _members(track):
            rule.places.pop(scope, None)
            track.ripens = track.released = None
        self._timers.set((rule.rule.id, scope, TOGETHER), track.due)


def _members(track: Track) -> dict[str, Member]:
    return track.state.members if isinstance(track.state, Gathering) else {}


def _values(rule: CompiledRule, track: Track) -> dict[str, Any]:
    """What the rule's texts and readers want to know: the fields of the last event, and what the condition tells."""
    data = track.evidence[-1].data if track.evidence else {}
    values = {field: data[field] for field in rule.rule.reads if field in data}
    if rule.rule.together is not None:
        values["count"] = len(_members(track))
        return values
    values.update(rule.condition.values(track))
    if rule.measure is not None:
        values.update(rule.measure.values(track))
    return values
