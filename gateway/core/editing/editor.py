"""The thread beside the core: it looks at the folder, writes into it, parses what is to be put, and has it checked.

Whatever it finds it hands to the core as an action. It keeps nothing that a restart would miss: all of it follows from
the database and the folder.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from gateway.core.editing.alerts import critical_alerts
from gateway.core.editing.asking import ask
from gateway.core.editing.book import Book
from gateway.core.editing.effects import doubts, hidden, touched
from gateway.core.editing.folder import Folder, Signature
from gateway.core.editing.packs import Refs, check_name
from gateway.core.sheet import Reporter
from gateway.errors import GatehouseError, Invalid
from gateway.model import Action, Hidden, PackVersion, VersionState
from rules import PackError

_log = logging.getLogger(__name__)

#: How often the folder is looked at, and for how long a file has to stay as it is before it is read, in seconds.
LOOK_EVERY, STILL = 2.0, 1.0
#: What people ask for; it is parsed before the core is asked.
EDITS = frozenset(("rules.put", "rules.delete", "rules.restore", "rules.confirm", "rules.withdraw"))

#: Finds out what a change from the first packs to the second would have hidden. May take minutes.
Check = Callable[[Refs, Refs], Sequence[Hidden]]


class Editor:
    """Stands before the core's door for what concerns rules. `submit` may be called from any thread."""

    def __init__(
        self,
        core: Any,
        folder: Folder,
        check: Check,
        *,
        every: float = LOOK_EVERY,
        still: float = STILL,
        act: Callable[[str, dict[str, Any]], bool] | None = None,
    ) -> None:
        """`act` carries out an action where the core has no thread of its own; True where it was."""
        self._core = core
        self._book: Book = core.book
        self._folder = folder
        self._check = check
        self._act = act or (lambda name, args: ask(core, name, args, lambda: self._stopping))
        self._every, self._still = every, min(still, every)
        self._jobs: queue.SimpleQueue[tuple[Action, Reporter] | None] = queue.SimpleQueue()
        self._seen: dict[str, tuple[Signature | None, float]] = {}
        self._done: dict[str, Signature | None] = {}
        self._complained: dict[str, str] = {}
        self._checking: threading.Thread | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
        core.edits.on_edit = self.wake

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a check that is under way is begun again at the next start."""
        self._stopping = True
        self._jobs.put(None)
        self._thread.join(5)

    def wake(self) -> None:
        """There may be something to write or to check."""
        self._jobs.put(None)

    def submit(self, action: Action, report: Reporter) -> None:
        """Hands an action to the core. A pack is parsed first, in this thread: the core need not wait for it."""
        if action.name in EDITS and self._thread.is_alive():
            self._jobs.put((action, report))
        else:
            self._core.submit(action, report)

    def _run(self) -> None:
        due = 0.0
        while not self._stopping:
            job = None
            with contextlib.suppress(queue.Empty):
                job = self._jobs.get(timeout=max(0.01, due - time.monotonic()))
            try:
                if job is not None:
                    self._parse(job[0])
                    self._core.submit(*job)
                    continue
                self.write()
                self.check_what_waits()
                if time.monotonic() >= due:
                    moving = self.look(time.monotonic())
                    due = time.monotonic() + (self._still if moving else self._every)
            except Exception:
                # Whatever it meets, the next round begins anew; the core has not been touched.
                _log.exception("the rules' thread failed and begins again")
                due = time.monotonic() + self._every

    # Before the core.

    def _parse(self, action: Action) -> None:
        """Parses what the action is about to put in force, so that the core finds it done."""
        pack, book = str(action.args.get("pack")), self._book
        named = ""
        if action.name == "rules.put":
            text = action.args.get("text")
            if not isinstance(text, str):
                return
            named = book.shelf.know(text)
        elif action.name == "rules.confirm":
            waiting = book.open.get(pack)
            named = waiting.hash if waiting is not None else ""
        elif action.name == "rules.restore":
            number = action.args.get("number")
            version = self._core.kept.pack_version(pack, number) if isinstance(number, int) else None
            named = version.hash if version is not None else ""
        with contextlib.suppress(PackError):
            book.shelf.load(book.refs(pack, named))

    # The folder.

    def look(self, now: float) -> bool:
        """Takes the files that changed and are still now (monotonic seconds). Whether some are not still yet."""
        try:
            found = self._folder.look()
        except OSError as error:
            # A folder that is away says nothing of the packs: they stay.
            self._complain("", f"the folder of the rules cannot be read, the rules stay as they are: {error}")
            return False
        self._complained.pop("", None)
        moving = False
        for name in sorted({*found, *self._book.packs}):
            signature = found.get(name)
            if name in self._done and self._done[name] == signature:
                continue
            before = self._seen.get(name)
            if before is None or before[0] != signature:
                self._seen[name] = (signature, now)
                moving = True
            elif now - before[1] < self._still:
                moving = True
            else:
                self._take(name, signature)
        return moving

    def _take(self, name: str, signature: Signature | None) -> None:
        """Reads a file that is still, and tells the core if it is another than the one dealt with."""
        try:
            check_name(name)
            found = self._folder.read(name)
        except (Invalid, OSError) as error:
            self._complain(name, f"rules/{name}.yaml is not read: {error}")
            self._done[name] = signature
            return
        self._complained.pop(name, None)
        seen = found.hash if found is not None else ""
        if seen == self._book.row(name).disk:
            self._done[name] = signature
            return
        args: dict[str, Any] = {"pack": name}
        if found is not None:
            args["text"] = found.text
            with contextlib.suppress(PackError):
                self._book.shelf.load(self._book.refs(name, self._book.shelf.know(found.text)))
        if self._act("rules.file", args):
            self._done[name] = signature

    def write(self) -> None:
        """Writes the versions in force into files that hold older ones. What was changed by hand meanwhile stays."""
        for row in list(dict(self._book.packs).values()):
            if not row.unwritten:
                continue
            try:
                found = self._folder.read(row.name)
                seen = found.hash if found is not None else ""
                if seen not in (row.disk, row.hash):
                    continue
                if seen != row.hash:
                    text = self._book.shelf.text(row.hash) if row.hash else None
                    if row.hash and text is None:
                        raise OSError(f"the text of version {row.number} is lost")
                    self._folder.write(row.name, text)
            except OSError as error:
                self._complain(row.name, f"rules/{row.name}.yaml cannot be written, trying again: {error}")
                continue
            self._complained.pop(row.name, None)
            self._act("rules.written", {"pack": row.name, "hash": row.hash})

    def _complain(self, name: str, words: str) -> None:
        """Once for each thing that is wrong."""
        if self._complained.get(name) != words:
            self._complained[name] = words
            _log.error("%s", words)

    # The check.

    def check_what_waits(self) -> None:
        """Begins the check of a version, one at a time, in a thread of its own."""
        if self._checking is not None and self._checking.is_alive():
            return
        waiting = [one for one in dict(self._book.open).values() if one.state is VersionState.CHECKING]
        if waiting:
            version = min(waiting, key=lambda one: (one.created_at, one.pack))
            self._checking = threading.Thread(target=self.check, args=(version,), name="rules-check", daemon=True)
            self._checking.start()

    def settle(self) -> None:
        """All that is to be written and checked, at once: where nobody looks after the core."""
        self.write()
        for version in list(self._book.open.values()):
            if version.state is VersionState.CHECKING:
                self.check(version)
        self.write()

    def check(self, version: PackVersion) -> None:
        """Finds out what a version would have hidden, and tells the core."""
        book = self._book
        before, after = book.refs(), book.refs(version.pack, version.hash)
        try:
            found = list(self._check(before, after))
        except (GatehouseError, OSError) as error:
            _log.error("version %d of %s could not be checked: %s", version.number, version.pack, error)
            found = self._unknown(before, after)
        args = {"pack": version.pack, "number": version.number, "hidden": msgspec.to_builtins(found)}
        self._act("rules.checked", args)
        self.wake()

    def _unknown(self, before: Refs, after: Refs) -> list[Hidden]:
        """Without an answer it has to be assumed that all of them are hidden: a person decides."""
        shelf = self._book.shelf
        try:
            then, now = shelf.load_what_can_be(before)[0], shelf.load(after)
        except PackError:
            return []
        alerts = critical_alerts(self._core.query, touched(then, now), self._core.clock.wall())
        return [hidden(alert, "unknown") for alert in doubts(alerts, now).open]
