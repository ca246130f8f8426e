"""Passes as CSV: one line each, with a heading."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

from gateway.errors import Invalid, SheetRefused

COLUMNS = (
    "kind", "value", "name", "zones", "from", "until", "days", "hours", "household", "spaces", "anti_passback",
    "blocked", "visitor", "note", "host", "entries",
)  # fmt: skip
MOST_ROWS = 5000
_YES, _NO = ("yes", "true", "1", "是"), ("", "no", "false", "0", "否")


def rows_of(text: str) -> list[dict[str, Any]]:
    """The arguments of each line's pass, and under `line` its number. Raises `SheetRefused` with every wrong line."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    names = [(name or "").strip() for name in reader.fieldnames or ()]
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or not {"kind", "value"} <= set(names):
        told = f"expected a heading of {', '.join(COLUMNS)}; kind and value are needed"
        raise SheetRefused([(1, f"'{unknown[0][:40]}' is no column: {told}" if unknown else told)])
    reader.fieldnames = names
    rows: list[dict[str, Any]] = []
    wrong: list[tuple[int, str]] = []
    for line in reader:
        try:
            rows.append(_row(line) | {"line": reader.line_num})
        except ValueError as error:
            wrong.append((reader.line_num, str(error)))
    if wrong:
        raise SheetRefused(wrong)
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Invalid("csv", f"{len(rows)} passes; expected 1 to {MOST_ROWS}")
    return rows


def _row(line: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, raw in line.items():
        value = (raw or "").strip() if isinstance(raw, str) or raw is None else raw
        if not isinstance(value, str):
            raise ValueError("more cells than the heading has")
        if name in ("anti_passback", "blocked", "visitor"):
            if value.lower() not in (*_YES, *_NO):
                raise ValueError(f"{name}: '{value[:40]}'; write yes or no")
            row[name] = value.lower() in _YES
        elif name in ("from", "until") and value:
            row[f"{name}_at"] = _time(name, value)
        elif name == "zones":
            row["zones"] = value.replace(";", " ").split()
        elif name in ("spaces", "entries") and value:
            if not value.isdecimal():
                raise ValueError(f"{name}: '{value[:40]}' is no number")
            row[name] = int(value)
        elif value:
            row[name] = value
    return row


def _time(name: str, value: str) -> float:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError(f"{name}: '{value[:40]}'; write 2026-12-01T08:00:00+08:00")
    return found.timestamp()
