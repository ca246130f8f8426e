"""The truth about messages and incidents, written where tests can compare it with what the gateway says."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import IO

from simulators.incidents import Occurrence
from simulators.wire import Message, to_json


class Ledger:
    """JSON lines `{"device","id","topic","sent","pubacked"}`, one for each publish, written once the broker has it.

    What the broker never acknowledged follows at `close` with `pubacked` null. `path` None keeps the counts only.
    """

    def __init__(self, path: Path | None) -> None:
        self.sent = 0
        self.acknowledged = 0
        self._file: IO[bytes] | None = path.open("wb") if path else None
        self._open: dict[tuple[str, int], tuple[Message, float]] = {}

    @property
    def outstanding(self) -> int:
        """Published, but not acknowledged yet."""
        return len(self._open)

    def published(self, link: str, mid: int, message: Message, wall: float) -> None:
        """Handed to the broker's connection under message id `mid`."""
        self.sent += 1
        self._open[link, mid] = (message, wall)

    def confirmed(self, link: str, mid: int, wall: float) -> None:
        """The PUBACK came."""
        found = self._open.pop((link, mid), None)
        if found is not None:
            self.acknowledged += 1
            self._write(found[0], found[1], wall)

    def flush(self) -> None:
        """Makes the lines so far readable by others."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Writes what was never acknowledged."""
        for message, sent in self._open.values():
            self._write(message, sent, None)
        self._open.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, message: Message, sent: float, pubacked: float | None) -> None:
        if self._file is not None:
            line = {"device": message.device, "id": message.ref, "topic": message.topic, "retain": message.retain}
            self._file.write(to_json({**line, "sent": sent, "pubacked": pubacked}) + b"\n")


def write_truth(path: Path, occurrences: list[Occurrence]) -> None:
    """The incidents so far as JSON lines `{"incident","device","fault","from","to"}`; replaces the file at once."""
    lines = b"".join(to_json(occurrence.truth()) + b"\n" for occurrence in occurrences if occurrence.began is not None)
    part = path.with_name(path.name + ".part")
    part.write_bytes(lines)
    part.replace(path)
