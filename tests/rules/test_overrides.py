"""A site's pack changes the shipped rules: one is taken out, words of one are changed, one is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.catalogue import load_catalogue
from rules import PackError, RuleSet, check, load_packs, shipped_packs, testing

CATALOGUE = load_catalogue()
SHIPPED = """
- id: meter.overvoltage
  title: "{device.name}: {voltage_v} V"
  severity: medium
  on: meter.reading
  when: voltage_v > 253
  for: 60s
  clear: voltage_v < 250
  tests:
    - name: a minute
      timeline:
        - {at: 0s, say: {meter.reading: {voltage_v: 255}}}
        - {at: 60s, want: raised}
- id: access.tamper
  title: opened
  severity: high
  on: access.tamper
  when: active
"""


def load(site: str, **more: str) -> RuleSet:
    return load_packs(dict([("site.yaml", site), *more.items()]), CATALOGUE, {"packs/meter.yaml": SHIPPED})


def problems(site: str, **more: str) -> list[str]:
    with pytest.raises(PackError) as caught:
        load(site, **more)
    return [str(problem) for problem in caught.value.problems]


def test_a_disabled_rule_is_gone_and_the_others_stay() -> None:
    assert [rule.id for rule in load("- disable: [access.tamper]\n")] == ["meter.overvoltage"]


def test_a_changed_rule_has_the_new_words_and_keeps_the_others() -> None:
    rules = load("- change: meter.overvoltage\n  for: 5m\n  severity: high\n")
    changed = rules.get("meter.overvoltage")
    assert changed is not None
    assert (changed.for_, changed.severity, changed.clear, changed.when) == (
        300.0, "high", "voltage_v < 250", "voltage_v > 253"
    )  # fmt: skip
    assert (changed.pack, changed.line) == ("site.yaml", 1)
    assert len(rules) == 2


def test_a_changed_text_keeps_the_condition_and_so_the_state() -> None:
    before, after = (
        load("[]").get("access.tamper"),
        load("- change: access.tamper\n  title: hey\n").get("access.tamper"),
    )
    assert before is not None and after is not None
    assert before.fingerprint == after.fingerprint
    assert after.title["en"] == "hey"


def test_a_rule_with_the_id_of_a_shipped_one_stands_in_its_place() -> None:
    own = "- id: access.tamper\n  title: mine\n  severity: low\n  on: access.tamper\n  when: not active\n"
    rules = load(own)
    assert len(rules) == 2
    found = rules.get("access.tamper")
    assert found is not None and found.when == "not active"


@pytest.mark.parametrize(
    ("site", "says"),
    [
        ("- disable: [access.tampr]\n", "no shipped rule is called 'access.tampr'; did you mean 'access.tamper'?"),
        ("- change: nothing.there\n  for: 1m\n", "site.yaml:1:11: no shipped rule is called 'nothing.there'"),
        ("- disable: [access.tamper]\n  for: 1m\n", "site.yaml:1:12: `disable` stands alone"),
        ("- change: access.tamper\n  id: a.b\n", "a changed rule keeps its id"),
        ("- change: meter.overvoltage\n  when: volage > 1\n", "did you mean 'voltage_v'?"),
        ("- change: meter.overvoltage\n  on: access.tamper\n", "site.yaml:1:11: with these words:"),
        ("- change: access.tamper\n  title: x\n- disable: access.tamper\n", "is changed or disabled already"),
        ("- change: access.tamper\n  late: include\n- change: access.tamper\n  title: y\n", "is changed or disabled"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_the_sites_pack(site: str, says: str) -> None:
    found = problems(site)
    assert any(says in problem for problem in found), found
    assert all(problem.startswith("site.yaml:") for problem in found)


def test_two_packs_of_the_site_may_not_have_one_rule() -> None:
    own = "- id: access.tamper\n  title: mine\n  severity: low\n  on: access.tamper\n  when: not active\n"
    assert "already the id of a rule in site.yaml" in problems(own, **{"z.yaml": own})[0]


def test_a_shipped_pack_cannot_change_another() -> None:
    with pytest.raises(PackError, match="a rule has no word 'disable'"):
        load_packs({}, CATALOGUE, {"packs/a.yaml": SHIPPED, "packs/b.yaml": "- disable: [access.tamper]\n"})


def test_files_of_a_site_change_the_packs_of_the_product(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("- disable: [access.tamper]\n- change: access.duress\n  title: {en: Duress, zh: 胁迫}\n")
    assert check([file]) == []
    alone = {rule.id for rule in load_packs(shipped_packs(), CATALOGUE)}
    together = {rule.id for rule in load_packs([*shipped_packs(), file], CATALOGUE)}
    assert alone - together == {"access.tamper"}


def test_the_tests_of_a_changed_rule_are_its_own(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("""
- change: access.tamper
  severity: low
  tests:
    - name: comes
      timeline:
        - {at: 0s, say: {access.tamper: {active: true}}, want: raised}
""")
    report = testing.run([file])
    assert report.passed, report.text()
    assert [result.name for result in report.results] == ["comes"]
