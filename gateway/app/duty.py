"""What the command line reads of people, rosters and shifts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from gateway.app.database import database_url
from gateway.config import Home, Settings
from gateway.errors import Unavailable
from gateway.services.calendar import gaps
from gateway.services.calendar import on_duty as duty_of
from gateway.store.queries import Reader


@contextmanager
def reading(home: Home, settings: Settings) -> Iterator[Reader]:
    """The database, opened to read. Raises `Unavailable` where there is none."""
    url = database_url(home, settings)
    if url.startswith("sqlite") and not (home.data / "gatehouse.db").exists():
        raise Unavailable(f"{home.path} holds no gateway yet: start it with 'gatehouse run --home {home.path}'")
    reader = Reader(url)
    try:
        yield reader
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", error)).splitlines()[0]
        raise Unavailable(f"the database cannot be read: {why}") from error
    finally:
        reader.close()


def people(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """Everybody who can be on duty."""
    with reading(home, settings) as reader:
        return [msgspec.to_builtins(person) for person in reader.people()]


def rosters(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """All rosters with their gaps."""
    with reading(home, settings) as reader:
        return [
            {**msgspec.to_builtins(one), "gaps": [gap.spoken(one.cycle_weeks) for gap in gaps(one)]}
            for one in reader.rosters()
        ]


def on_duty(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """Who is on duty now; `until` in the site's local time."""
    now = time.time()
    with reading(home, settings) as reader:
        known = {person.id: person for person in reader.people()}
        zones = {site.id: site.timezone for site in reader.sites()}
        return [
            {
                **duty._asdict(),
                "site": roster.site,
                "name": known[duty.person].name,
                "until": _local(duty.until_at, zones.get(roster.site, "UTC")),
            }
            for roster in reader.rosters()
            for duty in duty_of(roster, now, zones.get(roster.site, "UTC"))
            if duty.person in known and known[duty.person].serves(roster.site)
        ]


def shifts(home: Home, settings: Settings, limit: int = 200) -> list[dict[str, Any]]:
    """The newest shifts."""
    with reading(home, settings) as reader:
        return [msgspec.to_builtins(shift) for shift in reader.shifts(limit=limit).items]


def _local(wall: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(wall, ZoneInfo(zone)):%Y-%m-%d %H:%M}"
