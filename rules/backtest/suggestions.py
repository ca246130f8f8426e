"""Milder variants of rules that alert often, and what they would have given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from gateway.model.catalogue import Catalogue
from rules.backtest.comparison import Fired, compare
from rules.backtest.episodes import Episode
from rules.durations import spoken_duration
from rules.inhibition import named
from rules.language import Rule, RuleSet, Text

MANY = 10
"""Alerts of one rule in the span from which on it is worth asking for fewer."""
MOST_RULES = 8
MOST_FOR_A_RULE = 2
ENOUGH = 0.5
"""A variant is worth telling if no more than this share of the alerts is left."""
_MARK = "\x1f"
_ROUND = (5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


class Variant(msgspec.Struct, frozen=True):
    """A rule with one word changed. `change` is the word as a pack would have it: `for: 20s`."""

    change: str
    word: str
    rule: Rule


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What one change of a rule would have brought. `orders` are the work orders its alerts had led to."""

    rule: str
    change: str
    alerts: int
    instead_of: int
    orders: int
    orders_kept: int
    text: Text


def noisy(rules: RuleSet, episodes: Iterable[Episode]) -> list[Rule]:
    """The rules with the most alerts, as far as there are many and a milder one could be thought of.

    Nothing milder is suggested for what is critical.
    """
    counts = Counter(one.rule for one in episodes if not one.withheld)
    found = [rules.get(name) for name, count in counts.most_common() if count >= MANY]
    return [rule for rule in found if rule is not None and rule.severity != "critical"][:MOST_RULES]


def variants(rules: Sequence[Rule], every: RuleSet, catalogue: Catalogue) -> RuleSet:
    """All variants of the rules, as rules of their own, and those of `every` whose alerts hold theirs back."""
    milder = [
        msgspec.structs.replace(variant.rule, id=f"{rule.id}{_MARK}{variant.word}{_MARK}{variant.change}")
        for rule in rules
        for variant in _variants(rule, catalogue)
    ]
    return RuleSet([*milder, *_causes(rules, every)])


def _causes(rules: Sequence[Rule], every: RuleSet) -> list[Rule]:
    """The rules that `inhibited_by` of these names, and of those in turn."""
    found: dict[str, Rule] = {}
    waiting = list(rules)
    while waiting:
        words = waiting.pop().inhibited_by
        for pattern in words.rules if words is not None else ():
            new = [rule for rule in every if named(pattern, rule.id) and rule.id not in found]
            found.update((rule.id, rule) for rule in new)
            waiting += new
    return list(found.values())


def suggest(rules: Iterable[Rule], base: list[Episode], tried: list[Episode], then: list[Fired]) -> list[Suggestion]:
    """What is worth telling of the variants' episodes; `then` are the alerts that did fire, with their orders."""
    found: dict[str, list[tuple[str, Suggestion]]] = {}
    by_variant: dict[str, list[Episode]] = {}
    for episode in tried:
        by_variant.setdefault(episode.rule, []).append(episode)
    counts = Counter(one.rule for one in base if not one.withheld)
    for rule in rules:
        fired = [one for one in then if one.rule == rule.id]
        for name, episodes in _named(rule, by_variant):
            word, change = name.split(_MARK)[1:]
            suggestion = _suggestion(rule.id, change, counts[rule.id], episodes, fired)
            if suggestion is not None and suggestion.orders_kept == suggestion.orders:
                found.setdefault(rule.id, []).append((word, suggestion))
    return [one for known in found.values() for one in _best(known)]


def _named(rule: Rule, by_variant: dict[str, list[Episode]]) -> Iterator[tuple[str, list[Episode]]]:
    start = rule.id + _MARK
    return ((name, episodes) for name, episodes in by_variant.items() if name.startswith(start))


def _best(known: list[tuple[str, Suggestion]]) -> list[Suggestion]:
    """Of each word the mildest change that is enough; of these the ones that leave the fewest alerts."""
    mildest: dict[str, Suggestion] = {}
    for word, suggestion in known:
        if word not in mildest or suggestion.alerts > mildest[word].alerts:
            mildest[word] = suggestion
    return sorted(mildest.values(), key=lambda one: one.alerts)[:MOST_FOR_A_RULE]


def _suggestion(
    rule: str, change: str, instead_of: int, episodes: list[Episode], fired: list[Fired]
) -> Suggestion | None:
    alerts = [one for one in episodes if not one.withheld]
    if len(alerts) > instead_of * ENOUGH:
        return None
    renamed = [msgspec.structs.replace(one, rule=rule) for one in alerts]
    kept = {match.then.work_order for match in compare(fired, renamed).matched} - {None}
    orders = {one.work_order for one in fired} - {None}
    return Suggestion(
        rule=rule,
        change=change,
        alerts=len(alerts),
        instead_of=instead_of,
        orders=len(orders),
        orders_kept=len(kept),
        text=_text(change, len(alerts), instead_of, len(orders), told=bool(fired)),
    )


def _text(change: str, alerts: int, instead_of: int, orders: int, *, told: bool) -> Text:
    english = f"`{change}` would have given {alerts} alert{'s' * (alerts != 1)} instead of {instead_of}"
    chinese = f"`{change}` 将只产生 {alerts} 条警报，而不是 {instead_of} 条"
    if orders:
        english += (
            f", and still all {orders} that led to a work order"
            if orders > 1
            else ", and still the one that led to a work order"
        )
        chinese += f"，其中导致工单的 {orders} 起全部保留"
    elif told:
        english += "; none of them led to a work order"
        chinese += "；其中没有一条导致工单"
    return {"en": english, "zh": chinese}


def _variants(rule: Rule, catalogue: Catalogue) -> Iterator[Variant]:
    replace = msgspec.structs.replace
    if rule.for_ is not None:
        for seconds in _longer(rule.for_):
            yield Variant(f"for: {spoken_duration(seconds)}", "for", replace(rule, for_=seconds))
    elif rule.count is not None:
        for least in _more(rule.count.at_least):
            yield Variant(
                f"count: at_least: {least}", "count", replace(rule, count=replace(rule.count, at_least=least))
            )
    elif rule.expect is not None:
        for seconds in _longer(rule.expect.within):
            change = f"expect: within: {spoken_duration(seconds)}"
            yield Variant(change, "expect", replace(rule, expect=replace(rule.expect, within=seconds)))
    elif rule.silent is not None and rule.silent.seconds is not None:
        for seconds in _longer(rule.silent.seconds):
            change = f"silent: {spoken_duration(seconds)}"
            yield Variant(change, "silent", replace(rule, silent=replace(rule.silent, seconds=seconds)))
    elif rule.silent is not None and rule.silent.intervals is not None:
        for times in _more(int(rule.silent.intervals)):
            change = f"silent: intervals: {times}"
            yield Variant(change, "silent", replace(rule, silent=replace(rule.silent, intervals=float(times))))
    elif not rule.sequence and _standing(rule, catalogue):
        for seconds in (10.0, 20.0, 60.0, 300.0):
            yield Variant(f"for: {spoken_duration(seconds)}", "for", replace(rule, for_=seconds))
    if not rule.momentary and rule.silent is None:
        for seconds in _longer(rule.clear_after or 30.0):
            change = f"clear_after: {spoken_duration(seconds)}"
            yield Variant(change, "clear_after", replace(rule, clear_after=seconds))


def _standing(rule: Rule, catalogue: Catalogue) -> bool:
    kinds = [catalogue.get(name) for name in rule.on]
    return bool(kinds) and all(kind is not None and kind.state for kind in kinds)


def _longer(seconds: float) -> list[float]:
    """A few longer ones, round."""
    return [float(value) for value in _ROUND if value > seconds][:4]


def _more(count: int) -> list[int]:
    return sorted({count + 1, round(count * 1.5), count * 2, count * 3} - {count})
