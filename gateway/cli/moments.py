"""Moments and spans as people write them on the command line."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import click


class MomentType(click.ParamType[float]):
    """A wall time: `30d` is thirty days ago, else RFC 3339 with its offset."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Unix seconds."""
        from rules.durations import parse_duration

        if isinstance(value, float):
            return value
        if value == "now":
            return time.time()
        try:
            return time.time() - parse_duration(value)
        except ValueError:
            pass
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is no moment: write 30d, 12h (ago), now, or 2026-11-22T08:00:00+08:00", param, ctx)
        if found.tzinfo is None:
            self.fail(f"'{value}' has no offset from UTC: write {value}+08:00, or {value}Z", param, ctx)
        return found.timestamp()


MOMENT = MomentType()
