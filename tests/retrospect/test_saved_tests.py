"""An alert that was raised becomes a test of its rule, which passes with that rule and fails with another."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from rules.testing import run
from tests.retrospect.support import PACK, Api, HomeLab, answer, gatehouse


def pack_with(rule: str, test: str, pack: str = PACK) -> str:
    """The rule as the pack has it, with a test put under it."""
    part = next(part for part in pack.split("\n- id: ") if part.startswith(f"{rule}\n"))
    return f"- id: {part.rstrip()}\n  tests:\n{textwrap.indent(test, '    ')}"


@pytest.mark.parametrize("rule", ["door.held", "door.denials", "door.silent", "door.forced"])
def test_every_alert_becomes_a_test_that_passes_with_its_rule(shift: HomeLab, rule: str) -> None:
    for alert in (one for one in shift.alerts() if one.rule == rule):
        saved = answer(gatehouse(shift.home, "rules", "save-test", alert.id, "--json"))
        assert saved["rule"] == rule
        report = run({"saved.yaml": pack_with(rule, saved["test"])})
        assert report.passed and len(report.results) == 1, report.text()
        wanted = [step["want"] for step in yaml.safe_load(saved["test"])[0]["timeline"] if "want" in step]
        assert wanted[0] == "raised"


def test_it_fails_with_another_rule_and_holds_no_personal_data(shift: HomeLab) -> None:
    alert = shift.alert("door.denials")
    printed = gatehouse(shift.home, "rules", "save-test", alert.id, "--name", "three cards").stdout
    assert printed.startswith("# under `tests:` of door.denials\n- name: three cards\n")
    assert "card: card-1" in printed and "c1" not in printed
    changed = PACK.replace("at_least: 3", "at_least: 4")
    assert not run({"saved.yaml": pack_with("door.denials", printed, changed)}).passed


def test_an_alert_that_is_not_there_is_told(shift: HomeLab) -> None:
    result = gatehouse(shift.home, "rules", "save-test", "al-nothing")
    assert (result.exit_code, result.stderr) == (1, "gatehouse rules save-test: no alert 'al-nothing'\n")


def test_the_runs_are_told_as_junit_xml(tmp_path: Path, shift: HomeLab) -> None:
    from xml.etree import ElementTree

    alert = shift.alert("door.denials")
    test = answer(gatehouse(shift.home, "rules", "save-test", alert.id, "--json"))["test"]
    for name, pack, code in (("good", PACK, 0), ("bad", PACK.replace("at_least: 3", "at_least: 4"), 1)):
        file, told = tmp_path / f"{name}.yaml", tmp_path / f"{name}.xml"
        file.write_text(pack_with("door.denials", test, pack), "utf-8")
        assert gatehouse(shift.home, "rules", "test", str(file), "--junit", str(told)).exit_code == code
        suite = ElementTree.parse(told).getroot()
        assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", str(code), "0")
        case = suite.find("testcase")
        assert case is not None and case.get("classname") == "door.denials"
        assert (case.find("failure") is not None) is bool(code)
    broken = tmp_path / "broken.yaml"
    broken.write_text("- {id: x, title: X, severity: bad, on: access.door}\n", "utf-8")
    gatehouse(shift.home, "rules", "test", str(broken), "--junit", str(tmp_path / "broken.xml"))
    suite = ElementTree.parse(tmp_path / "broken.xml").getroot()
    assert suite.get("errors") == "1" and "broken.yaml:1:" in (suite.find("testcase/error").text or "")  # type: ignore[union-attr]


@pytest.mark.anyio
@pytest.mark.slow
async def test_the_api_tells_why_and_gives_the_test(api: Api, shift: HomeLab) -> None:
    alert = next(one for one in shift.alerts() if one.rule == "door.held")
    told = await api.ask("GET", f"/alerts/{alert.id}/why", who="viewer")
    tree = {clause["word"]: clause for clause in told["answer"]["clauses"]}
    assert told["answer_problem"] is None and told["answer"]["came"] is True
    assert tree["when"]["parts"][0]["values"] == {"state": "open"} and tree["for"]["truth"] is True
    assert tree["for"]["values"]["held_s"] == pytest.approx(30.0, abs=0.01)
    assert told["definition"]["id"] == "door.held" and told["evidence"]
    saved = await api.ask("GET", f"/alerts/{alert.id}/test")
    assert saved["rule"] == "door.held" and run({"s.yaml": pack_with("door.held", saved["test"])}).passed
    now = await api.ask("GET", "/rules/door.held/why?device=door-3", who="viewer")
    assert now["blocked"]["code"] == "no_data" and now["at"].endswith("Z")
    then = await api.ask("GET", "/rules/door.held/why?device=door-1&at=2026-03-02T10:00:20Z", who="viewer")
    assert then["blocked"]["code"] == "hold"
    missing = await api.ask("GET", "/rules/door.nothing/why?device=door-1", 404, who="viewer")
    assert missing["detail"] == "no rule 'door.nothing': did you mean 'door.silent'?"
    await api.ask("GET", "/rules/door.held/why?device=door-1", 404, who="viewer@elsewhere")
    await api.ask("GET", "/rules/door.held/why?device=door-1&at=2020-01-01T00:00:00Z", 422, who="viewer")
    await api.ask("GET", f"/alerts/{alert.id}/test", 403, who="operator")
