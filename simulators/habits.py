"""The day of a compound: how busy doors, lifts and gates are, and what households draw, hour by hour."""

from __future__ import annotations

from collections.abc import Sequence

# Shares of the day's mean, one value an hour; the mean of each is about 1.
_COMING_AND_GOING: tuple[float, ...] = (0.15, 0.08, 0.05, 0.05, 0.1, 0.4, 1.1, 2.4, 2.3, 1.2, 0.9, 1.0)
_COMING_AND_GOING += (1.2, 0.9, 0.8, 0.9, 1.2, 1.9, 2.5, 1.9, 1.4, 1.0, 0.6, 0.3)
_ELECTRICITY: tuple[float, ...] = (0.55, 0.48, 0.45, 0.44, 0.45, 0.55, 0.85, 1.05, 0.9, 0.8, 0.8, 1.0)
_ELECTRICITY += (1.15, 0.95, 0.85, 0.9, 1.0, 1.35, 1.8, 1.95, 1.85, 1.55, 1.1, 0.75)
_WATER: tuple[float, ...] = (0.15, 0.06, 0.04, 0.04, 0.1, 0.6, 2.0, 2.3, 1.4, 0.9, 0.8, 1.2)
_WATER += (1.3, 0.8, 0.6, 0.6, 0.9, 1.6, 2.1, 2.0, 1.7, 1.3, 0.9, 0.4)
_GAS: tuple[float, ...] = (0.05, 0.03, 0.03, 0.03, 0.1, 0.6, 1.8, 1.4, 0.6, 0.4, 0.9, 2.4)
_GAS += (1.6, 0.4, 0.3, 0.4, 1.0, 2.6, 3.0, 1.8, 1.1, 0.8, 0.4, 0.2)
_HEAT: tuple[float, ...] = (1.1, 1.1, 1.15, 1.15, 1.2, 1.25, 1.25, 1.15, 1.0, 0.95, 0.9, 0.85)
_HEAT += (0.8, 0.8, 0.8, 0.82, 0.88, 0.95, 1.0, 1.05, 1.05, 1.05, 1.1, 1.1)


def _at(curve: Sequence[float], hour: float) -> float:
    """The curve's value at `hour`, straight lines between the full hours."""
    whole = int(hour) % 24
    part = hour - int(hour)
    return curve[whole] * (1 - part) + curve[(whole + 1) % 24] * part


def movement(hour: float) -> float:
    """How busy doors, lifts and gates are, relative to the day's mean."""
    return _at(_COMING_AND_GOING, hour)


def electricity(hour: float) -> float:
    """Electric load relative to the day's mean."""
    return _at(_ELECTRICITY, hour)


def water(hour: float) -> float:
    """Water draw relative to the day's mean."""
    return _at(_WATER, hour)


def gas(hour: float) -> float:
    """Gas draw relative to the day's mean."""
    return _at(_GAS, hour)


def heat(hour: float) -> float:
    """Heat draw relative to the day's mean."""
    return _at(_HEAT, hour)
