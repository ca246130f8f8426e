"""What a backtest tells: figures, the comparison alert by alert, suggestions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from rules.backtest.comparison import Comparison, Fired
from rules.backtest.episodes import Episode
from rules.backtest.load import Load
from rules.backtest.suggestions import Suggestion
from rules.language import RuleSet, Text

ORDER_SPAN = 7 * 86400.0
"""What comes back within a week belongs to the work order there is, as the services have it."""
MOST_LISTED = 5000


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's part of it. `then` is None where there is nothing to compare with."""

    rule: str
    title: Text
    severity: str
    now: int
    again: int
    withheld: int
    work_orders: int
    then: int | None = None
    matched: int | None = None
    only_then: int | None = None
    only_now: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A backtest. Times are wall times. `against` is `live`, the other pack's name, or empty.

    `then` and `comparison` are None where there was nothing to compare with; `not_compared` counts alerts that did
    fire by rules that are not in the pack. Lists hold the first `MOST_LISTED`; `left_out` says how many there are more.
    """

    since: float
    until: float
    events: int
    took_s: float
    rules: int
    against: str
    notes: tuple[Text, ...]
    now: Load
    then: Load | None
    by_rule: tuple[RuleRow, ...]
    suggestions: tuple[Suggestion, ...]
    alerts: tuple[Episode, ...]
    comparison: Comparison | None
    not_compared: int
    left_out: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """For programs: JSON-able."""
        body: dict[str, Any] = msgspec.to_builtins(self)
        return body

    def text(self) -> str:
        """For people."""
        return "\n".join(_lines(self))


def orders_of(rules: RuleSet, episodes: Iterable[Episode]) -> Counter[str]:
    """How many work orders the rules would have opened, by rule: one for each condition and week."""
    last: dict[tuple[str, str], float] = {}
    counts: Counter[str] = Counter()
    for one in episodes:
        rule = rules.get(one.rule)
        if rule is None or rule.then.work_order is None or one.withheld:
            continue
        before = last.get((one.rule, one.scope))
        if before is None or one.raised_at - before > ORDER_SPAN:
            counts[one.rule] += 1
        last[one.rule, one.scope] = one.end if one.ended_at is not None else one.raised_at
    return counts


def rows(rules: RuleSet, episodes: list[Episode], then: list[Fired] | None, met: Comparison | None) -> list[RuleRow]:
    """The rules that said or had said something, those with the most alerts first."""
    now = Counter(one.rule for one in episodes if not one.withheld)
    withheld = Counter(one.rule for one in episodes if one.withheld)
    again: Counter[str] = Counter()
    for one in episodes:
        again[one.rule] += one.again
    orders = orders_of(rules, episodes)
    fired = Counter(one.rule for one in then or ())
    counts = {
        "matched": Counter(one.then.rule for one in met.matched),
        "only_then": Counter(one.rule for one in met.only_then),
        "only_now": Counter(one.rule for one in met.only_now),
    } if met is not None else {}  # fmt: skip
    found = []
    for name in sorted({*now, *withheld, *fired}, key=lambda one: (-now[one], -fired[one], one)):
        rule = rules.get(name)
        found.append(
            RuleRow(
                rule=name,
                title=rule.title if rule is not None else {},
                severity=str(rule.severity) if rule is not None else "",
                now=now[name],
                again=again[name],
                withheld=withheld[name],
                work_orders=orders[name],
                then=fired[name] if then is not None else None,
                **{word: count[name] for word, count in counts.items()},
            )
        )
    return found


def _lines(report: Report) -> list[str]:
    lines = [
        f"{_clock(report.since)} to {_clock(report.until)}: {report.events} events through {report.rules} rules "
        f"in {report.took_s:.1f} s"
    ]
    lines += [f"note: {note['en']}" for note in report.notes]
    lines += ["", *_figures(report), ""]
    heading = f"{'rule':40} {'would':>7} {'again':>7} {'orders':>7}"
    compared = report.comparison is not None
    lines.append(heading + (f" {'did':>7} {'both':>7} {'only did':>9} {'only would':>11}" if compared else ""))
    for row in report.by_rule:
        line = f"{row.rule:40} {row.now:>7} {row.again:>7} {row.work_orders:>7}"
        if compared:
            line += f" {row.then or 0:>7} {row.matched or 0:>7} {row.only_then or 0:>9} {row.only_now or 0:>11}"
        lines.append(line)
    if report.not_compared:
        lines.append(f"{report.not_compared} alerts of rules that are not in the pack were not compared")
    if report.comparison is not None:
        lines += ["", *_differences(report.comparison)]
    if report.suggestions:
        lines += ["", "suggestions", *(f"  {one.rule}: {one.text['en']}" for one in report.suggestions)]
    return lines


def _figures(report: Report) -> list[str]:
    columns = [("would", report.now)] + ([("did", report.then)] if report.then is not None else [])
    figures: list[tuple[str, Any]] = [
        ("alerts", lambda load: load.alerts),
        ("repeated", lambda load: load.repeats),
        ("work orders", lambda load: load.work_orders),
        ("alerts per operator-hour", lambda load: f"{load.per_operator_hour:g}"),
        ("most in ten minutes", lambda load: load.peak_10m),
        ("time in flood", lambda load: f"{load.flood_share:.2%}"),
        ("critical/high/medium/low", lambda load: "/".join(str(count) for count in load.mix.values())),
    ]
    lines = [f"{'':26}" + "".join(f" {name:>14}" for name, _ in columns)]
    return lines + [f"{name:26}" + "".join(f" {figure(load)!s:>14}" for _, load in columns) for name, figure in figures]


def _differences(met: Comparison, most: int = 20) -> list[str]:
    lines = [f"{len(met.matched)} alerts in both"]
    moved = [one for one in met.matched if abs(one.shift_s) >= 1.0]
    if moved:
        lines.append(f"  {len(moved)} of them at another time, by {max(abs(one.shift_s) for one in moved):g} s at most")
    only: tuple[tuple[str, tuple[Any, ...]], ...] = (("did", met.only_then), ("would", met.only_now))
    for word, alerts in only:
        lines.append(f"{len(alerts)} that only {word} come")
        lines += [f"  {_clock(one.raised_at)} {one.rule} {one.scope}" for one in alerts[:most]]
        if len(alerts) > most:
            lines.append(f"  and {len(alerts) - most} more: --json lists them")
    return lines


def _clock(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
