"""Scenario files: the shipped one, and errors that say file, line, key and what to write."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from simulators.cli import load, main
from simulators.community import Community
from simulators.incidents import Timeline
from simulators.scenario import ScenarioError, find, parse

SMALL = """\
name: {en: Small, zh: 小区}
site: {id: s1, name: {en: S, zh: S}}
start: 20:30
speed: 60
cycle: 5m
buildings:
  - {id: b1, name: {en: Building 1, zh: 1号楼}, floors: 9, units: 1}
devices:
  - {model: lift, per_unit: 1}
  - {model: door, place: roof, per_building: 1}
  - {model: meter, wire: dlt645, per_building: 4, behind: 2}
incidents:
  - {id: stuck, at: "+30s", device: b1-u1-lift1, fault: entrapment, for: 60s}
"""


def build(text: str) -> Community:
    scenario, source = parse("small.yaml", text)
    community = Community(scenario, source)
    Timeline(scenario, source, community.devices)
    return community


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("speed: 60", "sped: 60", "small.yaml:4: sped: no such key; did you mean 'speed'?"),
        ("speed: 60", "speed: fast", "small.yaml:4: speed: expected `float`, got `str`"),
        ("speed: 60", "speed: 0", "small.yaml:4: speed: the speed must be greater than 0"),
        ("speed: 60", "speed: 60\nspeed: 6", "small.yaml:5: speed: given twice"),
        ("cycle: 5m", "cycle: 5 minutes", "small.yaml:5: cycle: '5 minutes' is no duration; write 500ms"),
        ("model: lift,", "model: lfit,", "small.yaml:9: devices[0].model: 'lfit' is not known; did you mean 'lift'?"),
        ("per_unit: 1", "per_unti: 1", "small.yaml:9: devices[0].per_unti: no such key; did you mean 'per_unit'?"),
        ("lift, per_unit: 1", "lift", "small.yaml:9: devices[0]: makes no device; give per_unit"),
        ("model: lift,", "model: lift, wire: dlt645,", ".wire: a lift does not speak dlt645; there is native"),
        ("model: lift,", "model: lift, buildings: [b2],", ".buildings[0]: no building 'b2'; did you mean 'b1'?"),
        ("place: roof", "place: rooof", "small.yaml:10: devices[1].place: 'rooof' is not known; did you mean 'roof'?"),
        ("b1-u1-lift1", "b1-u1-lift", "incidents[0].device: no device 'b1-u1-lift'; did you mean 'b1-u1-lift1'?"),
        ("entrapment", "entrapmint", "cannot suffer 'entrapmint'; did you mean 'entrapment'?"),
        ("for: 60s", "for: -1", "small.yaml:13: incidents[0].for: -1 is not a positive duration"),
        ('"+30s"', '"25:00"', "small.yaml:13: incidents[0].at: '25:00' is no time of day; write \"HH:MM\""),
        ("id: s1", "id: s 1", "small.yaml:2: site.id: 's 1' is no id"),
        ("zh: S}}", "zh: S}, timezone: Mars/Base}", "small.yaml:2: site.timezone: no time zone 'Mars/Base'"),
        ("  - {model: door", "  - {model: lift, per_unit: 1}\n  - {model: door", "a second time"),
        ("name: {en", "name: {{en", "small.yaml:2: not YAML: expected"),
    ],
)
def test_wrong_scenario_says_line_key_and_what_to_write(before: str, after: str, message: str) -> None:
    assert before in SMALL
    with pytest.raises(ScenarioError, match=re.escape(message)):
        build(SMALL.replace(before, after, 1))


def test_right_scenario_makes_its_devices_and_connections() -> None:
    community = build(SMALL)
    assert set(community.devices) == {
        "b1-u1-lift1", "b1-door-roof", "b1-dtu1", "b1-dtu2", "b1-elec-01", "b1-elec-02", "b1-elec-03", "b1-elec-04",
    }  # fmt: skip
    assert [device.id for device in community.links["b1-dtu2"]] == ["b1-dtu2", "b1-elec-03", "b1-elec-04"]


def test_demo_is_the_community_of_the_readme() -> None:
    community = load("demo").community
    kinds = Counter(device.identity.type for device in community.devices.values())
    assert {kind: kinds[kind] for kind in ("elevator", "door", "barrier", "meter")} == {
        "elevator": 12, "door": 40, "barrier": 6, "meter": 600,
    }  # fmt: skip
    assert len(community.scenario.buildings) == 6 and len(community.scenario.incidents) == 5
    assert len(community.links) < 200, "meters share the connections of their units"
    assert len({device.identity.external_id for device in community.devices.values()}) == len(community.devices)


def test_registrations_have_parents_first_safe_ids_and_names_in_both_languages() -> None:
    community = load("demo").community
    seen: set[object] = set()
    for item in community.registrations():
        assert item["parent"] is None or item["parent"] in seen
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(item["id"]))
        name = item["name"]
        assert isinstance(name, dict) and set(name) == {"en", "zh"} and all(name.values())
        seen.add(item["id"])
    by_id = {item["id"]: item for item in community.registrations()}
    assert by_id["b3-u1-lift1"]["name"] == {"en": "Building 3, Unit 1, Lift 1", "zh": "3号楼 1单元 1号电梯"}
    assert by_id["b3-u1-lift1"]["places"] == {
        "b3": {"en": "Building 3", "zh": "3号楼"},
        "b3-u1": {"en": "Building 3, Unit 1", "zh": "3号楼 1单元"},
    }
    assert re.fullmatch(r"\d{12}", str(by_id["b1-elec-17"]["external_id"]))


def test_passes_hold_every_plate_that_the_simulated_cars_carry() -> None:
    community = load("demo").community
    passes = community.passes()
    assert {item["value"] for item in passes if item["kind"] == "plate"} == set(community.plates)
    assert len({item["id"] for item in passes}) == len(passes)


def test_zones_of_all_devices_are_in_the_site() -> None:
    community = load("demo").community
    zones = community.place()["zones"]
    assert isinstance(zones, list)
    known = {zone["id"] for zone in zones} | {None}
    assert {device.identity.zone for device in community.devices.values()} <= known
    assert {device.identity.building for device in community.devices.values()} <= known


def test_command_lists_devices_and_refuses_wrong_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["check", "demo"]) == 0
    assert '"connections": 118' in capsys.readouterr().out
    for what in ("devices", "passes", "site", "faults"):
        assert main([what, "demo"]) == 0
    capsys.readouterr()
    assert main(["devices", "nowhere.yaml"]) == 2
    assert "nowhere.yaml:1: no such file; shipped scenarios are: demo" in capsys.readouterr().err
    assert main(["demo", "--chaos", "nonsense=1"]) == 2
    assert main(["demo", "--speed", "0"]) == 2
    credentials = tmp_path / "c.json"
    credentials.write_text('{"b1-dtu1": {"username": "u"}}')
    assert main(["demo", "--credentials", str(credentials)]) == 2
    assert "lacks 'password'" in capsys.readouterr().err


def test_shipped_scenario_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL, encoding="utf-8")
    assert find(str(path)) == (str(path), SMALL)
    assert find("demo")[0] == "demo.yaml"
