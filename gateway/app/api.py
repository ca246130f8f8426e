"""What the API process is made of."""

from __future__ import annotations

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
from gateway.config import Home, Settings
from gateway.core.editing.packs import Shelf
from gateway.core.journal import PackRef
from gateway.door import Door, socket_path
from gateway.store.queries import Reader


def api_settings(home: Home, settings: Settings, reader: Reader) -> ApiSettings:
    """The API's own settings, with what the gateway was loaded with."""
    known = load_definitions(home)
    api = settings.api
    shipped = shipped_rules()
    shelf = Shelf(known.catalogue, shipped, reader.rule_text)

    def rules_with(packs: tuple[tuple[str, str], ...]) -> tuple[dict[str, Any], ...]:
        """The rules of the product and of these packs; what one cannot read, the core does not judge by either."""
        refs = (*shelf.shipped, *(PackRef(name, hash) for name, hash in packs))
        return tuple(_plain(rule) for rule in shelf.load_what_can_be(refs)[0])

    return ApiSettings(
        definitions=Definitions(
            catalogue=known.catalogue,
            shipped_packs=shipped,
            rules_with=rules_with,
            plans=tuple(_plain(plan) for plan in known.plans),
            command_words=known.command_words,
            teams=tuple(_plain(team) for team in known.teams),
            schedules=tuple(_plain(one) for one in known.schedules),
            chains=tuple(_plain(chain) for chain in known.alarms.book.chains.values()),
            channels=tuple(channel.masked() for channel in known.alarms.channels),
        ),
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
