"""MQTT packets in a stream of bytes: cut it into frames, read PUBLISH, write many PUBACKs at once. Pure.

paho reads a packet with four `recv` and a dozen objects. Here one read is cut into all the packets in it, and the one
kind that comes by the thousand is read straight into what the core wants; paho gets the others.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Final

from gateway.inbox.messages import InboxMessage

_PUBLISH: Final = 0x30
_QOS_MASK: Final = 0x06
_QOS_2: Final = 0x04
_SEVEN_BITS: Final = 0x7F
_MAX_LENGTH_BYTES: Final = 4


class MalformedFrame(ValueError):
    """Bytes that no MQTT broker sends; the connection is of no use any more."""


class FrameReader:
    """Cuts one connection's bytes into packets. What is incomplete waits for the next bytes."""

    def __init__(self, *, version_5: bool) -> None:
        self._version_5 = version_5
        self._chunks: list[bytes] = []
        self._have = 0
        self._need = 0
        self._stamp = (0.0, 0.0, 0)
        self.irregular = False
        """Whether the last bytes held a message of QoS 0 or one marked as a duplicate."""

    def feed(
        self, data: bytes, at: float, wall: float, generation: int
    ) -> tuple[list[InboxMessage], list[tuple[int, bytes]]]:
        """The messages that these bytes complete, and the other packets as (first byte, body).

        Raises `MalformedFrame`.
        """
        self.irregular = False
        self._stamp = (at, wall, generation)
        if self._chunks:
            self._chunks.append(data)
            self._have += len(data)
            if self._have < self._need:
                return [], []
            data = b"".join(self._chunks)
            self._chunks.clear()
        size = len(data)
        messages: list[InboxMessage] = []
        others: list[tuple[int, bytes]] = []
        start = 0
        while start < size:
            body, end = _extent(data, start, size)
            if end > size:
                self._chunks.append(data[start:])
                self._have = size - start
                self._need = end - start
                break
            head = data[start]
            if head & 0xF0 == _PUBLISH and head & _QOS_MASK < _QOS_2:
                messages.append(self._publish(data, head, body, end))
            else:
                others.append((head, data[body:end]))
            start = end
        return messages, others

    def _publish(self, data: bytes, head: int, at_byte: int, end: int) -> InboxMessage:
        if end - at_byte < 2:
            raise MalformedFrame("PUBLISH without a topic")
        cut = at_byte + 2 + (data[at_byte] << 8 | data[at_byte + 1])
        name = data[at_byte + 2 : cut]
        mid = 0
        if head & _QOS_MASK:
            if cut + 2 <= end:
                mid = data[cut] << 8 | data[cut + 1]
            cut += 2
        if self._version_5:
            # The properties are a variable length and that many bytes; none of them concerns us.
            _, cut = _extent(data, cut - 1, end)
        if cut > end:
            raise MalformedFrame("PUBLISH shorter than its parts")
        try:
            topic = name.decode()
        except UnicodeDecodeError:
            topic = name.decode(errors="replace")
        if head & 0x0A != 0x02:  # not QoS 1, or DUP
            self.irregular = True
        at, wall, generation = self._stamp
        return InboxMessage(
            topic, data[cut:end], at, wall, mid, head >> 1 & 3, head & 8 != 0, head & 1 != 0, generation
        )


def _extent(data: bytes, start: int, size: int) -> tuple[int, int]:
    """Where the body begins of what starts with one byte and a variable length at `start`, and where it ends.

    An end beyond `size` says that at least so many bytes are needed.
    """
    at = start + 1
    if at >= size:
        return at, size + 1
    length = data[at]
    if length <= _SEVEN_BITS:
        return at + 1, at + 1 + length
    length &= _SEVEN_BITS
    for more in range(1, _MAX_LENGTH_BYTES):
        if at + more >= size:
            return at, size + 1
        byte = data[at + more]
        length |= (byte & _SEVEN_BITS) << (7 * more)
        if byte <= _SEVEN_BITS:
            return at + more + 1, at + more + 1 + length
    raise MalformedFrame("a length of more than four bytes")


def pubacks(mids: Sequence[int]) -> bytes:
    """The PUBACK packets of all these messages, one after the other."""
    packets = bytearray(4 * len(mids))
    numbers = array("H", mids)
    if sys.byteorder == "little":
        numbers.byteswap()
    big_endian = numbers.tobytes()
    packets[0::4] = b"\x40" * len(mids)
    packets[1::4] = b"\x02" * len(mids)
    packets[2::4] = big_endian[0::2]
    packets[3::4] = big_endian[1::2]
    return bytes(packets)
