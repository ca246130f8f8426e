"""Alert by alert: what did fire against what would have fired."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from rules.backtest.episodes import Episode

SLACK = 60.0
"""Two alerts of one rule and scope are the same incident where they stand at the same time, give or take a minute."""


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that did fire, or that another version of the rules would have given.

    `ended_at` is when it was over for good, so that the next of its condition is another alert; None while it stands.
    `work_order` is the order that came of it.
    """

    id: str = ""
    rule: str
    scope: str
    device: str | None = None
    severity: str = "medium"
    raised_at: float
    ended_at: float | None = None
    count: int = 1
    work_order: str | None = None

    @property
    def end(self) -> float:
        """When it was over: the end of time while it stands."""
        return float("inf") if self.ended_at is None else self.ended_at


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The same incident in both. `times` is how often it would have come where it did come as one alert.

    `shift_s` is how much later it would have come.
    """

    then: Fired
    now: Episode
    times: int
    shift_s: float


class Comparison(msgspec.Struct, frozen=True):
    """What is in both, what did come and would not, and what would come and did not."""

    matched: tuple[Match, ...]
    only_then: tuple[Fired, ...]
    only_now: tuple[Episode, ...]


def compare(then: Iterable[Fired], now: Iterable[Episode]) -> Comparison:
    """Holds two lists of alerts against each other, condition by condition."""
    records: dict[tuple[str, str], list[Fired]] = {}
    for fired in sorted(then, key=lambda one: one.raised_at):
        records.setdefault((fired.rule, fired.scope), []).append(fired)
    starts = {key: [one.raised_at for one in known] for key, known in records.items()}
    met: dict[int, list[Episode]] = {}
    only_now = []
    for episode in now:
        key = (episode.rule, episode.scope)
        place = _place(episode, records.get(key, []), starts.get(key, []))
        if place is None or episode.withheld:
            only_now.append(episode)
        else:
            met.setdefault(id(records[key][place]), []).append(episode)
    every = [fired for known in records.values() for fired in known]
    matched = [_match(fired, met[id(fired)]) for fired in every if id(fired) in met]
    only_then = [fired for fired in every if id(fired) not in met]
    return Comparison(
        tuple(sorted(matched, key=lambda one: one.then.raised_at)),
        tuple(sorted(only_then, key=lambda one: one.raised_at)),
        tuple(episode for episode in only_now if not episode.withheld),
    )


def _match(fired: Fired, episodes: list[Episode]) -> Match:
    first = min(episodes, key=lambda one: one.raised_at)
    return Match(then=fired, now=first, times=len(episodes), shift_s=round(first.raised_at - fired.raised_at, 3))


def _place(episode: Episode, known: list[Fired], starts: list[float]) -> int | None:
    """Which of the alerts of its condition the episode is part of, or begins with."""
    before = bisect_right(starts, episode.raised_at + SLACK) - 1
    if before >= 0 and episode.raised_at <= known[before].end + SLACK:
        return before
    after = before + 1
    return after if after < len(known) and starts[after] <= episode.end + SLACK else None
