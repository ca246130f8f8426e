"""`gatehouse bench rules`: what an event costs the rules engine, without broker, disk or network."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from gateway.app.bench import rules_load
from gateway.app.bench.backtest import EVENTS, backtest_figures
from gateway.app.bench.machine import describe
from gateway.app.bench.report import Figure, Report, figure
from gateway.catalogue import load_catalogue
from gateway.model import Device, Event
from rules import Engine, PackError, RuleSet, load_packs

Say = Callable[[str], None]

#: The sizes the promise is about.
RULES, IDLE = 100, 9900
LARGE_PACK = 2000
OPEN = 10_000
#: How many events go through one engine before it is the next one's turn.
SLICE = 5_000


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    devices: int = 10_000
    events: int = 200_000
    runs: int = 5
    backtest: int = EVENTS


def rules(options: Options, say: Say) -> Report:
    """All figures."""
    machine = describe(Path())
    say("loading packs")
    figures = [*_loading(options)]
    devices = rules_load.devices(options.devices)
    say(f"writing {options.events} events")
    events = list(rules_load.events(list(devices), options.events))
    packs = {
        "1_rule": rules_load.rules(1),
        "100_rules": rules_load.rules(RULES),
        "10000_rules": rules_load.rules(RULES, IDLE),
        "every_word": rules_load.every_word(),
    }
    sets = {name: _load(pack) for name, pack in packs.items()}
    rates: dict[str, list[float]] = {name: [] for name in packs}
    for run in range(options.runs):
        for name, rate in _rates(sets, devices, events).items():
            rates[name].append(rate)
        say(f"run {run + 1} of {options.runs}: {rates['100_rules'][-1]:,.0f} events/s through {RULES} rules")
    ratios = [few / many for few, many in zip(rates["100_rules"], rates["10000_rules"], strict=True)]
    figures += [
        figure("events_per_s_1_rule", rates["1_rule"], "/s"),
        figure("events_per_s_100_rules", rates["100_rules"], "/s", 150_000, wanted="at least"),
        figure("events_per_s_10000_rules", rates["10000_rules"], "/s"),
        figure("cost_ratio_10000_to_100_rules", ratios, "", 1.2),
        figure("events_per_s_every_word", rates["every_word"], "/s"),
    ]
    say(f"{OPEN} open holds and windows")
    figures.append(figure("memory_mb_10000_open", [_memory_of_open()], "MB", 100))
    figures += backtest_figures(options.backtest, say)
    return Report(machine=machine, figures=figures)


def _load(pack: str) -> RuleSet:
    return load_packs({"bench.yaml": pack})


def _rates(sets: Mapping[str, RuleSet], devices: Mapping[str, Device], events: Sequence[Event]) -> dict[str, float]:
    """Events a second of CPU through an engine of each set, a slice of the events through each in turn.

    A machine whose speed swings from one second to the next is as fast for one as for the other then. The first round,
    in which every device is seen for the first time, is not counted.
    """
    engines = {name: Engine(rules, load_catalogue(), devices) for name, rules in sets.items()}
    took = dict.fromkeys(sets, 0.0)
    first = len(devices)
    for engine in engines.values():
        for event in events[:first]:
            engine.process(event)
    gc.collect()
    gc.freeze()
    for start in range(first, len(events), SLICE):
        for name, engine in engines.items():
            process = engine.process
            began = time.process_time()
            for event in events[start : start + SLICE]:
                process(event)
            took[name] += time.process_time() - began
    gc.unfreeze()
    return {name: (len(events) - first) / each for name, each in took.items()}


def _loading(options: Options) -> list[Figure]:
    """How long a large pack takes to be read and checked, and a broken one to be refused."""
    good = rules_load.rules(LARGE_PACK)
    broken = good.replace("voltage_v >", "volage >")
    loaded, refused = [], []
    for _ in range(options.runs):
        began = time.process_time()
        _load(good)
        loaded.append(time.process_time() - began)
        began = time.process_time()
        try:
            _load(broken)
        except PackError:
            refused.append(time.process_time() - began)
    return [
        figure("load_2000_rules_s", loaded, "s", 2),
        figure("refuse_2000_rules_s", refused, "s", 1),
    ]


def _memory_of_open() -> float:
    """In a process of its own: what `OPEN` holds and as many windows add to an engine, in MB."""
    made = subprocess.run(
        [sys.executable, "-m", "gateway.app.bench.rules"], check=True, capture_output=True, text=True, timeout=300
    )
    return float(made.stdout)


def _open_and_measure() -> float:
    devices = rules_load.devices(OPEN * len(rules_load.KINDS))
    pack = "".join(
        f"- id: bench.open-{number}\n  title: t\n  severity: low\n  on: meter.reading\n  {words}\n"
        for number, words in enumerate(("for: 1d", "count: {at_least: 100, within: 1d}"))
    )
    engine = Engine(_load(pack), load_catalogue(), devices)
    names = [name for name, device in devices.items() if device.type == "meter"]
    events = [event for event in rules_load.events(list(devices), len(devices)) if event.kind == "meter.reading"]
    gc.collect()
    before = _resident()
    for event in events:
        engine.process(event)
    gc.collect()
    if len(names) != OPEN or engine.next_due() is None:
        raise RuntimeError(f"{len(names)} holds are open, not {OPEN}")
    return (_resident() - before) / 2**20


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


if __name__ == "__main__":
    sys.stdout.write(f"{_open_and_measure():.2f}\n")
