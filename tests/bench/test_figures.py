"""Figures and packs of the bench, without running anything."""

from __future__ import annotations

import pytest

from gateway.app.bench.brokers import MOSQUITTO_SETTINGS
from gateway.app.bench.machine import describe
from gateway.app.bench.report import Report, figure, quantile, table
from gateway.app.bench.rules_pack import ALARM_RULE, pack
from gateway.catalogue import load_catalogue
from gateway.model import Device, Event, Raised
from rules import load_packs
from rules.engine import Engine
from tests.support.brokers import MOSQUITTO_CONF

METER = Device(id="bench-00001", site="bench", adapter="cloudevents", external_id="bench-00001", type="meter")


def reading(at: float, voltage: float) -> Event:
    data = {"utility": "electricity", "energy_kwh": 1001.0, "power_w": 412.5, "voltage_v": voltage, "current_a": 1.793}
    return Event(METER.id, "meter.reading", at, at, at, data, site=METER.site)


def test_a_pack_raises_its_alarm_for_the_alarming_message_and_nothing_else() -> None:
    engine = Engine(load_packs(pack(100, 200)), load_catalogue(), {METER.id: METER})
    told = []
    for second, voltage in enumerate((230.5, 300.5, 230.5, 230.5, 300.5)):
        told += [(second, type(change).__name__, change.rule) for change in engine.process(reading(second, voltage))]
    assert told == [(1, "Raised", ALARM_RULE), (2, "Cleared", ALARM_RULE), (4, "Raised", ALARM_RULE)]


def test_a_pack_has_as_many_rules_as_were_asked_for() -> None:
    rules = load_packs(pack(10, 4990))
    assert len(rules) == 5000
    assert not any(
        isinstance(change, Raised) for change in Engine(rules, load_catalogue(), {}).process(reading(0, 230))
    )


def test_a_figure_is_the_median_and_knows_whether_its_target_is_met() -> None:
    slow = figure("durable_messages_per_s", [9_000.4, 12_500, 11_000], "/s", 12_000, wanted="at least")
    cheap = figure("cpu_us_per_message", [49.96, 31.0, 60.0], "us", 50)
    told = figure("load_messages_per_s", [20_000.0], "/s")
    assert (slow.value, slow.met) == (11_000.0, False)
    assert (cheap.value, cheap.met) == (49.96, True)
    assert (told.target, told.met) == (None, None)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.9, 9), (0.99, 10), (1.0, 10)])
def test_a_quantile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert quantile([10, 1, 9, 2, 8, 3, 7, 4, 6, 5], share) == expected


def test_the_table_names_machine_target_and_problem() -> None:
    from pathlib import Path

    report = Report(
        machine=describe(Path()),
        figures=[figure("cpu_us_per_message", [80.0], "us", 50)],
        problems=["3 of 100 alarms were not told"],
    )
    text = "\n".join(table(report))
    for words in (report.machine.cpu, "cpu_us_per_message", "target 50", "NOT met", "3 of 100 alarms"):
        assert words in text, f"{words!r} is missing in:\n{text}"


def test_mosquitto_is_measured_with_the_settings_that_ship_but_for_the_choice_the_report_names() -> None:
    def settings(text: str) -> dict[str, str]:
        lines = (line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#"))
        return {words[0]: words[1] for words in lines if words[0] != "log_type"}

    shipped, measured = settings(MOSQUITTO_CONF.read_text()), settings(MOSQUITTO_SETTINGS)
    differing = {name for name, value in measured.items() if shipped.get(name) != value}
    assert differing == {"autosave_on_changes", "autosave_interval"}
