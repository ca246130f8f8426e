"""What the core does now and then: write and announce the devices' states, snapshot the engine, remove what is old."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Integer, cast, func, select

from gateway.core.pipeline import Pipeline
from gateway.core.recovery import pack_snapshot
from gateway.core.rows import ChangeFeed
from gateway.core.sheet import Sheet
from gateway.store import tables
from gateway.store.writer import WriteBatch, Writer

_log = logging.getLogger(__name__)

#: A batch of at most this many messages writes the devices' states at once: at such a pace it costs nothing.
QUIET_BATCH = 50
#: At a faster pace they are written this often, and each device is announced this often at most, in seconds.
STATES_EVERY = 1.0
#: While more devices wait to be announced than fit into one row, the next row follows after this many seconds.
ANNOUNCE_NEXT = 0.1
#: How often old rows are looked for, in seconds, and how many are removed at once, so that no batch waits long.
PRUNE_EVERY, PRUNE_MOST = 60.0, 5000
#: Empty batches past a snapshot that a start may have to read: then there is another, though nothing happened.
MOST_EMPTY = 500
#: The time for which one snapshot is kept.
HOUR = 3600.0


class Upkeep:
    """Knows what is due. Times are steady seconds unless they are called `wall`. Owned by the core's thread."""

    def __init__(
        self,
        pipeline: Pipeline,
        feed: ChangeFeed,
        writer: Writer,
        snapshot_every: float,
        retention: Mapping[str, float],
    ) -> None:
        self._pipeline = pipeline
        self._feed = feed
        self._writer = writer
        self._snapshot_every = snapshot_every
        self._retention = retention
        self._states_at = 0.0
        self._snapshot_at = 0.0
        self._snapshot_journal = 0
        self._prune_at = 0.0
        self.announce_at = 0.0
        """When the next announcement may go out."""

    def add_states(self, sheet: Sheet, messages: int) -> None:
        """Adds the unwritten states to a batch of so many messages, and an announcement if one is due."""
        states = self._pipeline.states
        due = sheet.at - self._states_at >= STATES_EVERY
        if states.unwritten and (due or messages <= QUIET_BATCH):
            sheet.rows.states = states.rows()
            if due:
                self._states_at = sheet.at
        if not self.announcement_due(sheet.at):
            return
        body = states.announcement()
        self.announce_at = sheet.at + (ANNOUNCE_NEXT if states.waiting else STATES_EVERY)
        if body is not None:
            sheet.rows.changes.append(self._feed.row(sheet.wall, "states", "", "", body))

    def announcement_due(self, now: float) -> bool:
        """Whether there are states nobody was told of, and it is time."""
        return self._pipeline.states.waiting and now >= self.announce_at

    def snapshot_due(self, now: float) -> bool:
        """Whether it is time for a snapshot; then the next is due an interval later."""
        if now - self._snapshot_at < self._snapshot_every:
            return False
        self._snapshot_at = now
        return True

    def is_known(self, busy: int, journal: int) -> bool:
        """Whether the last snapshot covers batch `busy`, and not too many empty ones up to `journal` came after it."""
        return busy <= self._snapshot_journal and journal - self._snapshot_journal < MOST_EMPTY

    def snapshot(self, journal: int, engine: Callable[[], bytes], now: float, wall: float) -> WriteBatch:
        """The rows of a snapshot after batch `journal`."""
        rows = WriteBatch(states=self._pipeline.states.rows())
        rows.snapshots = [(journal, now, wall, pack_snapshot(self._pipeline, engine(), now))]
        # The one before is kept: should the newest be unreadable, the journal is replayed from there. Of each hour the
        # first is kept as long as its journal: whoever looks back starts from there.
        kept = tables.snapshots.c
        hourly = select(func.min(kept.journal)).group_by(cast(kept.time / HOUR, Integer))
        old = (kept.journal < self._snapshot_journal, kept.journal.not_in(hourly))
        rows.statements = [tables.snapshots.delete().where(*old)]
        self._snapshot_journal = journal
        return rows

    def prune(self, now: float, wall: float) -> None:
        """Removes what is older than its retention, a little at a time. A failure is logged and tried again."""
        if now - self._prune_at < PRUNE_EVERY:
            return
        self._prune_at = now
        limits: dict[str, tuple[Any, float]] = {}
        for name, seconds in self._retention.items():
            columns = tables.metadata.tables[name].c
            limits[name] = (columns.received if "received" in columns else columns.time, wall - seconds)
        try:
            if self._writer.prune(limits, PRUNE_MOST) >= PRUNE_MOST:
                self._prune_at = now - PRUNE_EVERY + 1.0
        except Exception as error:
            _log.warning("old rows could not be removed, trying again in a minute: %s", error)
