"""The site's rule packs: which are in force, and every version there was."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, select

from gateway.model import PackVersion, VersionState
from gateway.store.read_base import Page, Place, QueryBase
from gateway.store.rows import PackRow
from gateway.store.tables import rule_packs, rule_texts, rule_versions

_version = msgspec.json.Decoder(PackVersion)
_OPEN = (VersionState.CHECKING.value, VersionState.WAITING.value)


class RuleQueries(QueryBase):
    """What people made of the rules."""

    def rule_packs(self) -> list[PackRow]:
        """What is known of each pack, by name; deleted ones and refused files too."""
        return [PackRow(**row._mapping) for row in self.rows(select(rule_packs).order_by(rule_packs.c.name))]

    def packs_in_force(self) -> tuple[tuple[str, str], ...]:
        """Name and hash of each pack that is in force."""
        c = rule_packs.c
        statement = select(c.name, c.hash).where(c.hash != "").order_by(c.name)
        return tuple((str(row.name), str(row.hash)) for row in self.rows(statement))

    def packs_at(self, wall: float) -> tuple[tuple[str, str], ...]:
        """Name and hash of each pack that was in force at a time: by its newest version that was accepted by then."""
        c = rule_versions.c
        statement = select(c.body).where(c.state == str(VersionState.ACCEPTED)).order_by(c.pack, c.number)
        versions = [_version.decode(row[0]) for row in self.rows(statement)]
        newest = {one.pack: one.hash for one in versions if (one.confirmed_at or one.created_at) <= wall}
        return tuple((name, hash) for name, hash in newest.items() if hash)

    def rule_text(self, hash: str) -> str | None:
        """The text with that hash, or None."""
        row = self.one(select(rule_texts.c.text).where(rule_texts.c.hash == hash))
        return str(row[0]) if row else None

    def pack_versions(self, pack: str, *, after: Place | None = None, limit: int = 100) -> Page:
        """A pack's versions, newest first."""
        c = rule_versions.c
        found, place = self.page(select(c.body, c.number).where(c.pack == pack), [c.number], after, limit)
        return Page([_version.decode(row[0]) for row in found], place)

    def pack_version(self, pack: str, number: int) -> PackVersion | None:
        """One version, or None."""
        c = rule_versions.c
        row = self.one(select(c.body).where(c.pack == pack, c.number == number))
        return _version.decode(row[0]) if row else None

    def open_pack_versions(self) -> dict[str, PackVersion]:
        """By pack, the version that is being checked or waits for a second person."""
        rows = self.rows(select(rule_versions.c.body).where(rule_versions.c.state.in_(_OPEN)))
        return {version.pack: version for version in (_version.decode(row[0]) for row in rows)}


class RuleReader(RuleQueries):
    """These queries alone, over an engine of its owner's. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
