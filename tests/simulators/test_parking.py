"""Lanes, cameras of both generations, the native barrier controller."""

from __future__ import annotations

import base64
import json
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.parking.barrier import BarrierController
from simulators.parking.camera import NewCamera, OldCamera, PlateCamera, camera_topics
from simulators.parking.lane import Car, Lane
from simulators.wire import Message
from tests.simulators.helpers import START, at, body, command, events, identity, play

SERIAL = "265e1040-85e01fb7"
PLATE = "粤B12345"
OPEN = {"name": "gpio_out", "payload": {"type": "gpio_out", "body": {"delay": 500, "io": 0, "value": 2}}}
DOWN = f"device/{SERIAL}/message/down/gpio_out"


def a_lane(cars: float = 0.0) -> Lane:
    return Lane(Random(1), [PLATE], cars, strangers=0.0)


def a_camera(kind: type[PlateCamera] = NewCamera, cars: float = 0.0) -> PlateCamera:
    publish, subscribe = camera_topics(SERIAL, old=kind is OldCamera)
    own = identity("c1", "vzenith", SERIAL, publish=publish, subscribe=subscribe)
    camera = kind(own, 1, a_lane(cars))
    camera.connected(at(0))
    play(camera, 0, 1)
    return camera


def named(messages: list[Message], name: str) -> list[dict[str, object]]:
    return [body(m) for m in messages if m.topic == f"device/{SERIAL}/message/up/{name}"]


def plate_of(message: dict[str, object]) -> dict[str, object]:
    payload = message["payload"]
    assert isinstance(payload, dict)
    result = payload["AlarmInfoPlate"]["result"]["PlateResult"]
    assert isinstance(result, dict)
    return result


def test_new_camera_reads_a_plate_as_base64_and_the_gate_opens_for_it() -> None:
    camera = a_camera()
    camera.lane.arrive(Car(PLATE, True), START + 1)
    read = named(play(camera, 1, 1), "ivs_result")
    assert base64.b64decode(str(plate_of(read[0])["license"])).decode() == PLATE
    reply = camera.command(DOWN, json.dumps({"id": "x1", **OPEN}).encode(), at(2))
    assert reply[0].topic == f"{DOWN}/reply" and (body(reply[0])["id"], body(reply[0])["code"]) == ("x1", 200)
    said = play(camera, 2, 20)
    inputs = [m["payload"]["body"]["AlarmGioIn"]["result"]["TriggerResult"] for m in named(said, "gpio_in")]  # type: ignore[index]
    assert inputs == [{"source": 0, "value": 1}, {"source": 0, "value": 0}], "the car drives over the loop"
    positions = [m["payload"]["body"]["gate_status"] for m in named(said, "barr_gate_status")]  # type: ignore[index]
    assert positions == [1, 0], "the arm rises and comes down behind the car"
    assert camera.lane.passed == 1


def test_car_that_is_not_let_in_drives_away() -> None:
    camera = a_camera()
    camera.lane.arrive(Car("粤B99999", False), START + 1)
    play(camera, 1, 40)
    assert (camera.lane.passed, camera.lane.turned_away, camera.lane.arm) == (0, 1, 0.0)


def test_results_of_an_offline_camera_come_later_with_isoffline_1() -> None:
    camera = a_camera()
    camera.disconnected(at(1))
    camera.lane.arrive(Car(PLATE, True), START + 1)
    assert play(camera, 1, 5) == []
    stored = named(camera.connected(at(10)), "ivs_result")
    result = plate_of(stored[0])
    assert result["isoffline"] == 1
    time = result["timeStamp"]
    assert isinstance(time, dict) and START + 1 <= time["Timeval"]["sec"] <= START + 3, "the time it happened"
    assert camera.connected(at(11)) == []


def test_unread_plate_is_the_no_plate_literal() -> None:
    new, old = a_camera(), a_camera(OldCamera)
    for camera in (new, old):
        camera.begin("unread", at(1))
        camera.lane.arrive(Car(PLATE, True), START + 1)
    literal = plate_of(named(play(new, 1, 1), "ivs_result")[0])["license"]
    pushed = body(play(old, 1, 1)[0])["AlarmInfoPlate"]["result"]["PlateResult"]["license"]
    assert (base64.b64decode(str(literal)).decode(), pushed) == ("_无_", "_无_")


def test_old_camera_pushes_plain_plates_and_opens_by_response() -> None:
    camera = a_camera(OldCamera)
    camera.lane.arrive(Car(PLATE, True), START + 1)
    said = play(camera, 1, 1)
    assert {m.topic for m in said} == {"/device/push/result"}
    assert body(said[0])["AlarmInfoPlate"]["result"]["PlateResult"]["license"] == PLATE
    order = {"Response_AlarmInfoPlate": {"channelNum": 0, "delay": 1000, "info": "ok", "msgId": "m"}}
    assert camera.command(f"/device/{SERIAL}/command", json.dumps(order).encode(), at(2)) == []
    play(camera, 2, 20)
    assert camera.lane.passed == 1
    assert body(play(camera, 22, 40)[0])["AlarmInfoPlate"]["heartbeat"] == 1


def test_stuck_barrier_stays_up_until_mended_and_then_comes_down() -> None:
    camera = a_camera()
    camera.begin("stuck_open", at(1))
    assert camera.took_effect("stuck_open") is None
    said = play(camera, 1, 70)
    positions = [m["payload"]["body"]["gate_status"] for m in named(said, "barr_gate_status")]  # type: ignore[index]
    assert positions == [1, 1], "told on the change and every minute"
    assert camera.lane.passed == 1, "a car came through first"
    assert camera.took_effect("stuck_open") is not None
    camera.end("stuck_open", at(71))
    play(camera, 71, 5)
    assert camera.lane.position == "down"


def test_arm_that_cannot_rise_answers_500() -> None:
    camera = a_camera()
    camera.begin("stuck_closed", at(1))
    reply = camera.command(DOWN, json.dumps({"id": "x1", **OPEN}).encode(), at(2))
    assert body(reply[0])["code"] == 500


def test_native_barrier_obeys_raise_and_refuses_to_lower_on_a_car() -> None:
    barrier = BarrierController(identity(), 1, a_lane())
    play(barrier, 0, 1)
    assert body(barrier.command("t", command("raise", "c1"), at(1))[0])["status"] == "done"
    positions = [data["position"] for data in events(play(barrier, 1, 3), "parking.barrier")]
    assert positions == ["moving", "up"]
    barrier.lane.arrive(Car(PLATE, True), START + 4)
    play(barrier, 4, 2.5)
    refused = body(barrier.command("t", command("lower", "c2"), at(6.5))[0])
    assert (barrier.lane.loop, refused["status"]) == (True, "rejected")


def test_obstructed_arm_is_told_and_goes_up_again() -> None:
    barrier = BarrierController(identity(), 1, a_lane())
    play(barrier, 0, 1)
    barrier.begin("obstructed", at(1))
    said = events(play(barrier, 1, 40), "parking.barrier")
    hits = [data["obstructed"] for data in said]
    assert hits.count(True) >= 2 and hits.count(False) >= 2, "told each time anew"
    assert barrier.took_effect("obstructed") is not None
    assert "down" not in [data["position"] for data in said[1:]]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 1000),
    st.lists(st.sampled_from(["open", "close", "car", "stick", "free", "jam", "wait"]), max_size=40),
)
def test_an_arm_never_comes_down_on_a_car(seed: int, deeds: list[str]) -> None:
    lane, wall = Lane(Random(seed), [PLATE], 500.0), 0.0
    for deed in deeds:
        if deed == "open":
            lane.open()
        elif deed == "close":
            lane.close()
        elif deed == "car":
            lane.arrive(Car(PLATE, True), START + wall)
        elif deed in ("stick", "free", "jam"):
            lane.stuck, lane.jammed = deed == "stick", deed == "jam"
        for _ in range(8):
            wall += 0.25
            before, occupied = lane.arm, lane.loop
            lane.advance(at(wall))
            assert 0.0 <= lane.arm <= 1.0
            assert not (occupied and lane.loop and lane.arm < before), f"came down on a car at {wall} s"


def test_a_car_is_never_at_two_gates_at_once() -> None:
    plates = [f"粤B1234{number}" for number in range(4)]
    seen: dict[str, tuple[Lane, float]] = {}
    lanes = [Lane(Random(number), plates, 80_000.0, 0.0, seen) for number in range(2)]
    at_gate: list[tuple[float, int, str]] = []
    for second in range(600):
        now = at(second)
        for number, lane in enumerate(lanes):
            before = len(lane.arrivals)
            lane.advance(now)
            if lane.car is not None:
                lane.open()
            at_gate += [(now.wall, number, car.plate) for car in lane.arrivals[before:] if car.plate in plates]
    assert {number for _, number, _ in at_gate} == {0, 1} and len(at_gate) > 20
    for wall, number, plate in at_gate:
        for other_wall, other, same in at_gate:
            assert other == number or same != plate or abs(wall - other_wall) >= 120
