"""What the API process is made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from gateway import __version__
from gateway.api.own_process import own_command
from gateway.api.serve import run_api
from gateway.api.settings import ApiSettings, Definitions
from gateway.app.acting import SettledDoor
from gateway.app.database import database_url
from gateway.app.definitions import load_definitions, shipped_rules
from gateway.app.memory import settle
from gateway.app.site_files import PARTS, Signature, signature_of
from gateway.catalogue import load_catalogue
from gateway.config import Home, Settings
from gateway.core.editing.packs import Shelf
from gateway.core.journal import PackRef
from gateway.door import Door, socket_path
from gateway.store.queries import Reader


def api_settings(home: Home, settings: Settings, reader: Reader) -> ApiSettings:
    """The API's own settings, with what the gateway was loaded with."""
    api = settings.api
    shipped = shipped_rules()
    shelf = Shelf(load_catalogue(), shipped, reader.rule_text)

    def rules_with(packs: tuple[tuple[str, str], ...]) -> tuple[dict[str, Any], ...]:
        """The rules of the product and of these packs; what one cannot read, the core does not judge by either."""
        refs = (*shelf.shipped, *(PackRef(name, hash) for name, hash in packs))
        return tuple(_plain(rule) for rule in shelf.load_what_can_be(refs)[0])

    def read() -> Definitions:
        """As of now; what was last in force where files are broken."""
        known = load_definitions(home, kept=True)
        return Definitions(
            catalogue=known.catalogue,
            shipped_packs=shipped,
            rules_with=rules_with,
            plans=tuple(_plain(plan) for plan in known.plans),
            command_words=known.command_words,
            teams=tuple(_plain(team) for team in known.teams),
            schedules=tuple(_plain(one) for one in known.schedules),
            chains=tuple(_plain(chain) for chain in known.alarms.book.chains.values()),
            channels=tuple(channel.masked() for channel in known.alarms.channels),
        )

    live = Live(home, read)
    return ApiSettings(
        definitions=live(),
        live=live,
        host=api.host,
        port=api.port,
        tls_cert=api.tls_cert,
        tls_key=api.tls_key,
        static=Path(str(files("dashboards"))) / "control_room" / "static",
        files=home.files,
        request_sites=tuple(settings.requests.sites.replace(",", " ").split()),
        request_language=settings.requests.language,
        requests_per_hour=settings.requests.per_hour,
        session_hours=api.session_hours,
        max_streams=api.max_streams,
        version=__version__,
        command=own_command(str(home.path)),
    )


class Live:
    """The definitions as the site's files have them; read anew when one of those was written."""

    def __init__(self, home: Home, read: Callable[[], Definitions]) -> None:
        self._home, self._read = home, read
        self._signature: tuple[Signature, ...] | None = None
        self._looked = 0.0
        self._known: Definitions | None = None

    def __call__(self) -> Definitions:
        """The newest; looks at the files once a second at most."""
        now = time.monotonic()
        if self._known is not None and now - self._looked < 1.0:
            return self._known
        self._looked = now
        signature = tuple(signature_of(part, self._home) for part in PARTS)
        if self._known is None or signature != self._signature:
            self._known, self._signature = self._read(), signature
        return self._known


def _plain(thing: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(thing, enc_hook=str)
    return body


def run_api_process(home: Home, settings: Settings) -> int:
    """The API process, until SIGTERM or SIGINT. The exit code."""
    door = Door(socket_path(home.path)) if settings.mqtt.url else SettledDoor(home)
    reader = Reader(database_url(home, settings))
    settle()
    run_api(api_settings(home, settings, reader), reader, door)
    return 0
