"""What meters tell under which data identifier. One row an item; what is common is in `values_of`.

The rows of 2007 and their sizes are those of DL/T 645-2007 appendix A; 1997 has two-byte identifiers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_SIGN = 0x80


class Item(NamedTuple):
    """One value: the catalogue's field, bytes of packed decimal, decimals, factor to the field's unit, signed."""

    field: str
    size: int
    decimals: int
    factor: float = 1.0
    signed: bool = False


_ENERGY = 4, 2
_VOLTAGE = 2, 1
_CURRENT = 3, 3
_POWER = 3, 4, 1000.0, True
_FACTOR = 2, 3, 1.0, True

ITEMS_2007: dict[int, tuple[Item, ...]] = {
    0x00000000: (Item("energy_kwh", *_ENERGY, 1.0, True),),
    0x00010000: (Item("energy_kwh", *_ENERGY),),
    0x00010100: (Item("energy_tariff_1_kwh", *_ENERGY),),
    0x00010200: (Item("energy_tariff_2_kwh", *_ENERGY),),
    0x00010300: (Item("energy_tariff_3_kwh", *_ENERGY),),
    0x00010400: (Item("energy_tariff_4_kwh", *_ENERGY),),
    0x00020000: (Item("energy_export_kwh", *_ENERGY),),
    0x02010100: (Item("voltage_v", *_VOLTAGE), Item("voltage_a_v", *_VOLTAGE)),
    0x02010200: (Item("voltage_b_v", *_VOLTAGE),),
    0x02010300: (Item("voltage_c_v", *_VOLTAGE),),
    0x0201FF00: (Item("voltage_a_v", *_VOLTAGE), Item("voltage_b_v", *_VOLTAGE), Item("voltage_c_v", *_VOLTAGE)),
    0x02020100: (Item("current_a", *_CURRENT, 1.0, True), Item("current_a_a", *_CURRENT, 1.0, True)),
    0x02020200: (Item("current_b_a", *_CURRENT, 1.0, True),),
    0x02020300: (Item("current_c_a", *_CURRENT, 1.0, True),),
    0x0202FF00: (
        Item("current_a_a", *_CURRENT, 1.0, True),
        Item("current_b_a", *_CURRENT, 1.0, True),
        Item("current_c_a", *_CURRENT, 1.0, True),
    ),
    0x02030000: (Item("power_w", *_POWER),),
    0x02060000: (Item("power_factor", *_FACTOR),),
}
"""By identifier. Phase A stands for the whole where a meter has one phase, so its items name two fields."""

ITEMS_1997: dict[int, tuple[Item, ...]] = {
    0x9010: (Item("energy_kwh", *_ENERGY),),
    0x9020: (Item("energy_export_kwh", *_ENERGY),),
}

REGISTERS = {0x00000000: "combined", 0x00010000: "forward"}
"""Two registers that both may serve as the meter's own. Most units poll one of them; where both are polled, the
device's setting `energy_register` says which is `energy_kwh`, and the other becomes `energy_forward_kwh` or
`energy_combined_kwh`."""

NUMBERS_2007 = frozenset((0x04000401, 0x04000402))
"""Identifiers whose value is the meter's own address or number: twelve digits."""

ERRORS = (
    *("other error", "no such data", "password wrong or not authorised", "the rate cannot be changed"),
    *("too many yearly zones", "too many daily periods", "too many tariffs", "reserved"),
)
"""What the bits of an error byte say, lowest first."""

_SAME_VALUE = frozenset((0x02010100, 0x02020100))
"""Identifiers whose items are one and the same value under two names."""


def values_of(identifier: int, items: tuple[Item, ...], data: bytes) -> dict[str, Any]:
    """The fields that `data` holds for `identifier`. Raises `ValueError` saying what does not fit.

    An all-FF value means that the meter has no such quantity, as a phase that is not wired; its field is left out.
    """
    fields: dict[str, Any] = {}
    position = 0
    for item in items:
        start = 0 if identifier in _SAME_VALUE else position
        raw = data[start : start + item.size]
        if len(raw) < item.size:
            raise ValueError(f"{item.field} has {item.size} bytes, {len(raw)} are there")
        position = start + item.size
        if raw != b"\xff" * item.size:
            fields[item.field] = _decimal(item, raw)
    return fields


def _decimal(item: Item, raw: bytes) -> float:
    """Packed decimal, least significant byte first, bit 7 of the last byte being the sign where the item has one."""
    negative = item.signed and raw[-1] & _SIGN
    ordered = bytes((*raw[:-1], raw[-1] & ~_SIGN))[::-1] if negative else raw[::-1]
    digits = ordered.hex()
    if not digits.isdigit():
        raise ValueError(f"{item.field}: expected decimal digits, found {digits.upper()}")
    value = int(digits) / float(10**item.decimals) * item.factor
    return round(-value if negative else value, 6)


def error_text(byte: int) -> str:
    """The words of an error byte."""
    said = [word for bit, word in enumerate(ERRORS) if byte >> bit & 1]
    return f"{', '.join(said) or 'no reason'} (error byte {byte:02X})"
