"""The API over a `Lab`: the real core on its virtual clock behind the real routes, in one process."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import insert

from gateway.api.app import create_app
from gateway.api.settings import ApiSettings, Definitions
from gateway.app.definitions import load_teams
from gateway.catalogue import load_catalogue
from gateway.door import error_of, failure_of
from gateway.errors import GatehouseError
from gateway.model import Action
from gateway.services.schedule_book import ScheduleBook
from gateway.store import tables
from gateway.store.queries import Reader
from gateway.store.writer import WriteBatch
from tests.support.lab import Lab


class LabDoor:
    """Satisfies `gateway.api.settings.Door`: an action is a turn of the lab's core; errors go as over the socket."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    async def act(self, action: Action) -> dict[str, Any]:
        outcome: list[tuple[Any, GatehouseError | None]] = []
        plain = msgspec.json.decode(msgspec.json.encode(action), type=Action)
        self.lab.core.submit(plain, lambda result, error: outcome.append((result, error)))
        self.lab.core.turn([])
        result, error = outcome[0]
        if error is not None:
            raise error_of(failure_of(error))
        return result if isinstance(result, dict) else {"result": result}

    async def health(self) -> dict[str, Any]:
        return {}

    async def changes(self) -> AsyncIterator[int]:
        for number in tuple[int, ...]():
            yield number


class LabApi:
    """An HTTP client of the API over a lab; `as_` names a role whose token is sent, nobody's where empty."""

    def __init__(self, lab: Lab, folder: Path, schedules: ScheduleBook | None = None, **settings: Any) -> None:
        self.lab = lab
        self.reader = Reader(lab.url)
        rows: list[dict[str, Any]] = [
            {"id": f"tk-{role}", "name": role, "role": role, "hash": _hash(role), "sites": [], "created_at": 1.0}
            for role in ("viewer", "operator", "engineer", "admin")
        ]
        lab.core.writer.commit(WriteBatch(statements=[insert(tables.tokens).values(row) for row in rows]))
        teams = tuple(msgspec.to_builtins(team) for team in load_teams())
        plans = tuple(msgspec.to_builtins(one) for one in schedules or ())
        self.app = create_app(
            ApiSettings(
                definitions=Definitions(catalogue=load_catalogue(), teams=teams, schedules=plans),
                files=folder / "files",
                **settings,
            ),
            self.reader,
            LabDoor(lab),
            clock=lab.clock.wall,
        )

    async def __call__(self, method: str, path: str, as_: str = "operator", **more: Any) -> httpx.Response:
        headers = {**more.pop("headers", {})}
        if as_:
            headers["Authorization"] = f"Bearer {as_}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gate.test/api/v1") as client:
            return await client.request(method, path, headers=headers, **more)

    def close(self) -> None:
        self.reader.close()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
