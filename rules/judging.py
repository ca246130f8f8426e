"""Judging: what an event, a timer or a schedule does to one rule in one scope."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model.judgement import RuleChange
from gateway.model.place import Device
from rules.calendar import Calendar
from rules.conditions import CompiledRule, Effect, Sight, Track
from rules.conditions.track import Heard, Lasting
from rules.outcome import Outcomes
from rules.timers import TOGETHER, Key, Timers


class Judge:
    """Takes a rule through its stages: schedule, `when`, measure, condition, ending; `Outcomes` does the rest.

    Everything it remembers is in the rules' tracks, their timers and the calendar.
    """

    def __init__(
        self, rules: Mapping[str, CompiledRule], devices: Mapping[str, Device], calendar: Calendar, heard: Heard
    ) -> None:
        self.calendar = calendar
        self.timers = Timers()
        self.outcomes = Outcomes(rules, devices, self.timers)
        self._compiled = rules
        self._devices = devices
        self._heard = heard
        for name, rule in rules.items():
            for scope, track in rule.tracks.items():
                self.timers.set((name, scope), track.due)
            for place, track in rule.places.items():
                self.timers.set((name, place, TOGETHER), track.due)
        for name in calendar.scheduled():
            self.timers.set((name,), calendar.due(name))

    def judge(self, rule: CompiledRule, scope: str, sight: Sight, site: str, changes: list[RuleChange]) -> None:
        """Shows an event to a rule that has a reason to look at it."""
        track = rule.tracks.get(scope)
        if track is None:
            track = rule.tracks[scope] = Track(site=site)
        track.device = sight.event.device
        if rule.dated:
            self._judge_dated(rule, track, sight)
        elif sight.event.kind in rule.rule.on:
            sight.verdict = rule.condition.when.verdict(sight.get, sight.past)
            if rule.measure is not None:
                sight.verdict = rule.measure.judge(track, sight) if sight.verdict else None
        effect = rule.condition.judge(track, sight)
        if effect is Effect.CAME:
            self.outcomes.came(rule, scope, track, sight.at, changes)
        if track.active and effect is Effect.WENT:
            self.outcomes.went(rule, scope, track, sight.at, "cleared", changes, sight)
        elif track.active and rule.ending is not None and rule.ending.judge(track, sight):
            self.outcomes.went(rule, scope, track, sight.at, "cleared", changes, sight)
            rule.condition.reset(track)
        self.settle(rule, scope, track)

    def _judge_dated(self, rule: CompiledRule, track: Track, sight: Sight) -> None:
        """The verdict of a rule that has a schedule, or asks what hour of the week it is."""
        name, event, measure = rule.rule.id, sight.event, rule.measure
        sight.inside = rule.rule.schedule is None or self.calendar.inside(name, track.site)
        if event.kind not in rule.rule.on:
            return
        verdict = rule.condition.when.verdict(sight.get, sight.past)
        if event.kind in rule.lasting:
            if verdict:
                track.lasting = Lasting(sight.at, sight.evidence())
            elif verdict is False:
                track.lasting = None
            elif track.lasting is not None:
                track.lasting.at = sight.at
        if measure is not None:
            sight.hour = self.calendar.hour(event.received, track.site)
            if verdict and not sight.inside:
                measure.learn(track, sight)
            verdict = measure.judge(track, sight) if verdict and sight.inside else None
        sight.verdict = verdict if sight.inside else False

    def fire(self, key: Key, at: float, changes: list[RuleChange]) -> None:
        """A timer. Where an end and a beginning are due together, the end comes first."""
        rule = self._compiled[key[0]]
        if len(key) == 1:
            self.turn(rule, at, self.calendar.next_wall(rule.rule.id), changes)
            return
        if key[-1] == TOGETHER and len(key) == 3:
            self.outcomes.drain(rule, key[1], at, changes)
            return
        scope = key[1]
        track = rule.tracks[scope]
        if track.clears is not None and track.clears <= at:
            self.outcomes.went(rule, scope, track, at, "clear_after", changes)
            rule.condition.reset(track)
        drained = track.drains is not None and track.drains <= at and rule.measure is not None
        if drained and rule.measure is not None and rule.measure.drain(track) is False:
            self._lapse(rule, scope, track, at, "cleared", changes)
        if track.ripens is not None and track.ripens <= at:
            effect = rule.condition.ripen(track, at, self._heard)
            if effect is Effect.CAME:
                self.outcomes.came(rule, scope, track, at, changes)
            elif effect is Effect.WENT and track.active:
                self.outcomes.went(rule, scope, track, at, "cleared", changes)
        if track.released is not None and track.released <= at:
            self.outcomes.release(rule, scope, track, at, changes)
        self.settle(rule, scope, track)

    def turn_all(self, at: float, changes: list[RuleChange]) -> None:
        """Looks at every schedule, as after the rules or the time zones changed."""
        wall = self.calendar.wall(at)
        if wall is not None:
            for name in self.calendar.scheduled():
                self.turn(self._compiled[name], at, wall, changes)

    def turn(self, rule: CompiledRule, at: float, wall: float, changes: list[RuleChange]) -> None:
        """Begins and ends a rule's schedule where it is time to."""
        turned = self.calendar.turn(rule.rule.id, wall)
        for scope in sorted(rule.tracks) if turned else ():
            track = rule.tracks[scope]
            inside = turned.get(self.calendar.zone(track.site))
            if inside is None:
                continue
            if inside:
                if track.lasting is not None:
                    track.clears = None
                effect = rule.condition.resume(track, at, self._devices.get(track.device or ""))
                if effect is Effect.CAME:
                    self.outcomes.came(rule, scope, track, at, changes)
            else:
                if rule.measure is not None:
                    rule.measure.lapse(track)
                self._lapse(rule, scope, track, at, "outside_schedule", changes)
            self.settle(rule, scope, track)
        self.timers.set((rule.rule.id,), self.calendar.due(rule.rule.id))

    def _lapse(
        self, rule: CompiledRule, scope: str, track: Track, at: float, reason: str, changes: list[RuleChange]
    ) -> None:
        """`when` is false from now on, though no event says so."""
        effect = rule.condition.lapse(track, at)
        if track.active and effect is Effect.WENT:
            self.outcomes.went(rule, scope, track, at, reason, changes)
        elif track.active and rule.ending is not None and rule.ending.lapse(track, at):
            self.outcomes.went(rule, scope, track, at, reason, changes)
            rule.condition.reset(track)

    def settle(self, rule: CompiledRule, scope: str, track: Track) -> None:
        """Sets the track's timer, or lets go of a track in which nothing stands open."""
        name = rule.rule.id
        if rule.rule.silent is not None and rule.dated and not self.calendar.inside(name, track.site):
            track.ripens = None
        if track.active or track.state is not None or track.measure is not None or track.lasting is not None:
            self.timers.set((name, scope), track.due)
        else:
            del rule.tracks[scope]
            self.timers.set((name, scope), None)
