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
#: Unknown devices that are shown; beyond them the one that was silent longest is let go of.
MOST_STRANGERS = 5_000


class Rejects:
    """Remembers which messages were rejected already, and which unknown devices have spoken."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._strangers: OrderedDict[tuple[str, str], list[Any]] = OrderedDict()
        self._gone: list[tuple[str, str]] = []
        self._due: list[tuple[str, str]] = []

    def load(self, letters: list[tuple[str, bytes, float]], strangers: list[tuple[Any, ...]]) -> None:
        """Takes over dead letters (topic, payload, steady time), oldest first, and the quarantine's rows likewise."""
        for topic, payload, at in letters:
            self._seen[_digest(topic, payload)] = at
        for row in strangers:
            self._strangers[row[0], row[1]] = list(row)
        self._let_go()

    def recent(self, at: float) -> dict[bytes, float]:
        """What may be recognised without the broker's flag: digests of the last minutes, for the snapshot."""
        return {digest: seen for digest, seen in self._seen.items() if at - seen <= SAME_WITHIN}

    def restore(self, recent: dict[bytes, float]) -> None:
        """Takes over what `recent` gave."""
        for digest, at in sorted(recent.items(), key=lambda item: item[1]):
            self._seen.pop(digest, None)
            self._seen[digest] = at

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
            wall, letter.fate.value, letter.adapter, letter.topic, _plain(letter.device, 128),
            _plain(letter.place, 300), _plain(letter.reason, 500), letter.size, letter.payload[:KEPT_BYTES], "kept",
        ))  # fmt: skip

    def quarantine(self, adapter: str, serial: str, entry: MessageEntry, sheet: Sheet) -> None:
        """An unknown device spoke: its row, counted up."""
        parts = entry.topic.split("/")
        site = parts[2] if entry.topic.startswith("gatehouse/v1/") and len(parts) > 2 else ""
        serial = serial.replace("\0", "")[:128]
        row = self._strangers.get((adapter, serial))
        if row is None:
            row = [adapter, serial, site[:64], entry.wall, entry.wall, 0, entry.topic]
            self._strangers[adapter, serial] = row
            self._let_go()
        self._strangers.move_to_end((adapter, serial))
        row[4] = entry.wall
        row[5] += 1
        row[6] = entry.topic
        sheet.rows.quarantine.append(tuple(row))

    def adopted(self, adapter: str, serial: str) -> None:
        """The device is known now."""
        self._strangers.pop((adapter, serial), None)

    def take_gone(self) -> list[tuple[str, str]]:
        """Strangers (adapter, serial) whose rows are to be deleted now: those let go of before the present batch."""
        due, self._due, self._gone = self._due, self._gone, []
        return [key for key in due if key not in self._strangers]

    def _let_go(self) -> None:
        while len(self._strangers) > MOST_STRANGERS:
            self._gone.append(self._strangers.popitem(last=False)[0])


def _plain(text: str, most: int) -> str:
    """What every database takes as a text: payloads may name their device by anything."""
    return text[:most].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _digest(topic: str, payload: bytes) -> bytes:
    return hashlib.blake2b(topic.encode() + b"\0" + payload, digest_size=16).digest()
