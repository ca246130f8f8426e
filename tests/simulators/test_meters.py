"""Meters: DL/T 645 frames, Tasmota, native."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.meters.dlt645 import (
    CURRENT_A,
    ENERGY,
    POWER,
    VOLTAGE_A,
    WILDCARD,
    DltMeter,
    DtuUnit,
    Frame,
    bcd,
    decode,
    encode,
    identifier,
)  # fmt: skip
from simulators.meters.flows import ElectricLoad, FluidDraw, HeatDraw
from simulators.meters.native import FluidMeter, HeatMeter
from simulators.meters.tasmota import TasmotaPlug
from simulators.wire import Trouble
from tests.simulators.helpers import at, body, command, events, identity, play

ADDRESS = "201709320072"


def a_meter(device: str = "m1", address: str = ADDRESS) -> DltMeter:
    meter = DltMeter(identity(device, "dlt645", address, parent="u1"), 1, "u1", 30.0)
    meter.connected(at(0))
    return meter


def value(data: bytes, decimals: int) -> float:
    return float(int(data[::-1].hex()) / 10**decimals)


@settings(max_examples=60, deadline=None)
@given(
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.integers(0, 255),
    st.binary(max_size=40),
    st.integers(0, 4),
    st.binary(max_size=6),
)
def test_frame_survives_the_wire_with_any_address_data_and_leading_junk(
    address: str, control: int, data: bytes, wake_up: int, junk: bytes
) -> None:
    wire = encode(Frame(address, control, data), wake_up)
    assert decode(wire) == Frame(address, control, data)
    assert sum(wire[wake_up:-2]) & 0xFF == wire[-2] and wire[-1] == 0x16
    assert wire.startswith(b"\xfe" * wake_up + b"\x68")
    assert decode(bytes(byte for byte in junk if byte != 0x68) + wire) == Frame(address, control, data)


def test_damaged_frame_is_no_frame() -> None:
    wire = bytearray(encode(Frame(ADDRESS, 0x11, identifier(ENERGY))))
    wire[-2] ^= 1
    assert decode(bytes(wire)) is None and decode(bytes(wire[:-3])) is None and decode(b"") is None


@pytest.mark.parametrize(
    ("number", "decimals", "size", "wire"),
    [(1.86, 2, 4, "86010000"), (231.9, 1, 2, "1923"), (0.0, 3, 3, "000000"), (-1.5, 3, 3, "001580")],
)
def test_values_are_packed_decimal_least_significant_byte_first(
    number: float, decimals: int, size: int, wire: str
) -> None:
    assert bcd(number, decimals, size).hex() == wire


def test_unit_polls_four_registers_of_each_meter_and_they_agree() -> None:
    said = play(a_meter(), 0, 31)
    frames = [decode(m.payload) for m in said]
    assert {m.topic for m in said} == {"dtu/u1/up"} and all(f and f.address == ADDRESS for f in frames)
    values = {int.from_bytes(f.data[:4], "little"): f.data[4:] for f in frames if f}
    assert set(values) == {ENERGY, VOLTAGE_A, CURRENT_A, POWER}
    volts, amperes, kilowatts = value(values[VOLTAGE_A], 1), value(values[CURRENT_A], 3), value(values[POWER], 4)
    assert 220 < volts < 240
    assert kilowatts * 1000 == pytest.approx(volts * amperes * 0.95, rel=0.02)
    assert all(f and f.control == 0x91 for f in frames)


def test_unit_passes_a_request_to_the_meter_addressed() -> None:
    unit = DtuUnit(identity("u1", "dlt645"), 1)
    unit.meters += [a_meter("m1", "000000000001"), a_meter("m2", "000000000002")]
    ask = encode(Frame("000000000002", 0x11, identifier(ENERGY)))
    answer = decode(unit.command("dtu/u1/down", ask, at(1))[0].payload)
    assert answer is not None and (answer.address, answer.control, answer.data[:4]) == (
        "000000000002", 0x91, identifier(ENERGY),
    )  # fmt: skip
    anyone = decode(unit.command("dtu/u1/down", encode(Frame(WILDCARD, 0x13, b"")), at(1))[0].payload)
    assert anyone is not None and (anyone.control, anyone.data[::-1].hex()) == (0x93, "000000000001")
    assert unit.command("dtu/u1/down", encode(Frame("000000000009", 0x11, identifier(ENERGY))), at(1)) == []
    assert unit.command("dtu/u1/down", b"garbage", at(1)) == []


def test_meter_answers_an_unknown_register_with_an_error_frame() -> None:
    answer = decode(a_meter().command("t", encode(Frame(ADDRESS, 0x11, identifier(0x12345678))), at(1))[0].payload)
    assert answer is not None and (answer.control, len(answer.data)) == (0xD1, 1)


def test_overvoltage_shows_and_stuck_freezes() -> None:
    meter = a_meter()
    play(meter, 0, 31)
    meter.begin("overvoltage", at(31))
    frames = [decode(m.payload) for m in play(meter, 31, 31)]
    volts = [value(f.data[4:], 1) for f in frames if f and f.data[:4] == identifier(VOLTAGE_A)]
    assert volts and volts[0] > 260
    meter.end("overvoltage", at(62))
    meter.begin("stuck", at(62))
    energies = {f.data for m in play(meter, 62, 200) if (f := decode(m.payload)) and f.data[:4] == identifier(ENERGY)}
    assert len(energies) == 1


def test_silent_and_offline_meter_says_nothing() -> None:
    silent, offline = a_meter(), a_meter()
    silent.begin("silent", at(0))
    offline.disconnected(at(0))
    assert play(silent, 0, 60) == [] and play(offline, 0, 60) == []


def test_tasmota_says_online_and_offline_by_lwt_and_energy_in_kwh() -> None:
    plug = TasmotaPlug(identity("p1", "tasmota", "plug_1"), 1, 30.0)
    online = plug.connected(at(0))
    assert [(m.topic, m.payload, m.retain) for m in online] == [("tele/plug_1/LWT", b"Online", True)]
    assert plug.will is not None and (plug.will.payload, plug.will.retain) == (b"Offline", True)
    said = play(plug, 0, 65)
    sensors = [body(m) for m in said if m.topic.endswith("/SENSOR")]
    assert len(sensors) == 2 and sensors[1]["ENERGY"]["Total"] > sensors[0]["ENERGY"]["Total"]
    assert "+" not in sensors[0]["Time"] and sensors[0]["Time"].startswith("2027-01-15T16:0"), "local time, no zone"
    assert [body(m)["POWER"] for m in said if m.topic.endswith("/STATE")] == ["ON"]


def test_tasmota_relay_switches_and_answers() -> None:
    plug = TasmotaPlug(identity("p1", "tasmota", "plug_1"), 1, 30.0)
    plug.connected(at(0))
    play(plug, 0, 31)
    answers = plug.command("cmnd/plug_1/POWER", b"OFF", at(31))
    assert [(m.topic, m.payload) for m in answers] == [
        ("stat/plug_1/RESULT", b'{"POWER":"OFF"}'),
        ("stat/plug_1/POWER", b"OFF"),
    ]
    energy = body(next(m for m in play(plug, 31, 31) if m.topic.endswith("/SENSOR")))["ENERGY"]
    assert (energy["Power"], energy["Current"]) == (0, 0.0)


def test_leak_makes_the_flow_never_stop_and_ends() -> None:
    meter = FluidMeter(identity(), 1, 15.0, "water")
    quiet = [data["flow_lpm"] for data in events(play(meter, 0, 300, hour=1), "meter.reading")]
    meter.begin("leak", at(300), {"lpm": 2.4})
    leaking = [data["flow_lpm"] for data in events(play(meter, 300, 300, hour=1), "meter.reading")]
    assert 0.0 in quiet and len(leaking) == 20 and min(leaking) >= 2.4
    meter.command("t", command("valve_close"), at(600))
    closed = events(play(meter, 600, 30, hour=1), "meter.reading")
    assert {(data["flow_lpm"], data["valve"]) for data in closed} == {(0.0, "closed")}


def test_heat_meter_returns_colder_water_than_it_gets() -> None:
    readings = events(play(HeatMeter(identity(), 1, 30.0), 0, 120), "meter.reading")
    assert readings and all(data["return_c"] < data["supply_c"] and data["utility"] == "heat" for data in readings)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.lists(st.tuples(st.floats(0, 600), st.sampled_from(["", "leak", "stuck", "burst"]))))
def test_registers_never_run_backwards(seed: int, steps: list[tuple[float, str]]) -> None:
    electric, heat = ElectricLoad(Random(seed)), HeatDraw(Random(seed))
    fluid = FluidDraw(Random(seed), utility="water")
    seconds, last = 0.0, (0.0, 0.0, 0.0)
    for pause, fault in steps:
        seconds += pause
        troubles = {fault: Trouble(fault)} if fault else {}
        now = at(seconds)
        power = electric.read(now, troubles)
        reading = (power.energy_kwh, fluid.read(now, troubles).volume_m3, heat.read(now, troubles).heat_kwh)
        assert all(new >= old for new, old in zip(reading, last, strict=True)), f"{last} -> {reading} at {seconds}"
        assert power.power_w >= 0 and power.voltage_v >= 0
        last = reading


def test_reverse_flow_runs_the_water_register_backwards() -> None:
    draw = FluidDraw(Random(1), utility="water")
    before = draw.read(at(0), {})
    after = draw.read(at(60), {"reverse": Trouble("reverse")})
    assert after.volume_m3 < before.volume_m3 and after.flow_lpm < 0
