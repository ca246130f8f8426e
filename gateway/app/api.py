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
from gateway.app.core import database_url
from gateway.app.definitions import load_definitions
from gateway.config import Home, Settings
from gateway.door import Door, socket_path
from gateway.store.queries import Reader


def api_settings(home: Home, settings: Settings) -> ApiSettings:
    """The API's own settings, with what the gateway was loaded with."""
    known = load_definitions(home)
    api = settings.api
    return ApiSettings(
        definitions=Definitions(
            catalogue=known.catalogue,
            rules=tuple(_plain(rule) for rule in known.rules),
            plans=tuple(_plain(plan) for plan in known.plans),
            command_words=known.command_words,
            teams=tuple(_plain(team) for team in known.teams),
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
    run_api(api_settings(home, settings), Reader(database_url(home, settings)), door)
    return 0
