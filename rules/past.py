"""What `previous`, `latest`, `changed` and `age` look back on: the last values of a few fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Past:
    """One device's earlier events of one kind, as far as some rule asks for them. `at` is the present moment."""

    __slots__ = ("at", "fields", "values")

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields
        self.at = 0.0
        self.values: dict[str, tuple[Any, float]] = {}

    def previous(self, field: str) -> Any:
        """The field's last value before the present event; None where no earlier event carried it."""
        known = self.values.get(field)
        return None if known is None else known[0]

    def latest(self, field: str, value: Any, otherwise: Any) -> Any:
        """`value`, or the field's last one where the event does not carry it, or `otherwise` where none did."""
        if value is not None:
            return value
        known = self.values.get(field)
        return otherwise if known is None else known[0]

    def changed(self, field: str, value: Any) -> bool | None:
        """Whether `value` differs from the field's last one; None where either is not known."""
        known = self.values.get(field)
        return None if known is None or value is None else bool(known[0] != value)

    def age(self, field: str, value: Any) -> float | None:
        """Seconds since the field took `value`; where the event does not carry it, since it took the last known one."""
        known = self.values.get(field)
        if known is None:
            return None if value is None else 0.0
        return 0.0 if value is not None and value != known[0] else self.at - known[1]

    def pass_on(self, data: Mapping[str, Any]) -> None:
        """The present event becomes the past."""
        for field in self.fields:
            value = data.get(field)
            if value is not None:
                known = self.values.get(field)
                if known is None or known[0] != value:
                    self.values[field] = (value, self.at)


NO_PAST = Past(())
"""For rules that do not look back."""
