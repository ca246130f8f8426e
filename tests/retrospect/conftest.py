from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.api.app import create_app, make_room, middleware_of
from gateway.api.settings import ApiSettings, Definitions
from gateway.app.api import api_settings
from gateway.catalogue import load_catalogue
from gateway.config import Home, Settings
from gateway.store.queries import Reader
from tests.api.core_double import CoreDouble
from tests.retrospect.support import Api, HomeLab


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def site(home: Home) -> Iterator[HomeLab]:
    """A gateway without network whose home the command line can read."""
    made = HomeLab(home)
    yield made
    made.close()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeLab]:
    """A gateway that has seen `a_shift`, for all tests that only look back on it."""
    home = Home(tmp_path_factory.mktemp("shift") / "home")
    home.prepare()
    made = HomeLab(home)
    made.a_shift()
    yield made
    made.close()


@pytest.fixture(scope="session")
def routes() -> Any:
    """The routes, made once: it is the room behind them that a test has of its own."""
    settings = ApiSettings(definitions=Definitions(catalogue=load_catalogue()))
    return create_app(settings, Reader("sqlite:////none.db"), CoreDouble("sqlite://"))


@pytest.fixture
async def api(shift: HomeLab, routes: Any) -> AsyncIterator[Api]:
    """The API over the shift's home, asked by an engineer unless another is named."""
    reader = Reader(shift.url)
    room = routes.state.room = make_room(api_settings(shift.home, Settings(), reader), reader, CoreDouble(shift.url))
    routes.user_middleware = middleware_of(room)
    routes.middleware_stack = None
    transport = httpx.ASGITransport(routes)
    async with httpx.AsyncClient(transport=transport, base_url="http://gate.test/api/v1") as client:
        yield Api(client, shift, room)
        await room.backtests.close()
    reader.close()
