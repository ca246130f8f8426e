"""The one writer: a batch's rows go in by one transaction, or not at all.

SQLite runs in WAL with `synchronous=FULL`: NORMAL would lose acknowledged rows on a power cut. This connection alone
writes and checkpoints (two that do corrupt SQLite 3.40), and readers open the file read-only. On PostgreSQL an
advisory lock on this very session keeps a second core out.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table, create_engine, delete, event, func, select, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    SQLAlchemyError,
)

from gateway.errors import Conflict, StorageFailed
from gateway.model import AuditEntry
from gateway.store import tables
from gateway.store.migrate import upgrade

Row = tuple[Any, ...]

#: Chosen at random once; any number does as long as all cores use the same.
_LOCK = 0x6A7E_4005E
_GENESIS = "0" * 64
#: Rows of a table that outlive their retention.
KEPT_NEWEST = 5


class WriteBatch(msgspec.Struct):
    """The rows of one transaction, column by column in the order of `gateway.store.tables`."""

    events: list[Row] = []
    readings: list[Row] = []
    states: list[Row] = []
    alerts: list[Row] = []
    alert_children: list[Row] = []
    work_orders: list[Row] = []
    plan_runs: list[Row] = []
    commands: list[Row] = []
    passes: list[Row] = []
    people: list[Row] = []
    rosters: list[Row] = []
    shifts: list[Row] = []
    schedules: list[Row] = []
    rounds: list[Row] = []
    notifications: list[Row] = []
    device_lists: list[Row] = []
    list_entries: list[Row] = []
    outages: list[Row] = []
    decisions: list[Row] = []
    dead_letters: list[Row] = []
    quarantine: list[Row] = []
    outbox: list[Row] = []
    journal: list[Row] = []
    snapshots: list[Row] = []
    changes: list[Row] = []
    fates: dict[str, int] = {}
    audit: list[AuditEntry] = []
    statements: list[Any] = []
    """SQLAlchemy statements of the slow path: registry, users, deletions. Run first, in order.

    One that is to run for many rows is a pair: the statement, and a list of the rows.
    """


#: Which list goes into which table, and what happens to a row that is there already.
_PLAN: tuple[tuple[str, Table, str], ...] = (
    ("events", tables.events, "insert"),
    ("readings", tables.readings, "insert"),
    ("states", tables.device_states, "upsert"),
    ("alerts", tables.alerts, "upsert"),
    ("alert_children", tables.alert_children, "upsert"),
    ("work_orders", tables.work_orders, "upsert"),
    ("plan_runs", tables.plan_runs, "upsert"),
    ("commands", tables.commands, "upsert"),
    ("passes", tables.passes, "upsert"),
    ("people", tables.people, "upsert"),
    ("rosters", tables.rosters, "upsert"),
    ("shifts", tables.shifts, "upsert"),
    ("schedules", tables.schedules, "upsert"),
    ("rounds", tables.rounds, "upsert"),
    ("notifications", tables.notifications, "upsert"),
    ("device_lists", tables.device_lists, "upsert"),
    ("list_entries", tables.list_entries, "upsert"),
    ("outages", tables.outages, "upsert"),
    ("decisions", tables.decisions, "insert"),
    ("dead_letters", tables.dead_letters, "insert"),
    ("quarantine", tables.quarantine, "upsert"),
    ("outbox", tables.outbox, "insert"),
    ("journal", tables.journal, "insert"),
    ("snapshots", tables.snapshots, "upsert"),
    ("changes", tables.changes, "insert"),
)


class Writer:
    """The connection that writes. Not for use by two threads."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = writer_engine(url)
        self._sqlite = self.engine.dialect.name == "sqlite"
        mark = "?" if self._sqlite else "%s"
        self._sql = {name: _insert(table, how, mark) for name, table, how in _PLAN}
        self._connection: Connection | None = None
        self._audit_id = 0
        self._audit_hash = _GENESIS

    def open(self) -> None:
        """Migrates the database and takes the writer's place. Raises `Conflict` where another core has it."""
        upgrade(self.engine)
        self._connection = self.engine.connect()
        if not self._sqlite:
            if not self._connection.scalar(text(f"select pg_try_advisory_lock({_LOCK})")):
                raise Conflict("another core writes to this database: stop it first, or give this one its own database")
            self._connection.commit()
        last = self.select(select(tables.audit.c.id, tables.audit.c.hash).order_by(tables.audit.c.id.desc()).limit(1))
        if last:
            self._audit_id, self._audit_hash = last[0]

    def close(self) -> None:
        """Gives the writer's place back; SQLite's WAL is checkpointed on the way."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.engine.dispose()

    @property
    def connection(self) -> Connection:
        """The open connection. Raises `StorageFailed` before `open` and after `close`."""
        if self._connection is None:
            raise StorageFailed("the database is not open")
        return self._connection

    def select(self, statement: Any) -> list[Row]:
        """All rows of `statement`, on the writer's own connection."""
        rows = [tuple(row) for row in self.connection.execute(statement)]
        self.connection.rollback()
        return rows

    def commit(self, batch: WriteBatch) -> None:
        """Writes the batch durably. Raises `StorageFailed` and leaves nothing half-written."""
        connection = self.connection
        audit_id, audit_hash = self._audit_id, self._audit_hash
        try:
            connection.begin()
            for statement in batch.statements:
                if isinstance(statement, tuple):
                    connection.execute(*statement)
                else:
                    connection.execute(statement)
            for name, _, _ in _PLAN:
                rows = getattr(batch, name)
                if rows:
                    connection.exec_driver_sql(self._sql[name], rows)
            if batch.fates:
                self._count(connection, batch.fates)
            if batch.audit:
                self._append_audit(connection, batch.audit)
            connection.commit()
        except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, OverflowError, TypeError) as error:
            self._audit_id, self._audit_hash = audit_id, audit_hash
            self._undo()
            then = "it would be refused again" if is_fatal(error) else "it is tried again"
            raise StorageFailed(
                f"the database refused a write: {reason_of(error)}; nothing was acknowledged, and {then}",
                reason=reason_of(error),
                fatal=is_fatal(error),
            ) from error

    def _undo(self) -> None:
        try:
            self.connection.rollback()
        except (SQLAlchemyError, sqlite3.Error):
            # A connection that cannot even roll back is replaced by the pool on its next use.
            self.connection.invalidate()

    def _count(self, connection: Connection, fates: Mapping[str, int]) -> None:
        mark = "?" if self._sqlite else "%s"
        connection.exec_driver_sql(
            f"INSERT INTO ledger (fate, count) VALUES ({mark}, {mark}) "  # noqa: S608 - only placeholders are spliced
            "ON CONFLICT (fate) DO UPDATE SET count = ledger.count + excluded.count",
            list(fates.items()),
        )

    def _append_audit(self, connection: Connection, entries: Iterable[AuditEntry]) -> None:
        rows = []
        for entry in entries:
            self._audit_id += 1
            detail = msgspec.json.encode(entry.detail, order="sorted").decode()
            fields = (entry.time, entry.actor, entry.action, entry.target, entry.outcome, detail)
            previous, self._audit_hash = self._audit_hash, chain(self._audit_hash, self._audit_id, fields)
            rows.append({
                "id": self._audit_id, "time": entry.time, "actor": entry.actor, "action": entry.action,
                "target": entry.target, "outcome": entry.outcome, "detail": detail,
                "previous": previous, "hash": self._audit_hash,
            })  # fmt: skip
        connection.execute(tables.audit.insert(), rows)

    def prune(self, limits: Mapping[str, tuple[Any, float]], most: int = 5000) -> int:
        """Deletes at most `most` rows older than a limit from each table: {table name: (column, oldest)}. How many.

        The newest rows stay whatever their age: what numbers them goes on after a restart from the last one.
        """
        removed = 0
        for name, (column, oldest) in limits.items():
            table = tables.metadata.tables[name]
            key = next(iter(table.primary_key.columns))
            newest = select(func.max(key)).scalar_subquery()
            old = select(key).where(column < oldest, key <= newest - KEPT_NEWEST).order_by(key).limit(most)
            with self.connection.begin():
                removed += self.connection.execute(delete(table).where(key.in_(old))).rowcount
        return removed

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self.select(select(func.count()).select_from(table))[0][0])


def chain(previous: str, number: int, fields: Sequence[object]) -> str:
    """The hash of an audit row: over the hash before it, its number and its fields."""
    body = msgspec.json.encode([previous, number, *fields])
    return hashlib.sha256(body).hexdigest()


def writer_engine(url: str) -> Engine:
    """An engine for the one writer of the database at `url`."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=1, max_overflow=0)
    engine = create_engine(url, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False, "timeout": 5})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=5000",
            "foreign_keys=ON",
            # Seldom enough not to be in every batch, often enough to keep the WAL within some tens of megabytes.
            "wal_autocheckpoint=12000",
            "cache_size=-65536",
            "journal_size_limit=67108864",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _insert(table: Table, how: str, mark: str) -> str:
    columns = [column.name for column in table.columns if not (column.autoincrement is True or _numbers_itself(column))]
    marks = ", ".join([mark] * len(columns))
    sql = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own tables' names
    if how == "upsert":
        keys = [column.name for column in table.primary_key.columns]
        rest = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
        sql += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {rest}"
    return sql


def _numbers_itself(column: Any) -> bool:
    return bool(column.primary_key and column.table.name in ("dead_letters", "decisions"))


def reason_of(error: BaseException) -> str:
    """The database's own words, without the statement."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().split("\n")[0][:200]


def is_fatal(error: BaseException) -> bool:
    """Whether carrying on would be a lie or lead nowhere.

    After a failed sync nobody knows what is on the disk; a row that the tables do not take is never taken. A restart
    begins with what was committed last.
    """
    if isinstance(error, IntegrityError | DataError | InterfaceError | ProgrammingError):
        return True
    if not isinstance(error, SQLAlchemyError | sqlite3.Error | OSError):
        return True
    words = reason_of(error).lower()
    return (
        "disk i/o error" in words
        or "malformed" in words
        or (isinstance(error, DBAPIError) and error.connection_invalidated)
    )


def verify_chain(rows: Iterable[Sequence[Any]]) -> int | None:
    """The number of the first audit row that does not fit the one before it, or None where all do."""
    previous, expected = _GENESIS, None
    for number, time, actor, action, target, outcome, detail, before, own in rows:
        fields = (time, actor, action, target, outcome, detail)
        if before != previous or own != chain(previous, number, fields) or expected not in (None, number):
            return int(number)
        previous, expected = own, number + 1
    return None
