"""`gatehouse bench passes` with few passes. Nothing here asks how fast the machine is."""

from __future__ import annotations

import pytest

from gateway.app.bench.passes import TARGET_MS, Options, passes


@pytest.mark.slow
def test_decisions_are_measured_from_the_message_to_the_command() -> None:
    told: list[str] = []
    report = passes(Options(passes=60, asks=24, visitors=4), told.append)
    assert told and len(report.figures) == 9
    assert all(one.value > 0 for one in report.figures)
    assert {one.target for one in report.figures if one.name.endswith(", p99")} == {TARGET_MS}
