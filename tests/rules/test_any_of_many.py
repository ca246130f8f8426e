"""One function for many predicates says what they would say one by one."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.catalogue import load_catalogue
from rules.expressions import Fields, Predicate, check, compile_any, compile_truth
from rules.past import NO_PAST

CATALOGUE = load_catalogue()
TEXTS = (
    "voltage_v > 260",
    "voltage_v < 180 or power_w > 9000",
    "detail == \"get('voltage_v')\" and voltage_v > 1",
    "not (power_w < 100) and abs(voltage_v - 230) > 40",
    "10 / current_a > 100 and power_w > 1",
    "utility in ('water', 'gas') and valve == 'open'",
)


def predicate(text: str) -> Predicate:
    truth, _, complaints = check(text, Fields(CATALOGUE, ("meter.reading", "meter.event")))
    assert truth is not None, f"{text}: {complaints}"
    return compile_truth(truth, text)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"voltage_v": 230.0, "power_w": 400, "current_a": 1.7, "utility": "electricity"},
        {"voltage_v": 261.0},
        {"voltage_v": 100.0},
        {"power_w": 9001},
        {"voltage_v": 300.0, "power_w": 50},
        {"voltage_v": 271.0, "power_w": 150},
        {"current_a": 0, "power_w": 5},
        {"current_a": 0.01, "power_w": 5},
        {"utility": "water", "valve": "open"},
        {"detail": "get('voltage_v')", "voltage_v": 2},
    ],
)
def test_any_of_many_holds_exactly_where_one_of_them_does(data: dict[str, Any]) -> None:
    predicates = [predicate(text) for text in TEXTS]
    one_by_one = any(each.holds(data.get, NO_PAST) for each in predicates)
    assert bool(compile_any(predicates)(data.get, NO_PAST)) is one_by_one, f"{data}"


def test_any_of_none_never_holds() -> None:
    assert compile_any([])({"voltage_v": 1}.get, NO_PAST) is False


def test_a_field_that_many_read_is_asked_for_once() -> None:
    asked: list[str] = []

    def get(field: str) -> Any:
        asked.append(field)
        return 230.0

    compile_any([predicate(f"voltage_v > {limit}") for limit in range(250, 300)])(get, NO_PAST)
    assert asked == ["voltage_v"]
