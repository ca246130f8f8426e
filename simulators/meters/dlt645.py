"""DL/T 645-2007: frames, and an electricity meter that answers in them through a transparent MQTT unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from simulators.device import Device
from simulators.meters.flows import ELECTRIC_FAULTS, Electric, ElectricLoad
from simulators.wire import Identity, Message, Now

START, END, WAKE_UP, SHIFT = 0x68, 0x16, 0xFE, 0x33
READ, READ_ADDRESS, RELAY = 0x11, 0x13, 0x1C
ANSWER, ERROR = 0x80, 0xC0
WILDCARD = "AAAAAAAAAAAA"
NO_SUCH_DATA = 0x02
NOT_AUTHORISED = 0x04

ENERGY, VOLTAGE_A, CURRENT_A, POWER, NUMBER = 0x00010000, 0x02010100, 0x02020100, 0x02030000, 0x04000402
POLLED = (ENERGY, VOLTAGE_A, CURRENT_A, POWER)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `address` is 12 digits, `data` without the +33 shift."""

    address: str
    control: int
    data: bytes


def encode(frame: Frame, wake_up: int = 4) -> bytes:
    """The frame on the wire: wake-up bytes, address least significant byte first, data +33, sum of all bytes."""
    body = bytes((START, *bytes.fromhex(frame.address)[::-1], START, frame.control, len(frame.data)))
    body += bytes((byte + SHIFT) & 0xFF for byte in frame.data)
    return bytes([WAKE_UP]) * wake_up + body + bytes((sum(body) & 0xFF, END))


def decode(wire: bytes) -> Frame | None:
    """The first whole frame of `wire`, or None where there is none with a good sum."""
    for start in range(len(wire) - 11):
        if wire[start] != START or wire[start + 7] != START:
            continue
        length = wire[start + 9]
        end = start + 10 + length
        if len(wire) < end + 2 or wire[end + 1] != END or sum(wire[start:end]) & 0xFF != wire[end]:
            continue
        address = wire[start + 1 : start + 7][::-1].hex().upper()
        return Frame(address, wire[start + 8], bytes((byte - SHIFT) & 0xFF for byte in wire[start + 10 : end]))
    return None


def bcd(value: float, decimals: int, size: int) -> bytes:
    """A value as packed decimal, least significant byte first; bit 7 of the last byte is the sign where negative."""
    digits = f"{min(round(abs(value) * 10**decimals), 10 ** (2 * size) - 1):0{2 * size}d}"
    packed = bytearray(bytes.fromhex(digits)[::-1])
    if value < 0:
        packed[-1] |= 0x80
    return bytes(packed)


def identifier(item: int) -> bytes:
    """A data identifier as it stands on the wire, least significant byte first."""
    return item.to_bytes(4, "little")


class DltMeter(Device):
    """One meter. The unit in front of it polls it on its own timetable and passes requests from `dtu/{unit}/down`.

    `relay_open` is what the relay command (control 1C) left; a meter whose relay is open draws nothing.
    """

    faults: ClassVar[Mapping[str, str]] = ELECTRIC_FAULTS

    def __init__(self, identity: Identity, seed: object, unit: str, every: float) -> None:
        super().__init__(identity, seed)
        self.relay_open = False
        self._load = ElectricLoad(self.random)
        self._topic = f"dtu/{unit}/up"
        self._every = every
        self._wake_up = self.random.choice((0, 1, 4, 4, 4))
        self._next_poll: float | None = None
        self._polls = 0

    def _step(self, now: Now) -> list[Message]:
        if self._next_poll is None:
            self._next_poll = now.wall + self.random.uniform(0, self._every)
        messages: list[Message] = []
        if now.wall >= self._next_poll:
            self._next_poll = max(self._next_poll + self._every, now.wall)
            self._polls += 1
            reading = self._read(now)
            if self.online:
                messages = [self._reply(item, reading, f"{self._polls}") for item in POLLED]
        self.due = self._next_poll
        return messages

    def command(self, topic: str, payload: bytes, now: Now) -> list[Message]:
        """Answers one request frame if it is addressed to this meter."""
        frame = decode(payload)
        own = self.identity.external_id
        if frame is None or frame.address not in (own, WILDCARD):
            return []
        if frame.control == READ_ADDRESS:
            return [self._frame(READ_ADDRESS | ANSWER, bytes.fromhex(own)[::-1], "address")]
        if frame.control == READ and len(frame.data) >= 4:
            item = int.from_bytes(frame.data[:4], "little")
            return [self._reply(item, self._read(now), f"read:{item:08x}")]
        if frame.control == RELAY and len(frame.data) >= 9 and frame.data[8] in (0x1A, 0x1B):
            self.relay_open = frame.data[8] == 0x1A
            return [self._frame(RELAY | ANSWER, b"", "relay")]
        return [self._frame(frame.control | ERROR, bytes([NOT_AUTHORISED]), "error")]

    def _read(self, now: Now) -> Electric:
        reading = self._load.read(now, self._troubles)
        if self.relay_open:
            return Electric(reading.energy_kwh, 0.0, reading.voltage_v, 0.0)
        return reading

    def _reply(self, item: int, reading: Electric, ref: str) -> Message:
        values = {
            ENERGY: (reading.energy_kwh, 2, 4),
            VOLTAGE_A: (reading.voltage_v, 1, 2),
            CURRENT_A: (reading.current_a, 3, 3),
            POWER: (reading.power_w / 1000.0, 4, 3),
        }
        if item == NUMBER:
            data = bytes.fromhex(self.identity.external_id)[::-1]
        elif item in values:
            data = bcd(*values[item])
        else:
            return self._frame(READ | ERROR, bytes([NO_SUCH_DATA]), f"{ref}:{item:08x}")
        return self._frame(READ | ANSWER, identifier(item) + data, f"{ref}:{item:08x}")

    def _frame(self, control: int, data: bytes, ref: str) -> Message:
        wire = encode(Frame(self.identity.external_id, control, data), self._wake_up)
        return Message(self._topic, wire, self.id, f"{self.boot or 0:x}:{ref}")


class DtuUnit(Device):
    """The transparent unit: it has no voice of its own, it carries the bytes of the meters behind it."""

    def __init__(self, identity: Identity, seed: object) -> None:
        super().__init__(identity, seed)
        self.meters: list[DltMeter] = []

    def command(self, topic: str, payload: bytes, now: Now) -> list[Message]:
        """Puts the bytes on its RS-485 line: the meter addressed answers, to a wildcard the first one."""
        frame = decode(payload)
        if frame is None:
            return []
        for meter in self.meters:
            if frame.address in (meter.identity.external_id, WILDCARD):
                return meter.command(topic, payload, now)
        return []

    def _step(self, now: Now) -> list[Message]:
        self.due = now.wall + 3600.0
        return []
