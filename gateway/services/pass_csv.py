"""Passes as CSV: one line each, with a heading."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

from gateway.errors import Invalid

COLUMNS = (
    "kind", "value", "name", "zones", "from", "until", "days", "hours", "household", "spaces", "anti_passback",
    "blocked", "visitor", "note",
)  # fmt: skip
MOST_ROWS = 5000
_YES, _NO = ("yes", "true", "1", "是"), ("", "no", "false", "0", "否")


def rows_of(text: str) -> list[dict[str, Any]]:
    """The arguments of each line's pass. Raises `Invalid` that names the line and the column."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    names = [(name or "").strip() for name in reader.fieldnames or ()]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or not {"kind", "value"} <= set(names):
        raise Invalid("csv", f"line 1: expected a heading of {', '.join(COLUMNS)}; kind and value are needed")
    reader.fieldnames = names
    rows = [_row(number, line) for number, line in enumerate(reader, 2)]
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Invalid("csv", f"{len(rows)} passes; expected 1 to {MOST_ROWS}")
    return rows


def _row(number: int, line: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, raw in line.items():
        value = (raw or "").strip() if isinstance(raw, str) or raw is None else raw
        if not isinstance(value, str):
            raise Invalid("csv", f"line {number}: more cells than the heading has")
        if name in ("anti_passback", "blocked", "visitor"):
            if value.lower() not in (*_YES, *_NO):
                raise Invalid("csv", f"line {number}, {name}: '{value[:40]}'; write yes or no")
            row[name] = value.lower() in _YES
        elif name in ("from", "until") and value:
            row[f"{name}_at"] = _time(number, name, value)
        elif name == "zones":
            row["zones"] = value.replace(";", " ").split()
        elif name == "spaces" and value:
            if not value.isdigit():
                raise Invalid("csv", f"line {number}, spaces: '{value[:40]}' is no number")
            row["spaces"] = int(value)
        elif value:
            row[name] = value
    return row


def _time(number: int, name: str, value: str) -> float:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid("csv", f"line {number}, {name}: '{value[:40]}'; write 2026-12-01T08:00:00+08:00")
    return found.timestamp()
