"""`gatehouse adapter new` gives a package whose tests pass as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import scaffold
from gateway.errors import Conflict, UsageError
from tests.adapters.cases import ROOT


def test_a_new_adapter_passes_its_own_tests_and_can_be_offered(tmp_path: Path) -> None:
    written = scaffold.create("my_meter", tmp_path)
    assert all(path.is_file() for path in written)
    assert not any("NAME" in path.read_text() or "CLASS" in path.read_text() for path in written)
    assert 'my_meter = "my_meter:create"' in (tmp_path / "my_meter/pyproject.toml").read_text()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "."],
        cwd=tmp_path / "my_meter",
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'my_meter'}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert run.returncode == 0 and "5 passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("name", ["", "My-Meter", "1st", "class", "a/b", "..", "tasmota"])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        scaffold.create(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    scaffold.create("my_meter", tmp_path)
    with pytest.raises(Conflict, match="is not empty"):
        scaffold.create("my_meter", tmp_path)
