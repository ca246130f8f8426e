"""The first minute of a new home: what is typed while the gateway starts, and a second gateway on the same home."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.brokers import wait_until
from tests.support.gateway import RealGateway, cloud_event

pytestmark = pytest.mark.slow


def test_a_device_added_while_the_gateway_starts_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """The first lines of the README, typed in one go. No device is let in before the core's subscription stands."""
    gateway = RealGateway(tmp_path / "home")
    try:
        gateway.start(ready=False)
        words = ["device", "add", *gateway.options, "--site", "s1", "--id", "door-1", "--type", "door"]
        added = subprocess.run(
            [sys.executable, "-m", "gateway.cli", *words], capture_output=True, text=True, check=False
        )
        assert added.returncode == 0, added.stderr
        with gateway.client(json.loads(added.stdout)) as door:
            door.publish("gatehouse/v1/s1/door-1/events", cloud_event("door-1", "access.door", 1, {"state": "closed"}))
        wait_until(gateway.ready, what="ready")
        gateway.wait_for("/ledger", lambda ledger: ledger == {"received": 1, "fates": {"accepted": 1}})
    finally:
        gateway.stop()


def test_fault_036_a_second_gateway_on_one_home_is_refused_at_once_and_harms_nothing(tmp_path: Path) -> None:
    with RealGateway(tmp_path / "home") as gateway:
        before = gateway.pids()
        words = [sys.executable, "-m", "gateway.cli", "run", "--home", str(gateway.home.path), "--api-port", "18997"]
        second = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert second.returncode == 1
        assert f"(process {before['run']}) works on {gateway.home.path}: stop it first" in second.stderr
        assert len(second.stderr.strip().splitlines()) == 1, second.stderr
        assert gateway.pids() == before
        assert gateway.ready()
