"""The whole simulation, without a broker."""

from __future__ import annotations

import json
from collections import Counter

from simulators.chaos import ChaosOptions
from simulators.cli import load
from simulators.incidents import Occurrence
from simulators.scenario import find, parse
from simulators.simulation import Simulation
from simulators.wire import Message
from tests.simulators.helpers import START, body


def run(simulation: Simulation, seconds: float, step: float = 0.25) -> list[tuple[float, Message]]:
    simulation.start(START)
    out = [(START, message) for link in simulation.community.links for message in simulation.link_up(link, START)]
    for index in range(int(seconds / step)):
        wall = START + (index + 1) * step
        out += [(wall, message) for message in simulation.advance(wall)]
    return out


def demo(seed: int | None = None, chaos: ChaosOptions | None = None) -> Simulation:
    scenario, source = parse(*find("demo"))
    return Simulation(scenario, source, seed=seed, chaos=chaos)


def test_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    first, second, other = (run(demo(seed), 30) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_five_incidents_of_the_demo_come_within_six_minutes_and_the_first_within_45_seconds() -> None:
    simulation = demo()
    seen: list[Occurrence] = []
    simulation.on_incident = lambda occurrence: seen.append(occurrence) if occurrence.ended is None else None
    run(simulation, 360)
    began = {occurrence.incident: (occurrence.began or 0) - START for occurrence in seen}
    assert set(began) == {"entrapment", "forced-door", "stuck-barrier", "overvoltage", "night-leak"}
    assert min(began.values()) < 45 and max(began.values()) < 360, began
    leak = next(occurrence for occurrence in seen if occurrence.incident == "night-leak")
    assert 1.0 <= simulation.now(leak.began or 0).hour < 1.1, "the leak comes at night"


CYCLING = """\
name: {en: Doors, zh: 门}
site: {id: s1, name: {en: S, zh: S}}
cycle: 60s
buildings:
  - {id: b1, name: {en: B, zh: B}}
  - {id: b2, name: {en: B, zh: B}}
devices:
  - {model: door, place: roof, per_building: 1}
incidents:
  - {id: forced, at: "+10s", device: [b1-door-roof, b2-door-roof], fault: forced, for: 20s}
"""


def test_incidents_cycle_over_their_devices() -> None:
    simulation = Simulation(*parse("cycling.yaml", CYCLING))
    seen: list[tuple[str, int, int]] = []
    simulation.on_incident = lambda o: (
        seen.append((o.device, round((o.began or 0) - START), round(o.ended - START))) if o.ended else None
    )
    run(simulation, 165)
    assert seen == [("b1-door-roof", 10, 30), ("b2-door-roof", 70, 90), ("b1-door-roof", 130, 150)]


def test_truth_of_a_gradual_fault_begins_when_it_shows() -> None:
    simulation = demo()
    said = run(simulation, 140)
    truth = next(o for o in simulation.timeline.occurrences if o.incident == "entrapment")
    spoken = [(wall, body(m)) for wall, m in said if m.device == truth.device and m.topic.endswith("/events")]
    status = [(wall, event["data"]) for wall, event in spoken if event["type"] == "elevator.status"]
    stopped = [wall for wall, data in status if data["motion"] == "stopped" and not data["in_door_zone"]]
    assert truth.began is not None and truth.ended is not None
    assert min(stopped) - 1.0 <= truth.began <= min(stopped)
    assert 100 <= truth.ended - truth.began < 101


def test_messages_carry_real_time_while_the_day_runs_sixty_times_faster() -> None:
    simulation = demo()
    for wall, message in run(simulation, 60):
        if message.topic.endswith("/events"):
            assert body(message)["time"].startswith("2027-01-15T08:0"), "the real minute"
            assert abs(wall - START) <= 60
    assert 21.4 < simulation.now(START + 60).hour < 21.6, "one real minute is one simulated hour"


def test_every_message_goes_to_a_topic_its_connection_may_use() -> None:
    simulation = demo()
    allowed = {
        link: {topic for device in devices for topic in device.identity.publish}
        for link, devices in simulation.community.links.items()
    }
    for _, message in run(simulation, 100):
        assert message.topic in allowed[simulation.link_of(message)], message


def test_silent_unit_silences_its_meters_and_offline_unwants_its_link() -> None:
    simulation = load("demo")
    unit = simulation.community.devices["b1-dtu1"]
    simulation.start(START)
    now = simulation.now(START)
    unit.begin("silent", now)
    run(simulation, 1)
    said = [simulation.advance(START + 1 + index) for index in range(60)]
    assert not [m for batch in said for m in batch if m.topic == "dtu/b1-dtu1/up"]
    assert [m for batch in said for m in batch if m.topic == "dtu/b1-dtu2/up"]
    unit.begin("offline", now)
    assert not simulation.wanted("b1-dtu1", START + 100) and simulation.wanted("b1-dtu2", START + 100)


def test_commands_are_answered_by_the_device_they_are_for() -> None:
    simulation = demo()
    run(simulation, 2)
    topic = "gatehouse/v1/osmanthus-court/b1-u1-door-entrance/commands"
    order = json.dumps({"id": "c9", "command": "open", "args": {}, "expires": None}).encode()
    simulation.receive("b1-u1-door-entrance", topic, order, START + 3)
    answers = [message for message in simulation.advance(START + 3) if message.topic.endswith("/results")]
    assert [(message.device, body(message)["status"]) for message in answers] == [("b1-u1-door-entrance", "done")]


def test_chaos_changes_the_stream_but_not_what_happens() -> None:
    def essence(said: list[tuple[float, Message]]) -> Counter[tuple[str, bytes]]:
        return Counter({(m.device, m.ref.encode()): 1 for _, m in said if m.topic.endswith("/events")})

    calm = essence(run(demo(), 60))
    wild = essence(run(demo(chaos=ChaosOptions(duplicate=0.3, reorder=0.3, replay=0.1)), 60))
    lost = calm - wild
    assert not wild - calm and len(lost) < 20, "only what is still held back at the end is missing"


def test_dropped_links_come_back() -> None:
    simulation = demo(chaos=ChaosOptions(drop_link=5.0))
    run(simulation, 30)
    states = [[simulation.wanted(link, START + 30 + s) for link in simulation.community.links] for s in (0, 10)]
    assert not all(states[0]) and all(states[1])
