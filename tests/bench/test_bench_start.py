"""`gatehouse bench start` as a user runs it. Nothing here asks how fast the machine is."""

from __future__ import annotations

import json
import subprocess
import sys

TARGETS = {"start_to_ready_s": 3, "idle_cpu_percent": 2, "idle_memory_mb": 250, "idle_memory_rss_mb": None}


def test_a_small_bench_prints_every_promised_figure_with_its_target() -> None:
    command = [sys.executable, "-m", "gateway.cli", "bench", "start", "--devices", "20", "--starts", "1", "--idle", "1"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr}\n{done.stdout}"
    figures = {figure["name"]: figure for figure in json.loads(done.stdout)["figures"]}
    for name, target in TARGETS.items():
        assert figures[name]["target"] == target
        assert figures[name]["value"] > 0 or name == "idle_cpu_percent"
