"""`gatehouse bench ingest` as a user runs it. Nothing here asks how fast the machine is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.brokers import need_mosquitto

PROMISED = {
    "durable_messages_per_s": 12_000,
    "ratio_to_bare_receiver": 0.75,
    "cpu_us_per_message": 50,
    "publish_to_alert_p99_ms": 25,
    "cost_ratio_5000_to_10_rules": 1.3,
    "peak_memory_mb": None,
}


def bench(*words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.cli", "bench", "ingest", *words]
    if folder is not None:
        command += ["--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: pytest's own are too long for the path of a socket."""
    with tempfile.TemporaryDirectory(prefix="gh-") as name:
        yield Path(name)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("broker", ["embedded", "mosquitto"])
def test_a_quick_bench_holds_the_ledger_and_prints_every_promised_figure(broker: str, folder: Path) -> None:
    if broker == "mosquitto":
        need_mosquitto()
    done = bench("--quick", "--json", "--broker", broker, folder=folder)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr}\n{done.stdout}"
    report = json.loads(done.stdout)
    figures = {figure["name"]: figure for figure in report["figures"]}
    assert report["problems"] == []
    assert figures.keys() >= PROMISED.keys()
    for name, target in PROMISED.items():
        figure = figures[name]
        assert set(figure) == {"name", "value", "unit", "target", "met"}
        assert figure["target"] == target
        assert isinstance(figure["met"], bool) is (target is not None), figure
        assert figure["value"] > 0, figure
    assert report["machine"].keys() >= {"cpu", "cores", "memory_mb", "kernel", "disk", "python"}
    assert list(folder.iterdir()) == [], "the bench left its folder behind"
    assert not _still_running(folder), "the bench left processes behind"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--messages", "10"], "1000"),
        (["--broker", "hivemq"], "embedded"),
        (["--folder", "/does/not/exist"], "/does/not/exist"),
        (["--runs", "0"], "1<=x<=20"),
    ],
)
def test_wrong_words_are_named_and_start_nothing(words: list[str], said: str) -> None:
    done = bench(*words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr, done.stderr


def _still_running(folder: Path) -> list[str]:
    """Command lines of processes that name the bench's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in line:
                found.append(line)
    return found
