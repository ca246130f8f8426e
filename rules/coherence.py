"""Whether the words of a rule go together, and whether its expressions and texts name what exists."""

from __future__ import annotations

import re
from difflib import get_close_matches

import msgspec

from gateway.model.catalogue import Catalogue
from rules.conditions import expressions_of
from rules.document import Node
from rules.expressions import check, fields_in, fields_of
from rules.language import Rule
from rules.reading import PLACES as SCOPES
from rules.reading import nearest

SHAPES = ("for", "count", "expect", "sequence", "silent")
MEASURES = ("aggregate", "baseline")
PLACES = ("device.name", "device.id", "zone.name", "building.name", "site.name", "scope", "count")
TOLD = {
    "for": ("held_s",),
    "expect": ("waited_s",),
    "silent": ("silent_s", "last_heard"),
    "aggregate": ("aggregate", "samples"),
    "baseline": ("value", "expected", "usual_deviation", "learned"),
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def complete(rule: Rule, words: dict[str, Node], node: Node, catalogue: Catalogue) -> Rule:
    """The rule with `momentary`, `reads` and `personal` worked out, after every check."""
    _check_shape(rule, words, node)
    standing = [name for name in rule.on if (kind := catalogue.get(name)) is not None and kind.state]
    _check_measure(rule, words, catalogue)
    _check_outcome(rule, words)
    if rule.for_ is not None and not (standing or rule.measured) and rule.on:
        words["for"].problem(
            f"{', '.join(rule.on)} tells of occurrences, which do not last",
            "count them with `count: {at_least: 3, within: 2m}`",
        )
    reads = _check_expressions(rule, words, catalogue)
    reads += _check_texts(rule, words, catalogue)
    fields = fields_in(catalogue, rule.kinds)
    unique = tuple(dict.fromkeys(reads))
    ends = rule.clear is not None or rule.clear_after is not None
    return msgspec.structs.replace(
        rule,
        momentary=not (
            ends or rule.count or rule.expect or rule.silent or rule.measured or (standing and not rule.sequence)
        ),
        reads=unique,
        personal=tuple(name for name in unique if (field := fields.get(name)) is not None and field.personal),
    )


def _check_shape(rule: Rule, words: dict[str, Node], node: Node) -> None:
    """One shape of condition a rule, and only the words that mean something with it."""
    shapes = [word for word in SHAPES if word in words]
    if len(shapes) > 1:
        words[shapes[1]].problem(f"'{shapes[1]}' and '{shapes[0]}' do not go together", "make two rules of it")
        return
    shape = shapes[0] if shapes else ""
    if shape in ("", "for", "count", "expect") and "on" not in words:
        node.problem("the rule has no kind to listen to", "write `on: meter.reading`, or what it is about")
    pointless = {
        "silent": ("when", "at_once", "clear", "clear_after", "within", "late", *MEASURES),
        "sequence": ("on", "when", "at_once", "clear", *MEASURES),
        "expect": ("at_once", "clear", "within", *MEASURES),
        "count": ("at_once", "within", *MEASURES),
        "for": ("within",),
    }.get(shape, ("at_once", "within"))
    for word in pointless:
        if word in words:
            instead = _INSTEAD.get((shape, word), "leave it out")
            words[word].problem(f"'{word}' means nothing beside '{shape or 'when'}'", instead)
    if shape == "sequence" and "within" not in words:
        words["sequence"].problem("the sequence has no end", "write `within: 5m` beside it")
    if shape == "silent" and (rule.scope != "device" or rule.scope_by is not None):
        words["scope"].problem("a silence is a device's", "leave scope out")


def _check_measure(rule: Rule, words: dict[str, Node], catalogue: Catalogue) -> None:
    """A figure is worked out over a number that some kind of the rule carries."""
    if "aggregate" in words and "baseline" in words:
        words["baseline"].problem("'baseline' and 'aggregate' do not go together", "make two rules of it")
    fields = fields_in(catalogue, rule.on)
    for word, measure in (("aggregate", rule.aggregate), ("baseline", rule.baseline)):
        if measure is None or not rule.on:
            continue
        field = fields.get(measure.field)
        if field is None:
            words[word].problem(*fields.missing(measure.field), measure.field)
        elif field.type not in ("number", "integer"):
            words[word].problem(f"'{measure.field}' is no number", "name a field that is measured", measure.field)


def _check_outcome(rule: Rule, words: dict[str, Node]) -> None:
    """Whether `together` and `inhibited_by` can be what they are."""
    if "together" in words and (rule.scope != "device" or rule.scope_by is not None):
        words["scope"].problem("what is judged together is judged device by device", "leave scope out")
    if "inhibited_by" in words and rule.stands_alone:
        words["inhibited_by"].problem(
            "what stands alone is never inhibited", "leave out `stands_alone`, unless lives depend on it"
        )
    if rule.inhibited_by is not None and rule.id in rule.inhibited_by.rules and rule.level != "device":
        words["inhibited_by"].problem("a place does not hang on another", "name another rule", rule.id)


_INSTEAD = {
    ("", "within"): "for so many in a time, write `count: {at_least: 3, within: 2m}`",
    ("sequence", "on"): "each step has its own `on`",
    ("sequence", "when"): "each step has its own `when`",
    ("", "at_once"): "without `for` everything comes at once",
    ("silent", "when"): "name the kinds to hear with `on`, the devices with `devices`",
    ("expect", "within"): "it stands inside expect",
}


def _check_expressions(rule: Rule, words: dict[str, Node], catalogue: Catalogue) -> list[str]:
    """Checks all expressions; returns the fields they read."""
    reads: list[str] = []
    for place, kinds, text in expressions_of(rule):
        node = _node_of(place, words)
        truth, _, complaints = check(text, fields_in(catalogue, kinds))
        for complaint in complaints if kinds else ():
            node.problem(complaint.message, complaint.suggestion, complaint.text)
        if truth is not None:
            reads += fields_of(truth)
        elif not complaints:
            node.problem(f"'{text}' is a value, not true or false", "compare it with something")
    if rule.scope_by is not None:
        _, value, complaints = check(rule.scope_by, fields_in(catalogue, rule.kinds))
        for complaint in complaints:
            places = get_close_matches(complaint.text, SCOPES, n=1)
            hint = f"did you mean '{places[0]}'?" if places else complaint.suggestion
            words["scope"].problem(complaint.message, hint, complaint.text)
        if value is not None:
            reads += fields_of(value)
        elif not complaints:
            words["scope"].problem("a scope is a value such as `plate`, not true or false")
    reads += [measure.field for measure in (rule.aggregate, rule.baseline) if measure is not None]
    if rule.count is not None and rule.count.distinct is not None:
        fields = fields_in(catalogue, rule.on)
        if fields.get(rule.count.distinct) is None:
            message, hint = fields.missing(rule.count.distinct)
            words["count"].problem(message, hint, rule.count.distinct)
        reads.append(rule.count.distinct)
    return reads


def _node_of(place: str, words: dict[str, Node]) -> Node:
    """The node of an expression by its place: `when`, `clear`, `expect.when`, `sequence.1`."""
    word, _, inner = place.partition(".")
    node = words[word]
    return node.items()[int(inner)] if word == "sequence" else node


def _check_texts(rule: Rule, words: dict[str, Node], catalogue: Catalogue) -> list[str]:
    """Checks the placeholders of all texts; returns the fields they show."""
    fields = fields_in(catalogue, rule.kinds)
    told = [*PLACES, *(name for word in TOLD if word in words for name in TOLD[word])]
    shown: list[str] = []
    texts = [(word, getattr(rule, word)) for word in ("title", "reason", "advice", "consequence")]
    if rule.then.work_order is not None:
        texts.append(("then", rule.then.work_order.title))
    for word, languages in texts:
        for text in languages.values():
            for name in _PLACEHOLDER.findall(text):
                if fields.get(name) is not None:
                    shown.append(name)
                elif name not in told:
                    close = fields.nearest(name)
                    hint = f"did you mean '{{{close}}}'?" if close else nearest(name, told)
                    words[word].problem(f"nothing is called '{{{name}}}' here", hint, f"{{{name}}}")
    return shown
