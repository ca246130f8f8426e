"""Fixtures of all tests, and the rule that in CI nothing may be left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLES = REPOSITORY.parent / "shared" / "samples"

#: Where tests start whole commands, processes, brokers and databases, or go through a long day: the group `system`. All
#: that is in none of the groups is quick, and is what a developer runs after every change.
_SYSTEM = (
    *("app", "bench", "broker", "cli", "faults", "inbox", "retrospect"),
    *("api/test_duty.py", "api/test_incident.py", "api/test_order_routes.py", "api/test_stream.py"),
    *("api/test_page.py", "simulators/test_detection.py", "simulators/test_runner.py"),
    *("core/test_crash_equivalence.py", "core/test_path.py", "core/test_rule_edits.py", "core/test_rule_files.py"),
)

_PROGRAMS = {"mosquitto": ("mosquitto",), "browser": ("chromium",), "postgres": ("initdb",)}


def _missing(group: str) -> str | None:
    places = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    path = os.pathsep.join(places)
    for program in _PROGRAMS[group]:
        if shutil.which(program, path=path) is None:
            return program
    return None


_ABSENT = {group: program for group in _PROGRAMS if (program := _missing(group))}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of the group `system` by their place."""
    for item in items:
        place = item.path.relative_to(REPOSITORY / "tests").as_posix()
        if place.startswith(_SYSTEM):
            item.add_marker(pytest.mark.system)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A group whose program is not installed is skipped, and fails in CI."""
    for group, program in _ABSENT.items():
        if item.get_closest_marker(group):
            reason = f"{program} is not installed: the group '{group}' is left out"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each group that was left out."""
    for group, program in _ABSENT.items():
        terminalreporter.write_line(f"left out: the tests of '{group}', as {program} is not installed")


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the developer's own environment do not reach the tests."""
    for name in list(os.environ):
        if name.startswith("GATEHOUSE_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real captures beside the repository; a test that asks for it is skipped where it is absent."""
    if not SAMPLES.is_dir():
        pytest.skip("the captures are not beside this checkout")
    return SAMPLES
