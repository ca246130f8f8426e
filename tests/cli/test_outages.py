"""Out of service at the command line: begun, listed, ended, and kept by the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.app import acting
from gateway.config import Home, Settings
from tests.cli.test_commands import gatehouse


def done(home: Path, *words: str) -> str:
    result = gatehouse(home, "outage", *words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("outages") / "home"
    with acting.acting(Home(made), Settings()) as act:
        act("device.add", site="s1", id="gate-1", adapter="cloudevents", secret_hash="x")
    return made


def test_a_window_is_begun_listed_and_ended_by_cores_that_know_only_the_store(home: Path) -> None:
    begun = ("begin", "device", "gate-1", "--site", "s1", "--minutes", "30", "--reason", "new arm")
    ident = done(home, *begun).strip()
    (one,) = json.loads(done(home, "list", "--json"))
    assert (one["id"], one["state"], one["reason"], one["hidden"]) == (ident, "active", "new arm", 0)
    refused = gatehouse(home, "outage", *begun)
    assert refused.exit_code != 0 and f"end '{ident}' first" in refused.stderr
    assert done(home, "end", ident) == f"{ident} has ended\n"
    assert ident not in done(home, "list") and ident in done(home, "list", "--ended")
