"""From records to rows: what the services put into `Changes` as the columns of `gateway.store.tables`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Table, delete
from sqlalchemy.dialects import postgresql, sqlite

from gateway.core.duty_rows import add_duty, removed
from gateway.model import Alert, AlertState, Changes, Child, Command, ListEntry, Pass, PlanRun, WorkOrder
from gateway.store import tables
from gateway.store.writer import WriteBatch

_encode = msgspec.json.Encoder().encode


class Statements:
    """The slow path's statements of one batch, in the dialect of the database."""

    def __init__(self, dialect: str) -> None:
        self._insert: Callable[..., Any] = sqlite.insert if dialect == "sqlite" else postgresql.insert
        self.pending: list[Any] = []

    def add(self, statement: Any) -> None:
        """Any statement."""
        self.pending.append(statement)

    def put(self, table: Table, row: dict[str, Any]) -> None:
        """Inserts the row, or replaces the one with the same key."""
        keys = [column.name for column in table.primary_key.columns]
        rest = {name: value for name, value in row.items() if name not in keys}
        statement = self._insert(table).values(**row)
        self.add(statement.on_conflict_do_update(index_elements=keys, set_=rest))

    def add_rows(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Inserts many new rows by one statement."""
        if rows:
            self.add((self._insert(table), rows))

    def take(self) -> list[Any]:
        """The statements so far; afterwards there are none."""
        taken, self.pending = self.pending, []
        return taken


class ChangeFeed:
    """Numbers the rows of `changes`."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def row(self, wall: float, kind: str, ref: str, site: str, body: bytes) -> tuple[Any, ...]:
        """The next row."""
        self.last += 1
        return (self.last, wall, kind, ref, site, body.decode())


def write_records(changes: Changes, batch: WriteBatch, feed: ChangeFeed, wall: float) -> None:
    """Each record's newest state into its table's rows, and each one's row for the followers."""
    for record in changes.records.values():
        body = _encode(record)
        text = body.decode()
        if isinstance(record, Alert):
            kind = "alert"
            batch.alerts.append((
                record.id, record.site, record.state.value, record.severity.value, record.rule, record.scope,
                record.device, record.raised_at, record.version, text, record.parent, _aside(record),
            ))  # fmt: skip
        elif isinstance(record, Child):
            # The followers learn of it by its alert.
            batch.alert_children.append((record.id, record.alert, record.site, record.ended_at, text))
            continue
        elif isinstance(record, ListEntry):
            # The followers learn of it by how its list stands.
            batch.list_entries.append((record.id, record.device, record.site, record.state, record.version, text))
            continue
        elif isinstance(record, WorkOrder):
            kind = "work_order"
            batch.work_orders.append((
                record.id, record.number, record.site, record.state.value, record.team, record.device, record.alert,
                record.opened_at, record.version, text, record.kind.value, record.source, record.assignee,
                record.closed_at, record.tracking, record.external, _untold(record), _visit_due(record),
            ))  # fmt: skip
        elif isinstance(record, PlanRun):
            kind = "plan_run"
            batch.plan_runs.append(
                (record.id, record.plan, record.site, record.state, record.started_at, record.version, text)
            )
        elif isinstance(record, Command):
            kind = "command"
            batch.commands.append((
                record.id, record.site, record.device, record.state.value, record.requested_at,
                record.idempotency_key, record.version, text,
            ))  # fmt: skip
        elif isinstance(record, Pass):
            kind = "pass"
            batch.passes.append((record.id, record.site, record.kind, record.value, record.version, text))
        else:
            kind, site, body = add_duty(record, text, batch)
            batch.changes.append(feed.row(wall, kind, record.id, site, body))
            continue
        batch.changes.append(feed.row(wall, kind, record.id, record.site, body))


def _aside(alert: Alert) -> str | None:
    return alert.shelving.kind if alert.shelving is not None and alert.state is not AlertState.CLOSED else None


def _untold(order: WorkOrder) -> bool | None:
    outside = order.outside
    return True if outside is not None and outside.sent < outside.wanted else None


def _visit_due(order: WorkOrder) -> bool | None:
    return True if order.visit_wanted and order.visit is None else None


def write_decisions(changes: Changes, batch: WriteBatch, feed: ChangeFeed, wall: float) -> None:
    """Each decision at a door or barrier: kept whole, and told to the followers with its value masked."""
    for decision in changes.decisions:
        body = msgspec.to_builtins(decision)
        body["value"] = mask(decision.value)
        batch.changes.append(feed.row(decision.time, "decision", decision.device, decision.site, _encode(body)))
        batch.decisions.append((
            decision.time, decision.site, decision.device, decision.kind, decision.value, decision.direction,
            decision.allowed, decision.reason, decision.pass_id, decision.command,
        ))  # fmt: skip
    for record in changes.removed.values():
        if isinstance(record, Pass):
            batch.statements.append(delete(tables.passes).where(tables.passes.c.id == record.id))
            batch.changes.append(feed.row(record.created_at, "pass", record.id, record.site, b"null"))
        elif isinstance(record, ListEntry):
            batch.statements.append(delete(tables.list_entries).where(tables.list_entries.c.id == record.id))
        elif (gone := removed(record)) is not None:
            table, kind, site = gone
            batch.statements.append(delete(table).where(table.c.id == record.id))
            batch.changes.append(feed.row(wall, kind, record.id, site, b"null"))


def mask(value: str) -> str:
    """A plate, card or name with its middle hidden: enough to recognise one's own, too little to know another's."""
    if len(value) <= 3:
        return "*" * len(value)
    return value[:2] + "*" * (len(value) - 3) + value[-1]
