"""How long a backtest takes: a month of 500 devices, from an exported file through the whole engine, on one core."""

from __future__ import annotations

import gc
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.app.bench import rules_load
from gateway.app.bench.report import Figure, figure
from gateway.app.retrospect.sources import Source, export, file_source
from gateway.catalogue import load_catalogue
from rules import load_packs
from rules.backtest import Wanted, backtest
from rules.inputs import Input, Placed, Told

DEVICES = 500
SPAN = 30 * 86_400.0
EVENTS = 10_000_000
"""What the promise is about. A smaller run is as dense and so much shorter, and is extrapolated."""


def backtest_figures(events: int, say: Callable[[str], None]) -> list[Figure]:
    """`backtest_10m_events_s`, in seconds of CPU, with every word of the language in the pack."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        file = Path(folder) / "month.inputs"
        say(f"writing {events:,} events of {DEVICES} devices")
        export(file, Source(0.0, SPAN * events / EVENTS, None, (), lambda _: _month(events)), 0.0, lambda _: None)
        say(f"backtest of {events:,} events ({file.stat().st_size / 1e6:.0f} MB)")
        took = _run(file)
    return [figure("backtest_10m_events_s", [took * EVENTS / events], "s", 90)]


def _run(file: Path) -> float:
    source = file_source(file, None, None)
    rules = load_packs({"bench.yaml": rules_load.every_word()})
    wanted = Wanted(rules=rules, catalogue=load_catalogue(), since=source.since, until=source.until, suggest=False)
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        began = time.process_time()
        backtest(wanted, lambda: source.read(lambda _: None), time.monotonic)
        return time.process_time() - began
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _month(count: int) -> Iterator[Input]:
    """So many events, as far apart as ten million in a month, of the devices in turn."""
    devices = list(rules_load.devices(DEVICES).values())
    yield Placed(0.0, 0.0, devices, {"": "Asia/Shanghai"}, True)
    chance = random.Random(1)  # noqa: S311 (a load, no secret)
    step = SPAN / EVENTS
    for number in range(count):
        kind, _, say, _ = rules_load.KINDS[number % DEVICES % len(rules_load.KINDS)]
        at = number * step
        name, seq = devices[number % DEVICES].id, number + 1
        yield Told(name, kind, at, at, at, say(chance), b"", "", rules_load.SITE, False, False, seq)
