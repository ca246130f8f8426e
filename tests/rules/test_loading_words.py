"""The words beyond `when`: each mistake in them is told with its place and a suggestion."""

from __future__ import annotations

import re

import pytest

from rules import PackError, load_packs
from tests.rules.support import CATALOGUE

AVERAGE = "aggregate: {field: x, function: avg, over: 1m, above: 3}"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("during: {days: mon-fry}", "no day is called 'fry'; did you mean 'fri'?"),
        ("during: {hours: 8-18}", "'8-18' is no time of the day; write `08:00-18:00`"),
        ("during: {hours: '08:60-09:00'}", "'08:60-09:00' is no time of the day"),
        ("except: {dates: 2026-02-30}", "'2026-02-30' is no date"),
        ("except: {dates: 2026-05-02..2026-05-01}", "or backwards"),
        ("during: {}", "the span is empty"),
        ("during: {hour: 08:00-09:00}", "a span of time has no word 'hour'; did you mean 'hours'?"),
        ("aggregate: {field: x, over: 1m, at_least: 3}", "aggregate needs function"),
        ("aggregate: {field: x, function: avg, over: 1m}", "aggregate needs one of at_least, at_most, above, below"),
        ("aggregate: {field: x, function: mean, over: 1m, above: 3}", "function is never 'mean'"),
        ("aggregate: {field: xx, function: avg, over: 1m, above: 3}", "t.state has no field 'xx'"),
        ("aggregate: {field: word, function: avg, over: 1m, above: 3}", "'word' is no number"),
        (AVERAGE + "\n  count: {at_least: 2, within: 1m}", "'aggregate' means nothing beside 'count'"),
        (AVERAGE + "\n  baseline: {field: x}", "'baseline' and 'aggregate' do not go together"),
        ("baseline: {period: 4w}", "baseline needs a field"),
        ("baseline: {field: x, period: 10d}", "a period is 2 to 12 whole weeks"),
        ("baseline: {field: x, period: 2w, learn: 3}", "3 weeks cannot be learned from a period of 2"),
        ("together: {scope: building, at_least: 3}", "together needs scope, at_least and within"),
        ("together: {scope: device, at_least: 3, within: 1m}", "scope is never 'device'"),
        ("together: {scope: site, at_least: 3, within: 1m}\n  scope: zone", "judged device by device"),
        ("inhibited_by: power.building-oud", "no rule is called 'power.building-oud'"),
        ("inhibited_by: r1\n  stands_alone: true", "what stands alone is never inhibited"),
        ("inhibited_by: {settle: 1m}", "inhibited_by names no rule"),
        ("inhibited_by: r1\n  scope: zone", "a place does not hang on another"),
    ],
)  # fmt: skip
def test_every_new_word_is_refused_with_its_place_and_a_suggestion(words: str, complaint: str) -> None:
    pack = f"- id: r1\n  title: t\n  severity: low\n  on: t.state\n  when: on\n  {words}\n"
    with pytest.raises(PackError) as caught:
        load_packs({"pack.yaml": pack}, CATALOGUE)
    assert complaint in caught.value.message
    assert re.search(r"pack\.yaml:[1-9]\d*:[1-9]", caught.value.message)


def test_a_circle_of_causes_is_refused_by_name() -> None:
    rule = "- {id: %s, title: t, severity: low, on: t.state, when: on, inhibited_by: %s}\n"
    pack = rule % ("a", "b") + rule % ("b", "c") + rule % ("c", "a")
    with pytest.raises(PackError) as caught:
        load_packs({"pack.yaml": pack}, CATALOGUE)
    assert "the rule inhibits itself: a by b by c by a" in caught.value.message
