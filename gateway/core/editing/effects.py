"""What a change of the rules would have hidden: the critical alerts of the last days that would not have come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gateway.model import Alert, Hidden, Severity
from rules import RuleSet
from rules.inhibition import named

#: How far back a change is tried, in seconds. The journal reaches as far.
LOOK_BACK = 7 * 86_400.0


class Doubt(NamedTuple):
    """`certain` are the alerts that are hidden whatever happened; of `open` only a replay can tell."""

    certain: tuple[Hidden, ...]
    open: tuple[Alert, ...]


def touched(before: RuleSet, after: RuleSet) -> frozenset[str]:
    """The rules of `before` whose alerts may be others in `after`.

    They are gone, of another condition, no longer critical, or held back by one that is new or of another condition.
    """
    found = {rule.id for rule in before if _differs(rule.id, before, after)}
    moved = found | {rule.id for rule in after if before.get(rule.id) is None}
    while True:
        further = {
            rule.id
            for rule in after
            if rule.id not in moved and rule.inhibited_by is not None and _any_named(rule.inhibited_by.rules, moved)
        }
        if not further:
            return frozenset(rule for rule in moved if before.get(rule) is not None)
        moved |= further


def with_causes(rules: Iterable[str], known: RuleSet) -> RuleSet:
    """Those of `known` that are among `rules`, and whatever may hold them back."""
    wanted = set(rules)
    while True:
        causes = {
            pattern
            for rule in known
            if rule.id in wanted and rule.inhibited_by is not None
            for pattern in rule.inhibited_by.rules
        }
        further = {rule.id for rule in known if rule.id not in wanted and _any_named(causes, (rule.id,))}
        if not further:
            return RuleSet(rule for rule in known if rule.id in wanted)
        wanted |= further


def doubts(alerts: Iterable[Alert], after: RuleSet) -> Doubt:
    """Critical alerts of touched rules, sorted into those that are surely hidden and those that have to be tried."""
    certain: list[Hidden] = []
    open_: list[Alert] = []
    for alert in alerts:
        rule = after.get(alert.rule)
        if rule is None:
            certain.append(hidden(alert, "gone"))
        elif rule.severity is not Severity.CRITICAL:
            certain.append(hidden(alert, "lowered"))
        else:
            open_.append(alert)
    return Doubt(tuple(certain), tuple(open_))


def hidden(alert: Alert, why: str) -> Hidden:
    """An alert as it is listed with a change that hides it."""
    return Hidden(
        alert=alert.id, rule=alert.rule, scope=alert.scope, raised_at=alert.raised_at, site=alert.site, why=why
    )


def _differs(rule: str, before: RuleSet, after: RuleSet) -> bool:
    then, now = before.get(rule), after.get(rule)
    if then is None or now is None or then.fingerprint != now.fingerprint:
        return True
    return then.severity is Severity.CRITICAL and now.severity is not Severity.CRITICAL


def _any_named(patterns: Iterable[str], rules: Iterable[str]) -> bool:
    known = list(rules)
    return any(named(pattern, rule) for pattern in patterns for rule in known)
