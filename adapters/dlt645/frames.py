"""Frames of DL/T 645: found in a stream of bytes by their length, proved by their sum, never by their framing bytes.

    FE*  68  A0..A5  68  C  L  DATA  CS  16

Addresses and data may contain 68 and 16, so the length says where a frame ends. `CS` is the sum of all bytes from the
first 68 on. Every data byte is sent with 33 added; address and values go least significant byte first.
"""

from __future__ import annotations

from typing import NamedTuple

START, END, WAKE_UP, SHIFT = 0x68, 0x16, 0xFE, 0x33
MOST_DAMAGES = 32
"""After so many damaged places the rest of a payload is given up: a line that noisy carries no frames."""
_HEAD = 10
"""Bytes before the data: start, six of address, start, control, length."""
_TAIL = 2
_ADDRESS = slice(1, 7)
_UNSHIFT = bytes((value - SHIFT) & 0xFF for value in range(256))
_SHIFTED = bytes((value + SHIFT) & 0xFF for value in range(256))


class Frame(NamedTuple):
    """One frame with a good sum. `offset` is where its first 68 stands; `data` is without the shift."""

    offset: int
    address: str
    control: int
    data: bytes


class Damage(NamedTuple):
    """A place where a frame seems to begin and cannot be read, or bytes that belong to no frame."""

    offset: int
    reason: str


def find(stream: bytes) -> tuple[list[Frame], list[Damage]]:
    """All frames of `stream` and all places that are none. After damage the search goes on at the next 68.

    Wake-up bytes (FE) between frames are no damage. The search ends after `MOST_DAMAGES`.
    """
    frames: list[Frame] = []
    damages: list[Damage] = []
    position = 0
    while position < len(stream):
        if len(damages) == MOST_DAMAGES:
            damages.append(Damage(position, "too much damage, the rest was not looked at"))
            break
        if stream[position] == WAKE_UP:
            position += len(stream) - position - len(stream[position:].lstrip(b"\xfe"))
            continue
        if stream[position] != START:
            following = stream.find(START, position)
            damages.append(Damage(position, f"expected 68 or FE, found {stream[position]:02X}"))
            position = len(stream) if following < 0 else following
            continue
        found = _frame_at(stream, position)
        if isinstance(found, Frame):
            frames.append(found)
            position += _HEAD + len(found.data) + _TAIL
        else:
            damages.append(found)
            following = stream.find(START, position + 1)
            position = len(stream) if following < 0 else following
    return frames, damages


def _frame_at(stream: bytes, start: int) -> Frame | Damage:
    """The frame that begins at `start`, or why there is none."""
    size = len(stream) - start
    if size < _HEAD:
        return Damage(len(stream), f"the frame at byte {start} ends early: {size} of at least 12 bytes")
    if stream[start + 7] != START:
        return Damage(start + 7, f"expected the second 68 of the frame at byte {start}, found {stream[start + 7]:02X}")
    length = stream[start + 9]
    end = start + _HEAD + length
    missing = end + _TAIL - len(stream)
    if missing > 0:
        return Damage(len(stream), f"the frame at byte {start} ends early: {missing} of {length + 12} bytes lack")
    total = sum(stream[start:end]) & 0xFF
    if stream[end] != total:
        return Damage(end, f"checksum of the frame at byte {start}: expected {total:02X}, found {stream[end]:02X}")
    if stream[end + 1] != END:
        return Damage(end + 1, f"expected 16 at the end of the frame at byte {start}, found {stream[end + 1]:02X}")
    address = stream[start + 1 : start + 7][::-1].hex().upper()
    return Frame(start, address, stream[start + 8], stream[start + _HEAD : end].translate(_UNSHIFT))


def build(address: str, control: int, data: bytes, wake_up: int = 4) -> bytes:
    """A frame as it goes over the wire. `address` has 12 digits."""
    body = bytes((START, *bytes.fromhex(address)[::-1], START, control, len(data))) + data.translate(_SHIFTED)
    return bytes((WAKE_UP,)) * wake_up + body + bytes((sum(body) & 0xFF, END))
