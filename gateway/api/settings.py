"""What the API is told at start, and the things it is connected to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from gateway.model import Action, Catalogue


class Door(Protocol):
    """The way to the core, as the API uses it (`gateway.door.Door`)."""

    async def act(self, action: Action) -> dict[str, Any]:
        """The outcome of `action`. Raises the core's error, or `Unavailable` while the core is away."""

    async def health(self) -> dict[str, Any]:
        """What the core says of itself."""

    def changes(self) -> AsyncIterator[int]:
        """The number of the newest change, each time there is one."""


class Definitions(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway was loaded with, as plain JSON values: each rule and each plan with at least an `id`.

    `command_words` are what each adapter can be told, by its name. `shipped_packs` are the texts of the product's rule
    packs by name, and `rules_with` gives the rules that they make together with the site's packs (name and hash of
    each); without it the rules are `rules`.
    `channels` are masked: they hold no secret.
    """

    catalogue: Catalogue
    rules: tuple[Mapping[str, Any], ...] = ()
    shipped_packs: Mapping[str, str] = {}
    rules_with: Callable[[tuple[tuple[str, str], ...]], tuple[Mapping[str, Any], ...]] | None = None
    plans: tuple[Mapping[str, Any], ...] = ()
    command_words: Mapping[str, tuple[str, ...]] = {}
    teams: tuple[Mapping[str, Any], ...] = ()
    schedules: tuple[Mapping[str, Any], ...] = ()
    chains: tuple[Mapping[str, Any], ...] = ()
    channels: tuple[Mapping[str, Any], ...] = ()


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. Rates are per second and caller; a burst is what may come at once.

    `static` is the page's folder, None for no page. `origins` are further origins (`https://gate.example.org`) from
    which browsers may write, where a proxy changes the Host header. `proxies` are the addresses of proxies whose
    `X-Forwarded-For` is believed. `command` is the command line for what looks back in a process of its own.
    `live` gives the definitions as they are now, where files may be edited while the API runs.
    `files` is where photos and documents are kept. `request_sites` are the sites whose
    residents may use the public form, `*` for all; from one address come `requests_per_hour` at most.
    """

    definitions: Definitions
    live: Callable[[], Definitions] | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    tls_cert: str = ""
    tls_key: str = ""
    static: Path | None = None
    files: Path | None = None
    request_sites: tuple[str, ...] = ()
    request_language: str = "zh"
    requests_per_hour: float = 12.0
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    session_hours: float = 12.0
    max_streams: int = 200
    stream_queue: int = 1000
    stream_catch_up: int = 20_000
    max_body: int = 1024 * 1024
    max_file: int = 8 * 1024 * 1024
    body_timeout: float = 20.0
    request_rate: float = 200.0
    request_burst: float = 400.0
    command_rate: float = 2.0
    command_burst: float = 40.0
    version: str = ""
    command: tuple[str, ...] = ()

    @property
    def tls(self) -> bool:
        """Whether the API speaks TLS itself."""
        return bool(self.tls_cert)
