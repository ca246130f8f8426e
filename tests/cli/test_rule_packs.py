"""`gatehouse rules put` and its family, on a home whose gateway is stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import gatehouse

PACK = """
- id: own.held
  title: held
  severity: low
  on: access.door
  when: state == 'open'
  for: 30s
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "pack.yaml"
    made.write_text(PACK)
    return made


def test_a_pack_is_put_shown_changed_restored_and_deleted(home: Path, file: Path) -> None:
    done = gatehouse(home, "rules", "put", "site", str(file), "--reason", "first")
    assert (done.exit_code, done.stdout) == (0, "site: version 1 is in force\n"), done.stderr
    assert (home / "rules" / "site.yaml").read_text() == PACK
    file.write_text(PACK.replace("30s", "40s"))
    assert gatehouse(home, "rules", "put", "site", str(file), "--reason", "longer").exit_code == 0
    assert gatehouse(home, "rules", "put", "site", str(file), "--reason", "x", "--if-version", "1").exit_code == 1
    assert "40s" in gatehouse(home, "rules", "show", "site").stdout
    assert gatehouse(home, "rules", "show", "site", "--version", "1").stdout == PACK
    restored = json.loads(gatehouse(home, "rules", "restore", "site", "1", "--reason", "back", "--json").stdout)
    assert (restored["number"], restored["state"], restored["author"]) == (3, "accepted", "cli")
    assert (home / "rules" / "site.yaml").read_text() == PACK
    assert gatehouse(home, "rules", "delete", "site", "--reason", "over").stdout == "site: version 4 is in force\n"
    assert not (home / "rules" / "site.yaml").exists()
    listed = json.loads(gatehouse(home, "rules", "versions", "site", "--json").stdout)
    assert [(one["number"], one["reason"]) for one in listed] == [(4, "over"), (3, "back"), (2, "longer"), (1, "first")]
    assert json.loads(gatehouse(home, "rules", "packs", "--json").stdout)[0]["deleted"]
    assert "deleted" in gatehouse(home, "rules", "packs").stdout


def test_a_refused_pack_names_every_line_and_changes_nothing(home: Path, file: Path) -> None:
    gatehouse(home, "rules", "put", "site", str(file), "--reason", "first")
    file.write_text(PACK.replace("state ==", "stat ==").replace("low", "lo"))
    refused = gatehouse(home, "rules", "put", "site", str(file), "--reason", "worse")
    assert refused.exit_code == 2
    assert "rules/site.yaml:4:13" in refused.stderr and "rules/site.yaml:6:9" in refused.stderr
    assert (home / "rules" / "site.yaml").read_text() == PACK
    assert len(json.loads(gatehouse(home, "rules", "versions", "site", "--json").stdout)) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "nothing"], 1),
        (["versions", "nothing"], 1),
        (["restore", "nothing", "1", "--reason", "x"], 1),
        (["delete", "nothing", "--reason", "x"], 1),
        (["confirm", "nothing"], 1),
        (["withdraw", "nothing"], 1),
        (["put", "nothing", "no-such-file", "--reason", "x"], 2),
        (["put", "nothing"], 2),
    ],
)
def test_wrong_input_is_one_line(home: Path, file: Path, words: list[str], code: int) -> None:
    gatehouse(home, "rules", "put", "site", str(file), "--reason", "first")
    result = gatehouse(home, "rules", *words)
    assert result.exit_code == code
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.stderr


def test_a_file_that_was_changed_while_the_gateway_was_down_is_taken(home: Path, file: Path) -> None:
    gatehouse(home, "rules", "put", "site", str(file), "--reason", "first")
    (home / "rules" / "site.yaml").write_text(PACK.replace("30s", "50s"))
    gatehouse(home, "device", "add", "--site", "s1", "--id", "d1")
    assert "50s" in gatehouse(home, "rules", "show", "site").stdout
    listed = json.loads(gatehouse(home, "rules", "versions", "site", "--json").stdout)
    assert [(one["number"], one["author"]) for one in listed] == [(2, "file"), (1, "cli")]
