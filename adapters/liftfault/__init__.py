"""Lift monitors that publish LiftFault. mapping.yaml holds the format, `profiles/` the fault numbers of the makers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.built_in import mapping_of
from adapters.mapping import MappingAdapter
from adapters.mapping.coercion import as_integer, as_text, shown
from adapters.mapping.profiles import Tables

_FLOOR = re.compile(r"(?P<below>[Bb]|-)?(?P<number>\d{1,3})(?:[FfLl层楼])?")


def floor(value: Any) -> int:
    """A floor as a number: 12, "12", "12F", "B2" and "-2" for the second basement."""
    if not isinstance(value, str):
        return as_integer(value)
    found = _FLOOR.fullmatch(as_text(value))
    if found is None:
        raise ValueError(f"expected a floor, got {shown(value)}")
    number = int(found["number"])
    return -number if found["below"] else number


def create(more_profiles: Mapping[str, Tables] | None = None) -> MappingAdapter:
    """The adapter, for the table of adapters; `more_profiles` are a site's own fault tables."""
    return mapping_of(__name__, {"floor": floor}, more_profiles)
