"""Running timelines: what passes, and the story that a failure tells."""

from __future__ import annotations

import json

from gateway.catalogue import load_catalogue
from rules import testing

CATALOGUE = load_catalogue()
PACK = """\
- id: door.held
  title: t
  severity: low
  on: access.door
  when: state == 'open'
  for: 60s
  tests:
    - name: too hopeful
      timeline:
        - {at: 0s, say: {access.door: {state: open}}}
        - {at: 30s, want: raised}
        - {at: 2m}
    - name: right
      timeline:
        - {at: 0s, say: {access.door: {state: open}}}
        - {at: 60s, want: raised}
- id: door.untested
  title: t
  severity: low
  on: access.door
  when: forced
"""


def test_a_failed_expectation_prints_the_story() -> None:
    report = testing.run({"p.yaml": PACK}, CATALOGUE)
    assert not report.passed
    assert report.text().splitlines() == [
        "FAILED door.held: too hopeful (p.yaml:8)",
        "          0s  device-1 says access.door state='open'",
        "         30s  raised: WANTED, DID NOT COME",
        "          1m  raised for device-1: NOT WANTED",
        "no tests: door.untested",
        "1 passed, 1 failed, 0 problems in packs",
    ]


def test_the_report_is_json_too() -> None:
    found = json.loads(json.dumps(testing.run({"p.yaml": PACK}, CATALOGUE).to_dict()))
    assert found["passed"] is False
    assert [result["passed"] for result in found["results"]] == [False, True]
    assert found["untested"] == ["door.untested"]


def test_a_pack_with_problems_is_reported_and_not_run() -> None:
    report = testing.run({"p.yaml": PACK.replace("for: 60s", "for: sixty"), "q.yaml": "[]"}, CATALOGUE)
    assert not report.passed and report.results == ()
    assert "p.yaml:6:8: for: 'sixty' is not a duration" in report.text()


def test_a_wanted_scope_is_checked() -> None:
    pack = PACK.replace("{at: 60s, want: raised}", "{at: 60s, want: raised, scope: device-2}")
    story = testing.run({"p.yaml": pack}, CATALOGUE).results[1].story
    assert any("raised for device-2: WANTED, DID NOT COME" in line for line in story)
