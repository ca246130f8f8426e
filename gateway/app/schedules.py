"""What the command line reads of schedules and rounds."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from gateway.app.definitions import load_definitions
from gateway.app.duty import reading
from gateway.config import Home, Settings
from gateway.services.schedule_book import next_time
from gateway.services.working_time import zone_of


def schedules(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """The schedules of the home's files, with where they stand and their next time in the site's own."""
    book = load_definitions(home).schedules
    now = time.time()
    with reading(home, settings) as reader:
        states = reader.schedules()
        zones = {site.id: site.timezone for site in reader.sites()}
    found = []
    for one in book:
        zone, state = zones.get(one.site, settings.site.timezone), states.get(one.id)
        following = next_time(one.at, now, zone) if one.at else None
        found.append({
            "id": one.id,
            "site": one.site,
            "does": one.does,
            "title": one.title,
            "next": f"{datetime.fromtimestamp(following, zone_of(zone)):%Y-%m-%d %H:%M}" if following else None,
            "ran": state.ran if state else 0,
            "missed": state.missed if state else 0,
            "paused": state.paused if state else "",
            "problem": state.problem if state else "",
        })  # fmt: skip
    return found
