"""The rules and packs that are in force, for whoever is not the core: what the database says, not the files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from gateway.app.database import database_url
from gateway.app.definitions import load_rules, shipped_rules
from gateway.config import Home, Settings
from gateway.core.editing.packs import Shelf
from gateway.core.journal import PackRef
from gateway.errors import NotFound, Unavailable
from gateway.model import Catalogue, PackVersion, VersionState
from gateway.store.queries import Reader
from gateway.store.rows import PackRow
from rules import RuleSet


def rules_in_force(home: Home, settings: Settings, catalogue: Catalogue, at: float | None = None) -> RuleSet:
    """The rules by which the core judges, or judged at a wall time: the site's of then, the product's of today.

    Those of the files where there is no database yet. Raises `PackError`.
    """
    reader = Reader(database_url(home, settings))
    try:
        shelf = Shelf(catalogue, shipped_rules(), reader.rule_text)
        packs = reader.packs_in_force() if at is None else reader.packs_at(at)
        refs = (*shelf.shipped, *(PackRef(name, hash) for name, hash in packs))
        return shelf.load_what_can_be(refs)[0]
    except SQLAlchemyError:
        return load_rules(home, catalogue)
    finally:
        reader.close()


def packs(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """The site's packs: the version in force, what waits, what is refused, and whether the file holds it."""
    with _reader(home, settings) as reader:
        waiting = reader.open_pack_versions()
        rows = {row.name: row for row in reader.rule_packs()}
        found = []
        for name in sorted({*rows, *waiting}):
            row = rows.get(name) or PackRow(name=name)
            known = reader.pack_version(name, row.number) if row.number else None
            refused = reader.pack_version(name, row.refused) if row.refused else None
            found.append({
                "name": name, "version": row.number, "deleted": not row.hash, "hash": row.hash,
                "rules": known.rules if known is not None else 0,
                "author": known.author if known is not None else "", "written": not row.unwritten,
                "waiting": _plain(waiting[name]) if name in waiting else None,
                "refused": _plain(refused) if refused is not None else None,
            })  # fmt: skip
    return found


def versions(home: Home, settings: Settings, pack: str) -> list[dict[str, Any]]:
    """All versions of a pack, newest first. Raises `NotFound` where there are none."""
    with _reader(home, settings) as reader:
        found = reader.pack_versions(pack, limit=100_000).items
    if not found:
        raise NotFound("rule pack", pack)
    return [_plain(version) for version in found]


def text_of(home: Home, settings: Settings, pack: str, number: int | None = None) -> dict[str, Any]:
    """A version with its text, the one in force if no number is given. Raises `NotFound`."""
    with _reader(home, settings) as reader:
        if number is None:
            number = next((row.number for row in reader.rule_packs() if row.name == pack and row.hash), None)
        version = reader.pack_version(pack, number) if number is not None else None
        if version is None:
            raise NotFound("rule pack" if number is None else f"version {number} of the rule pack", pack)
        return {**_plain(version), "text": reader.rule_text(version.hash) if version.hash else None}


def outcome(home: Home, settings: Settings, pack: str, number: int, within: float) -> dict[str, Any]:
    """What became of a version, once it is checked; after `within` seconds, that it still is."""
    deadline = time.monotonic() + within
    with _reader(home, settings) as reader:
        while True:
            version = reader.pack_version(pack, number)
            if version is None:
                raise NotFound(f"version {number} of the rule pack", pack)
            if version.state is not VersionState.CHECKING or time.monotonic() > deadline:
                return _plain(version)
            time.sleep(0.2)


def _plain(version: PackVersion) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(version)
    return shown


@contextmanager
def _reader(home: Home, settings: Settings) -> Iterator[Reader]:
    url = database_url(home, settings)
    if url.startswith("sqlite") and not (home.data / "gatehouse.db").exists():
        raise Unavailable(f"{home.path} holds no gateway yet: start it with 'gatehouse run --home {home.path}'")
    reader = Reader(url)
    try:
        yield reader
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise Unavailable(f"the database cannot be read: {why}") from error
    finally:
        reader.close()
