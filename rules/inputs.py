"""What an engine is told, as data: a stream that can be recorded, stored, and played to any engine again.

An engine that is played the inputs of another, with the same rules, says the same at the same moments. The bytes are
frames: four octets of length (big-endian), then the MessagePack of a `Head` or of a list of inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, Protocol

import msgspec

from gateway.model.event import Event
from gateway.model.judgement import RuleChange
from gateway.model.place import Device

FORMAT = "gatehouse inputs"
VERSION = 1
#: Inputs of one frame: enough that a frame costs nothing, few enough that a reader needs some megabytes.
FRAME = 4096
_LONGEST_FRAME = 1 << 28


class Told(Event, frozen=True, gc=False, array_like=True, tag="e"):
    """An event, as the engine's `process` takes it. Its key and id are left out: it is no duplicate."""

    @property
    def wall(self) -> float:
        """When it was received, on the wall clock."""
        return self.received


class Heard(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="h"):
    """A device was heard of without an event. `at` is steady, `wall` the wall clock, here and below."""

    at: float
    wall: float
    device: str


class Placed(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """Devices that were added or changed, and the time zones of the sites by site ("" of all others).

    `known` marks those that the engine knew before it was told anything: they stand at the beginning of a stream.
    """

    at: float
    wall: float
    devices: list[Device]
    zones: dict[str, str] = {}
    known: bool = False


class Excused(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="x"):
    """Nobody listened for so long up to now."""

    at: float
    wall: float
    seconds: float


class Passed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="t"):
    """Time has come to `at`, and nothing else."""

    at: float
    wall: float


Input = Told | Heard | Placed | Excused | Passed


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before a stream. `since` and `until` are wall times.

    `state` is what an engine remembered at the beginning (`Engine.snapshot`); what comes before `since` is there to
    warm up. `notes` say what must be known of the inputs, in English and Chinese.
    """

    format: str = FORMAT
    version: int = VERSION
    since: float
    until: float
    made_at: float
    state: bytes | None = None
    notes: tuple[tuple[str, str], ...] = ()


class Hearer(Protocol):
    """The engine, as far as a stream is played to it (`rules.engine.Engine`)."""

    def process(self, event: Event) -> list[RuleChange]:
        """Judges one event."""

    def hear(self, device: str, at: float) -> list[RuleChange]:
        """A device was heard of without an event."""

    def advance(self, now: float) -> list[RuleChange]:
        """Fires what is due."""

    def next_due(self) -> float | None:
        """When the next timer is due."""

    def set_topology(
        self, devices: Iterable[Device], now: float | None = None, zones: Mapping[str, str] | None = None
    ) -> None:
        """Devices that were added or changed, and the sites' time zones."""

    def excuse(self, seconds: float, now: float) -> None:
        """Nobody listened for a while."""


def play(engine: Hearer, given: Input) -> list[RuleChange]:
    """Tells `engine` one input exactly as the pipeline would: what that changes."""
    if isinstance(given, Told):
        return engine.process(given)
    if isinstance(given, Passed):
        due = engine.next_due()
        return engine.advance(given.at) if due is not None and due <= given.at else []
    if isinstance(given, Heard):
        return engine.hear(given.device, given.at)
    if isinstance(given, Placed):
        engine.set_topology(given.devices, None if given.known else given.at, given.zones)
    else:
        engine.excuse(given.seconds, given.at)
    return []


def told(event: Event) -> Told:
    """An event as an input."""
    return Told(
        event.device, event.kind, event.time, event.received, event.at, event.data, b"", "", event.site, event.replay,
        event.late, event.seq,
    )  # fmt: skip


class StreamError(ValueError):
    """Bytes that are no stream of inputs; says what is wrong with them."""


_encoder = msgspec.msgpack.Encoder()
_head = msgspec.msgpack.Decoder(Head)
_inputs = msgspec.msgpack.Decoder(list[Input])


def write_stream(file: BinaryIO, head: Head, inputs: Iterable[Input]) -> int:
    """Writes the stream to `file`; how many inputs it has."""
    _write_frame(file, _encoder.encode(head))
    waiting: list[Input] = []
    count = 0
    for given in inputs:
        waiting.append(given)
        if len(waiting) >= FRAME:
            count += len(waiting)
            _write_frame(file, _encoder.encode(waiting))
            waiting.clear()
    _write_frame(file, _encoder.encode(waiting))
    # An empty frame ends it: a file that was cut off is told from a whole one.
    _write_frame(file, b"")
    return count + len(waiting)


def read_stream(file: BinaryIO) -> tuple[Head, Iterator[list[Input]]]:
    """The head, and the inputs as they are asked for, frame by frame. Raises `StreamError`, the iterator too."""
    body = _read_frame(file)
    try:
        head = _head.decode(body or b"")
    except msgspec.DecodeError as error:
        raise StreamError("it was not made by 'gatehouse journal export'") from error
    if head.format != FORMAT or head.version != VERSION:
        raise StreamError(f"it is of version {head.version}, and this program reads version {VERSION}")
    return head, _frames(file)


def _frames(file: BinaryIO) -> Iterator[list[Input]]:
    while True:
        body = _read_frame(file)
        if body is None:
            raise StreamError("it ends too early: it was cut off while it was written or copied")
        if not body:
            return
        try:
            yield _inputs.decode(body)
        except msgspec.DecodeError as error:
            raise StreamError(f"it is damaged: {error}") from error


def _write_frame(file: BinaryIO, body: bytes) -> None:
    file.write(len(body).to_bytes(4, "big") + body)


def _read_frame(file: BinaryIO) -> bytes | None:
    """The next frame; None where the file ends before it."""
    head = file.read(4)
    length = int.from_bytes(head, "big")
    if len(head) < 4 or length > _LONGEST_FRAME:
        return None
    body = file.read(length)
    return body if len(body) == length else None
