"""DL/T 645 over MQTT: one payload holds what came off the RS-485 line, that is none, one or several frames.

The device is the meter, named by its 12-digit address. Of a payload with frames of several meters, the first meter is
`Decoded.device` and the others are named by their readings.
"""

from __future__ import annotations

from typing import Any

from adapters.dlt645.frames import Damage, Frame, build, find
from adapters.dlt645.items import ITEMS_1997, ITEMS_2007, NUMBERS_2007, REGISTERS, error_text, values_of
from gateway.contract import Context, Decoded, Manifest, Packet, Reading
from gateway.errors import Ignored, Invalid, Undecodable
from gateway.model.command import Command
from gateway.model.place import Device

_READ_2007, _READ_1997 = 0x11, 0x01
_ANSWER, _REFUSED = 0x80, 0x40
_SHORT = 2
_IDENTIFIER_BYTES = {**dict.fromkeys((0x91, 0xB1, 0x92, 0xB2), 4), **dict.fromkeys((0x81, 0xA1, 0x82, 0xA2), _SHORT)}
"""How long the identifier is in the answers to read requests, by control byte: 2007 and 1997."""
_TOPIC = ("dtu", None, "up")
_ADDRESS_DIGITS = 12
_IDENTIFIER_DIGITS = {4: _READ_1997, 8: _READ_2007}
_MOST_DAMAGE = 3


class Dlt645:
    """The adapter. A transparent unit is a device too: its credential carries the topics of all meters behind it."""

    manifest = Manifest(
        name="dlt645",
        title={"en": "DL/T 645 meter behind a transparent unit", "zh": "DL/T 645 电表(透传DTU)"},
        topics=("dtu/+/up",),
        kinds=("meter.reading", "meter.event"),
        publish=("dtu/{external_id}/up",),
        subscribe=("dtu/{external_id}/down",),
        commands=("read",),
    )

    def decode(self, topic: str, payload: bytes, context: Context) -> Decoded:
        """The readings of all good frames; `Undecodable` with the byte where the first one fails, if none is good."""
        levels = topic.split("/")
        if len(levels) != len(_TOPIC) or levels[0] != _TOPIC[0] or levels[2] != _TOPIC[2]:
            raise Undecodable("topic", f"{topic[:120]!r} is not dtu/UNIT/up")
        if not payload:
            raise Undecodable("byte 0", "the payload is empty")
        frames, damages = find(payload)
        readings: list[Reading] = []
        for frame in frames:
            try:
                reading = _reading(frame, levels[1], context)
            except ValueError as error:
                damages.append(Damage(frame.offset + 10, f"frame at byte {frame.offset}: {error}"))
                continue
            if reading is not None:
                readings.append(reading)
        if not readings:
            if frames and not damages:
                raise Ignored("requests and plain confirmations only")
            first = damages[0] if damages else Damage(len(payload), "wake-up bytes only, no frame")
            raise Undecodable(f"byte {first.offset}", first.reason)
        device = readings[0].device
        readings += _of_damage(damages, device)
        for reading in readings:
            if reading.device == device:
                reading.device = ""
        return Decoded(device, readings, availability=None if context.retain else True)

    def encode(self, command: Command, device: Device) -> tuple[Packet, ...]:
        """`read` asks the meter for one identifier: {"di": "00010000"} (2007) or {"di": "9010"} (1997)."""
        if command.name != "read":
            raise Invalid("command", f"dlt645 has no command {command.name!r}; it has read")
        unknown = [name for name in command.args if name != "di"]
        if unknown:
            raise Invalid(f"args.{unknown[0]}", "unknown; read takes di")
        identifier = str(command.args.get("di", "00010000")).strip()
        control = _IDENTIFIER_DIGITS.get(len(identifier))
        if control is None or not _is_hex(identifier):
            raise Invalid("args.di", f"{identifier[:20]!r} is not an identifier of 8 digits (2007) or 4 (1997)")
        if len(device.external_id) != _ADDRESS_DIGITS or not device.external_id.isdigit():
            raise Invalid("external_id", f"{device.external_id[:20]!r} is not a meter address of 12 digits")
        unit = device.settings.get("unit", device.connected_via)
        if not isinstance(unit, str) or not unit or any(sign in unit for sign in "/+#"):
            raise Invalid("settings.unit", "name the transparent unit before this meter, as in dtu/UNIT/down")
        wire = build(device.external_id, control, bytes.fromhex(identifier)[::-1])
        return (Packet(f"dtu/{unit}/down", wire),)


def _is_hex(text: str) -> bool:
    return all(sign in "0123456789abcdefABCDEF" for sign in text)


def _reading(frame: Frame, unit: str, context: Context) -> Reading | None:
    """What one frame tells, under its meter's address; None for requests and confirmations. Raises `ValueError`."""
    if not frame.control & _ANSWER:
        return None
    meter = context.device(frame.address)
    behind = meter.settings.get("unit") if meter is not None else None
    if behind is not None and behind != unit:
        # The credential is the unit's: it may speak for the meters behind it and for no others.
        raise ValueError(f"meter {frame.address} is behind unit {str(behind)[:40]!r}, not {unit[:40]!r}")
    if frame.control & _REFUSED:
        reason = error_text(frame.data[0]) if frame.data else "no reason given"
        return _event(frame.address, f"the meter refused request {frame.control & 0x1F:02X}: {reason}")
    width = _IDENTIFIER_BYTES.get(frame.control)
    if width is None:
        return None
    if not frame.address.isdigit():
        raise ValueError(f"expected a meter address of digits, found {frame.address}")
    if len(frame.data) < width:
        raise ValueError(f"the identifier has {width} bytes, {len(frame.data)} are there")
    data = {"utility": "electricity", **_values(frame, width, context)}
    return Reading("meter.reading", data, device=frame.address)


def _values(frame: Frame, width: int, context: Context) -> dict[str, Any]:
    """The fields of an answer. An identifier that no row knows is kept as the digits that came."""
    identifier = int.from_bytes(frame.data[:width], "little")
    value = frame.data[width:]
    items = (ITEMS_1997 if width == _SHORT else ITEMS_2007).get(identifier)
    if items is None:
        name = "meter_number" if identifier in NUMBERS_2007 else f"di_{identifier:0{width * 2}x}"
        return {name: value[::-1].hex()}
    try:
        fields = values_of(identifier, items, value)
    except ValueError as error:
        raise ValueError(f"identifier {identifier:0{width * 2}X}: {error}") from None
    if identifier in REGISTERS:
        device = context.device(frame.address)
        wanted = device.settings.get("energy_register") if device is not None else None
        if wanted is not None and wanted != REGISTERS[identifier]:
            return {f"energy_{REGISTERS[identifier]}_kwh": fields.get("energy_kwh")}
    return fields


def _event(address: str, detail: str) -> Reading:
    return Reading("meter.event", {"event": "read_error", "detail": detail[:300]}, device=address)


def _of_damage(damages: list[Damage], device: str) -> list[Reading]:
    """Damage beside good frames: told as a read error on the line, since its own address cannot be trusted."""
    if not damages:
        return []
    places = "; ".join(f"byte {damage.offset}: {damage.reason}" for damage in damages[:_MOST_DAMAGE])
    more = f" and {len(damages) - _MOST_DAMAGE} more" if len(damages) > _MOST_DAMAGE else ""
    return [_event(device, f"damaged bytes on the line: {places}{more}")]
