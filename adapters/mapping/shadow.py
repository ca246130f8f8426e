"""Partial updates laid over what a device said before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(before: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """`update` over `before`: objects are merged member by member, all else is replaced. Neither is changed."""
    result = dict(before)
    for name, value in update.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
