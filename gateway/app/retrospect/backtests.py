"""A backtest put together: packs, a source, and the alerts that did fire."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import msgspec
from sqlalchemy import select

from gateway.app.definitions import load_definitions
from gateway.app.retrospect.sources import Source, file_source, journal_source, reading
from gateway.app.rule_packs import rules_in_force
from gateway.config import Home, Settings
from gateway.core.lookback import Query
from gateway.model import Alert
from gateway.store import tables
from rules import load_packs
from rules.backtest import Fired, Report, Wanted, backtest
from rules.inputs import Input
from rules.language import Rule

#: As in the core: batches of small objects without cycles, which the collector need not look at so often.
_COLLECT = (50_000, 20, 50)
_PAGE = 2000
#: However long a rule waits, it is not given more time than this to begin before the span.
_LONGEST_WARM_UP = 86_400.0


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be tried: `packs` (none for those in force) on the journal or on `file`.

    `against` is `live` for the alerts that did fire, `none`, or a pack's path. Times are wall times, None for all that
    there is.
    """

    packs: Sequence[Path] = ()
    since: float | None = None
    until: float | None = None
    file: Path | None = None
    against: str = "live"
    positions: int = 1
    suggest: bool = True


def run_backtest(home: Home, settings: Settings, question: Question, told: Callable[[float], None]) -> Report:
    """Runs it; `told` hears of the share that is done, from 0 to 1.

    Raises `PackError`, `Invalid` or `Unavailable` where there is nothing to run, or nothing to run it on.
    """
    known = load_definitions(home, kept=True)
    rules = (
        load_packs(question.packs, known.catalogue)
        if question.packs
        else rules_in_force(home, settings, known.catalogue)
    )
    live = question.against == "live"
    other = None if live or question.against == "none" else load_packs([Path(question.against)], known.catalogue)
    with ExitStack() as stack:
        if question.file is not None:
            source = file_source(question.file, question.since, question.until)
        else:
            database = stack.enter_context(reading(home, settings))
            warm_up = min(max((longest(rule) for rule in rules), default=0.0), _LONGEST_WARM_UP)
            source = journal_source(database, settings, known, question.since, question.until, warm_up=warm_up)
        wanted = Wanted(
            rules=rules,
            catalogue=known.catalogue,
            since=source.since,
            until=source.until,
            state=source.state,
            then=fired(home, settings, source.since, source.until) if live else None,
            against=other,
            against_name=question.against,
            positions=question.positions,
            suggest=question.suggest,
            notes=[{"en": english, "zh": chinese} for english, chinese in source.notes],
        )
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        return backtest(wanted, _reader(source, told, passes=2 if question.suggest else 1), time.monotonic)


def _reader(source: Source, told: Callable[[float], None], passes: int) -> Callable[[], Iterator[Input]]:
    """Reads the source, as often as it is called for, and tells how far all is."""
    done = count(0)

    def read() -> Iterator[Input]:
        before = min(next(done), passes - 1)
        span = max(source.until - source.since, 1.0)
        return source.read(lambda at: told((before + min(max((at - source.since) / span, 0.0), 1.0)) / passes))

    return read


def fired(home: Home, settings: Settings, since: float, until: float) -> list[Fired]:
    """The alerts that were raised between two wall times."""
    c = tables.alerts.c
    decode = msgspec.json.Decoder(Alert).decode
    found: list[Fired] = []
    last, ident = since, ""
    with reading(home, settings) as database:
        query = Query(database)
        while True:
            later = (c.raised_at > last) | ((c.raised_at == last) & (c.id > ident))
            wanted = select(c.raised_at, c.id, c.body).where(later, c.raised_at <= until)
            page = query.select(wanted.order_by(c.raised_at, c.id).limit(_PAGE))
            if not page:
                return found
            last, ident = page[-1][0], page[-1][1]
            found += [_fired(decode(body)) for _, _, body in page]


def _fired(alert: Alert) -> Fired:
    return Fired(
        id=alert.id,
        rule=alert.rule,
        scope=alert.scope,
        device=alert.device,
        severity=str(alert.severity),
        raised_at=alert.raised_at,
        ended_at=alert.closed_at,
        count=alert.count,
        work_order=alert.work_order,
    )


def longest(rule: Rule) -> float:
    """The longest time in seconds that the rule looks back or waits."""
    spans = [rule.for_, rule.within, rule.clear_after]
    spans += [rule.count.within if rule.count else None, rule.expect.within if rule.expect else None]
    spans += [rule.silent.seconds if rule.silent else None, rule.aggregate.over if rule.aggregate else None]
    spans += [rule.together.within if rule.together else None]
    return max((span for span in spans if span is not None), default=0.0)
