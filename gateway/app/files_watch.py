"""The thread that looks at the site's files while the core runs, and has another edition of them taken or refused."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from gateway.app.channels import Alarms
from gateway.app.definitions import LoadedDefinitions
from gateway.app.site_files import PARTS, Part, Signature, Texts, keep_texts, signature_of
from gateway.config import Home
from gateway.core.core import Core
from gateway.core.editing.asking import ask
from gateway.core.editing.files import Offer
from gateway.errors import GatehouseError
from gateway.services.books import Books

_log = logging.getLogger(__name__)
#: How often the files are looked at, and for how long they have to stay as they are before they are read, in seconds.
LOOK_EVERY, STILL = 2.0, 1.0


class FilesWatch:
    """Looks after the files of a home. `on_alarms` is called, on the core's thread, with other chains and channels."""

    def __init__(
        self,
        home: Home,
        core: Core,
        known: LoadedDefinitions,
        on_alarms: Callable[[Alarms], None] = lambda alarms: None,
        *,
        every: float = LOOK_EVERY,
        still: float = STILL,
    ) -> None:
        self._home, self._core, self._catalogue, self._on_alarms = home, core, known.catalogue, on_alarms
        self._every, self._still = every, min(still, every)
        self._in_force: dict[str, Texts] = dict(known.texts)
        self._seen: dict[str, tuple[Signature, float]] = {}
        self._done: dict[str, Signature] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="files", daemon=True)

    def start(self) -> None:
        """Begins to look. What the core was just built of, `known`, is in force, and is kept."""
        for part in PARTS:
            self._begin(part)
        self._keep()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        self._thread.join(5)

    def _begin(self, part: Part) -> None:
        """A part whose files are not what the core was built of, or that was refused before, is looked at anew."""
        signature = signature_of(part, self._home)
        try:
            texts = part.texts(self._home)
        except GatehouseError:
            return
        standing = any(alert.rule == "gateway.files-refused" for alert in self._core.desk.alerts.open.values())
        if not standing and texts == self._in_force.get(part.name):
            self._done[part.name] = signature

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.look(time.monotonic())
            except Exception:
                _log.exception("the files' thread failed and begins again")

    def look(self, now: float) -> None:
        """Takes the parts that changed and are still now (monotonic seconds)."""
        for part in PARTS:
            signature = signature_of(part, self._home)
            if self._done.get(part.name) == signature:
                continue
            before = self._seen.get(part.name)
            if before is None or before[0] != signature:
                self._seen[part.name] = (signature, now)
            elif now - before[1] >= self._still and self._take(part):
                self._done[part.name] = signature

    def _take(self, part: Part) -> bool:
        """Has the core take the part, or refuse it; False where the core did not answer."""
        try:
            texts = part.texts(self._home)
            made = part.read(self._home, texts, self._catalogue)
        except GatehouseError as error:
            _log.error("%s", error.message)
            return self._act("files.refuse", {"part": part.name, "problems": problems_of(error, self._home)})
        self._core.files.offered[part.name] = self._offer(part, made)
        names = sorted(_short(name, self._home) for name in texts)
        if not self._act("files.take", {"part": part.name, "files": names}):
            return False
        _log.info("%s: what was saved is in force", part.name)
        self._in_force[part.name] = texts
        self._keep()
        return True

    def _offer(self, part: Part, made: Any) -> Offer:
        if isinstance(made, Alarms):
            return Offer(Books(escalation=made.book), lambda: self._on_alarms(made))
        return Offer(Books(**{"safety" if part.name == "commands" else part.name: made}))

    def _keep(self) -> None:
        try:
            keep_texts(self._home, self._in_force)
        except OSError as error:
            _log.error("the files in force could not be kept for the next start: %s", error)

    def _act(self, name: str, args: dict[str, Any]) -> bool:
        return ask(self._core, name, args, self._stop.is_set)


def problems_of(error: GatehouseError, home: Home) -> list[dict[str, Any]]:
    """Everything wrong, each with its file in the home, line and message."""
    found = error.facts.get("problems")
    if isinstance(found, list) and found:
        return [{**one, "file": _short(str(one.get("file", "")), home)} for one in found]
    return [{"file": "", "line": 0, "message": error.message}]


def _short(file: str, home: Home) -> str:
    return file.removeprefix(f"{home.path}/")
