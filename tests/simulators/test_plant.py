"""Each fault that plant can suffer raises the shipped rule about it, through decode and engine; health raises none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from adapters import load_adapters
from adapters.trial import TrialContext
from gateway.catalogue import load_catalogue
from gateway.model.event import Event
from gateway.model.judgement import Cleared, Raised, RuleChange
from gateway.model.place import Device
from rules import Engine, load_packs, shipped_packs
from simulators.cli import load
from simulators.plant import SYSTEMS
from simulators.plant.device import PlantDevice
from simulators.scenario import ScenarioError, parse
from simulators.simulation import Simulation
from simulators.wire import Identity, Now
from tests.simulators.helpers import START, body, command, events
from tests.simulators.test_detection import Watch

CATALOGUE = load_catalogue()
RULES = load_packs(shipped_packs())
ADAPTER = load_adapters()["cloudevents"]
ZONE = "Asia/Shanghai"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=ZoneInfo(ZONE)).timestamp()
NIGHT = datetime(2026, 3, 2, 22, 0, tzinfo=ZoneInfo(ZONE)).timestamp()
EVERY_S = 30.0
MINUTE, HOUR = 60.0, 3600.0

SEEN: list[tuple[str, str, str, float]] = [
    ("pump", "fault", "water.pump-fault", 2 * MINUTE),
    ("pump", "burst", "water.pressure-low", 5 * MINUTE),
    ("pump", "mains_lost", "water.mains-lost", 9 * MINUTE),
    ("pump", "hot", "water.pump-hot", HOUR),
    ("pump", "worn", "water.pump-vibrates", HOUR),
    ("tank", "inlet_closed", "water.tank-low", 24 * HOUR),
    ("tank", "float_stuck", "water.tank-overflow", HOUR),
    ("tank", "lid", "water.lid-open", MINUTE),
    ("water_quality", "turbid", "water.turbid", 20 * MINUTE),
    ("water_quality", "no_chlorine", "water.chlorine", 90 * MINUTE),
    ("water_quality", "alkaline", "water.ph", HOUR),
    ("sump", "pump_failed", "flood.sump-pump-failed", HOUR),
    ("sump", "inflow", "flood.basement", HOUR),
    ("sump", "lid", "flood.lid-moved", 2 * MINUTE),
    ("leak_detector", "leak", "flood.leak", MINUTE),
    ("leak_detector", "cable", "flood.cable-fault", 3 * MINUTE),
    ("switchgear", "outage", "power.outage", MINUTE),
    ("switchgear", "phase_lost", "power.phase-lost", 2 * MINUTE),
    ("switchgear", "tripped", "power.breaker-tripped", MINUTE),
    ("switchgear", "earth_fault", "power.earth-fault", 6 * MINUTE),
    ("switchgear", "hot_cable", "power.cable-hot", HOUR),
    ("transformer", "fan", "power.transformer-hot", 3 * HOUR),
    ("transformer", "overload", "power.overload", 10 * MINUTE),
    ("ups", "on_battery", "power.ups-on-battery", 2 * MINUTE),
    ("ups", "on_battery", "power.ups-battery-low", HOUR),
    ("generator", "no_start", "power.generator-no-start", 2 * MINUTE),
    ("generator", "fuel", "power.generator-fault", 3 * MINUTE),
    ("boiler", "flame_out", "heating.boiler-fault", 3 * MINUTE),
    ("boiler", "flame_out", "heating.supply-cold", 2 * HOUR),
    ("boiler", "pressure", "heating.pressure-lost", HOUR),
    ("boiler", "pump", "heating.pump-stopped", 5 * MINUTE),
    ("boiler", "frost", "heating.frost-risk", 2 * HOUR),
    ("outdoor_lighting", "stays_off", "lighting.dark-at-night", 15 * MINUTE),
    ("outdoor_lighting", "stays_on", "lighting.lit-by-day", 40 * MINUTE),
    ("outdoor_lighting", "cable", "lighting.on-without-power", 15 * MINUTE),
    ("outdoor_lighting", "tripped", "lighting.circuit-fault", 3 * MINUTE),
    ("outdoor_lighting", "lamps", "lighting.lamps-failed", 40 * MINUTE),
    ("charger", "overheating", "charging.overheating", 20 * MINUTE),
    ("charger", "smoke", "charging.ebike-smoke", MINUTE),
    ("charger", "fault", "charging.fault", 4 * MINUTE),
    ("charger", "emergency_stop", "charging.emergency-stop", MINUTE),
    ("fire_panel", "fire", "fire.alarm", MINUTE),
    ("fire_panel", "fire", "fire.two-points", 2 * MINUTE),
    ("fire_panel", "loop", "fire.fault", MINUTE),
    ("fire_panel", "valve", "fire.supervisory", 2 * MINUTE),
    ("fire_panel", "manual", "fire.not-automatic", 40 * MINUTE),
    ("fire_panel", "mains", "fire.panel-on-battery", 9 * MINUTE),
    ("fire_panel", "silent", "fire.panel-silent", 5 * MINUTE),
    ("fire_pump", "no_start", "fire.pump-failed", MINUTE),
    ("fire_pump", "pressure", "fire.pressure-low", 20 * MINUTE),
    ("fire_pump", "tank", "fire.tank-low", 4 * HOUR),
    ("fire_pump", "fault", "fire.pump-not-ready", 2 * MINUTE),
    ("video_camera", "lost", "video.camera-lost", 3 * MINUTE),
    ("video_camera", "covered", "video.camera-covered", 2 * MINUTE),
    ("video_camera", "disk", "video.recorder-disk", 5 * MINUTE),
    ("video_camera", "not_recording", "video.not-recording", 9 * MINUTE),
    ("video_camera", "intrusion", "video.intrusion", MINUTE),
    ("video_camera", "loitering", "video.loitering", 9 * MINUTE),
    ("video_camera", "smoke", "video.smoke-or-flame", MINUTE),
    ("video_camera", "person_fallen", "video.person-in-danger", MINUTE),
    ("video_camera", "falling_object", "video.falling-object", MINUTE),
    ("video_camera", "ebike", "video.ebike-in-lift", MINUTE),
    ("patrol_point", "missed", "patrol.point-missed", 5 * MINUTE),
    ("patrol_point", "finding", "patrol.finding", 2 * MINUTE),
    ("patrol_reader", "out_of_order", "patrol.out-of-order", 3 * MINUTE),
    ("patrol_reader", "late", "patrol.late", 3 * MINUTE),
    ("patrol_reader", "round_overdue", "patrol.round-overdue", MINUTE),
    ("bin", "fire", "waste.bin-on-fire", 20 * MINUTE),
    ("bin", "full", "waste.bin-full", 5 * MINUTE),
    ("bin", "tipped", "waste.bin-tipped", 20 * MINUTE),
    ("gas_detector", "leak", "environment.gas-leak", 20 * MINUTE),
    ("gas_detector", "trace", "environment.gas-trace", 20 * MINUTE),
    ("gas_detector", "fault", "environment.gas-detector-fault", 9 * MINUTE),
    ("weather_station", "cloudburst", "flood.cloudburst", 20 * MINUTE),
    ("weather_station", "gale", "environment.gale", 5 * MINUTE),
    ("weather_station", "dust", "environment.dust", HOUR),
    ("irrigation", "leak", "irrigation.leak", 20 * MINUTE),
    ("irrigation", "no_water", "irrigation.no-water", 20 * MINUTE),
]
"""System, fault, the rule that has to find it, and by when."""
UNJUDGED = {("generator", "outage"), ("irrigation", "runs")}
"""What is no trouble by itself: a generator that starts, and water where it does not rain."""


class Stage:
    """One device, its messages decoded and judged, on a clock at the speed of life."""

    def __init__(self, system: str, start: float) -> None:
        self.identity = Identity(
            id="p1", site="s1", adapter="cloudevents", type=system, external_id="p1", name={"en": "x", "zh": "x"},
            zone="z1", building="b1", report_interval=EVERY_S,
        )  # fmt: skip
        self.device: PlantDevice = SYSTEMS[system](self.identity, 1, EVERY_S)
        registered = Device(
            id="p1", site="s1", adapter="cloudevents", external_id="p1", type=system, zone="z1", building="b1",
            report_interval=EVERY_S,
        )  # fmt: skip
        self.engine = Engine(RULES, CATALOGUE, {"p1": registered}, {"s1": ZONE})
        self.start = start
        self.seq = 0

    def now(self, second: float) -> Now:
        """Simulated time is local time."""
        wall = self.start + second
        local = datetime.fromtimestamp(wall, ZoneInfo(ZONE))
        midnight = local.replace(hour=0, minute=0, second=0).timestamp()
        return Now(wall, wall - midnight + (local.date() - datetime(2026, 3, 2).date()).days * 86_400.0)

    def run(self, start: float, seconds: float) -> Iterator[RuleChange]:
        """Lets time pass second by second."""
        for step in range(int(seconds)):
            second = start + step
            now = self.now(second)
            for message in self.device.step(now):
                decoded = ADAPTER.decode(message.topic, message.payload, TrialContext(settings={}))
                for reading in decoded.events:
                    assert CATALOGUE.misfit(reading.kind, reading.data) is None
                    assert not CATALOGUE.unknown_fields(reading.kind, reading.data)
                    self.seq += 1
                    yield from self.engine.process(
                        Event("p1", reading.kind, now.wall, now.wall, second, reading.data, site="s1", seq=self.seq)
                    )
            yield from self.engine.advance(second)


def raised(changes: Iterator[RuleChange]) -> Iterator[str]:
    return (change.rule for change in changes if isinstance(change, Raised) and not change.again)


@pytest.mark.parametrize(("system", "fault", "rule", "within"), SEEN, ids=[f"{s}: {f}: {r}" for s, f, r, _ in SEEN])
def test_a_fault_is_found_by_its_rule(system: str, fault: str, rule: str, within: float) -> None:
    stage = Stage(system, NIGHT if fault in ("stays_off", "cable") else NOON)
    assert list(raised(stage.run(0, 90))) == [], "it is well before"
    stage.device.begin(fault, stage.now(90))
    assert rule in raised(stage.run(90, within))


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("start", [NOON, NIGHT], ids=["noon", "night"])
def test_plant_that_is_well_raises_nothing_for_an_hour(system: str, start: float) -> None:
    assert list(raised(Stage(system, start).run(0, HOUR))) == []


@pytest.mark.parametrize(("system", "fault"), sorted(UNJUDGED))
def test_what_is_no_trouble_raises_nothing(system: str, fault: str) -> None:
    stage = Stage(system, NOON)
    stage.device.begin(fault, stage.now(0))
    assert list(raised(stage.run(0, 20 * MINUTE))) == []


def test_every_fault_of_every_system_is_held_against_a_rule() -> None:
    faults = {(name, fault) for name, system in SYSTEMS.items() for fault in system.faults}
    tested = {(system, fault) for system, fault, _, _ in SEEN if fault != "silent"} | UNJUDGED
    assert faults == tested


def test_the_scenario_has_every_system_and_its_incidents_are_found() -> None:
    found_by = {(system, fault): rule for system, fault, rule, _ in reversed(SEEN)}
    simulation: Simulation = load("plant")
    types = {device.identity.type for device in simulation.community.devices.values()}
    assert types == set(SYSTEMS)
    simulation.start(START)
    watch = Watch(simulation)
    for link in simulation.community.links:
        for message in simulation.link_up(link, START):
            watch.take(message, START)
    watch.run(0, 540)
    incidents = [one for one in simulation.timeline.occurrences if one.began is not None]
    assert len(incidents) == len(simulation.community.scenario.incidents)
    rules = {rule for rule, _, _ in watch.raised}
    for one in incidents:
        system = simulation.community.devices[one.device].identity.type
        assert found_by[system, one.fault] in rules, (one.incident, sorted(rules))


@pytest.mark.parametrize(
    ("group", "complaint"),
    [
        ("{model: plant, items: [{id: x, name: {en: X, zh: X}}]}", "plant has a system"),
        ("{model: plant, system: pumps, items: [{id: x, name: {en: X, zh: X}}]}", "did you mean 'pump'"),
        ("{model: plant, system: pump, per_building: 2}", "give items"),
        ("{model: door, system: pump, per_building: 2}", "a door has no system"),
        ("{model: plant, wire: tasmota, system: pump, items: []}", "does not speak tasmota"),
    ],
)
def test_a_group_of_plant_that_makes_no_sense_is_refused_with_its_line(group: str, complaint: str) -> None:
    text = f"name: {{en: X, zh: X}}\nsite: {{id: s, name: {{en: X, zh: X}}}}\ndevices:\n  - {group}\n"
    with pytest.raises(ScenarioError, match=r"x\.yaml:4.*" + complaint):
        parse("x.yaml", text)


@pytest.mark.parametrize(
    ("system", "word", "kind", "shows"),
    [
        ("pump", "stop", "water.pump", {"state": "stopped"}),
        ("outdoor_lighting", "on", "lighting.status", {"lit": True}),
        ("irrigation", "start", "irrigation.status", {"running": True}),
        ("charger", "stop", "charging.status", {"state": "unavailable"}),
    ],
)
def test_plant_obeys_and_shows_it(system: str, word: str, kind: str, shows: dict[str, object]) -> None:
    stage = Stage(system, NOON)
    list(stage.run(0, 5))
    topic = f"gatehouse/v1/{stage.identity.site}/{stage.identity.id}/commands"
    (answer,) = stage.device.command(topic, command(word), stage.now(5))
    assert body(answer)["status"] == "done"
    told = [data for message in stage.device.step(stage.now(5)) for data in events([message], kind)]
    assert told and shows.items() <= told[-1].items()


def test_an_overheating_plug_cools_down_once_it_is_stopped() -> None:
    stage = Stage("charger", NOON)
    stage.device.begin("overheating", stage.now(0))
    assert "charging.overheating" in raised(stage.run(0, 20 * MINUTE))
    stage.device.command("", command("stop"), stage.now(20 * MINUTE))
    cleared = [one.rule for one in stage.run(20 * MINUTE, 20 * MINUTE) if isinstance(one, Cleared)]
    assert "charging.overheating" in cleared


def test_a_word_that_plant_does_not_have_is_rejected_with_those_it_has() -> None:
    stage = Stage("pump", NOON)
    (answer,) = stage.device.command("", command("dim"), stage.now(0))
    assert body(answer)["status"] == "rejected" and "start, stop" in body(answer)["detail"]
