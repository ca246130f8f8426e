"""The models beside real captures: the same shapes, as far as the captures go."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simulators.access.doorway import Doorway
from simulators.access.face_terminal import FaceTerminal
from simulators.lifts.liftfault import LiftFaultLift
from simulators.meters.dlt645 import ENERGY, VOLTAGE_A, Frame, bcd, decode, encode, identifier
from simulators.meters.tasmota import TasmotaPlug
from simulators.parking.camera import NewCamera, OldCamera
from simulators.parking.lane import Car, Lane
from simulators.people import residents
from tests.simulators.helpers import START, at, body, identity, play

SAMPLES = Path(__file__).resolve().parents[2] / ".." / "shared" / "samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder ../shared/samples is absent")


def sample(path: str) -> Any:
    return json.loads((SAMPLES / path).read_text(encoding="utf-8"))


def frame_of(name: str) -> bytes:
    return bytes.fromhex((SAMPLES / "meter-dlt645" / name).read_text())


def shape(value: Any) -> Any:
    """Keys and JSON types; numbers are numbers whether whole or not."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def missing(ours: Any, theirs: Any, path: str = "$") -> list[str]:
    """What the capture has and our message lacks or types otherwise."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [problem for key, inner in theirs.items() for problem in _gap(ours, key, inner, f"{path}.{key}")]
    if isinstance(theirs, list) and isinstance(ours, list):
        return missing(ours[0], theirs[0], f"{path}[0]") if ours and theirs else []
    return [] if ours == theirs else [f"{path}: {ours} instead of {theirs}"]


def _gap(ours: dict[str, Any], key: str, theirs: Any, path: str) -> list[str]:
    return missing(ours[key], theirs, path) if key in ours else [f"{path} is missing"]


def test_dlt645_codec_reads_every_valid_sample_and_writes_it_back() -> None:
    expected = sample("meter-dlt645/expected.json")
    for name, facts in expected.items():
        if not name.endswith(".hex"):
            continue
        wire = frame_of(name)
        frame = decode(wire)
        if not facts.get("checksum_ok"):
            assert frame is None, f"{name} is damaged, but was read"
            continue
        assert frame is not None, f"{name} was not read"
        assert (frame.address.lower(), hex(frame.control)) == (facts["address"], facts["ctrl"]), name
        wake_up = len(wire) - len(wire.lstrip(b"\xfe"))
        assert encode(frame, wake_up) == wire, f"{name} is written differently"


def test_dlt645_values_are_written_as_in_the_samples() -> None:
    energy = Frame("201709320072", 0x91, identifier(ENERGY) + bcd(1.86, 2, 4))
    volts = Frame("000000000000", 0x91, identifier(VOLTAGE_A) + bcd(231.9, 1, 2))
    assert encode(energy) == frame_of("read-di-00010000-reply.hex")
    assert encode(volts) == frame_of("voltage-a-reply.hex")


def test_face_terminal_speaks_like_the_samples() -> None:
    terminal = FaceTerminal(identity("f1", "mqttface", "1026700"), 1, Doorway(), residents(1, ["b1"], 3), 5000.0)
    said = [body(message) for message in terminal.connected(at(0))]
    terminal.command("mqtt/face/1026700", b'{"operator":"Online-Ack"}', at(0))
    said += [body(message) for message in play(terminal, 0, 35)]
    by_operator = {message["operator"]: message for message in said}
    for operator, file in (("Online", "online"), ("HeartBeat", "heartbeat"), ("RecPush", "rec-allowed")):
        theirs = sample(f"access-mqttface-recpush/{file}.json")
        assert missing(shape(by_operator[operator]), shape(theirs)) == [], operator
    unlock = sample("access-mqttface-recpush/command-unlock.json")
    assert body(terminal.command("mqtt/face/1026700", json.dumps(unlock).encode(), at(36))[0])["code"] == "200"


def test_cameras_speak_like_the_samples() -> None:
    new = NewCamera(identity("c1", "vzenith", "265e1040-85e01fb7"), 1, Lane(Random(1), ["粤B12345"], 0.0))
    old = OldCamera(identity("c2", "vzenith", "5cdc5841-3d038816"), 1, Lane(Random(1), ["粤B12345"], 0.0))
    said: dict[str, Any] = {}
    for camera in (new, old):
        camera.connected(at(0))
        play(camera, 0, 1)
        camera.lane.arrive(Car("粤B12345", True), START + 1)
        camera.lane.open()
        for message in play(camera, 1, 40):
            key = body(message).get("name") or ("heartbeat" if b'"heartbeat"' in message.payload else "push")
            said[key] = body(message)
    assert missing(shape(said["gpio_in"]), shape(sample("parking-vzenith/mqtt-up-gpio_in.json"))) == []
    assert missing(shape(said["heartbeat"]), shape(sample("parking-vzenith/mqtt-heartbeat-alarminfoplate.json"))) == []
    # Fields of optional storage and pictures, which a camera without an upload target leaves out.
    optional: tuple[str, ...] = ("plates", "clean_time", "feature_code", "gioouts", "bucket", "oss_type", "image")
    optional += ("small_image", "full_")
    optional += ("is_encrypted", "license_ext_type", "user_data", "timeStamp.Timeval.dec")
    theirs = shape(sample("parking-vzenith/mqtt-up-ivs_result.json"))
    gaps = missing(shape(said["ivs_result"]), theirs)
    assert [gap for gap in gaps if not any(f".{name}" in gap for name in optional)] == []
    plain = shape(sample("parking-vzenith/http-alarminfoplate-noplate.json"))
    assert missing(shape(said["push"]), plain) == []


def test_cameras_obey_the_open_commands_of_the_samples() -> None:
    new = NewCamera(identity("c1", "vzenith", "sn"), 1, Lane(Random(1), [], 0.0))
    old = OldCamera(identity("c2", "vzenith", "sn"), 1, Lane(Random(1), [], 0.0))
    commands = {new: "mqtt-down-gpio_out-open.json", old: "mqtt-down-open.json"}
    for camera, file in commands.items():
        play(camera, 0, 1)
        camera.command("down", (SAMPLES / "parking-vzenith" / file).read_bytes(), at(1))
        play(camera, 1, 3)
        assert camera.lane.position == "up", file


def test_liftfault_has_exactly_the_fields_of_the_sample() -> None:
    lift = LiftFaultLift(identity("l1", "liftfault", "3127400001"), 1, 11, 0.0)
    play(lift, 0, 1)
    lift.begin("entrapment", at(1))
    ours = body(play(lift, 1, 30)[0])
    theirs = sample("elevator-liftfault-mqtt/liftfault-shape.json")
    assert set(ours) == set(theirs) and set(ours["ErrorListBean"][0]) == set(theirs["ErrorListBean"][0])
    assert missing(shape(ours), shape(theirs)) == []


def test_tasmota_speaks_like_the_samples() -> None:
    plug = TasmotaPlug(identity("p1", "tasmota", "plug"), 1, 30.0)
    plug.connected(at(0))
    said = {message.topic.rpartition("/")[2]: body(message) for message in play(plug, 0, 31)}
    assert missing(shape(said["SENSOR"]), shape(sample("meter-tasmota/tele-SENSOR-single.json"))) == []
    theirs = shape(sample("meter-tasmota/tele-STATE.json"))
    gaps = [gap for gap in missing(shape(said["STATE"]), theirs) if "POWER" not in gap]
    assert [gap for gap in gaps if "Wifi" not in gap] == []
