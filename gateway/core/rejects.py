"""What was not accepted: kept with its bytes and its reason, once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

from gateway.core.journal import MessageEntry
from gateway.core.sheet import Rejected, Sheet

#: Digests of rejected messages that are remembered, so that a poison redelivered for ever is kept once.
MOST_DIGESTS = 20_000
#: The same bytes within this many seconds are a redelivery even when the broker does not say so.
SAME_WITHIN = 600.0
#: Of a message beyond the size limit only its beginning is kept.
KEPT_BYTES = 65_536


class Rejects:
    """Remembers which messages were rejected already, and which unknown devices have spoken."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._strangers: dict[tuple[str, str], list[Any]] = {}

    def load(self, letters: list[tuple[str, bytes]], strangers: list[tuple[Any, ...]], at: float) -> None:
        """Takes over the newest dead letters (topic, payload) and the quarantine's rows."""
        for topic, payload in letters:
            self._seen[_digest(topic, payload)] = at
        for row in strangers:
            self._strangers[row[0], row[1]] = list(row)

    def seen_before(self, topic: str, payload: bytes, *, dup: bool, at: float) -> bool:
        """Whether these bytes were rejected already. Remembers them."""
        key = _digest(topic, payload)
        before = self._seen.pop(key, None)
        self._seen[key] = at
        if len(self._seen) > MOST_DIGESTS:
            self._seen.popitem(last=False)
        return before is not None and (dup or at - before <= SAME_WITHIN)

    def forget(self, topic: str, payload: bytes) -> None:
        """Lets the same bytes be judged anew: a person asked to try them again."""
        self._seen.pop(_digest(topic, payload), None)

    @staticmethod
    def keep(letter: Rejected, wall: float, sheet: Sheet) -> None:
        """The dead letter's row."""
        sheet.rows.dead_letters.append((
            wall, letter.fate.value, letter.adapter, letter.topic, letter.device[:128], letter.place[:300],
            letter.reason[:500], letter.size, letter.payload[:KEPT_BYTES], "kept",
        ))  # fmt: skip

    def quarantine(self, adapter: str, serial: str, entry: MessageEntry, sheet: Sheet) -> None:
        """An unknown device spoke: its row, counted up."""
        parts = entry.topic.split("/")
        site = parts[2] if entry.topic.startswith("gatehouse/v1/") and len(parts) > 2 else ""
        row = self._strangers.get((adapter, serial))
        if row is None:
            row = [adapter, serial[:128], site, entry.wall, entry.wall, 0, entry.topic]
            self._strangers[adapter, serial] = row
        row[4] = entry.wall
        row[5] += 1
        row[6] = entry.topic
        sheet.rows.quarantine.append(tuple(row))

    def adopted(self, adapter: str, serial: str) -> None:
        """The device is known now."""
        self._strangers.pop((adapter, serial), None)


def _digest(topic: str, payload: bytes) -> bytes:
    return hashlib.blake2b(topic.encode() + b"\0" + payload, digest_size=16).digest()
