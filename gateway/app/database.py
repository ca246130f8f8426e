"""Where the database is. The API and the command line ask it too, and need nothing else of the core for it."""

from __future__ import annotations

from urllib.parse import quote

from gateway.config import Home, Settings


def database_url(home: Home, settings: Settings) -> str:
    """The database's URL: the setting, or SQLite in the home."""
    return settings.store.url or f"sqlite:///{quote(str(home.data / 'gatehouse.db'))}"
