"""The catalogue of kinds: complete for every system of a compound, of one form, with words for the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.catalogue import load_catalogue
from gateway.model.catalogue import Field, Kind

CATALOGUE = load_catalogue()
KINDS = list(CATALOGUE.kinds.values())
FIELDS = [(kind, name, field) for kind in KINDS for name, field in kind.fields.items()]
LOCALES = Path(__file__).resolve().parents[2] / "dashboards/control_room/static/locales"

CORE = {
    "access": ["granted", "denied", "door", "tamper", "duress"],
    "parking": ["vehicle", "barrier", "bay", "occupancy"],
    "elevator": ["status", "fault", "call"],
    "meter": ["reading", "event"],
    "fire": ["alarm", "fault", "supervisory", "status"],
    "water": ["pump", "tank", "quality"],
    "flood": ["level", "leak"],
    "power": ["status"],
    "heating": ["status"],
    "lighting": ["status"],
    "video": ["event", "health"],
    "patrol": ["checkin"],
    "environment": ["reading", "gas"],
    "waste": ["bin"],
    "irrigation": ["status"],
    "charging": ["status"],
    "device": ["availability", "battery", "fault"],
}

UNITS = {
    "_v": "V", "_a": "A", "_ma": "mA", "_w": "W", "_va": "VA", "_var": "var", "_kwh": "kWh", "_m3": "m3",
    "_lpm": "L/min", "_kpa": "kPa", "_pa": "Pa", "_c": "Cel", "_pct": "%", "_mps": "m/s", "_mmps": "mm/s",
    "_s": "s", "_min": "min", "_d": "d", "_m": "m", "_mm": "mm", "_mmh": "mm/h", "_kg": "kg",
    "_hz": "Hz", "_lx": "lx", "_db": "dB", "_ntu": "{NTU}", "_mgl": "mg/L", "_uscm": "uS/cm", "_ugm3": "ug/m3",
    "_ppm": "[ppm]", "_kbps": "kbit/s", "_hours": "h", "ph": "[pH]",
}  # fmt: skip
"""Ending of a field's name, and the unit (UCUM) it stands for."""


@pytest.mark.parametrize("kind", [f"{domain}.{name}" for domain, names in CORE.items() for name in names])
def test_what_every_system_of_a_compound_says_is_in_the_catalogue(kind: str) -> None:
    assert CATALOGUE.get(kind) is not None


@pytest.mark.parametrize(("kind", "name", "field"), FIELDS, ids=[f"{kind.name}.{name}" for kind, name, _ in FIELDS])
def test_a_field_carries_its_unit_in_its_name_and_its_range_makes_sense(kind: Kind, name: str, field: Field) -> None:
    if field.unit:
        ending = "ph" if name == "ph" else "_" + name.rpartition("_")[2]
        assert UNITS[ending] == field.unit
        assert field.type in ("number", "integer")
    if field.minimum is not None and field.maximum is not None:
        assert field.minimum < field.maximum
    assert bool(field.values) == (field.type == "enum") and len(set(field.values)) == len(field.values)
    if field.history:
        assert field.type in ("number", "integer"), "only numbers are charted"
    assert field.title.keys() == {"en", "zh"} and all(field.title.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_is_named_in_both_languages_and_only_readings_come_at_intervals(kind: Kind) -> None:
    assert kind.title.keys() == {"en", "zh"} and all(kind.title.values())
    assert not kind.interval or kind.record == "reading"
    assert kind.state or kind.record == "event", "a reading tells of a state"


def test_a_name_is_personal_in_every_kind_or_in_none() -> None:
    """Texts are masked by the name alone."""
    personal = {name for _, name, field in FIELDS if field.personal}
    assert [f"{kind.name}.{name}" for kind, name, field in FIELDS if name in personal and not field.personal] == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_page_has_a_word_for_every_value_of_an_enumeration(language: str) -> None:
    texts = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))
    missing = {value for _, _, field in FIELDS for value in field.values if f"value.{value}" not in texts}
    assert missing == set()
