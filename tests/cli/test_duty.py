"""People, rosters and shifts at the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.test_commands import gatehouse

ROSTER = """
id: guards
site: s1
team: security
slots:
  - {start: "08:00", end: "20:00", people: [anna], role: guard}
  - {start: "20:00", end: "08:00", people: [anna], role: guard}
"""


def prepared(home: Path) -> None:
    for words in (
        ("device", "add", "--site", "s1", "--id", "door-1"),
        ("person", "put", "anna", "--called", "Anna", "--team", "security", "--phone", "13800001234"),
    ):
        done = gatehouse(home, *words)
        assert done.exit_code == 0, done.stderr


def test_a_roster_is_put_and_tells_who_is_on_duty(tmp_path: Path) -> None:
    home = tmp_path / "home"
    prepared(home)
    file = tmp_path / "guards.yaml"
    file.write_text(ROSTER)
    assert gatehouse(home, "roster", "put", str(file)).stdout == "roster guards of security at s1\n"
    assert "guards" in gatehouse(home, "roster", "list").stdout
    now = json.loads(gatehouse(home, "roster", "on-duty", "--json").stdout)
    assert [(one["person"], one["team"], one["role"]) for one in now] == [("anna", "security", "guard")]
    listed = gatehouse(home, "person", "list").stdout
    assert "phone" in listed and "13800001234" not in listed
    refused = gatehouse(home, "person", "remove", "anna")
    assert refused.exit_code == 1 and "stands in the roster guards" in refused.stderr
    assert gatehouse(home, "roster", "remove", "guards").exit_code == 0
    assert gatehouse(home, "person", "remove", "anna").stdout == "anna is removed\n"
    assert gatehouse(home, "shift", "list", "--json").stdout.strip() == "[]"
    assert gatehouse(home, "shift", "show", "sh-1").stderr == "gatehouse shift show: no shift 'sh-1'\n"


def test_a_roster_with_a_gap_or_no_sense_is_refused_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    prepared(home)
    file = tmp_path / "guards.yaml"
    for text, says in (
        (ROSTER.replace('"20:00", end: "08:00"', '"21:00", end: "08:00"'), "nobody is on duty mon 20:00 - mon 21:00"),
        ("[1, 2]", "expected id, site, team and slots"),
        ("slots: [", "cannot be read"),
    ):
        file.write_text(text)
        done = gatehouse(home, "roster", "put", str(file))
        assert done.exit_code == 1 and says in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_the_roster_of_the_docs_is_taken(tmp_path: Path) -> None:
    home = tmp_path / "home"
    prepared(home)
    for name in ("ben", "cora"):
        assert gatehouse(home, "person", "put", name).exit_code == 0
    text = (Path(__file__).resolve().parents[2] / "docs" / "duty.md").read_text("utf-8")
    block = re.search(r"```yaml\n# example: roster\n(.*?)```", text, re.S)
    assert block
    file = tmp_path / "guards.yaml"
    file.write_text(block.group(1), "utf-8")
    done = gatehouse(home, "roster", "put", str(file))
    assert done.stdout == "roster guards of security at s1\n", done.stderr
