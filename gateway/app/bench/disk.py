"""What SQLite's own commits cost on this disk, with `synchronous=FULL` and rows of the shape of the load's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from gateway.store.writer import Row, WriteBatch, Writer

#: How many rows make a batch at full speed, and how many batches are written.
BATCH, BATCHES = 1000, 20
#: How many commits of one row are timed, and how long one waits for the next, in seconds: the pace of the alarm load.
SINGLE, PAUSE = 400, 0.002
BODY = '{"utility":"electricity","energy_kwh":1000.0,"power_w":412.5,"voltage_v":230.5,"current_a":1.793}'


def commit_us_per_row(folder: Path) -> float:
    """Microseconds for each row, of wall time, when a batch holds `BATCH` of them and nothing else runs."""
    with _writer(folder) as writer:
        spent = sum(_commit(writer, batch * BATCH, BATCH) for batch in range(BATCHES))
    return spent / (BATCH * BATCHES) * 1e6


def single_commits_ms(folder: Path) -> list[float]:
    """Milliseconds that each of `SINGLE` commits took: an alert waits for one, and for the one that is under way."""
    found = []
    with _writer(folder) as writer:
        for number in range(SINGLE):
            found.append(_commit(writer, number, 1) * 1000.0)
            time.sleep(PAUSE)
    return found


def _commit(writer: Writer, after: int, count: int) -> float:
    now = time.time()
    rows: list[Row] = [
        (
            number, "bench", f"bench-{number % 200:05d}", "meter.reading", now, now, False, False,
            number.to_bytes(16, "big"), number, BODY,
        )
        for number in range(after + 1, after + count + 1)
    ]  # fmt: skip
    began = time.perf_counter()
    writer.commit(WriteBatch(readings=rows))
    return time.perf_counter() - began


@contextmanager
def _writer(folder: Path) -> Iterator[Writer]:
    folder.mkdir(parents=True)
    writer = Writer(f"sqlite:///{quote(str(folder / 'gatehouse.db'))}")
    writer.open()
    try:
        yield writer
    finally:
        writer.close()
