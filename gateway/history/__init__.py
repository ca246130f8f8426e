"""The history of numeric fields. One seam, `History`; behind it for now the store's own table of readings."""

from __future__ import annotations

from typing import Protocol

from gateway.history.readings import Point, ReadingsHistory


class History(Protocol):
    """Numbers over time. `since` and `until` are wall-clock Unix seconds, `until` not included."""

    def series(
        self, device: str, field: str, *, since: float, until: float, points: int, kinds: tuple[str, ...] = ()
    ) -> list[Point]:
        """At most about `points` points in order; a value of None stands where readings are missing.

        Where there are more readings than `points`, each point is the mean of its share of the time. Empty `kinds`
        means all kinds that carry the field.
        """


__all__ = ["History", "Point", "ReadingsHistory"]
