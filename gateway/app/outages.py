"""What the command line reads of what is out of service."""

from __future__ import annotations

from typing import Any

from gateway.api.present import plain
from gateway.app.duty import reading
from gateway.config import Home, Settings


def outages(home: Home, settings: Settings, *, ended: bool = False) -> list[dict[str, Any]]:
    """What is out of service or will be, by its begin; with `ended` what was, newest first."""
    with reading(home, settings) as reader:
        return [plain(one) for one in reader.outages(ended=ended)]
