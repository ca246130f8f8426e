"""What becomes of a change of a pack: in force, refused, or kept until it is checked and confirmed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.core.editing.alerts import critical_alerts
from gateway.core.editing.book import Book
from gateway.core.editing.effects import Doubt, doubts, touched
from gateway.core.editing.packs import Refs, check_name, problems_of
from gateway.core.journal import EventEntry, RulesEntry
from gateway.core.pipeline import Pipeline
from gateway.core.rows import ChangeFeed
from gateway.core.sheet import Sheet
from gateway.errors import Invalid
from gateway.model import BY_FILE, AuditEntry, PackVersion, VersionState
from gateway.services.templates import plain
from gateway.store.rows import PackRow
from gateway.store.writer import Writer
from rules import PackError, RuleSet

#: The kind in which the gateway tells what became of a change.
TOLD = "gateway.rules"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of a pack: `hash` is the new text's, empty for no pack."""

    pack: str
    hash: str
    author: str
    reason: str
    by_file: bool = False


class Changing:
    """Carries a change through. Owned by the core's thread; each step adds to the sheet of its batch."""

    def __init__(self, book: Book, pipeline: Pipeline, writer: Writer, feed: ChangeFeed) -> None:
        self._book = book
        self._pipeline = pipeline
        self._writer = writer
        self._feed = feed
        self.quiet = False
        """Whether what is accepted is told in the audit alone: at a start nobody listens yet."""

    def take_file(self, name: str, text: str | None, sheet: Sheet) -> PackVersion | None:
        """What stands in a file now, or that it is gone. None where it is what is in force."""
        book = self._book
        seen = "" if text is None else book.shelf.know(text)
        row = book.row(name)
        if seen == row.hash:
            self.settle(replace(row, disk=seen, unwritten=False), "unchanged", sheet)
            return None
        try:
            check_name(name)
        except Invalid:
            return None
        reason = "the file was removed" if text is None else "the file was changed"
        change = Change(pack=name, hash=seen, author=BY_FILE, reason=reason, by_file=True)
        try:
            return self.change(change, sheet)
        except PackError:
            return book.refused.get(name)

    def change(self, change: Change, sheet: Sheet) -> PackVersion | None:
        """What becomes of a change: its version; None where nothing was in force and nothing is. Raises `PackError`."""
        book = self._book
        row = book.row(change.pack)
        if change.hash == row.hash:
            self._overtake(change.pack)
            settled = replace(row, unwritten=row.disk != row.hash)
            self.settle(settled, "unchanged", sheet, by=change.author)
            return book.version(change.pack, row.number)
        refs = book.refs(change.pack, change.hash)
        try:
            rules = book.shelf.load(refs)
        except PackError as error:
            self.refuse(change, error, sheet)
            raise
        doubt = self._doubts(rules, sheet.wall)
        self._overtake(change.pack)
        book.keep_text(change.hash)
        if change.by_file:
            book.keep_row(replace(row, disk=change.hash, unwritten=False, refused=0))
            book.refused.pop(change.pack, None)
        version = PackVersion(
            pack=change.pack,
            number=book.next_number(change.pack),
            created_at=sheet.wall,
            author=change.author,
            reason=change.reason,
            hash=change.hash,
            state=VersionState.ACCEPTED,
            rules=sum(1 for rule in rules if rule.pack == f"rules/{change.pack}.yaml"),
        )
        if doubt.open:
            return self.wait(replace(version, hidden=doubt.certain, state=VersionState.CHECKING), sheet)
        if doubt.certain:
            return self.wait(replace(version, hidden=doubt.certain, state=VersionState.WAITING), sheet)
        return self.accept(version, rules, sheet)

    def accept(self, version: PackVersion, rules: RuleSet, sheet: Sheet, at: float | None = None) -> PackVersion:
        """Puts a version in force; `rules` are those of all packs with it."""
        book, pack = self._book, version.pack
        accepted = replace(version, state=VersionState.ACCEPTED)
        book.keep_version(accepted)
        row = replace(
            book.row(pack), number=version.number, hash=version.hash, unwritten=book.row(pack).disk != version.hash
        )
        book.keep_row(row)
        self.switch(book.refs(), rules, sheet)
        detail: dict[str, Any] = {"version": version.number, "reason": version.reason, "hash": version.hash}
        if version.confirmed_by is not None:
            detail["confirmed_by"] = version.confirmed_by
        self.note(sheet, version.author, "rules.accepted", pack, detail)
        self.settle(row, "accepted", sheet, version=accepted)
        self.try_refused_again(pack, sheet)
        return accepted

    def wait(self, version: PackVersion, sheet: Sheet) -> PackVersion:
        """Keeps a version until it is checked or confirmed."""
        self._book.keep_version(version)
        outcome = "waiting" if version.state is VersionState.WAITING else "checking"
        detail: dict[str, Any] = {
            "version": version.number,
            "reason": version.reason,
            "hides": [one.alert for one in version.hidden],
        }
        self.note(sheet, version.author, f"rules.{outcome}", version.pack, detail)
        self.tell(version.pack, outcome, sheet, version)
        return version

    def refuse(self, change: Change, error: PackError, sheet: Sheet) -> None:
        """The running rules stay. What is in a file is kept as a version, so that it can be looked at."""
        book, listed = self._book, problems_of(error)
        version: PackVersion | None = None
        if change.by_file:
            before = book.refused.get(change.pack)
            known = before is not None and before.hash == change.hash
            version = PackVersion(
                pack=change.pack,
                number=before.number if known and before is not None else book.next_number(change.pack),
                created_at=before.created_at if known and before is not None else sheet.wall,
                author=change.author,
                reason=change.reason,
                hash=change.hash,
                state=VersionState.REFUSED,
                problems=listed[:100],
            )
            book.keep_text(change.hash)
            book.keep_version(version)
            book.refused[change.pack] = version
            book.keep_row(replace(book.row(change.pack), disk=change.hash, unwritten=False, refused=version.number))
        detail = {"problems": list(listed[:20]), "count": len(listed), "reason": change.reason}
        self.note(sheet, change.author, "rules.refused", change.pack, detail, "refused")
        first = str(error.problems[0]) if error.problems else ""
        self.tell(change.pack, "refused", sheet, version, by=change.author, problems=len(listed), detail=first[:300])

    def settle(
        self, row: PackRow, outcome: str, sheet: Sheet, *, by: str = "", version: PackVersion | None = None
    ) -> None:
        """The pack is as it is to be: nothing of it is refused any more. Told only where that is news."""
        was_refused = self._book.refused.pop(row.name, None) is not None or row.refused
        kept = replace(row, refused=0)
        if kept != self._book.packs.get(row.name):
            self._book.keep_row(kept)
        if was_refused or outcome == "withdrawn" or (version is not None and not self.quiet):
            self.tell(row.name, outcome, sheet, version, by=by)

    def try_refused_again(self, changed: str, sheet: Sheet) -> None:
        """A file that did not go together with the others may do so now."""
        for name, version in list(self._book.refused.items()):
            if name != changed and self._book.refused.get(name) is version:
                text = self._book.shelf.text(version.hash)
                try:
                    self._book.shelf.load(self._book.refs(name, version.hash))
                except PackError:
                    continue
                self.take_file(name, text, sheet)

    def _overtake(self, pack: str) -> None:
        """A version that waited gives way to a newer one."""
        waiting = self._book.open.get(pack)
        if waiting is not None:
            self._book.keep_version(replace(waiting, state=VersionState.WITHDRAWN))

    def switch(self, refs: Refs, rules: RuleSet, sheet: Sheet) -> None:
        """Other packs are in force from here on."""
        for ref in refs:
            self._book.keep_text(ref.hash)
        self._pipeline.switch(RulesEntry(sheet.at, sheet.wall, refs), rules, sheet)

    # What is known.

    def _doubts(self, after: RuleSet, wall: float) -> Doubt:
        """Which critical alerts of the last days may be hidden."""
        rules = touched(self._pipeline.engine.rules, after)
        if not rules:
            return Doubt((), ())
        return doubts(critical_alerts(self._writer, rules, wall), after)

    # What is told.

    def tell(
        self, pack: str, outcome: str, sheet: Sheet, version: PackVersion | None, *, by: str = "", **more: Any
    ) -> None:
        """To the rules as an event of the gateway, and to whoever follows the changes."""
        known = version or self._book.open.get(pack)
        data: dict[str, Any] = {
            "pack": pack,
            "outcome": outcome,
            "refused": pack in self._book.refused,
            "waiting": self._waits(pack),
            "by": by or (known.author if known is not None else "system"),
            **({"version": known.number} if known is not None else {}),
            **more,
        }
        self._pipeline.own(EventEntry(sheet.at, sheet.wall, TOLD, data), sheet)
        sheet.rows.changes.append(self._feed.row(sheet.wall, "rules", pack, "", msgspec.json.encode(data)))

    def _waits(self, pack: str) -> bool:
        version = self._book.open.get(pack)
        return version is not None and version.state is VersionState.WAITING

    def note(
        self, sheet: Sheet, actor: str, action: str, pack: str, detail: dict[str, Any], outcome: str = "done"
    ) -> None:
        """A line for the audit."""
        sheet.changes.note(
            AuditEntry(
                time=sheet.wall, actor=actor, action=action, target=plain(pack, 128), outcome=outcome, detail=detail
            )
        )
