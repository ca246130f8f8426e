"""What the command line reads of passes and decisions: as the API shows them, personal data masked."""

from __future__ import annotations

from typing import Any

from gateway.api.present import Presenter
from gateway.app.duty import reading
from gateway.catalogue import load_catalogue
from gateway.config import Home, Settings
from gateway.errors import NotFound
from gateway.model import Pass

_PAGE = 500


def passes(home: Home, settings: Settings, limit: int = 20_000, **only: Any) -> list[dict[str, Any]]:
    """Passes by id; `only` may name `site`, `kind` and a whole `value`."""
    presenter = Presenter(load_catalogue())
    found: list[dict[str, Any]] = []
    with reading(home, settings) as reader:
        place = None
        while len(found) < limit:
            page = reader.passes(after=place, limit=min(_PAGE, limit - len(found)), **only)
            found += [presenter.pass_(one) for one in page.items]
            place = page.next
            if place is None:
                break
    return found


def stored(home: Home, settings: Settings, ident: str) -> Pass:
    """One pass as it is kept, for changing it. Raises `NotFound`."""
    with reading(home, settings) as reader:
        one = reader.pass_(ident)
    if one is None:
        raise NotFound("pass", ident)
    return one


def decisions(home: Home, settings: Settings, limit: int, **only: Any) -> list[dict[str, Any]]:
    """What doors and barriers were answered, newest first; `only` may name `device`, `site` and `allowed`."""
    presenter = Presenter(load_catalogue())
    with reading(home, settings) as reader:
        return [presenter.decision(row) for row in reader.decisions(limit=limit, **only).items]


def lists(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """How the lists at devices stand."""
    presenter = Presenter(load_catalogue())
    with reading(home, settings) as reader:
        return [presenter.device_list(one) for one in reader.device_lists()]


def list_entries(home: Home, settings: Settings, device: str) -> list[dict[str, Any]]:
    """Entries of a device's list that are not as they shall be. Raises `NotFound` where it holds none."""
    presenter = Presenter(load_catalogue())
    with reading(home, settings) as reader:
        if not reader.device_lists(device=device):
            raise NotFound("list at device", device)
        wrong = [reader.list_entries(device, state=state) for state in ("failed", "pending", "sent")]
    return [presenter.list_entry(one) for some in wrong for one in some]
