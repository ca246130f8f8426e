"""`gatehouse bench rules` as a user runs it, and what it measures with. Nothing here asks how fast the machine is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gateway.app.bench import rules_load
from gateway.catalogue import load_catalogue
from gateway.model import Raised
from rules import Engine, load_packs
from rules.coherence import MEASURES, SHAPES

TARGETS = {
    "load_2000_rules_s": 2,
    "refuse_2000_rules_s": 1,
    "backtest_10m_events_s": 90,
    "events_per_s_1_rule": None,
    "events_per_s_100_rules": 150_000,
    "events_per_s_10000_rules": None,
    "cost_ratio_10000_to_100_rules": 1.2,
    "events_per_s_every_word": None,
    "memory_mb_10000_open": 100,
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_quick_bench_prints_every_promised_figure_with_its_target() -> None:
    command = [sys.executable, "-m", "gateway.cli", "bench", "rules", "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr}\n{done.stdout}"
    figures = {figure["name"]: figure for figure in json.loads(done.stdout)["figures"]}
    for name, target in TARGETS.items():
        assert figures[name]["target"] == target
        assert figures[name]["value"] > 0


def test_the_load_speaks_the_catalogue_and_raises_nothing() -> None:
    devices = rules_load.devices(80)
    catalogue = load_catalogue()
    engine = Engine(load_packs({"bench.yaml": rules_load.rules(100, 100)}), catalogue, devices)
    for event in rules_load.events(list(devices), 800):
        assert catalogue.misfit(event.kind, event.data) is None
        assert not catalogue.unknown_fields(event.kind, event.data)
        assert not [change for change in engine.process(event) if isinstance(change, Raised)]


def test_every_word_is_measured() -> None:
    pack = rules_load.every_word()
    load_packs({"bench.yaml": pack})
    for word in (*SHAPES, *MEASURES, "together", "inhibited_by", "during", "clear_after", "scope"):
        assert f"{word}:" in pack
