"""What the command line reads from the database, without the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.app.database import database_url
from gateway.config import Home, Settings
from gateway.errors import NotFound, Unavailable
from gateway.model import Command, PlanRun
from gateway.store import tables


@contextmanager
def _connection(home: Home, settings: Settings) -> Iterator[Connection]:
    url = database_url(home, settings)
    if url.startswith("sqlite") and not (home.data / "gatehouse.db").exists():
        raise Unavailable(f"{home.path} holds no gateway yet: start it with 'gatehouse run --home {home.path}'")
    engine: Engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise Unavailable(
            f"the database cannot be read: {str(getattr(error, 'orig', error)).splitlines()[0]}"
        ) from error
    finally:
        engine.dispose()


def devices(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """All devices but the gateway itself, without their secrets, with presence where they have spoken."""
    joined = select(tables.devices, tables.device_states.c.online, tables.device_states.c.last_at).join(
        tables.device_states, tables.device_states.c.device == tables.devices.c.id, isouter=True
    )
    joined = joined.where(tables.devices.c.adapter != "internal")
    with _connection(home, settings) as connection:
        rows = [dict(row._mapping) for row in connection.execute(joined.order_by(tables.devices.c.id))]
    return [{key: value for key, value in row.items() if key != "secret_hash"} for row in rows]


def ledger(home: Home, settings: Settings) -> dict[str, Any]:
    """`{"received": n, "fates": {fate: n}}`."""
    with _connection(home, settings) as connection:
        counts = {fate: int(count) for fate, count in connection.execute(select(tables.ledger))}
    received = counts.pop("received", 0)
    return {"received": received, "fates": dict(sorted(counts.items()))}


def tokens(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """All tokens without their hashes."""
    with _connection(home, settings) as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(tables.tokens))]
    return [{key: value for key, value in row.items() if key != "hash"} for row in rows]


def users(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """All users without their hashes."""
    with _connection(home, settings) as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(tables.users))]
    return [{key: value for key, value in row.items() if key != "password_hash"} for row in rows]


def commands(home: Home, settings: Settings, limit: int) -> list[dict[str, Any]]:
    """The newest commands, newest first."""
    newest = select(tables.commands.c.body).order_by(tables.commands.c.requested_at.desc()).limit(limit)
    with _connection(home, settings) as connection:
        return [msgspec.json.decode(row[0]) for row in connection.execute(newest)]


def plan_runs(home: Home, settings: Settings, limit: int) -> list[PlanRun]:
    """The newest runs of plans, newest first."""
    newest = select(tables.plan_runs.c.body).order_by(tables.plan_runs.c.started_at.desc()).limit(limit)
    with _connection(home, settings) as connection:
        return [msgspec.json.decode(row[0], type=PlanRun) for row in connection.execute(newest)]


def plan_run(home: Home, settings: Settings, ident: str) -> tuple[PlanRun, list[Command], dict[str, Any]]:
    """A run, its commands, and the names (by id, as texts by language) and time zone of what it speaks of.

    Raises `NotFound`.
    """
    runs, commands = tables.plan_runs.c, tables.commands.c
    with _connection(home, settings) as connection:
        body = connection.scalar(select(runs.body).where(runs.id == ident))
        if body is None:
            raise NotFound("plan run", ident)
        run = msgspec.json.decode(body, type=PlanRun)
        wanted = [one for step in run.steps for one in step.commands]
        found = connection.execute(select(commands.body).where(commands.id.in_(wanted)))
        sent = [msgspec.json.decode(row[0], type=Command) for row in found]
        named: dict[str, Any] = {}
        for table in (tables.zones, tables.devices, tables.sites):
            named |= {row[0]: row[1] for row in connection.execute(select(table.c.id, table.c.name))}
        zone = connection.scalar(select(tables.sites.c.timezone).where(tables.sites.c.id == run.site))
    return run, sent, {"names": named, "timezone": zone or "UTC"}


def state_of(home: Home, settings: Settings, device: str) -> dict[str, Any]:
    """What the device last said, `{kind: {"data", "received", "time"}}`; empty where it has not spoken."""
    with _connection(home, settings) as connection:
        kinds = connection.scalar(select(tables.device_states.c.kinds).where(tables.device_states.c.device == device))
    found: dict[str, Any] = msgspec.json.decode(kinds) if kinds else {}
    return found


def audit_rows(home: Home, settings: Settings) -> list[tuple[Any, ...]]:
    """The whole audit in order, as its columns stand."""
    with _connection(home, settings) as connection:
        return [tuple(row) for row in connection.execute(select(tables.audit).order_by(tables.audit.c.id))]
