"""Passes at the command line: made, changed, revoked, imported, shown as a picture, and explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.app import acting
from gateway.config import Home, Settings
from tests.cli.test_commands import gatehouse


def done(home: Path, *words: str) -> str:
    result = gatehouse(home, "pass", *words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A gateway with one device. Its core is started once and not for each command: that costs a second each time."""
    made = tmp_path_factory.mktemp("passes") / "home"
    with pytest.MonkeyPatch.context() as patched, acting.acting(Home(made), Settings()) as act:

        @contextmanager
        def started(home: Home, settings: Settings) -> Iterator[acting.Act]:
            yield act

        patched.setattr(acting, "acting", started)
        act("device.add", site="s1", id="gate-1", adapter="cloudevents", secret_hash="x")
        yield made


def test_a_pass_is_made_changed_explained_and_revoked(home: Path) -> None:
    ident = done(home, "add", "plate", "沪A12345", "--site", "s1", "--household", "3-501", "--spaces", "1").strip()
    assert "沪A12345" not in done(home, "list") and ident in done(home, "list", "--kind", "plate")
    assert done(home, "check", "gate-1", "沪A12345").startswith("pass: ")
    assert done(home, "edit", ident, "--blocked", "--note", "sold") == f"{ident} is changed\n"
    refused = gatehouse(home, "pass", "check", "gate-1", "沪A12345")
    assert refused.exit_code == 1 and "refused" in refused.stdout and "黑名单" in refused.stdout
    done(home, "edit", ident, "--not-blocked", "--until", "2020-01-01T00:00:00+08:00")
    assert gatehouse(home, "pass", "check", "gate-1", "沪A12345").stdout.startswith("outside_window")
    done(home, "edit", ident, "--clear", "until")
    one = next(one for one in json.loads(done(home, "list", "--json")) if one["id"] == ident)
    assert (one["spaces"], one["note"], one["until_at"], one["blocked"]) == (1, "sold", None, False)
    assert done(home, "left", ident) == f"{ident} is outside\n"
    assert done(home, "revoke", ident) == f"{ident} is revoked\n"
    assert gatehouse(home, "pass", "check", "gate-1", "沪A12345").stdout.startswith("no_pass")
    assert gatehouse(home, "pass", "edit", ident, "--blocked").exit_code != 0


def test_a_visitors_code_is_written_as_a_picture_of_its_owner_alone(home: Path, tmp_path: Path) -> None:
    ident = done(home, "add", "qr", "--site", "s1", "--name", "Mr Wu", "--entries", "1", "--host", "Li").strip()
    png, svg = tmp_path / "wu.png", tmp_path / "wu.svg"
    assert "good until" in done(home, "qr", ident, str(png))
    assert png.read_bytes().startswith(b"\x89PNG") and png.stat().st_mode & 0o077 == 0
    done(home, "qr", ident, str(svg), "--renew")
    assert "<svg" in svg.read_text()
    assert "older codes stay good" in done(home, "rotate-keys")
    assert "void" in done(home, "rotate-keys", "--at-once")
    assert "must end in .svg or .png" in gatehouse(home, "pass", "qr", ident, str(tmp_path / "wu.gif")).stderr
    assert "GHV1." not in gatehouse(home, "audit", "list").stdout


def test_each_wrong_line_of_a_sheet_is_told(home: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("kind,value,days\nplate,A1,monday\ncar,A2,\nplate,A3,mon\n", "utf-8")
    result = gatehouse(home, "pass", "import", str(sheet), "--site", "s1")
    assert result.exit_code != 0 and "line 2: days" in result.stderr and "line 3: kind" in result.stderr
    sheet.write_text("kind,value,days\nplate,A3,mon\n", "utf-8")
    assert done(home, "import", str(sheet), "--site", "s1") == "1 passes, 0 of them changed\n"


def test_decisions_are_listed_with_nothing_to_tell_yet(home: Path) -> None:
    assert "why" in done(home, "decisions") and json.loads(done(home, "decisions", "--refused", "--json")) == []


def test_lists_at_devices_are_shown_and_sent_again(home: Path) -> None:
    with acting.acting(Home(home), Settings()) as act:
        act("device.add", site="s1", id="cam-1", adapter="vzenith", secret_hash="x", settings={"holds_list": "plate"})
    done(home, "add", "plate", "沪L00001", "--site", "s1")
    assert "sent again" in done(home, "resync", "cam-1", "--empty")
    (one,) = json.loads(done(home, "lists", "--json"))
    assert (one["id"], one["state"]) == ("cam-1", "pending")
    entries = done(home, "lists", "--device", "cam-1")
    assert "pending" in entries or "sent" in entries
    assert "沪L00001" not in entries
    assert gatehouse(home, "pass", "lists", "--device", "gate-1").exit_code != 0
