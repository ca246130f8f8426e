"""The words of a condition besides expressions: `count`, `expect`, `sequence`, `silent`, `aggregate` and their kin."""

from __future__ import annotations

from gateway.model.catalogue import Catalogue
from rules.conditions.aggregate import DEFAULT_SAMPLES, FUNCTIONS, LEAST_SAMPLES, MOST_SAMPLES
from rules.document import Node
from rules.language import Aggregate, Baseline, Bounds, Count, Expect, Inhibition, Silent, Step, Together
from rules.reading.common import PLACES, read_kinds

BOUNDS = ("at_least", "at_most", "above", "below")
DIRECTIONS = ("above", "below", "either")
WEEK = 7 * 86_400.0
_LARGE = 1e12


def read_count(node: Node) -> Count | None:
    """`{at_least, within, distinct, in_a_row}`."""
    found = node.words(("at_least", "within", "distinct", "in_a_row"), "count")
    at_least = found["at_least"].whole("at_least", 2, 100) if "at_least" in found else None
    within = found["within"].duration("within") if "within" in found else None
    if node.is_mapping and not {"at_least", "within"} <= found.keys():
        node.problem("count needs at_least and within", "write `count: {at_least: 3, within: 2m}`")
    if at_least is None or within is None:
        return None
    distinct = found["distinct"].text("distinct") if "distinct" in found else None
    in_a_row = found["in_a_row"].boolean("in_a_row") if "in_a_row" in found else None
    return Count(at_least=at_least, within=within, distinct=distinct, in_a_row=in_a_row or False)


def read_expect(node: Node, catalogue: Catalogue) -> Expect | None:
    """`{on, when, within}`."""
    found = node.words(("on", "when", "within"), "expect")
    if node.is_mapping and not {"on", "within"} <= found.keys():
        node.problem("expect needs on and within", "write `expect: {on: access.door, within: 10s}`")
        return None
    kinds = read_kinds(found["on"], catalogue) if "on" in found else ()
    within = found["within"].duration("within") if "within" in found else None
    if within is None:
        return None
    return Expect(on=kinds, within=within, when=found["when"].text("when") if "when" in found else None)


def read_sequence(node: Node, catalogue: Catalogue) -> tuple[Step, ...]:
    """A list of `{on, when}`."""
    steps: list[Step] = []
    for item in node.items():
        found = item.words(("on", "when"), "a step")
        if item.is_mapping and "on" not in found:
            item.problem("the step has no kind", "write `{on: access.denied}`")
        elif found:
            when = found["when"].text("when") if "when" in found else None
            steps.append(Step(on=read_kinds(found["on"], catalogue), when=when))
    if not 2 <= len(node.items()) <= 10:
        node.problem("a sequence has 2 to 10 steps", "for a single event, `on` and `when` do")
    return tuple(steps)


def read_silent(node: Node) -> Silent | None:
    """A length, or `{intervals}`."""
    if not node.is_mapping:
        seconds = node.duration("silent")
        return None if seconds is None else Silent(seconds=seconds)
    found = node.words(("intervals",), "silent")
    intervals = found["intervals"].number("intervals", 1, 1000) if "intervals" in found else None
    if not found:
        node.problem("silent needs a length", "write `silent: 10m` or `silent: {intervals: 3}`")
    return None if intervals is None else Silent(intervals=intervals)


def read_aggregate(node: Node) -> Aggregate | None:
    """`{field, function, over, at_least, samples}`."""
    found = node.words(("field", "function", "over", "samples", *BOUNDS), "aggregate")
    if not node.is_mapping:
        return None
    missing = [word for word in ("field", "function", "over") if word not in found]
    if missing or not any(word in found for word in BOUNDS):
        lacks = ", ".join(missing) or f"one of {', '.join(BOUNDS)}"
        example = "write `aggregate: {field: flow_lpm, function: avg, over: 10m, at_least: 40}`"
        node.problem(f"aggregate needs {lacks}", example)
        return None
    name = found["field"].text("field")
    function = found["function"].one_of(FUNCTIONS, "function")
    over = found["over"].duration("over")
    if name is None or function is None or over is None:
        return None
    least = LEAST_SAMPLES.get(function, DEFAULT_SAMPLES)
    samples = found["samples"].whole("samples", least, MOST_SAMPLES) if "samples" in found else least
    bounds = {word: found[word].number(word, -_LARGE, _LARGE) for word in BOUNDS if word in found}
    return Aggregate(field=name, function=function, over=over, bounds=Bounds(**bounds), samples=samples or least)


def read_baseline(node: Node) -> Baseline | None:
    """`{field, period, deviation, learn, direction, at_least}`."""
    found = node.words(("field", "period", "deviation", "learn", "direction", "at_least"), "baseline")
    if "field" not in found:
        if node.is_mapping:
            node.problem("baseline needs a field", "write `baseline: {field: flow_lpm, period: 4w, deviation: 4}`")
        return None
    name = found["field"].text("field")
    weeks = _weeks(found["period"]) if "period" in found else 4
    deviation = found["deviation"].number("deviation", 1, 100) if "deviation" in found else 4.0
    learn = found["learn"].whole("learn", 2, 12) if "learn" in found else min(3, weeks or 3)
    direction = found["direction"].one_of(DIRECTIONS, "direction") if "direction" in found else "either"
    at_least = found["at_least"].number("at_least", 0, _LARGE) if "at_least" in found else 0.0
    if None in (name, weeks, deviation, learn, direction, at_least):
        return None
    if (learn or 0) > (weeks or 0):
        found["learn"].problem(f"{learn} weeks cannot be learned from a period of {weeks}", "make the period longer")
        return None
    return Baseline(
        field=name or "",
        weeks=weeks or 4,
        deviation=deviation or 4.0,
        learn=learn or 3,
        direction=direction or "either",
        at_least=at_least or 0.0,
    )


def read_together(node: Node) -> Together | None:
    """`{scope, at_least, within}`."""
    found = node.words(("scope", "at_least", "within"), "together")
    if not {"scope", "at_least", "within"} <= found.keys():
        if node.is_mapping:
            example = "write `together: {scope: building, at_least: 5, within: 30s}`"
            node.problem("together needs scope, at_least and within", example)
        return None
    scope = found["scope"].one_of(PLACES[1:], "scope")
    at_least = found["at_least"].whole("at_least", 2, 1000)
    within = found["within"].duration("within")
    return (
        None
        if scope is None or at_least is None or within is None
        else Together(scope=scope, at_least=at_least, within=within)
    )


def read_inhibition(node: Node) -> Inhibition | None:
    """The causes: one rule, a list of them, or `{rules, settle}`."""
    if not node.is_mapping:
        rules = node.texts("inhibited_by")
        return Inhibition(rules=rules) if rules else None
    found = node.words(("rules", "settle"), "inhibited_by")
    if "rules" not in found:
        node.problem("inhibited_by names no rule", "write `inhibited_by: power.outage`")
        return None
    settle = found["settle"].duration("settle") if "settle" in found else 0.0
    return Inhibition(rules=found["rules"].texts("rules"), settle=settle or 0.0)


def _weeks(node: Node) -> int | None:
    """Whole weeks, of a length of time like `4w`."""
    seconds = node.duration("period")
    if seconds is None:
        return None
    weeks = seconds / WEEK
    if weeks != int(weeks) or not 2 <= weeks <= 12:
        node.problem("a period is 2 to 12 whole weeks", "write `period: 4w`")
        return None
    return int(weeks)
