"""One batch under construction: what its transaction will write, and what happens after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gateway.contract import Packet, Reply
from gateway.core.journal import AnyEntry
from gateway.errors import GatehouseError
from gateway.model import Changes, Fate
from gateway.store.writer import WriteBatch


class Rejected(msgspec.Struct):
    """A message that was not accepted, as it is kept."""

    fate: Fate
    adapter: str
    topic: str
    device: str
    place: str
    reason: str
    size: int
    payload: bytes


#: Called after the commit with an action's result or its error.
Reporter = Callable[[Any, GatehouseError | None], None]


class Sheet:
    """Collects a batch. `after` runs in order once the batch is committed."""

    def __init__(self, seq: int, at: float, wall: float) -> None:
        self.first_seq = seq
        self.at = at
        self.wall = wall
        self.rows = WriteBatch(
            events=[], readings=[], states=[], alerts=[], alert_children=[],
            work_orders=[], plan_runs=[], commands=[], passes=[],
            people=[], rosters=[], shifts=[], schedules=[], rounds=[], notifications=[],
            device_lists=[], list_entries=[], outages=[],
            decisions=[], dead_letters=[], quarantine=[], outbox=[], journal=[],
            snapshots=[], changes=[], fates={}, audit=[], statements=[],
        )  # fmt: skip
        self.entries: list[AnyEntry] = []
        self.changes = Changes()
        self.packets: list[tuple[str, Packet, float]] = []
        """Command id, message and expiry (steady) of each command's bytes."""
        self.replies: list[Reply] = []
        self.reports: list[tuple[Reporter, Any, GatehouseError | None]] = []
        self.judged = False
        """Whether a timer fired: then the batch is journaled even with no entry, so that a replay fires it too."""

    def count(self, fate: str) -> None:
        """One message met its fate."""
        fates = self.rows.fates
        fates["received"] = fates.get("received", 0) + 1
        fates[fate] = fates.get(fate, 0) + 1

    @property
    def worth_writing(self) -> bool:
        """Whether there is anything to commit."""
        rows = self.rows
        return bool(
            self.entries or self.judged or self.changes or rows.states or rows.changes or rows.statements or rows.fates
        )
