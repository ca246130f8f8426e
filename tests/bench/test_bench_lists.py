"""`gatehouse bench lists` on a small year. Nothing here asks how fast the machine is."""

from __future__ import annotations

from gateway.app.bench.lists import lists


def test_every_list_is_measured_from_its_first_page_to_deep_ones() -> None:
    told: list[str] = []
    report = lists(400, 800, 5, told.append)
    names = [one.name for one in report.figures]
    assert len(names) == 22 and told
    assert all(one.value > 0 for one in report.figures)
    assert all((one.target is None) is one.name.endswith("CPU") for one in report.figures)
