"""What is stored of the time before the journal, as inputs of an engine: the events, and nothing between them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Table, func, select

from gateway.core.lookback import Beginning, Lookback, Query
from gateway.store import tables
from rules.inputs import Input, Told

_PAGE = 5000
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def stored_inputs(
    query: Query, back: Lookback, beginning: Beginning, since: float, progress: Callable[[float], None]
) -> Iterator[Input]:
    """The stored events from the wall time `since` up to where the journal begins, in the order of their receipt."""
    lag = beginning.at - beginning.time
    yield back.places(since + lag, since)
    rows = (_rows(query, table, since, back.seq) for table in (tables.events, tables.readings))
    at = since + lag
    for number, row in enumerate(heapq.merge(*rows)):
        seq, site, device, kind, time, received, late, replay, data = row
        at = max(at, received + lag)
        if not number % 1000:
            progress(received)
        yield Told(device, kind, time, received, at, _decode(data), b"", "", site, bool(replay), bool(late), seq)


def _rows(query: Query, table: Table, since: float, until: int) -> Iterator[tuple[Any, ...]]:
    c = table.c
    columns = (c.seq, c.site, c.device, c.kind, c.time, c.received, c.late, c.replay, c.data)
    seq = seq_at(query, table, since) - 1
    while page := query.select(select(*columns).where(c.seq > seq, c.seq <= until).order_by(c.seq).limit(_PAGE)):
        yield from page
        seq = page[-1][0]


def seq_at(query: Query, table: Table, received: float) -> int:
    """The first place of `table` at or after the wall time `received`, by bisection: the time rises with the place."""
    c = table.c
    low, high = query.select(select(func.min(c.seq), func.max(c.seq)))[0]
    if low is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        row = query.select(select(c.seq, c.received).where(c.seq >= middle).order_by(c.seq).limit(1))
        if not row or row[0][1] >= received:
            high = middle
        else:
            low = row[0][0] + 1
    return int(low)
