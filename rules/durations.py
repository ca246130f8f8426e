"""Durations as people write them: `30s`, `5m`, `2h`, `1d`, `4w`, and `1h30m`."""

from __future__ import annotations

import re

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
WHOLE = re.compile(r"(?:\d{1,9}(?:\.\d{1,3})?[smhdw]){1,4}")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
LONGEST = 366 * 86400.0


def parse_duration(text: str) -> float:
    """Seconds. Raises ValueError with a sentence that says what to write."""
    if not WHOLE.fullmatch(text):
        hint = f"; write {text}s for seconds" if re.fullmatch(r"\d+(\.\d+)?", text) else ""
        raise ValueError(f"'{text}' is not a duration like 30s, 5m, 2h, 1d or 4w{hint}")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"'{text}' is not between 1s and 366d")
    return seconds


def spoken_duration(seconds: float) -> str:
    """The shortest exact way to write it: 90.0 is `1m30s`."""
    parts = []
    for unit, size in reversed(_UNITS.items()):
        whole = int(seconds // size)
        if whole and unit != "s":
            parts.append(f"{whole}{unit}")
            seconds -= whole * size
    if seconds or not parts:
        parts.append(f"{seconds:g}s")
    return "".join(parts)
