"""Tasmota energy meters: `tele/<topic>/SENSOR`. mapping.yaml holds the format, this file two small codecs."""

from __future__ import annotations

from typing import Any

from adapters.built_in import mapping_of
from adapters.mapping import MappingAdapter
from adapters.mapping.coercion import as_number

_DIGITS = 6


def total(value: Any) -> int | float:
    """The sum of a list with one number per channel, or the one number."""
    if isinstance(value, list):
        if not value:
            raise ValueError("expected numbers, got an empty list")
        return round(sum(as_number(entry) for entry in value), _DIGITS)
    return as_number(value)


def first(value: Any) -> int | float:
    """The number of the first channel, or the one number."""
    if isinstance(value, list):
        if not value:
            raise ValueError("expected numbers, got an empty list")
        return as_number(value[0])
    return as_number(value)


def create() -> MappingAdapter:
    """The adapter, for the table of adapters."""
    return mapping_of(__name__, {"sum": total, "first": first})
