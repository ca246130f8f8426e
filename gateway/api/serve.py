"""The API as a process: uvicorn, set so that it stops when told and holds out against rude clients."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from gateway.api.app import create_app
from gateway.api.protocol import GuardedProtocol
from gateway.api.room import Room
from gateway.api.settings import ApiSettings, Door
from gateway.errors import ConfigError
from gateway.store.queries import Reader

#: Without it an open event stream keeps uvicorn from ever stopping.
GRACE = 3


class Server(uvicorn.Server):
    """A server that ends its event streams first, so that stopping takes moments, and tells when it serves."""

    def __init__(self, config: uvicorn.Config, room: Room, on_ready: Callable[[int], None] | None) -> None:
        super().__init__(config)
        self._room, self._on_ready = room, on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Opens the port."""
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends streams, then connections."""
        self._room.hub.end_streams()
        await super().shutdown(sockets)


def make_server(
    settings: ApiSettings, reader: Reader, door: Door, on_ready: Callable[[int], None] | None = None
) -> Server:
    """A server ready to run. `on_ready` is told the port once it serves (port 0 takes a free one)."""
    app = create_app(settings, reader, door)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=GuardedProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
        backlog=512,
    )
    return Server(config, app.state.room, on_ready)


def run_api(settings: ApiSettings, reader: Reader, door: Door, on_ready: Callable[[int], None] | None = None) -> None:
    """Serves until SIGTERM or SIGINT. Raises `ConfigError` where the port is taken."""
    _require_free(settings)
    make_server(settings, reader, door, on_ready).run()
    reader.close()


def _require_free(settings: ApiSettings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise ConfigError("api.port", where, f"an address that is free here ({error.strerror})") from error
