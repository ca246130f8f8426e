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
