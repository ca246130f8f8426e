"""A process of its own that finds out which critical alerts a change of the rules would have hidden.

It reads one `Wanted` from its standard input and writes the hidden alerts to its standard output, both as JSON. The
core goes on meanwhile: this one is told to be nice.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway.app.definitions import load_definitions, shipped_rules
from gateway.app.retrospect.backtests import longest
from gateway.app.retrospect.sources import journal_source, reading
from gateway.config import Home, Settings
from gateway.core.editing.alerts import critical_alerts
from gateway.core.editing.effects import doubts, hidden, touched, with_causes
from gateway.core.editing.packs import Shelf
from gateway.core.journal import PackRef
from gateway.core.lookback import Query
from gateway.errors import Unavailable
from gateway.model import Alert, Hidden
from gateway.store.rule_queries import RuleReader
from rules.backtest.comparison import SLACK
from rules.backtest.episodes import Episode
from rules.backtest.trial import Trial, play_all

#: Longest time that a check may take, in seconds: beyond it a second person has to decide without it.
LONGEST = 1800.0
#: What a rule waits for begins at most this long before its alert, in seconds.
LONGEST_WARM_UP = 86_400.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be found out: `before` and `after` the change, `wall` is now."""

    home: str
    settings: Settings
    before: tuple[PackRef, ...]
    after: tuple[PackRef, ...]
    wall: float


def check_apart(wanted: Wanted) -> list[Hidden]:
    """The answer of a process of its own. Raises `Unavailable` where it gave none."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gateway.app.rule_check"], input=msgspec.json.encode(wanted), capture_output=True,
            timeout=LONGEST, check=False,
        )  # fmt: skip
        return msgspec.json.decode(done.stdout, type=list[Hidden])
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the check took more than {LONGEST:.0f} s") from None
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"the check failed: {error}; its words: {done.stderr.decode()[-500:]}") from error


def check(wanted: Wanted) -> list[Hidden]:
    """The critical alerts of the last days that the rules of `after` would not have raised, of those in doubt."""
    home = Home(Path(wanted.home))
    known = load_definitions(home, kept=True)
    with reading(home, wanted.settings) as database:
        texts = RuleReader(database)
        shelf = Shelf(known.catalogue, shipped_rules(), texts.rule_text)
        before, after = shelf.load_what_can_be(wanted.before)[0], shelf.load(wanted.after)
        rules = touched(before, after)
        alerts = doubts(critical_alerts(Query(database), rules, wanted.wall), after).open
        if not alerts:
            return []
        trial_rules = with_causes({alert.rule for alert in alerts}, after)
        warm_up = min(max((longest(rule) for rule in trial_rules), default=0.0), LONGEST_WARM_UP) + SLACK
        until = max(_end(alert) for alert in alerts) + SLACK
        source = journal_source(
            database, wanted.settings, known, alerts[0].raised_at, min(until, wanted.wall), warm_up=warm_up
        )
        gc.freeze()
        trial = Trial(trial_rules, known.catalogue, 0.0, source.state)
        play_all([trial], source.read(lambda _: None), source.until)
    return [hidden(alert, "not_raised") for alert in alerts if not came(alert, trial.episodes)]


def came(alert: Alert, episodes: Sequence[Episode]) -> bool:
    """Whether one of them is this alert: of the same rule and thing, while the alert's condition stood."""
    return any(
        episode.rule == alert.rule
        and not episode.withheld
        and (episode.scope == alert.scope or (episode.device is not None and episode.device == alert.device))
        and episode.raised_at <= _end(alert) + SLACK
        and episode.end >= alert.raised_at - SLACK
        for episode in episodes
    )


def _end(alert: Alert) -> float:
    """When its condition was over; of one that stands, of one that is momentary, see `last_at`."""
    if alert.momentary:
        return alert.last_at
    ends = [at for at in (alert.returned_at, alert.closed_at) if at is not None]
    return min(ends) if ends else float("inf")


def main() -> None:
    """Answers once."""
    os.nice(10)
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
    sys.stdout.buffer.write(msgspec.json.encode(check(wanted)))


if __name__ == "__main__":
    main()
