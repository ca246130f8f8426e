"""History out of the store's tables: readings one row an event, thinned by the database where there are many."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Engine,
    Float,
    Integer,
    Text,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB

from gateway.model import Catalogue

#: A gap is this many times the usual distance between two readings.
_GAP = 2.5


class Point(NamedTuple):
    """One point of a series. `value` is None in a gap."""

    time: float
    value: float | None


class ReadingsHistory:
    """The `History` over the tables `readings` and, for kinds kept one by one, `events` of an engine's database."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue

    def series(
        self, device: str, field: str, *, since: float, until: float, points: int, kinds: tuple[str, ...] = ()
    ) -> list[Point]:
        """See `History.series`."""
        kinds = kinds or tuple(name for name, kind in self._catalogue.kinds.items() if field in kind.fields)
        records = {kind.record for kind in self._kinds(kinds)} or {"reading"}
        found: list[Point] = []
        for record in sorted(records):
            name = "readings" if record == "reading" else "events"
            found += self._read(name, device=device, field=field, since=since, until=until, points=points, kinds=kinds)
        found.sort()
        width = (until - since) / points
        return with_gaps(found, max(self._usual_distance(found, kinds), width))

    def _kinds(self, names: Sequence[str]) -> list[Any]:
        return [self._catalogue.kinds[name] for name in names if name in self._catalogue.kinds]

    def _usual_distance(self, found: Sequence[Point], kinds: Sequence[str]) -> float:
        told = max((kind.interval for kind in self._kinds(kinds)), default=0.0)
        if told or len(found) < 3:
            return float(told)
        return statistics.median_low(b.time - a.time for a, b in itertools.pairwise(found))

    def _read(
        self, name: str, *, device: str, field: str, since: float, until: float, points: int, kinds: Sequence[str]
    ) -> list[Point]:
        rows = table(name, column("device", Text), column("kind", Text), column("time", Float), column("data", Text))
        value = self._value(rows.c.data, field)
        where: list[ColumnElement[bool]] = [rows.c.device == device, rows.c.time >= since, rows.c.time < until]
        where.append(value.is_not(None))
        if kinds:
            where.append(rows.c.kind.in_(list(kinds)))
        raw = select(rows.c.time, value).where(*where).order_by(rows.c.time).limit(points + 1)
        with self._engine.connect() as connection:
            found = connection.execute(raw).all()
            if len(found) > points:
                width = (until - since) / points
                share = cast(func.floor((rows.c.time - since) / width), Integer)
                means = select(func.avg(rows.c.time), func.avg(value)).where(*where).group_by(share)
                found = connection.execute(means.order_by(func.avg(rows.c.time))).all()
        return [Point(float(row[0]), float(row[1])) for row in found]

    def _value(self, data: ColumnElement[str], field: str) -> ColumnElement[float]:
        """The field as a number: true and false are 1 and 0, anything else that is no number is NULL."""
        if self._engine.dialect.name == "sqlite":
            path = literal(f'$."{field}"')
            is_number = func.json_type(data, path).in_(("integer", "real", "true", "false"))
            return case((is_number, cast(func.json_extract(data, path), Float)))
        member = func.jsonb_extract_path(cast(data, JSONB), field)
        kind = func.jsonb_typeof(member)
        as_text = func.jsonb_extract_path_text(cast(data, JSONB), field)
        return case(
            (kind == "number", cast(as_text, Float)),
            (kind == "boolean", case((as_text == "true", literal_column("1.0")), else_=literal_column("0.0"))),
        )


def with_gaps(found: Sequence[Point], usual: float) -> list[Point]:
    """The points with an empty one in the middle of every distance far beyond the `usual`."""
    if usual <= 0:
        return list(found)
    filled: list[Point] = []
    for number, point in enumerate(found):
        if number and point.time - found[number - 1].time > _GAP * usual:
            filled.append(Point((point.time + found[number - 1].time) / 2, None))
        filled.append(point)
    return filled
