"""What SQLite's own commit costs on this disk: rows of the shape of the load's, in batches, with `synchronous=FULL`."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import quote

from gateway.store.writer import WriteBatch, Writer

BATCH, BATCHES = 1000, 20


def commit_us_per_row(folder: Path) -> float:
    """Microseconds for each row, of wall time, when a batch holds `BATCH` of them and nothing else runs."""
    folder.mkdir(parents=True)
    writer = Writer(f"sqlite:///{quote(str(folder / 'gatehouse.db'))}")
    writer.open()
    body = '{"utility":"electricity","energy_kwh":1000.0,"power_w":412.5,"voltage_v":230.5,"current_a":1.793}'
    try:
        spent = 0.0
        for batch in range(BATCHES):
            numbers = range(batch * BATCH + 1, (batch + 1) * BATCH + 1)
            now = time.time()
            rows = [
                (
                    number, "bench", f"bench-{number % 200:05d}", "meter.reading", now, now, False, False,
                    number.to_bytes(16, "big"), number, body,
                )
                for number in numbers
            ]  # fmt: skip
            began = time.perf_counter()
            writer.commit(WriteBatch(readings=rows))
            spent += time.perf_counter() - began
        return spent / (BATCH * BATCHES) * 1e6
    finally:
        writer.close()
