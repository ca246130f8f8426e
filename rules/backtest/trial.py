"""Inputs through whole engines: as many rule sets at once as are to be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gateway.model.catalogue import Catalogue
from rules.backtest.episodes import Episode, Episodes
from rules.engine import Engine
from rules.inputs import Input, Placed, Told, play
from rules.language import RuleSet


class Trial:
    """One rule set on trial. `state` is what an engine remembered at the beginning of the inputs.

    Rules whose condition is another now begin without memory. Alerts count from the wall time `since` on.
    """

    def __init__(self, rules: RuleSet, catalogue: Catalogue, since: float, state: bytes | None = None) -> None:
        self.rules = rules
        self.engine = Engine(rules, catalogue, {})
        self.warm = state is not None and self._restore(state)
        self._episodes = Episodes({rule.id: str(rule.severity) for rule in rules}, since)
        self.note = self._episodes.note

    @property
    def episodes(self) -> list[Episode]:
        """What came, in the order in which it came."""
        return self._episodes.all

    def _restore(self, state: bytes) -> bool:
        """Whether the engine could take over what another remembered; one of another version is left alone."""
        try:
            self.engine.restore(state)
        except (msgspec.DecodeError, KeyError):
            return False
        return True


class Played(msgspec.Struct):
    """How much was played to the engines."""

    inputs: int = 0
    events: int = 0


def play_all(trials: Sequence[Trial], inputs: Iterable[Input], until: float) -> Played:
    """Plays the inputs up to the wall time `until` to all of them."""
    played = Played()
    judges = [(trial.engine.process, trial.note) for trial in trials]
    events = others = 0
    lag = 0.0
    for given in inputs:
        if type(given) is Told:
            if given.received > until:
                break
            events += 1
            for process, note in judges:
                changes = process(given)
                if changes:
                    note(changes, given.at - given.received)
            continue
        lag = given.at - given.wall
        if given.wall > until and not (isinstance(given, Placed) and given.known):
            break
        others += 1
        for trial in trials:
            trial.note(play(trial.engine, given), lag)
    else:
        played.inputs, played.events = events + others, events
        return played
    for trial in trials:
        trial.note(trial.engine.advance(until + lag), lag)
    played.inputs, played.events = events + others, events
    return played
