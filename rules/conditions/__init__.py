"""One file a condition word. `compile_rule` picks the one a rule uses and compiles its expressions."""

from __future__ import annotations

from gateway.model.catalogue import Catalogue
from rules.conditions.aggregate import Aggregate
from rules.conditions.base import Condition
from rules.conditions.baseline import Baseline
from rules.conditions.count import Count
from rules.conditions.ending import Ending
from rules.conditions.expect import Expect
from rules.conditions.hold import Hold
from rules.conditions.measure import Measure
from rules.conditions.moment import Moment
from rules.conditions.sequence import Sequence
from rules.conditions.silent import Silent
from rules.conditions.track import Effect, Sight, Track
from rules.expressions import Predicate, Valuer, check, compile_truth, compile_value, fields_in, looks_back
from rules.language import Rule

__all__ = ["CompiledRule", "Condition", "Effect", "Sight", "Silent", "Track", "compile_rule"]


class CompiledRule:
    """A rule ready to judge, with its tracks by scope. The tracks are the only thing here that changes.

    `tracks` are by scope. A rule with `together` has one for each device there, and for each place one in `places`.
    """

    def __init__(self, rule: Rule, catalogue: Catalogue) -> None:
        self.rule = rule
        self.looks_back: dict[str, set[str]] = {}
        predicates: dict[str, Predicate] = {}
        for place, kinds, text in expressions_of(rule):
            truth, _, _ = check(text, fields_in(catalogue, kinds))
            if truth is not None:
                predicates[place] = compile_truth(truth, f"{rule.id} {place}")
                self._note_past(kinds, looks_back(truth))
        self.condition = _condition(rule, predicates, catalogue)
        self.measure = _measure(rule)
        #: Whether it has to be known what the wall clock says.
        self.dated = rule.schedule is not None or rule.baseline is not None
        self.ending = _ending(rule, predicates, catalogue)
        self.scope_by = self._scope_reader(rule, catalogue)
        self.tracks: dict[str, Track] = {}
        self.places: dict[str, Track] = {}
        #: The kinds whose last event is remembered, to be true when the schedule begins.
        self.lasting = self._lasting(catalogue)

    @property
    def reported(self) -> dict[str, Track]:
        """The tracks that alerts are for: those of places where devices are judged together."""
        return self.tracks if self.rule.together is None else self.places

    def _lasting(self, catalogue: Catalogue) -> frozenset[str]:
        if self.rule.schedule is None or self.rule.measured or not isinstance(self.condition, Moment | Hold):
            return frozenset()
        return frozenset(name for name in self.rule.on if (kind := catalogue.get(name)) is not None and kind.state)

    def _scope_reader(self, rule: Rule, catalogue: Catalogue) -> Valuer | None:
        """The function that reads `scope_by` out of an event; None where the device's place is the whole scope."""
        if rule.scope_by is None:
            return None
        _, value, _ = check(rule.scope_by, fields_in(catalogue, rule.kinds))
        if value is None:
            return None
        self._note_past(rule.kinds, looks_back(value))
        return compile_value(value, f"{rule.id} scope")

    def _note_past(self, kinds: tuple[str, ...], fields: tuple[str, ...]) -> None:
        if fields:
            for kind in kinds:
                self.looks_back.setdefault(kind, set()).update(fields)


def expressions_of(rule: Rule) -> list[tuple[str, tuple[str, ...], str]]:
    """The truths a rule is made of: where each stands, the kinds whose fields it may name, and its text."""
    found = [("when", rule.on, rule.when), ("at_once", rule.on, rule.at_once), ("clear", rule.on, rule.clear)]
    if rule.expect is not None:
        found.append(("expect.when", rule.expect.on, rule.expect.when))
    found += [(f"sequence.{index}", step.on, step.when) for index, step in enumerate(rule.sequence)]
    return [(place, kinds, text) for place, kinds, text in found if text is not None]


def _condition(rule: Rule, predicates: dict[str, Predicate], catalogue: Catalogue) -> Condition:
    if rule.silent is not None:
        return Silent(rule, predicates, rule.silent)
    if rule.sequence:
        return Sequence(rule, predicates)
    if rule.expect is not None:
        return Expect(rule, predicates, rule.expect)
    if rule.count is not None:
        return Count(rule, predicates, rule.count)
    if rule.for_ is not None:
        return Hold(rule, predicates, catalogue)
    return Moment(rule, predicates, catalogue)


def _measure(rule: Rule) -> Measure | None:
    if rule.aggregate is not None:
        return Aggregate(rule.aggregate)
    return Baseline(rule.baseline) if rule.baseline is not None else None


def _ending(rule: Rule, predicates: dict[str, Predicate], catalogue: Catalogue) -> Ending | None:
    """How the condition ends; None where it has no end, or ends itself."""
    if rule.clear is None and rule.clear_after is None and (rule.momentary or rule.silent or rule.count or rule.expect):
        return None
    standing = not (rule.sequence or rule.expect) and any(
        rule.measured or (kind is not None and kind.state) for kind in map(catalogue.get, rule.on)
    )
    return Ending(predicates.get("clear"), rule.clear_after, standing)
