"""The writer's contract, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select, text

from gateway.errors import Conflict, StorageFailed
from gateway.model import AuditEntry
from gateway.store import tables
from gateway.store.migrate import HEAD, SchemaTooNew, upgrade
from gateway.store.writer import WriteBatch, Writer, verify_chain
from tests.store.postgres import running_postgres

URLS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Callable[[], str]]:
    """Makes new databases on one server, which is started when the first is asked for."""
    stack = ExitStack()
    server: list[str] = []
    numbers = itertools.count(1)

    def database() -> str:
        if not server:
            server.append(stack.enter_context(running_postgres()))
        name = f"t{next(numbers)}"
        engine = create_engine(server[0], isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"create database {name}"))
        engine.dispose()
        return str(engine.url.set(database=name).render_as_string(hide_password=False))

    yield database
    stack.close()


@pytest.fixture(params=URLS)
def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Callable[[], str]) -> str:
    return postgres() if request.param == "postgres" else f"sqlite:///{tmp_path / 'gatehouse.db'}"


def reading(seq: int) -> tuple[Any, ...]:
    return (seq, "s", "d", "meter.reading", 1.0, 1.0, False, False, bytes(16), 5, "{}")


def entry(action: str) -> AuditEntry:
    return AuditEntry(time=1.5, actor="user:a", action=action, target="x", detail={"b": 1, "a": "中"})


def test_a_batch_is_written_whole_and_counted(url: str) -> None:
    writer = Writer(url)
    writer.open()
    writer.commit(WriteBatch(readings=[reading(1), reading(2)], fates={"received": 2, "accepted": 2}))
    writer.commit(WriteBatch(readings=[reading(3)], fates={"received": 1, "accepted": 1}))
    assert writer.count(tables.readings) == 3
    assert dict(writer.select(select(tables.ledger))) == {"received": 3, "accepted": 3}
    writer.close()


def test_a_refused_batch_leaves_nothing_behind_and_the_next_one_is_written(url: str) -> None:
    writer = Writer(url)
    writer.open()
    writer.commit(WriteBatch(readings=[reading(1)], audit=[entry("one")]))
    with pytest.raises(StorageFailed, match="nothing was acknowledged"):
        writer.commit(
            WriteBatch(events=[reading(7)], readings=[reading(1)], fates={"received": 1}, audit=[entry("never")])
        )
    writer.commit(WriteBatch(readings=[reading(2)], audit=[entry("two")]))
    assert writer.count(tables.events) == 0
    assert writer.count(tables.readings) == 2
    assert writer.select(select(tables.audit.c.action)) == [("one",), ("two",)]
    assert verify_chain(writer.select(select(tables.audit).order_by(tables.audit.c.id))) is None
    writer.close()


def test_fault_110_a_changed_removed_or_moved_audit_row_breaks_the_chain(url: str) -> None:
    writer = Writer(url)
    writer.open()
    writer.commit(WriteBatch(audit=[entry(f"a{n}") for n in range(5)]))
    rows = writer.select(select(tables.audit).order_by(tables.audit.c.id))
    assert verify_chain(rows) is None
    changed = [tuple("user:b" if cell == "user:a" and row[0] == 3 else cell for cell in row) for row in rows]
    assert verify_chain(changed) == 3
    assert verify_chain([row for row in rows if row[0] != 3]) == 4
    assert verify_chain([rows[0], rows[2], rows[1], *rows[3:]]) == 3
    writer.close()


def test_the_chain_goes_on_after_a_restart(url: str) -> None:
    for name in ("one", "two"):
        writer = Writer(url)
        writer.open()
        writer.commit(WriteBatch(audit=[entry(name)]))
        rows = writer.select(select(tables.audit).order_by(tables.audit.c.id))
        writer.close()
    assert [row[0] for row in rows] == [1, 2]
    assert verify_chain(rows) is None


def test_the_migrated_schema_is_the_one_the_code_knows(url: str) -> None:
    engine = create_engine(url)
    upgrade(engine)
    found = inspect(engine)
    for table in tables.metadata.sorted_tables:
        assert {c["name"] for c in found.get_columns(table.name)} == {c.name for c in table.columns}, table.name
        indexes = {index["name"] for index in found.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexes, table.name
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    folder = Path(str(tables.__file__)).parent / "migrations" / "versions"
    assert max(file.name.split("_")[0] for file in folder.glob("0*.py")) == HEAD


def test_fault_122_a_database_of_a_later_version_is_refused_and_untouched(url: str) -> None:
    engine = create_engine(url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    writer = Writer(url)
    with pytest.raises(SchemaTooNew, match="start the newer version"):
        writer.open()
    with engine.connect() as connection:
        assert connection.scalar(text("select version_num from alembic_version")) == "9999"
    engine.dispose()


@pytest.mark.postgres
def test_a_second_writer_of_a_postgres_database_is_refused(postgres: Callable[[], str]) -> None:
    url = postgres()
    first, second = Writer(url), Writer(url)
    first.open()
    with pytest.raises(Conflict, match="another core writes"):
        second.open()
    second.close()
    first.close()
    third = Writer(url)
    third.open()
    third.close()


def test_fault_024_a_lock_of_another_program_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "gatehouse.db"
    writer = Writer(f"sqlite:///{path}")
    writer.open()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    writer.connection.exec_driver_sql("pragma busy_timeout=200")
    writer.connection.rollback()
    with pytest.raises(StorageFailed, match="locked"):
        writer.commit(WriteBatch(readings=[reading(1)]))
    other.execute("rollback")
    writer.commit(WriteBatch(readings=[reading(1)]))
    assert writer.count(tables.readings) == 1
    other.close()
    writer.close()


def test_prune_removes_only_what_is_old(url: str) -> None:
    writer = Writer(url)
    writer.open()
    writer.commit(WriteBatch(changes=[(n, float(n), "alert", "a", "s", "{}") for n in range(1, 11)]))
    assert writer.prune({"changes": (tables.changes.c.time, 6.0)}, most=3) == 3
    assert writer.prune({"changes": (tables.changes.c.time, 6.0)}, most=3) == 2
    assert [row[0] for row in writer.select(select(tables.changes.c.id))] == [6, 7, 8, 9, 10]
    writer.close()
