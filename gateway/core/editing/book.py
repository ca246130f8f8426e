"""Which packs are in force, which versions wait, and what is known of the files. Owned by the core's thread."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from gateway.core.editing.packs import Refs, Shelf
from gateway.core.journal import PackRef
from gateway.core.rows import Statements
from gateway.model import PackVersion, VersionState
from gateway.store import tables
from gateway.store.rows import PackRow
from gateway.store.writer import Writer

_OPEN = (VersionState.CHECKING.value, VersionState.WAITING.value)


class Book:
    """What `rule_packs` and `rule_versions` hold, as far as it matters now. Others may read its dictionaries."""

    def __init__(self, writer: Writer, statements: Statements, shelf: Shelf) -> None:
        self.shelf = shelf
        self._writer = writer
        self._statements = statements
        self.packs: dict[str, PackRow] = {}
        self.open: dict[str, PackVersion] = {}
        """By pack, the version that is being checked or waits for a second person."""
        self.refused: dict[str, PackVersion] = {}
        """By pack, what stands in its file and cannot be read."""
        self.broken: frozenset[str] = frozenset()
        """Packs in force that this version of the product cannot read: without them, so that the others can go on."""
        self._numbers: dict[str, int] = {}
        self._kept: set[str] = set()

    def load(self) -> None:
        """Takes over what the database holds."""
        names = [column.name for column in tables.rule_packs.columns]
        for row in self._writer.select(select(tables.rule_packs)):
            pack = PackRow(**dict(zip(names, row, strict=True)))
            self.packs[pack.name] = pack
        c = tables.rule_versions.c
        for name, number in self._writer.select(select(c.pack, c.number).order_by(c.number)):
            self._numbers[name] = number
        self._kept = {row[0] for row in self._writer.select(select(tables.rule_texts.c.hash))}
        for (body,) in self._writer.select(select(c.body).where(c.state.in_(_OPEN))):
            version = msgspec.json.decode(body, type=PackVersion)
            self.open[version.pack] = version
        for pack in self.packs.values():
            if pack.refused and (found := self.version(pack.name, pack.refused)) is not None:
                self.refused[pack.name] = found

    def refs(self, pack: str = "", text: str = "") -> Refs:
        """The packs that are to be in force, the shipped ones first; with `text` (a hash) in the place of `pack`.

        From any thread.
        """
        own = {row.name: row.hash for row in dict(self.packs).values() if row.name not in self.broken}
        if pack:
            own[pack] = text
        return (*self.shelf.shipped, *(PackRef(name, own[name]) for name in sorted(own) if own[name]))

    def row(self, pack: str) -> PackRow:
        """What is known of a pack; of one that never was, nothing."""
        return self.packs.get(pack) or PackRow(name=pack)

    def version(self, pack: str, number: int) -> PackVersion | None:
        """A version as it was kept."""
        c = tables.rule_versions.c
        rows = self._writer.select(select(c.body).where(c.pack == pack, c.number == number))
        return msgspec.json.decode(rows[0][0], type=PackVersion) if rows else None

    def next_number(self, pack: str) -> int:
        """The number of the pack's next version."""
        return self._numbers.get(pack, 0) + 1

    # Writing: each adds statements to the batch, and takes them over at once.

    def keep_row(self, row: PackRow) -> None:
        """A pack's row as it is now. One with another text is no longer broken."""
        if row.hash != self.row(row.name).hash:
            self.broken -= {row.name}
        self.packs[row.name] = row
        self._statements.put(tables.rule_packs, msgspec.structs.asdict(row))

    def keep_version(self, version: PackVersion) -> None:
        """A version, new or of another state."""
        self._numbers[version.pack] = max(self._numbers.get(version.pack, 0), version.number)
        before = self.open.get(version.pack)
        if version.state.value in _OPEN:
            self.open[version.pack] = version
        elif before is not None and before.number == version.number:
            del self.open[version.pack]
        row: dict[str, Any] = {
            "pack": version.pack,
            "number": version.number,
            "created_at": version.created_at,
            "state": version.state.value,
            "hash": version.hash,
            "body": msgspec.json.encode(version).decode(),
        }
        self._statements.put(tables.rule_versions, row)

    def keep_text(self, named: str) -> None:
        """The text with that hash, unless it was kept at the start already."""
        text = self.shelf.text(named) if named and named not in self._kept else None
        if text is not None:
            self._statements.put(tables.rule_texts, {"hash": named, "text": text})

    # What is so, for others.

    def health(self) -> dict[str, Any]:
        """What the core says of its rules. From any thread."""
        return {
            "packs": sum(1 for row in dict(self.packs).values() if row.hash),
            "refused": {name: list(version.problems[:20]) for name, version in sorted(dict(self.refused).items())},
            "waiting": sorted(dict(self.open)),
            "unwritten": sorted(name for name, row in dict(self.packs).items() if row.unwritten),
        }
