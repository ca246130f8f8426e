"""The critical alerts of the last days, as the check of a change asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec
from sqlalchemy import select

from gateway.core.editing.effects import LOOK_BACK
from gateway.model import Alert, Severity
from gateway.store import tables

_PAGE = 500
_decode = msgspec.json.Decoder(Alert).decode


class Selects(Protocol):
    """Whatever reads the database."""

    def select(self, statement: Any) -> list[tuple[Any, ...]]:
        """All rows of `statement`."""


def critical_alerts(store: Selects, rules: Iterable[str], wall: float) -> list[Alert]:
    """Those of `rules`, of the seven days up to the wall time `wall`, oldest first."""
    c = tables.alerts.c
    found: list[Alert] = []
    names = sorted(rules)
    for index in range(0, len(names), _PAGE):
        statement = select(c.body).where(
            c.severity == Severity.CRITICAL.value,
            c.raised_at >= wall - LOOK_BACK,
            c.rule.in_(names[index : index + _PAGE]),
        )
        found += [_decode(row[0]) for row in store.select(statement)]
    return sorted(found, key=lambda alert: (alert.raised_at, alert.id))
