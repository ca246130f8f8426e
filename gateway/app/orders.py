"""What the command line does with work orders: list, export, import."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import msgspec

from gateway.api.events import cell_of
from gateway.api.order_sheet import COLUMNS, as_order, read_sheet, sheet_row
from gateway.api.present import Presenter
from gateway.app.acting import acting
from gateway.app.duty import reading
from gateway.catalogue import load_catalogue
from gateway.config import Home, Settings
from gateway.errors import Invalid, SheetRefused, UsageError
from gateway.model import WorkOrder


def orders(home: Home, settings: Settings, *, state: str = "all", limit: int = 100_000) -> list[dict[str, Any]]:
    """The orders, newest first, as the API shows them: personal data masked."""
    presenter = Presenter(load_catalogue())
    return [presenter.work_order(order) for order in _all(home, settings, state, limit)]


def _all(home: Home, settings: Settings, state: str, limit: int) -> list[WorkOrder]:
    found: list[WorkOrder] = []
    with reading(home, settings) as reader:
        place = None
        while len(found) < limit:
            page = reader.work_orders(state=state, after=place, limit=min(1000, limit - len(found)))
            found += page.items
            place = page.next
            if place is None:
                break
    return found


def export_csv(home: Home, settings: Settings, state: str = "all") -> tuple[str, int]:
    """The sheet as text, and how many orders are in it."""
    found = orders(home, settings, state=state)
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for order in found:
        row = sheet_row(order)
        writer.writerow([cell_of(row.get(column)) for column in COLUMNS])
    return "\ufeff" + sheet.getvalue(), len(found)


def import_csv(home: Home, settings: Settings, file: Path, *, check: bool) -> dict[str, Any]:
    """Opens the orders of a sheet, all or none. Raises `SheetRefused` with every wrong line."""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 at byte {error.start}: save the sheet as 'CSV UTF-8'") from error
    lines = read_sheet(text)
    rows = [as_order(row) for _, row in lines]
    with acting(home, settings) as act:
        try:
            return act("work_order.import", orders=rows, **({"check": True} if check else {}))
        except Invalid as error:
            wrong = error.facts.get("wrong")
            if not isinstance(wrong, str):
                raise
            told: list[tuple[int, str]] = msgspec.json.decode(wrong, type=list[tuple[int, str]])
            raise SheetRefused([(lines[index][0], why) for index, why in told]) from error
