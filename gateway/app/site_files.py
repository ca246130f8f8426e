"""The site's own files by part: how each part is read, and the last edition that was good.

A part is one thing to the gateway and may be several files: it is taken or refused as a whole. The last good texts are
kept beside the database, so that a gateway whose files were broken meanwhile starts with what was in force.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from gateway.app.channels import read_alarms
from gateway.config import Home
from gateway.errors import ConfigError, GatehouseError
from gateway.model import Catalogue
from gateway.services.plan_reading import read_plans
from gateway.services.safety_reading import read_safety
from gateway.services.schedule_reading import read_schedules
from gateway.services.team_reading import read_teams
from rules.commands import safety_texts
from rules.plans import plan_texts

_log = logging.getLogger(__name__)
KEPT = "files-in-force.json"
Texts = Mapping[str, str]
Signature = tuple[tuple[str, int, int, int], ...]


class Part(NamedTuple):
    """`paths` are its files; `read` makes something of their texts, or raises with all that is wrong."""

    name: str
    paths: Callable[[Home], list[Path]]
    read: Callable[[Home, Texts, Catalogue], Any]

    def texts(self, home: Home) -> dict[str, str]:
        """The files' texts by path. Raises `ConfigError` where one cannot be read or is no UTF-8."""
        found = {}
        for path in self.paths(home):
            try:
                found[str(path)] = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(str(path), str(error), f"{self.name} as UTF-8 text") from error
        return found


def _in(folder: str) -> Callable[[Home], list[Path]]:
    return lambda home: sorted(getattr(home, folder).glob("*.yaml"))


def _there(*names: str) -> Callable[[Home], list[Path]]:
    return lambda home: [path for name in names if (path := getattr(home, name)).exists()]


def shipped_teams() -> dict[str, str]:
    """The teams that come with the product."""
    return {"teams.yaml": (files("gateway.services") / "teams.yaml").read_text("utf-8")}


PARTS: tuple[Part, ...] = (
    Part("plans", _in("plans"), lambda home, texts, catalogue: read_plans({**plan_texts(), **texts})),
    Part("commands", _in("commands"), lambda home, texts, known: read_safety({**safety_texts(), **texts}, known)),
    Part("schedules", _in("schedules"), lambda home, texts, catalogue: read_schedules(texts)),
    Part("teams", _there("teams"), lambda home, texts, catalogue: read_teams({**shipped_teams(), **texts})),
    Part("alarms", _there("channels", "escalation"), lambda home, texts, catalogue: read_alarms(home, texts)),
)


def signature_of(part: Part, home: Home) -> Signature:
    """Changes when one of the part's files is written, comes or goes."""
    found = []
    for path in part.paths(home):
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)


def read_part(part: Part, home: Home, catalogue: Catalogue, *, kept: bool) -> tuple[Any, Texts]:
    """The part as its files have it, and their texts; with `kept` as it was last in force, where they are broken."""
    try:
        texts: Texts = part.texts(home)
        return part.read(home, texts, catalogue), texts
    except GatehouseError as error:
        before = kept_texts(home).get(part.name) if kept else None
        if before is None:
            raise
        _log.error("%s; what was in force before stays", error.message)
        return part.read(home, before, catalogue), before


def kept_texts(home: Home) -> dict[str, dict[str, str]]:
    """The texts of each part that were last in force."""
    try:
        found: dict[str, dict[str, str]] = json.loads((home.data / KEPT).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def keep_texts(home: Home, texts: Mapping[str, Texts]) -> None:
    """Keeps them; after a crash the old or the new are there, whole. Raises `OSError`."""
    target, draft = home.data / KEPT, home.data / f".{KEPT}.new"
    try:
        with draft.open("w", encoding="utf-8") as file:
            draft.chmod(0o600)
            json.dump({name: dict(one) for name, one in texts.items()}, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
