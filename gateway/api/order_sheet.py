"""Work orders as a spreadsheet: the columns of the export, and the import with every wrong line named."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from gateway.errors import SheetRefused

#: Columns of the export, in order. The import reads those of `IMPORTED`, and ignores no other.
COLUMNS = (
    "number", "external", "site", "kind", "source", "state", "outcome", "priority", "title_en", "title_zh", "text",
    "team", "skill", "assignee", "owner", "device", "zone", "opened_at", "respond_by", "resolve_by", "responded_at",
    "arrived_at", "resolved_at", "closed_at", "respond_overdue", "resolve_overdue", "reopened", "founded", "parts",
    "labour_minutes", "cost_cents", "rating", "visited_at", "requester_name", "requester_phone", "requester_address",
)  # fmt: skip
REQUIRED = ("external", "site", "title")
IMPORTED = (*REQUIRED, "title_en", "title_zh", "team", "skill", "kind", "priority", "device", "zone", "text")
MOST_LINES = 5000
_FORMULA = re.compile(r"'[\s\u00a0\ufeff]*[=+\-@|%]")


def sheet_row(shown: dict[str, Any]) -> dict[str, Any]:
    """An order as the API shows it, as a row of `COLUMNS`."""
    titles, asked = shown["title"], shown["requester"] or {}
    rating, visit = shown["rating"] or {}, shown["visit"] or {}
    return {
        **shown,
        "title_en": titles.get("en", ""),
        "title_zh": titles.get("zh", ""),
        "parts": "; ".join(f"{part['quantity']:g} x {part['name']}" for part in shown["parts"]),
        "rating": rating.get("score"),
        "visited_at": visit.get("visited_at"),
        "requester_name": asked.get("name"),
        "requester_phone": asked.get("phone"),
        "requester_address": asked.get("address"),
    }


def read_sheet(text: str) -> list[tuple[int, dict[str, str]]]:
    """The lines of a CSV sheet with their numbers in the file. Raises `SheetRefused` with everything wrong in it."""
    try:
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        found: list[tuple[int, dict[str, str]]] = []
        wrong: list[tuple[int, str]] = []
        for cells in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                wrong.append((line, f"has {len(cells)} cells, the first line has {len(header)}"))
                continue
            row = {name: _unescaped(cell) for name, cell in zip(header, cells, strict=True) if cell.strip()}
            missing = [name for name in ("external", "site") if name not in row]
            if "title" not in row and "title_en" not in row and "title_zh" not in row:
                missing.append("title")
            if missing:
                wrong.append((line, f"lacks {', '.join(missing)}"))
            found.append((line, row))
            if len(found) > MOST_LINES:
                raise SheetRefused([(line, f"at most {MOST_LINES} lines are taken at once: split the sheet")])
    except csv.Error as error:
        raise SheetRefused([(reader.line_num, f"is no CSV: {error}")]) from error
    if not found and not wrong:
        wrong.append((1, "the sheet holds no orders"))
    if wrong:
        raise SheetRefused(wrong)
    return found


def _check_header(header: list[str]) -> None:
    unknown = [name for name in header if name not in IMPORTED and name not in COLUMNS]
    twice = sorted({name for name in header if header.count(name) > 1})
    lacking = [name for name in ("external", "site") if name not in header]
    if not {"title", "title_en", "title_zh"} & set(header):
        lacking.append("title")
    problems = [
        f"{word} {', '.join(repr(name[:40]) for name in names)}"
        for word, names in (("does not know the columns", unknown), ("repeats", twice), ("lacks the columns", lacking))
        if names
    ]
    if problems:
        raise SheetRefused([(1, f"{'; '.join(problems)}; the import reads {', '.join(IMPORTED)}")])


def _unescaped(cell: str) -> str:
    """A cell that the export guarded against formulas, as it was."""
    return cell[1:] if _FORMULA.match(cell) else cell.strip()


def as_order(row: dict[str, str]) -> dict[str, Any]:
    """A row as the arguments of one order of `work_order.import`."""
    order: dict[str, Any] = {name: row[name] for name in IMPORTED if name in row and not name.startswith("title")}
    titles = {language: row[f"title_{language}"] for language in ("en", "zh") if f"title_{language}" in row}
    order["title"] = titles or row["title"]
    if len(titles) == 1:
        order["title"] = next(iter(titles.values()))
    return order
