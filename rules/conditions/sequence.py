"""`sequence`: A, then B, then C, within a time."""

from __future__ import annotations

from collections.abc import Mapping

from rules.conditions.base import Condition
from rules.conditions.track import Effect, Heard, Run, Sight, Steps, Track
from rules.expressions import ALWAYS, NEVER, Predicate
from rules.language import Rule


class Sequence(Condition):
    """Comes with the event that completes the steps in order, the first of them less than `within` ago.

    One event does one step. Other events in between do not matter. Of several runs that have done as many steps, the
    one that started last is kept, as it has the most time left; so a completed sequence is found whenever there is one.
    """

    def __init__(self, rule: Rule, predicates: Mapping[str, Predicate]) -> None:
        super().__init__(rule, predicates)
        self._steps = [(step.on, predicates.get(f"sequence.{index}")) for index, step in enumerate(rule.sequence)]
        self._within = rule.within or 0.0

    def wakes(self, kind: str) -> Predicate:
        """Only a first step begins anything."""
        kinds, predicate = self._steps[0]
        return (predicate or ALWAYS) if kind in kinds else NEVER

    def judge(self, track: Track, sight: Sight) -> Effect:
        """Moves every run on by at most one step, the longest first."""
        if not sight.inside:
            return Effect.NOTHING
        runs = track.state.runs if isinstance(track.state, Steps) else [None] * (len(self._steps) - 1)
        runs = [run if run is not None and sight.at < run.started + self._within else None for run in runs]
        done: Run | None = None
        for index in reversed(range(len(self._steps))):
            run = runs[index - 1] if index else Run(sight.at, [])
            if run is None or not self._fits(index, sight):
                continue
            moved = Run(run.started, [*run.events, sight.evidence()])
            if index:
                runs[index - 1] = None
            if index < len(runs):
                runs[index] = moved
            else:
                done = moved
        self._keep(track, runs)
        if done is None:
            return Effect.NOTHING
        track.evidence = done.events
        return Effect.CAME

    def ripen(self, track: Track, at: float, heard: Heard) -> Effect:
        """Lets runs go that have taken too long."""
        runs = track.state.runs if isinstance(track.state, Steps) else []
        self._keep(track, [run if run is not None and at < run.started + self._within else None for run in runs])
        return Effect.NOTHING

    def _fits(self, index: int, sight: Sight) -> bool:
        kinds, predicate = self._steps[index]
        if sight.event.kind not in kinds:
            return False
        return predicate is None or predicate.verdict(sight.get, sight.past) is True

    def _keep(self, track: Track, runs: list[Run | None]) -> None:
        standing = [run.started for run in runs if run is not None]
        track.state = Steps(runs) if standing else None
        track.ripens = max(standing) + self._within if standing else None
