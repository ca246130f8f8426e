"""The JSON Schema of the language: every shipped pack fits it, and what it refuses the language refuses too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from gateway.catalogue import load_catalogue
from gateway.cli.main import assemble
from rules import shipped_packs
from rules.document import Document
from rules.loading import read_packs
from rules.overrides import SITE_WORDS
from rules.reading.rule import WORDS
from rules.schema import schema
from rules.schema_words import ABOUT

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = load_catalogue()
SCHEMA = schema(CATALOGUE)
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD = """\
- id: meter.high
  title: {en: High, zh: 高}
  severity: low
  on: meter.reading
  when: voltage_v > 253
  for: 60s
  tests:
    - name: it comes
      timeline:
        - {at: 0s, say: {meter.reading: {utility: electricity, voltage_v: 260}}}
        - {at: 60s, want: raised}
"""


def plain(text: str) -> Any:
    root = Document("pack.yaml", text).root()
    assert root is not None
    return root.plain()


def complaints(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(plain(text))]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert complaints(GOOD) == []


@pytest.mark.parametrize("pack", shipped_packs(), ids=lambda path: path.stem)
def test_every_shipped_pack_fits(pack: Path) -> None:
    errors = [
        f"{list(e.absolute_path)}: {e.message[:300]}" for e in VALIDATOR.iter_errors(plain(pack.read_text("utf-8")))
    ]
    assert errors == []


def test_every_example_of_the_docs_fits() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/rules.md").read_text("utf-8"), re.S)
    packs = [block for block in blocks if block.startswith("- id:")]
    assert len(packs) > 10
    assert [complaints(block) for block in packs] == [[]] * len(packs)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("severity: low", "sevrity: low"),
        ("severity: low", "severity: lowest"),
        ("  severity: low\n", ""),
        ("id: meter.high", "id: Meter High"),
        ("on: meter.reading", "on: meter.readings"),
        ("on: meter.reading\n  when", "when"),
        ("for: 60s", "for: 60"),
        ("for: 60s", "for: a minute"),
        ("for: 60s", "for: 60s\n  count: {at_least: 3, within: 2m}"),
        ("for: 60s", "count: {at_least: 3, withn: 2m}"),
        ("for: 60s", "count: {at_least: 1, within: 2m}"),
        ("for: 60s", "during: {hours: 8 to 18}"),
        ("for: 60s", "during: {days: monday}"),
        ("for: 60s", "aggregate: {field: voltage_v, function: average, over: 5m, above: 250}"),
        ("for: 60s", "aggregate: {field: voltage_v, function: avg, over: 5m}"),
        ("for: 60s", "together: {scope: street, at_least: 3, within: 30s}"),
        ("for: 60s", "stands_alone: true\n  inhibited_by: power.outage"),
        ("for: 60s", "for: 60s\n  then: {work_order: {respond_within: 3m}}"),
        ("for: 60s", "for: 60s\n  then: {work_order: {team: x, respond_in: 3m}}"),
        ("voltage_v: 260}", "volage_v: 260}"),
        ("voltage_v: 260}", "voltage_v: high}"),
        ("utility: electricity", "utility: electrics"),
        ("want: raised", "want: rised"),
        ("name: it comes", "nme: it comes"),
    ],
)
def test_what_is_misspelt_is_refused_by_the_schema_and_by_the_language(was: str, becomes: str) -> None:
    assert was in GOOD
    wrong = GOOD.replace(was, becomes, 1)
    assert complaints(wrong)
    assert [problem for pack in read_packs({"pack.yaml": wrong}, CATALOGUE) for problem in pack.problems]


def test_every_word_of_a_rule_is_completed_and_explained() -> None:
    words = SCHEMA["$defs"]["rule"]["properties"]
    assert list(words) == list(WORDS) and set(ABOUT) == {*WORDS, *SITE_WORDS}
    assert all(word["description"] for word in words.values())


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("- disable: [access.tamper]\n", True),
        ("- disable: access.tamper\n", True),
        ("- change: meter.overvoltage\n  for: 5m\n  severity: high\n", True),
        ("- change: meter.overvoltage\n  id: meter.other\n", False),
        ("- change: meter.overvoltage\n  fro: 5m\n", False),
        ("- disable: [access.tamper]\n  title: t\n", False),
        ("- disable: [Access]\n", False),
    ],
)
def test_what_a_sites_pack_may_do_to_shipped_rules_is_completed(text: str, fits: bool) -> None:
    assert (complaints(text) == []) is fits, complaints(text)


def test_kinds_and_the_values_of_their_fields_are_completed() -> None:
    assert SCHEMA["$defs"]["kind"]["enum"] == list(CATALOGUE.kinds)
    said = SCHEMA["$defs"]["test"]["properties"]["timeline"]["items"]["properties"]["say"]["properties"]
    door = said["access.door"]["properties"]["state"]["anyOf"][0]
    assert door == {"enum": ["open", "closed"]}


def test_the_command_prints_what_the_docs_carry() -> None:
    done = CliRunner().invoke(assemble(), ["rules", "schema"])
    assert done.exit_code == 0
    assert json.loads(done.output) == SCHEMA == json.loads((ROOT / "docs/rules.schema.json").read_text("utf-8"))
