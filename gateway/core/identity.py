"""Is it new, is it late, is one missing: what the pipeline remembers of each device to know.

Three memories, each bounded. The keys of the newest events tell a duplicate from news. A device's clock offset
(receipt minus claimed time) tells an old message from a wrong clock. A device's running number tells a gap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import Enum
from math import inf

import msgspec

#: Before this a device's clock has plainly never been set (2020-01-01), and its time says nothing.
EPOCH_OF_SENSE = 1_577_836_800.0
#: Offsets that differ by less than this many seconds are the same offset.
SAME_OFFSET = 5.0
#: How often, and over how many seconds of receipt, an offset must be seen before it is believed to be the clock's.
BELIEVE_COUNT = 3
BELIEVE_SPAN = 10.0
#: A number this small, after a larger one, is a device that has started anew.
RESTART_NUMBER = 5
#: Ranges of missing numbers that are remembered for a device; older ones are given up.
MOST_GAPS = 64


class Verdict(Enum):
    """What the key says of an event."""

    NEW = "new"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


def event_key(device: str, identity: str) -> bytes:
    """16 bytes that name an event by its device and its own id."""
    return hashlib.blake2b(f"{device}\0{identity}".encode(), digest_size=16).digest()


class Keys:
    """The newest event keys, `most` of them at least, with a digest of what each carried.

    Two generations: when the young one is full it becomes the old one, and what was old is forgotten at once. So
    nothing is removed one by one, and 200,000 keys cost a few tens of megabytes. A key of a frame without identity is
    kept with the time at which it came (steady) instead of a digest: its digest is part of it.
    """

    def __init__(self, most: int, redelivery: float) -> None:
        self._most = most
        self._redelivery = redelivery
        self._young: dict[bytes, int | float] = {}
        self._old: dict[bytes, int | float] = {}
        self._recent: dict[bytes, float] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def load(self, keys: Iterable[tuple[bytes, int]], recent: Mapping[bytes, float]) -> None:
        """Takes over the newest keys of the database, oldest first; `recent` tells when the newest of them came."""
        self._recent = dict(recent)
        for key, digest in keys:
            self._remember(key, digest)

    def check(self, key: bytes, digest: int) -> Verdict:
        """Whether an event with an identity of its own is new. Remembers it if it is."""
        known = self._young.get(key)
        if known is None:
            known = self._old.get(key)
            if known is None:
                self._remember(key, digest)
                return Verdict.NEW
        return Verdict.DUPLICATE if known == digest else Verdict.CONFLICT

    def check_anonymous(self, key: bytes, at: float, dup: bool) -> Verdict:
        """The same for a frame without id or time: old only if flagged DUP or within the redelivery window."""
        known = self._young.get(key)
        if known is None:
            known = self._old.get(key)
        if known is not None:
            # What was loaded from the database has its digest here, and came long ago if nothing else is known.
            came = known if isinstance(known, float) else self._recent.get(key, -inf)
            if dup or at - came <= self._redelivery:
                return Verdict.DUPLICATE
        self._remember(key, float(at))
        return Verdict.NEW

    def _remember(self, key: bytes, value: int | float) -> None:
        self._young[key] = value
        if len(self._young) >= self._most:
            self._young, self._old = {}, self._young


class DeviceMemory(msgspec.Struct):
    """What is remembered of one device. `gaps` are ranges of missing numbers, first and last included."""

    offset: float = 0.0
    candidate: float = 0.0
    candidate_since: float = 0.0
    candidate_count: int = 0
    skewed: bool = False
    boot: str = ""
    number: int = -1
    gaps: list[tuple[int, int]] = []


class Arrival(msgspec.Struct, gc=False):
    """How a message's claimed time looks. `time` is usable for history; `skewed` is set when that has just changed."""

    time: float
    late: bool = False
    skewed: bool | None = None


class Memory:
    """The clock and the counter of every device."""

    def __init__(self) -> None:
        self.devices: dict[str, DeviceMemory] = {}

    def of(self, device: str) -> DeviceMemory:
        """A device's memory, made at its first message."""
        memory = self.devices.get(device)
        if memory is None:
            memory = self.devices[device] = DeviceMemory()
        return memory

    def arrive(self, device: str, claimed: float, received: float, lateness: float) -> Arrival:
        """Judges a claimed time (Unix seconds) against the receipt. Raises nothing: any number is a possible claim."""
        offset = received - claimed
        memory = self.of(device)
        if -lateness <= offset - memory.offset <= lateness:
            if memory.candidate_count:
                memory.candidate_count = 0
            if not memory.skewed:
                return Arrival(claimed)
            return Arrival(claimed + memory.offset)
        if -lateness <= offset <= lateness:
            memory.offset = 0.0
            return Arrival(claimed, skewed=self._skew(memory, False))
        if not EPOCH_OF_SENSE <= claimed <= received + 366 * 86_400.0:
            # A clock that was never set says nothing about age, and a smoke alarm must not be lost to a flat battery.
            return Arrival(received, skewed=self._skew(memory, True))
        if offset < memory.offset:
            # Ahead of what we believed: nothing can be told before it happens, so the belief was wrong.
            memory.offset = offset
            return Arrival(received, skewed=self._skew(memory, True))
        if self._believe(memory, offset, received):
            memory.offset = offset
            return Arrival(received, skewed=self._skew(memory, True))
        return Arrival(claimed + (memory.offset if memory.skewed else 0.0), late=True)

    def _believe(self, memory: DeviceMemory, offset: float, received: float) -> bool:
        """Whether an offset has been steady for so long that the clock is wrong, not the message old.

        Buffered history is told faster than it happened, so its offset shrinks; a wrong clock keeps its own.
        """
        if memory.candidate_count and abs(offset - memory.candidate) <= SAME_OFFSET:
            memory.candidate_count += 1
            return memory.candidate_count >= BELIEVE_COUNT and received - memory.candidate_since >= BELIEVE_SPAN
        memory.candidate, memory.candidate_since, memory.candidate_count = offset, received, 1
        return False

    @staticmethod
    def _skew(memory: DeviceMemory, skewed: bool) -> bool | None:
        if memory.skewed == skewed:
            return None
        memory.skewed = skewed
        return skewed

    def count(self, device: str, number: int, boot: str) -> tuple[int, int, int] | None:
        """Notes a running number. When the gaps changed: (first missing, last missing, how many are missing).

        Another `boot`, or a very small number after a larger one where the device tells no boot, starts anew.
        """
        memory = self.of(device)
        restarted = boot != memory.boot or (
            not boot and number <= RESTART_NUMBER and number < memory.number - RESTART_NUMBER
        )
        if memory.number < 0 or restarted:
            had = bool(memory.gaps)
            memory.boot, memory.number, memory.gaps = boot, number, []
            return (number, number, 0) if had else None
        if number == memory.number + 1:
            memory.number = number
            return None
        if number > memory.number:
            memory.gaps = [*memory.gaps, (memory.number + 1, number - 1)][-MOST_GAPS:]
            memory.number = number
            return self._missing(memory, number)
        return self._fill(memory, number)

    def _fill(self, memory: DeviceMemory, number: int) -> tuple[int, int, int] | None:
        for index, (first, last) in enumerate(memory.gaps):
            if first <= number <= last:
                rest = [(first, number - 1), (number + 1, last)]
                memory.gaps[index : index + 1] = [(a, b) for a, b in rest if a <= b]
                return self._missing(memory, number)
        return None

    @staticmethod
    def _missing(memory: DeviceMemory, number: int) -> tuple[int, int, int]:
        if not memory.gaps:
            return number, number, 0
        return memory.gaps[0][0], memory.gaps[-1][1], sum(last - first + 1 for first, last in memory.gaps)
