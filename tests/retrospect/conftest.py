from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import Home
from tests.retrospect.support import HomeLab


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def site(home: Home) -> Iterator[HomeLab]:
    """A gateway without network whose home the command line can read."""
    made = HomeLab(home)
    yield made
    made.close()
