"""Backtests: what rules would have said of a time that is over, and how that compares with what was said.

Pure: the inputs come as a function that gives them, as they are read twice where milder variants are to be tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.model.catalogue import Catalogue
from rules.backtest.comparison import Comparison, Fired, Match, compare
from rules.backtest.episodes import Episode
from rules.backtest.load import Load, load_of
from rules.backtest.report import MOST_LISTED, Report, orders_of, rows
from rules.backtest.suggestions import Suggestion, noisy, suggest, variants
from rules.backtest.trial import Trial, play_all
from rules.inputs import Input
from rules.language import RuleSet, Text

__all__ = ["Episode", "Fired", "Load", "Match", "Report", "Suggestion", "Wanted", "backtest", "compare", "load_of"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be tried. `then` are the alerts that did fire; or `against` is another rule set to compare with.

    `against_name` says which; `state` is what an engine remembered where the inputs begin.
    """

    rules: RuleSet
    catalogue: Catalogue
    since: float
    until: float
    state: bytes | None = None
    then: Sequence[Fired] | None = None
    against: RuleSet | None = None
    against_name: str = ""
    positions: int = 1
    suggest: bool = True
    notes: Sequence[Text] = ()


def backtest(wanted: Wanted, read: Callable[[], Iterable[Input]], clock: Callable[[], float]) -> Report:
    """Runs it. `read` gives the inputs from their beginning, each time it is called; `clock` measures (seconds)."""
    began = clock()
    trial = Trial(wanted.rules, wanted.catalogue, wanted.since, wanted.state)
    other = Trial(wanted.against, wanted.catalogue, wanted.since, wanted.state) if wanted.against is not None else None
    played = play_all([trial, other] if other is not None else [trial], read(), wanted.until)
    then = _fired(other) if other is not None else list(wanted.then) if wanted.then is not None else None
    known = [one for one in then if wanted.rules.get(one.rule) is not None or other is not None] if then else then
    met = compare(known, trial.episodes) if known is not None else None
    loud = noisy(wanted.rules, trial.episodes) if wanted.suggest else []
    suggestions: list[Suggestion] = []
    if loud:
        milder = Trial(variants(loud, wanted.rules, wanted.catalogue), wanted.catalogue, wanted.since)
        play_all([milder], read(), wanted.until)
        suggestions = suggest(loud, trial.episodes, milder.episodes, known or [])
    return _report(wanted, trial, known, met, suggestions, len(then or ()), played.events, clock() - began)


def _report(
    wanted: Wanted,
    trial: Trial,
    known: list[Fired] | None,
    met: Comparison | None,
    suggestions: list[Suggestion],
    fired: int,
    events: int,
    took: float,
) -> Report:
    since, until = wanted.since, wanted.until
    orders = orders_of(wanted.rules, trial.episodes)
    listed, left_out = _bounded(met)
    if len(trial.episodes) > MOST_LISTED:
        left_out["alerts"] = len(trial.episodes) - MOST_LISTED
    return Report(
        since=since,
        until=until,
        events=events,
        took_s=round(took, 3),
        rules=len(wanted.rules),
        against=wanted.against_name if known is not None else "",
        notes=tuple(wanted.notes),
        now=load_of(trial.episodes, since, until, orders.total(), wanted.positions),
        then=_load_then(known, since, until, wanted.positions) if known is not None else None,
        by_rule=tuple(rows(wanted.rules, trial.episodes, known, met)),
        suggestions=tuple(suggestions),
        alerts=tuple(trial.episodes[:MOST_LISTED]),
        comparison=listed,
        not_compared=fired - len(known or ()),
        left_out=left_out,
    )


def _bounded(met: Comparison | None) -> tuple[Comparison | None, dict[str, int]]:
    if met is None:
        return None, {}
    left = {name: len(getattr(met, name)) - MOST_LISTED for name in ("matched", "only_then", "only_now")}
    cut = Comparison(met.matched[:MOST_LISTED], met.only_then[:MOST_LISTED], met.only_now[:MOST_LISTED])
    return cut, {name: count for name, count in left.items() if count > 0}


def _fired(trial: Trial) -> list[Fired]:
    """The episodes of the rules that are compared with, as alerts; the orders they would have opened are numbered."""
    orders = {rule.id for rule in trial.rules if rule.then.work_order is not None}
    return [
        Fired(
            rule=one.rule,
            scope=one.scope,
            device=one.device,
            severity=one.severity,
            raised_at=one.raised_at,
            ended_at=one.raised_at if one.momentary else one.ended_at,
            count=1 + one.again,
            work_order=f"{one.rule}/{one.scope}" if one.rule in orders else None,
        )
        for one in trial.episodes
        if not one.withheld
    ]


def _load_then(then: list[Fired], since: float, until: float, positions: int) -> Load:
    episodes = [
        Episode(
            rule=one.rule,
            scope=one.scope,
            severity=one.severity,
            raised_at=one.raised_at,
            ended_at=one.ended_at,
            again=one.count - 1,
        )
        for one in then
    ]
    orders = {one.work_order for one in then} - {None}
    return load_of(episodes, since, until, len(orders), positions)
