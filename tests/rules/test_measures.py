"""`aggregate` and `baseline`: figures over several events."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Raised
from tests.rules.support import Play

HOUR, DAY, WEEK = 3600, 86_400, 604_800


def values_of(play: Play) -> dict[str, object]:
    (last,) = (change for change in play.changes[-1:] if isinstance(change, Raised))
    return last.values


@pytest.mark.parametrize(
    ("function", "bound", "told", "figure"),
    [
        ("avg", "above: 4.6", [4, 5, 6], 5.0),
        ("max", "at_least: 6", [1, 2, 6], 6.0),
        ("min", "at_most: 1", [4, 3, 1], 1.0),
        ("sum", "above: 9", [3, 3, 4], 10.0),
        ("delta", "at_least: 5", [10, 12, 15], 5.0),
        ("rate", "at_least: 1800", [0, 4, 10], 1800.0),
        ("spread", "above: 6", [4, 1, 8], 7.0),
        ("delta", "below: -2", [9, 8, 5], -4.0),
    ],
)
def test_each_figure_comes_with_the_sample_that_makes_it_true(
    function: str, bound: str, told: list[float], figure: float
) -> None:
    play = Play(f"on: t.report\naggregate: {{field: x, function: {function}, over: 1m, {bound}}}")
    came = [play.say(10 * index, "t.report", x=value) for index, value in enumerate(told)]
    assert came == [[], [], ["raised r1 d@20"]]
    assert values_of(play)["aggregate"] == figure
    assert values_of(play)["samples"] == 3


def test_a_sample_counts_until_just_before_the_window_has_passed_it() -> None:
    play = Play("on: t.report\naggregate: {field: x, function: max, over: 20s, above: 5}")
    play.say(0, "t.report", x=9)
    assert play.say(19, "t.report", x=1) == []
    assert play.say(20, "t.report", x=1) == ["cleared r1 d@20"]


def test_an_event_that_is_no_sample_says_nothing_of_the_figure() -> None:
    play = Play("on: t.report\nwhen: word == 'up'\naggregate: {field: x, function: max, over: 20s, above: 5}")
    assert play.say(0, "t.report", x=9, word="down") == []
    assert play.say(1, "t.report", x=9, word="up") == ["raised r1 d@1"]
    assert play.say(2, "t.report", x=0, word="down") == []
    assert play.say(3, "t.report", word="up") == []
    assert play.say(4, "t.report", y=9) == []


def test_a_sum_is_zero_when_nothing_is_left_of_it_and_a_mean_is_unknown() -> None:
    play = Play(
        "on: t.happening\naggregate: {field: x, function: sum, over: 10s, above: 5}",
        "on: t.happening\naggregate: {field: x, function: avg, over: 10s, above: 5, samples: 2}",
    )
    assert play.say(0, "t.happening", x=6) == ["raised r1 d@0"]
    assert play.say(1, "t.happening", x=6) == ["raised r2 d@1"]
    assert play.restart() == []
    assert play.wait(500) == ["cleared r1 d@11"]


def test_a_figure_can_be_held() -> None:
    play = Play(
        "on: t.report\naggregate: {field: x, function: avg, over: 30s, above: 5, samples: 2}\nfor: 20s",
        devices=None,
    )
    for at in range(0, 50, 10):
        play.say(at, "t.report", x=8)
    assert [str(change.at) for change in play.changes] == ["30.0"]


def test_outside_the_schedule_nothing_is_sampled() -> None:
    play = Play("on: t.report\naggregate: {field: x, function: sum, over: 2h, above: 10}\nduring: {hours: 09:00-10:00}")
    play.say(HOUR - 10, "t.report", x=9)
    assert play.say(HOUR, "t.report", x=9) == []
    assert play.say(HOUR + 1, "t.report", x=9) == ["raised r1 d@3601"]
    assert play.wait(2 * HOUR) == ["outside_schedule r1 d@7200"]


def test_a_window_holds_the_newest_thousand_samples() -> None:
    play = Play("on: t.report\naggregate: {field: x, function: sum, over: 1h, above: 999.5}")
    told: list[str] = []
    for second in range(1200):
        told += play.say(second, "t.report", x=1)
    assert told == ["raised r1 d@999"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(-5, 9)), max_size=60))
def test_the_figures_are_what_they_are_called(script: list[tuple[int, int]]) -> None:
    functions = ("avg", "min", "max", "sum", "delta", "rate", "spread")
    play = Play(*(f"on: t.report\naggregate: {{field: x, function: {one}, over: 10s, above: 3}}" for one in functions))
    at, told = 0, list[tuple[int, int]]()
    standing = dict.fromkeys(functions, False)
    for wait, value in script:
        at += wait
        if told and at >= told[-1][0] + 10:
            standing["sum"] = False
        told.append((at, value))
        play.say(at, "t.report", x=value)
        window = [one for one in told if one[0] > at - 10]
        values = [one[1] for one in window]
        seconds = window[-1][0] - window[0][0]
        delta = values[-1] - values[0]
        figures: dict[str, float] = {"min": min(values), "max": max(values), "sum": sum(values)}
        if len(values) > 1:
            figures |= {"avg": sum(values) / len(values), "delta": delta, "spread": max(values) - min(values)}
            if seconds:
                figures["rate"] = delta * 3600 / seconds
        standing |= {name: figure > 3 for name, figure in figures.items()}
        tracks = {rule.rule.id: rule.tracks.get("d") for rule in play.engine._compiled.values()}
        active = {one: bool(track and track.active) for one, track in zip(functions, tracks.values(), strict=True)}
        assert active == standing, (told, figures)


BASELINE = "on: t.report\nbaseline: {field: x, period: 4w, learn: 3, deviation: 3, at_least: 2}"


def a_week(play: Play, week: int, usual: float = 10.0) -> list[str]:
    told: list[str] = []
    for hour in range(168):
        told += play.say(week * WEEK + hour * HOUR, "t.report", x=usual + hour % 24)
    return told


def test_a_baseline_never_fires_before_it_has_learned_enough_weeks_of_that_hour() -> None:
    play = Play(BASELINE)
    for week in range(3):
        assert a_week(play, week) == []
        if week < 2:
            assert play.say(week * WEEK + 167.5 * HOUR, "t.report", x=10_000) == []
    assert play.say(3 * WEEK + 12 * HOUR, "t.report", x=500) == ["raised r1 d@1857600"]
    values = values_of(play)
    assert (values["expected"], values["learned"], values["value"]) == (22.0, 3, 500)


def test_a_baseline_knows_each_hour_of_the_week() -> None:
    play = Play(BASELINE + "\nclear_after: 1h")
    for week in range(3):
        for hour in range(168):
            play.say(week * WEEK + hour * HOUR, "t.report", x=100 if hour == 40 else 1)
    assert play.say(3 * WEEK + 40 * HOUR, "t.report", x=100) == []
    assert play.say(3 * WEEK + 41 * HOUR, "t.report", x=100) == ["raised r1 d@1962000"]


@pytest.mark.parametrize(("direction", "told"), [("above", [9]), ("below", [0]), ("either", [9, 0])])
def test_a_direction_is_looked_at_alone(direction: str, told: list[int]) -> None:
    text = f"on: t.report\nbaseline: {{field: x, period: 2w, learn: 2, direction: {direction}, at_least: 3}}"
    play = Play(text)
    for week in range(2):
        for hour in range(168):
            play.say(week * WEEK + hour * HOUR, "t.report", x=5)
    came = []
    for index, value in enumerate((9, 5, 0, 5)):
        if any("raised" in one for one in play.say(2 * WEEK + 60 * index, "t.report", x=value)):
            came.append(value)
    assert came == told


def test_one_strange_week_does_not_become_usual() -> None:
    means = [10.0, 10.4, 500.0, 9.8]
    play = Play(BASELINE)
    for week, mean in enumerate(means):
        play.say(week * WEEK, "t.report", x=mean)
        play.say(week * WEEK + HOUR, "t.report", x=1)
    play.say(4 * WEEK - HOUR, "t.report", x=1)
    assert play.say(4 * WEEK, "t.report", x=14) == ["raised r1 d@2419200"]
    assert values_of(play)["expected"] == round(median(means), 3)
    assert play.restart() == []


def test_a_baseline_goes_on_learning_outside_its_schedule() -> None:
    play = Play(BASELINE + "\nduring: {hours: 09:00-10:00}")
    for week in range(3):
        assert a_week(play, week, usual=0) == []
    assert play.say(3 * WEEK + 12 * HOUR, "t.report", x=900) == []
    assert play.say(3 * WEEK + 25 * HOUR, "t.report", x=900) == ["raised r1 d@1904400"]
