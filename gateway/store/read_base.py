"""What all queries stand on: a read-only engine, pages by key, and the sites an actor may see."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from sqlalchemy import ColumnElement, Engine, Row, Select, create_engine, event, false, tuple_
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

#: A place in a sorted list: the sort value and the key of the last row given out.
Place = tuple[Any, ...]
#: The sites an actor may see; empty means all.
Sites = Sequence[str]


class Page(NamedTuple):
    """Some rows of a list, and the place after the last one, None at the end."""

    items: list[Any]
    next: Place | None


def reading_engine(url: str) -> Engine:
    """An engine that cannot write: SQLite's file is opened read-only, PostgreSQL's transactions are."""
    if url.startswith("sqlite"):
        return _sqlite_engine(make_url(url).database or "")
    engine = create_engine(url, pool_size=8, max_overflow=32, isolation_level="AUTOCOMMIT")

    @event.listens_for(engine, "connect")
    def _read_only(connection: Any, _record: object) -> None:
        connection.execute("SET default_transaction_read_only = on")

    return engine


def _sqlite_engine(path: str) -> Engine:
    def connect() -> sqlite3.Connection:
        # isolation_level None: no transaction is left open, so that a reader never holds back the checkpoint.
        connection = sqlite3.connect(
            f"file:{quote(path)}?mode=ro", uri=True, check_same_thread=False, timeout=5, isolation_level=None
        )
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA mmap_size=67108864")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=8, max_overflow=40)


class QueryBase:
    """The engine and the few shapes every query has."""

    engine: Engine

    def rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """All rows of `statement`."""
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def one(self, statement: Select[Any]) -> Row[Any] | None:
        """The first row of `statement`, or None."""
        with self.engine.connect() as connection:
            return connection.execute(statement).first()

    def page(
        self,
        statement: Select[Any],
        order: Sequence[ColumnElement[Any]],
        after: Place | None,
        limit: int,
        newest_first: bool = True,
    ) -> tuple[Sequence[Row[Any]], Place | None]:
        """Up to `limit` rows past `after` by `order`, and where the next page starts.

        The columns of `order` must be the statement's last ones.
        """
        if after is not None:
            here, there = tuple_(*order), tuple_(*after)
            statement = statement.where(here < there if newest_first else here > there)
        sorted_by = [column.desc() for column in order] if newest_first else list(order)
        found = self.rows(statement.order_by(*sorted_by).limit(limit + 1))
        if len(found) <= limit:
            return found, None
        return found[:limit], tuple(found[limit - 1][-len(order) :])


def within(column: ColumnElement[Any], sites: Sites) -> list[ColumnElement[bool]]:
    """The condition that limits `column` to `sites`; none where all are seen."""
    return [column.in_(list(sites))] if sites else []


def equal(**pairs: tuple[ColumnElement[Any], Any]) -> list[ColumnElement[bool]]:
    """The conditions `column = value` for all given values that are not None."""
    return [column == value for column, value in pairs.values() if value is not None]


def nothing() -> ColumnElement[bool]:
    """A condition no row meets."""
    return false()


def decoded(text: str | bytes | None) -> Any:
    """A JSON column's value; None for an empty one."""
    return msgspec.json.decode(text) if text else None
