"""The folder of the site's packs: looked at cheaply, and written so that no half file is ever seen."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from gateway.core.editing.packs import text_hash
from rules.document import LARGEST

#: Bytes of a file that are read: more than the longest pack has in any script.
MOST_BYTES = LARGEST * 4
Signature = tuple[int, int, int, int]


class FileText(NamedTuple):
    """A file as it was read. `hash` is that of its text; text that is no UTF-8 has marks where it could not be read."""

    text: str
    hash: str


class Folder:
    """`HOME/rules`. A file that is not there and a folder that is not there are told apart."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def look(self) -> dict[str, Signature]:
        """The packs by name, each with what changes when it is written: costs a call a file. Raises `OSError`."""
        found: dict[str, Signature] = {}
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.endswith(".yaml") and not entry.name.startswith("."):
                    with contextlib.suppress(FileNotFoundError):
                        stat = entry.stat()
                        seen = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
                        found[entry.name.removesuffix(".yaml")] = seen
        return found

    def read(self, name: str) -> FileText | None:
        """The pack's file, or None where there is none. Raises `OSError`."""
        try:
            with (self.path / f"{name}.yaml").open("rb") as file:
                body = file.read(MOST_BYTES)
        except FileNotFoundError:
            return None
        text = body.decode("utf-8", "replace")
        return FileText(text, text_hash(text))

    def read_all(self) -> dict[str, FileText]:
        """All packs. A folder that is not there is empty. Raises `OSError`."""
        try:
            names = sorted(self.look())
        except FileNotFoundError:
            return {}
        return {name: found for name in names if (found := self.read(name)) is not None}

    def write(self, name: str, text: str | None) -> None:
        """Puts the text in the pack's place, or takes the file away. After a crash the old or the new is there, whole.

        Raises `OSError`; then the old one is still there.
        """
        target = self.path / f"{name}.yaml"
        if text is None:
            target.unlink(missing_ok=True)
        else:
            draft = self.path / f".{name}.yaml.new"
            try:
                with draft.open("wb") as file:
                    file.write(text.encode("utf-8", "surrogatepass"))
                    file.flush()
                    os.fsync(file.fileno())
                with contextlib.suppress(FileNotFoundError):
                    draft.chmod(target.stat().st_mode & 0o777)
                draft.replace(target)
            except OSError:
                draft.unlink(missing_ok=True)
                raise
        self._sync()

    def _sync(self) -> None:
        """Only now is the name on the disk too."""
        number = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
