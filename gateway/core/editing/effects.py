"""What a change of the rules would have hidden: the critical alerts of the last days that would not have come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gateway.model import Alert, Hidden, Severity
from rules import RuleSet

#: How far back a change is tried, in seconds. The journal reaches as far.
LOOK_BACK = 7 * 86_400.0


class Doubt(NamedTuple):
    """`certain` are the alerts that are hidden whatever happened; of `open` only a replay can tell."""

    certain: tuple[Hidden, ...]
    open: tuple[Alert, ...]


def touched(before: RuleSet, after: RuleSet) -> frozenset[str]:
    """The rules of `before` that judge otherwise in `after`: gone, of another condition, or no longer critical."""
    found = set()
    for rule in before:
        now = after.get(rule.id)
        lowered = now is not None and rule.severity is Severity.CRITICAL and now.severity is not Severity.CRITICAL
        if now is None or lowered or now.fingerprint != rule.fingerprint:
            found.add(rule.id)
    return frozenset(found)


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
