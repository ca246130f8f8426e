"""One core and one supervisor a home: the second one is refused, with the first one's process id."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from gateway.errors import Conflict


class HomeLock:
    """An advisory lock on a file, released by the kernel when its process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Takes the lock. Raises `Conflict` naming the process that has it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(file, 32).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise Conflict(
                f"another core (process {owner}) works on {self._path.parent.parent}: "
                "stop it first, or choose another folder with --home",
                process=owner,
            ) from None
        os.truncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._file = file

    def held(self) -> bool:
        """Whether some process has it now."""
        try:
            file = os.open(self._path, os.O_RDONLY)
        except OSError:
            # No file, or none that this user may see: whoever goes on to write there is told why.
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(file)
        return False

    def release(self) -> None:
        """Gives it back. Safe to call again."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None
