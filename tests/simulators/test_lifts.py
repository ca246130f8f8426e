"""Lift cars and their two monitors."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.lifts.car import FLOOR_M, Car, Trip
from simulators.lifts.liftfault import TOPIC, LiftFaultLift
from simulators.lifts.native import NativeLift
from tests.simulators.helpers import at, body, command, events, identity, play

COMMANDS = "gatehouse/v1/s1/d1/commands"


def a_lift(trips: float = 0.0) -> NativeLift:
    return NativeLift(identity(), 1, 18, trips)


def trapped_lift() -> NativeLift:
    lift = a_lift()
    play(lift, 0, 1)
    lift.begin("entrapment", at(1))
    play(lift, 1, 20)
    assert lift.shaft.car.trapped, "within 20 s of the beginning the car is stuck"
    return lift


def test_entrapment_stops_between_floors_with_people_and_rings_the_alarm() -> None:
    lift = a_lift()
    play(lift, 0, 1)
    lift.begin("entrapment", at(1))
    assert lift.took_effect("entrapment") is None, "a car must move before it can get stuck"
    said = play(lift, 1, 45)
    status = events(said, "elevator.status")[-1]
    assert (status["motion"], status["in_door_zone"], status["occupied"], status["door"]) == (
        "stopped", False, True, "closed",
    )  # fmt: skip
    assert [data["fault"] for data in events(said, "elevator.fault")] == ["entrapment_between"]
    assert [data["kind"] for data in events(said, "elevator.call")] == ["alarm"]
    assert lift.took_effect("entrapment") is not None


def test_rescue_levels_the_car_opens_its_door_and_lets_people_out() -> None:
    lift = trapped_lift()
    lift.end("entrapment", at(21))
    said = play(lift, 21, 20)
    opened = events(said, "elevator.status", lambda data: data["door"] == "open")
    assert opened and opened[0]["in_door_zone"] is True
    assert events(said, "elevator.status")[-1]["occupied"] is False
    assert [data["active"] for data in events(said, "elevator.fault")] == [False]


def test_status_comes_at_least_every_ten_seconds() -> None:
    said = events(play(a_lift(), 0, 60.5), "elevator.status")
    assert len(said) == 7


def test_recall_is_answered_when_the_car_stands_open_on_the_ground() -> None:
    lift = a_lift()
    play(lift, 0, 1)
    assert lift.command(COMMANDS, command("recall"), at(1)) == [], "no answer before it has arrived"
    said = play(lift, 1, 60)
    answers = [body(m) for m in said if m.topic.endswith("/results")]
    assert [(answer["id"], answer["status"]) for answer in answers] == [("c1", "done")]
    last = events(said, "elevator.status")[-1]
    assert (last["floor"], last["door"], last["mode"]) == (1, "open", "recall")
    lift.command(COMMANDS, command("resume", "c2"), at(61))
    assert events(play(lift, 61, 15), "elevator.status")[-1]["mode"] == "normal"


def test_recall_of_a_trapped_car_fails() -> None:
    answer = body(trapped_lift().command(COMMANDS, command("recall"), at(30))[0])
    assert (answer["status"], answer["detail"]) == ("failed", "the car is stuck between two floors")


def test_door_reopening_overspeed_and_heat_show_in_the_status() -> None:
    reopening, fast, hot = a_lift(), a_lift(), a_lift()
    for lift, fault in ((reopening, "door_reopening"), (fast, "overspeed"), (hot, "machine_room_heat")):
        play(lift, 0, 1)
        lift.begin(fault, at(1))
    doors = [data["door"] for data in events(play(reopening, 1, 60), "elevator.status")]
    assert doors.count("opening") >= 4 and "closed" not in doors[doors.index("closing") :]
    assert max(data["speed_mps"] for data in events(play(fast, 1, 40), "elevator.status")) > 2.0
    assert events(play(hot, 1, 90), "elevator.status")[-1]["machine_room_c"] > 45
    assert hot.took_effect("machine_room_heat") is not None


def test_liftfault_tells_a_fault_twice_under_one_key_and_nothing_else() -> None:
    lift = LiftFaultLift(identity("d1", "liftfault", "3127400001"), 1, 11, 200.0)
    assert play(lift, 0, 120) == [], "silent while all is well"
    lift.begin("entrapment", at(120))
    began = play(lift, 120, 60)
    lift.end("entrapment", at(180))
    ended = play(lift, 180, 5)
    assert [m.topic for m in (*began, *ended)] == [TOPIC, TOPIC]
    first, second = (body(m)["ErrorListBean"][0] for m in (*began, *ended))
    assert first["keyId"] == second["keyId"] and first["faultType"] == 1
    assert first["faultEndTime"] == "" and second["faultEndTime"] > second["faultBeginTime"]
    assert (body(began[0])["personInLift"], body(began[0])["currentSpeed"]) == ("1", "0.00")


def test_liftfault_repeats_standing_faults_after_a_reconnect() -> None:
    lift = LiftFaultLift(identity("d1", "liftfault", "3127400001"), 1, 11, 0.0)
    play(lift, 0, 1)
    lift.begin("entrapment", at(1))
    began = play(lift, 1, 30)
    again = lift.connected(at(40))
    assert body(again[0])["ErrorListBean"] == body(began[0])["ErrorListBean"]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(2, 40),
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40), st.floats(0.1, 30)), max_size=10),
    st.sampled_from(["", "trap", "fail_closing", "overspeed", "recall"]),
)
def test_a_car_stays_in_its_shaft_and_never_moves_with_an_open_door(
    seed: int, top: int, calls: list[tuple[int, int, float]], trouble: str
) -> None:
    car = Car(Random(seed), top)
    if trouble == "recall":
        car.recall()
    elif trouble:
        setattr(car, trouble, True)
    for origin, destination, pause in calls:
        car.call(Trip(min(origin, top), min(destination, top), 2))
        for _ in range(int(pause * 10)):
            before = car.height
            car.advance(0.1)
            assert 0.0 <= car.height <= (top - 1) * FLOOR_M
            assert abs(car.height - before) <= 0.3, "no jumps"
            assert car.height == before or car.door == 0.0, "moved with an open door"
            assert car.people >= 0
    if car.trapped:
        assert not car.in_door_zone and car.people > 0
