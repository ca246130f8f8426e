"""Packs: everything wrong is told at once, each with its place and a suggestion; nothing of a wrong pack is loaded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalogue import load_catalogue
from rules import PackError, check, load_packs
from rules.durations import parse_duration, spoken_duration
from rules.loading import read_packs

CATALOGUE = load_catalogue()
GOOD = "- id: a.b\n  title: t\n  severity: low\n  on: meter.reading\n  when: voltage_v > 250\n"


def problems(text: str) -> list[str]:
    return [str(problem) for pack in read_packs({"p.yaml": text}, CATALOGUE) for problem in pack.problems]


def with_words(words: str, on: str = "meter.reading") -> str:
    return f"- id: a.b\n  title: t\n  severity: low\n  on: {on}\n  {words}\n"


def test_all_mistakes_of_a_pack_are_told_at_once_each_with_its_place_and_a_suggestion() -> None:
    text = """\
- id: meter.x
  title: {en: "{device.nam} at {volage}", zh: x}
  severity: crtical
  on: meter.reading
  when: >-
    voltage_v > 200
    and volage > 3
  for: 5
  clear: utility == 'watr'
  cleer_after: 5m
- id: Meter Y
  on: [meter.readin]
  silent: 5m
  when: "voltage_v > 1"
"""
    with pytest.raises(PackError) as caught:
        load_packs({"site.yaml": text}, CATALOGUE)
    found = {(one.line, one.column, one.text, one.suggestion) for one in caught.value.problems}
    assert found >= {
        (2, 16, "{device.nam}", "did you mean 'device.name'?"),
        (2, 32, "{volage}", "did you mean '{voltage_v}'?"),
        (3, 13, "crtical", "did you mean 'critical'?"),
        (7, 9, "volage", "did you mean 'voltage_v'?"),
        (9, 21, "'watr'", "did you mean 'water'?"),
        (10, 3, "cleer_after", "did you mean 'clear_after'?"),
        (12, 8, "meter.readin", "did you mean 'meter.reading'?"),
    }
    assert "site.yaml:7:9: meter.reading has no field 'volage'; did you mean 'voltage_v'?" in caught.value.message
    assert "'5' is not a duration like 30s, 5m, 2h, 1d or 4w; write 5s for seconds" in caught.value.message
    assert caught.value.status == 422 and caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("for: 0s", "not between 1s and 366d"),
        ("for: 400d", "not between 1s and 366d"),
        ("count: 3", "count is written as words with values"),
        ("count: {at_least: 1, within: 5m}", "at_least is a whole number from 2 to 100"),
        ("count: {at_least: 3}", "count needs at_least and within"),
        ("count: {at_least: 3, within: 5m, distinct: plate}", "meter.reading has no field 'plate'"),
        ("expect: {when: voltage_v > 1}", "expect needs on and within"),
        ("expect: {on: meter.evnt, within: 5m}", "no kind 'meter.evnt'; did you mean 'meter.event'?"),
        ("expect: {on: meter.event, when: evnt == 'burst', within: 5m}", "no field 'evnt'; did you mean 'event'?"),
        ("for: 5m\n  count: {at_least: 3, within: 5m}", "'count' and 'for' do not go together; make two rules of it"),
        ("within: 5m", "'within' means nothing beside 'when'; for so many in a time, write `count:"),
        ("at_once: voltage_v > 1", "'at_once' means nothing beside 'when'; without `for` everything comes at once"),
        ("scope: flor", "meter.reading has no field 'flor'"),
        ("scope: zoen", "did you mean 'zone'?"),
        ("scope: voltage_v > 1", "a scope is a value"),
        ("scope: [plate, device]", "a scope is a place, or a place and an expression"),
        ("devices: {typ: meter}", "devices has no word 'typ'; did you mean 'type'?"),
        ("late: yes please", "late is never 'yes please'"),
        ("latched: maybe", "latched is true or false"),
        ("then: {work_order: {respond_within: 3m}}", "the work order has no team"),
        ("then: {command: {device: self}}", "the command has no name"),
        ("then: {plann: fire}", "then has no word 'plann'; did you mean 'plan'?"),
        ("clear: voltage_v", "'voltage_v' is a value, not true or false; compare it with something"),
        ("reason: 'at {voltage} V'", "nothing is called '{voltage}' here; did you mean '{voltage_v}'?"),
        ("reason: {fr: oui}", "has no word 'fr'"),
        ("silent: {interval: 3}", "did you mean 'intervals'?"),
        ("silent: 5m\n  scope: zone", "a silence is a device's"),
        ("severity: low", "'severity' stands here twice"),
        ("tests: [{name: x}]", "a test needs a name and a timeline"),
        ("tests: [{name: x, timeline: [{say: {meter.reading: {voltage_v: 1}}}]}]", "the step has no time"),
        ("tests: [{name: x, timeline: [{at: 0s, say: {meter.reading: {voltage_v: high}}}]}]", "expected a number"),
        ("tests: [{name: x, timeline: [{at: 0s, say: {meter.reading: {volage: 1}}}]}]", "did you mean 'voltage_v'?"),
        ("tests: [{name: x, timeline: [{at: 0s, from: y, say: {meter.reading: {}}}]}]", "the test has no device 'y'"),
        (
            "tests: [{name: x, timeline: [{at: 0s, want: razed}]}]",
            "an outcome is never 'razed'; did you mean 'raised'?",
        ),
        (
            "tests: [{name: x, timeline: [{at: 0s, every: 1s, say: {meter.reading: {}}}]}]",
            "every and until stand together",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(words: str, says: str) -> None:
    found = problems(with_words(words))
    assert any(says in problem for problem in found), found


def test_a_hold_on_occurrences_is_refused() -> None:
    assert "tells of occurrences, which do not last" in problems(with_words("for: 5m", on="access.denied"))[0]


def test_sequences_are_checked_step_by_step() -> None:
    text = "- id: a.b\n  title: t\n  severity: low\n  sequence:\n    - {on: access.denied}\n"
    text += "    - {on: access.door, when: sate == 'open'}\n"
    found = problems(text)
    assert "p.yaml:6:31: access.door has no field 'sate'; did you mean 'state'?" in found
    assert any("the sequence has no end; write `within: 5m` beside it" in problem for problem in found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- id: [", "not YAML"),
        ("a: 1\n", "a pack is a list of rules"),
        ("- &x {id: a}\n- *x\n", "anchors and aliases are not used"),
        ("- just text\n", "a rule is written as words with values"),
        (
            GOOD + "  then: {command: {name: x, args: {a: !!python/object/apply:os.system ['true']}}}\n",
            "an argument is a text",
        ),
        (
            GOOD
            + "  tests: [{name: x, timeline: [{at: 0s, say: {meter.reading: {valve: !!python/name:os.system x}}}]}]\n",
            "tags",
        ),
        ("- id: a\n\tb: c\n", "not YAML"),
        (GOOD + "- <<: {id: b}\n  title: t\n", "a rule has no word '<<'"),
        ("x" * 2_000_001, "larger than 2,000,000 characters"),
    ],
)
def test_fault_088_packs_are_data_and_nothing_else(text: str, says: str) -> None:
    assert any(says in problem for problem in problems(text)), problems(text)


def test_an_id_is_used_once_over_all_packs() -> None:
    with pytest.raises(PackError, match=r"b\.yaml:1:7: 'a\.b' is already the id of a rule in a\.yaml"):
        load_packs({"a.yaml": GOOD, "b.yaml": GOOD}, CATALOGUE)
    assert "already the id of the rule in line 1" in problems(GOOD + GOOD)[0]


def test_an_empty_pack_is_no_mistake() -> None:
    assert problems("") == [] and problems("# nothing yet\n") == [] and problems("[]\n") == []


def test_files_and_folders_are_read_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "a.yaml").write_text(GOOD.replace("a.b", "c.d"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a pack", encoding="utf-8")
    assert [rule.id for rule in load_packs([tmp_path], CATALOGUE)] == ["c.d", "a.b"]
    (tmp_path / "c.yaml").write_bytes(b"- id: \xff\xfe")
    assert "cannot be read" in check([tmp_path], CATALOGUE)[0].message
    assert "cannot be read" in check([tmp_path / "none.yaml"], CATALOGUE)[0].message


def test_a_pack_of_two_thousand_rules_loads_in_seconds_and_a_broken_one_is_refused_as_fast() -> None:
    rules = [GOOD.replace("a.b", f"a.r{number}") + "  for: 5m\n" for number in range(2000)]
    started = time.process_time()
    assert len(load_packs({"p": "".join(rules)}, CATALOGUE)) == 2000
    assert time.process_time() - started < 5
    with pytest.raises(PackError) as caught:
        load_packs({"p": "".join(rules).replace("voltage_v", "volage")}, CATALOGUE)
    assert len(caught.value.problems) == 2000


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*GOOD.splitlines(), "  for: 5m", "  tests: [{}]", "  then: {}", "- ", "  - x", "  count:", "  on:", "  when: [", "\t", "  scope: {}", "  title: {en: }"]), max_size=8))  # fmt: skip  # noqa: E501
def test_no_text_whatever_makes_the_reader_fail(lines: list[str]) -> None:
    for problem in problems("\n".join(lines)):
        assert problem.startswith("p.yaml:")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1h30m", 5400), ("0.5s", 0.5), ("366d", 31622400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert parse_duration(spoken_duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 s", "1e3s", "5x", "0s", "367d", "9" * 50 + "s", "5m ago"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_duration(text)
