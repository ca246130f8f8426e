"""The actions on rule packs: each is one step of the core, in the transaction of its batch and in the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.core.editing.book import Book
from gateway.core.editing.changing import Change, Changing
from gateway.core.editing.folder import FileText
from gateway.core.editing.packs import check_name
from gateway.core.pipeline import Pipeline
from gateway.core.sheet import Sheet
from gateway.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from gateway.model import BY_FILE, Action, Actor, Hidden, PackVersion, Role, VersionState
from gateway.services.templates import plain
from rules import PackError
from rules.document import LARGEST

#: The longest reason, in characters.
LONGEST_REASON = 2000
#: Whoever is at the machine itself: for the check by a second person these are one.
AT_THE_MACHINE = frozenset((BY_FILE, "cli", "system"))


class Edits:
    """Carries out `rules.…`. Owned by the core's thread."""

    def __init__(self, book: Book, pipeline: Pipeline, changing: Changing) -> None:
        self._book = book
        self._pipeline = pipeline
        self._changing = changing
        self._handlers: Mapping[str, Callable[[Action, Sheet], PackVersion | None]] = {
            "rules.put": self._put,
            "rules.delete": self._delete,
            "rules.restore": self._restore,
            "rules.confirm": self._confirm,
            "rules.withdraw": self._withdraw,
            "rules.file": self._file,
            "rules.checked": self._checked,
            "rules.written": self._written,
        }
        self.on_edit: Callable[[], None] = lambda: None
        """Called after the commit of whatever was edited."""

    @property
    def action_names(self) -> frozenset[str]:
        """The actions that are carried out here."""
        return frozenset(self._handlers)

    def carry_out(self, action: Action, sheet: Sheet) -> dict[str, Any]:
        """Does one. Raises what a person should read; then the rules are as they were."""
        if not action.actor.role.includes(Role.ENGINEER) or action.actor.sites:
            raise self._refused_to(action, sheet)
        if action.name in ("rules.file", "rules.checked", "rules.written") and action.actor.name != "system":
            raise self._refused_to(action, sheet)
        version = self._handlers[action.name](action, sheet)
        sheet.reports.append((lambda _result, _error: self.on_edit(), None, None))
        return msgspec.to_builtins(version) if version is not None else {}

    def begin(self, files: Mapping[str, FileText] | None, sheet: Sheet) -> None:
        """At a start: the packs of this program and of the files. `files` is None where the folder cannot be read.

        An empty folder is one that was lost, with the home or its disk: the packs stay, and are written anew.
        """
        book, self._changing.quiet = self._book, True
        rules, broken = book.shelf.load_what_can_be(book.refs())
        book.broken = frozenset(broken)
        if book.refs() != self._pipeline.packs:
            self._changing.switch(book.refs(), rules, sheet)
        else:
            self._pipeline.desk.set_rules(self._pipeline.engine.rules)
        for name, error in broken.items():
            known = book.refused.get(name)
            if known is None or known.hash != book.row(name).hash:
                reason = "this version of the product cannot read it"
                change = Change(pack=name, hash=book.row(name).hash, author="system", reason=reason, by_file=True)
                self._changing.refuse(change, error, sheet)
        if not files:
            for row in [row for row in book.packs.values() if row.hash and files is not None]:
                book.keep_row(replace(row, disk="", unwritten=True))
        else:
            for name in sorted({*files, *book.packs}):
                found = files.get(name)
                if (found.hash if found is not None else "") != book.row(name).disk:
                    self._changing.take_file(name, found.text if found is not None else None, sheet)
        self._changing.try_refused_again("", sheet)
        self._changing.quiet = False

    # The actions.

    def _put(self, action: Action, sheet: Sheet) -> PackVersion | None:
        args = action.args
        text = args.get("text")
        if not isinstance(text, str) or len(text) > LARGEST:
            raise Invalid("text", f"the pack as text of at most {LARGEST:,} characters")
        pack = check_name(args.get("pack"))
        return self._by_person(action, pack, self._book.shelf.know(text), sheet)

    def _delete(self, action: Action, sheet: Sheet) -> PackVersion | None:
        pack = self._known(action)
        if not self._book.row(pack).hash:
            raise NotFound("rule pack", pack)
        return self._by_person(action, pack, "", sheet)

    def _restore(self, action: Action, sheet: Sheet) -> PackVersion | None:
        pack, number = self._known(action), action.args.get("number")
        version = self._book.version(pack, number) if isinstance(number, int) else None
        if version is None:
            raise NotFound("version of the pack", f"{pack}/{plain(str(number), 20)}")
        return self._by_person(action, pack, version.hash, sheet)

    def _by_person(self, action: Action, pack: str, hash: str, sheet: Sheet) -> PackVersion | None:
        reason = action.args.get("reason")
        if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_REASON:
            raise Invalid("reason", f"say why, in 1 to {LONGEST_REASON} characters")
        row, want = self._book.row(pack), action.args.get("version")
        if want is not None and want != row.number:
            raise StaleVersion("rule pack", pack, row.number, want)
        change = Change(pack=pack, hash=hash, author=action.actor.name, reason=reason.strip())
        return self._changing.change(change, sheet)

    def _confirm(self, action: Action, sheet: Sheet) -> PackVersion | None:
        version = self._waiting(action)
        actor = action.actor
        if version.state is not VersionState.WAITING:
            raise Conflict(f"version {version.number} of '{version.pack}' is still being checked: wait a moment")
        if same_person(actor, version.author):
            self._changing.note(sheet, actor.name, action.name, version.pack, {"version": version.number}, "refused")
            raise Forbidden(
                f"version {version.number} of '{version.pack}' is by {version.author}: somebody else has to confirm it"
            )
        rules = self._book.shelf.load(self._book.refs(version.pack, version.hash))
        confirmed = replace(version, confirmed_by=actor.name, confirmed_at=sheet.wall)
        self._changing.note(sheet, actor.name, action.name, version.pack, {"version": version.number})
        return self._changing.accept(confirmed, rules, sheet)

    def _withdraw(self, action: Action, sheet: Sheet) -> PackVersion | None:
        version = self._waiting(action)
        self._book.keep_version(withdrawn := replace(version, state=VersionState.WITHDRAWN))
        self._changing.note(sheet, action.actor.name, action.name, version.pack, {"version": version.number})
        row = self._book.row(version.pack)
        self._changing.settle(replace(row, unwritten=row.disk != row.hash), "withdrawn", sheet, by=action.actor.name)
        return withdrawn

    def _file(self, action: Action, sheet: Sheet) -> PackVersion | None:
        return self._changing.take_file(str(action.args.get("pack")), action.args.get("text"), sheet)

    def _written(self, action: Action, sheet: Sheet) -> PackVersion | None:
        """The version in force, by its hash, stands in its file."""
        row = self._book.row(str(action.args.get("pack")))
        seen = str(action.args.get("hash"))
        self._book.keep_row(replace(row, disk=seen, unwritten=row.hash != seen and row.unwritten))
        return None

    def _checked(self, action: Action, sheet: Sheet) -> PackVersion | None:
        """The replay has told what a version would have hidden."""
        version = self._book.open.get(str(action.args.get("pack")))
        if version is None or version.number != action.args.get("number") or version.state is not VersionState.CHECKING:
            return version
        found = msgspec.convert(action.args.get("hidden") or [], tuple[Hidden, ...])
        hidden = (*version.hidden, *found)
        if hidden:
            return self._changing.wait(replace(version, hidden=hidden, state=VersionState.WAITING), sheet)
        try:
            rules = self._book.shelf.load(self._book.refs(version.pack, version.hash))
        except PackError as error:
            # Another pack has been changed meanwhile, and the two do not go together.
            self._book.keep_version(withdrawn := replace(version, state=VersionState.WITHDRAWN))
            count, first = len(error.problems), str(error.problems[0])[:300]
            self._changing.tell(version.pack, "refused", sheet, version, problems=count, detail=first)
            return withdrawn
        return self._changing.accept(version, rules, sheet)

    def _known(self, action: Action) -> str:
        pack = check_name(action.args.get("pack"))
        if pack not in self._book.packs:
            raise NotFound("rule pack", pack)
        return pack

    def _waiting(self, action: Action) -> PackVersion:
        pack = check_name(action.args.get("pack"))
        version, number = self._book.open.get(pack), action.args.get("number")
        if version is None:
            raise NotFound("waiting change of the rule pack", pack)
        if number is not None and number != version.number:
            raise StaleVersion("waiting change of the rule pack", pack, version.number, number)
        return version

    def _refused_to(self, action: Action, sheet: Sheet) -> Forbidden:
        why = f"'{action.name}' needs the role engineer for all sites; {action.actor.name} has {action.actor.role}"
        self._changing.note(
            sheet, action.actor.name, action.name, str(action.args.get("pack", "")), {"why": why}, "refused"
        )
        return Forbidden(why, needs=str(Role.ENGINEER), has=str(action.actor.role))


def same_person(actor: Actor, author: str) -> bool:
    """Whether the actor may be who made the change: the same name, or both at the machine itself."""
    return actor.name == author or {actor.name, author} <= AT_THE_MACHINE
