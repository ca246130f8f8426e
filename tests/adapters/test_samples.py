"""Real captures, where they are at hand. They are read from outside the repository and never copied into it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.trial import TrialContext
from gateway.catalogue import load_catalogue
from gateway.contract import Decoded
from gateway.errors import Undecodable
from tests.adapters.cases import ADAPTERS, SAMPLES

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the captures are not at hand")
CATALOGUE = load_catalogue()
SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(adapter: str, topic: str, file: str, **settings: Any) -> Decoded:
    path = SAMPLES / file
    data = path.read_bytes()
    if path.suffix == ".hex":
        data = bytes.fromhex(data.decode().strip())
    decoded = ADAPTERS[adapter].decode(topic, data, TrialContext(settings=settings))
    for reading in decoded.events:
        assert CATALOGUE.misfit(reading.kind, reading.data) is None, reading
    return decoded


def local(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()


def test_samples_face_terminal_records() -> None:
    granted = read("mqttface", "mqtt/face/1026700/Rec", "access-mqttface-recpush/rec-allowed.json")
    (event,) = granted.events
    assert (granted.device, event.kind, event.id, event.replay) == ("1026700", "access.granted", "2", False)
    assert event.time == local("2026-04-10 10:00:07")
    assert event.data["similarity_pct"] == 83.0 and event.data["credential_kind"] == "face"
    assert json.loads(granted.replies[0].payload)["info"] == {"PushAckType": "2", "SnapOrRecordID": "2"}
    assert granted.replies[0].topic == "mqtt/face/1026700"
    refused = read("mqttface", "mqtt/face/1026700/Rec", "access-mqttface-recpush/rec-blocklist-refused.json")
    assert (refused.events[0].kind, refused.events[0].data["reason"]) == ("access.denied", "blocklist")
    attendance = read("mqttface", "mqtt/face/2582493/Rec", "access-mqttface-recpush/rec-attendance-direction.json")
    assert attendance.events[0].data["direction"] == "in"


def test_samples_face_terminal_presence() -> None:
    assert read("mqttface", "mqtt/face/basic", "access-mqttface-recpush/online.json").availability is True
    for name in ("heartbeat", "heartbeat-toplevel-variant"):
        beat = read("mqttface", "mqtt/face/heartbeat", f"access-mqttface-recpush/{name}.json")
        assert beat.availability is True and not beat.events


def test_samples_no_picture_nor_identity_number_is_taken_over() -> None:
    for file in sorted((SAMPLES / "access-mqttface-recpush").glob("rec-*.json")):
        decoded = read("mqttface", "mqtt/face/1/Rec", f"access-mqttface-recpush/{file.name}")
        told = repr(decoded)
        assert "base64" not in told and "idCard" not in told and "12345" not in told


def test_samples_camera_new_firmware() -> None:
    topic = "device/265e1040-85e01fb7/message/up/"
    plate = read("vzenith", f"{topic}ivs_result", "parking-vzenith/mqtt-up-ivs_result.json", direction="in")
    (event,) = plate.events
    assert (event.data["plate"], event.data["plate_read"], event.replay) == ("赣GZ7S13", True, False)
    assert (event.data["plate_colour"], event.data["trigger"]) == ("blue", "software")
    assert int(event.time or 0) == 1628670619
    assert plate.question is not None and plate.question.value == "赣GZ7S13"
    pulse = read("vzenith", f"{topic}gpio_in", "parking-vzenith/mqtt-up-gpio_in.json", loop_input=0)
    assert [reading.data for reading in pulse.events] == [{"input": 0, "state": "closed"}, {"loop_occupied": True}]


def test_samples_camera_old_firmware_without_a_plate_and_heartbeat() -> None:
    seen = read("vzenith", "/device/push/result", "parking-vzenith/http-alarminfoplate-noplate.json")
    assert seen.events[0].data["plate_read"] is False and "plate" not in seen.events[0].data
    beat = read("vzenith", "/device/push/result", "parking-vzenith/mqtt-heartbeat-alarminfoplate.json")
    assert (beat.device, beat.availability, list(beat.events)) == ("5cdc5841-3d038816", True, [])


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("tele-SENSOR-single", {"energy_kwh": 514.153, "power_w": 56, "voltage_v": 234, "current_a": 0.392}),
        ("tele-SENSOR-dual-channel", {"energy_kwh": 3.067, "power_w": 57, "voltage_v": 235, "power_factor": 0.79}),
        ("tele-SENSOR-switches-analog", {"energy_kwh": 0.586, "power_w": 0}),
    ],
)
def test_samples_tasmota(file: str, fields: dict[str, float]) -> None:
    (event,) = read("tasmota", "tele/sonoff/SENSOR", f"meter-tasmota/{file}.json").events
    assert {name: event.data[name] for name in fields} == fields


def test_samples_lift_fault_shape_names_the_missing_lift() -> None:
    with pytest.raises(Undecodable) as caught:
        read("liftfault", "/API/V1/Up/LiftFault", "elevator-liftfault-mqtt/liftfault-shape.json")
    assert caught.value.where == "$.elevatorNo"


FIELDS = {
    "read-di-00010000-reply": ("energy_kwh", 1.86),
    "combined-energy-reply": ("energy_kwh", 7502.64),
    "zero-energy-reply-nopreamble": ("energy_kwh", 0.0),
    "voltage-a-reply": ("voltage_v", 231.9),
    "current-a-reply": ("current_a", 0.0),
    "v1997-9010-reply": ("energy_kwh", 1062.48),
    "v1997-9010-zero": ("energy_kwh", 0.0),
    "read-meterno-reply": ("meter_number", "071801024091"),
    "di-00440000-reply": ("di_00440000", "00001965"),
    "odd-length-reply": ("energy_kwh", 26.37),
}


def _frames() -> list[Path]:
    return sorted((SAMPLES / "meter-dlt645").glob("*.hex"))


@pytest.mark.parametrize("file", [pytest.param(path, id=path.stem) for path in _frames()])
def test_samples_meter_frames_are_read_or_refused_as_their_notes_say(file: Path) -> None:
    noted = json.loads((SAMPLES / "meter-dlt645/expected.json").read_text("utf-8")).get(file.name, {})
    name = f"meter-dlt645/{file.name}"
    if file.stem in FIELDS:
        decoded = read("dlt645", "dtu/unit-1/up", name)
        field, value = FIELDS[file.stem]
        assert decoded.events[0].data[field] == value
        assert not noted or decoded.device == noted["address"]
    elif file.stem == "error-reply":
        (event,) = read("dlt645", "dtu/unit-1/up", name).events
        assert "password wrong or not authorised" in event.data["detail"]
    elif "request" in file.stem or "broadcast" in file.stem:
        with pytest.raises(Exception, match="requests and plain confirmations only"):
            read("dlt645", "dtu/unit-1/up", name)
    else:
        with pytest.raises(Undecodable) as caught:
            read("dlt645", "dtu/unit-1/up", name)
        assert caught.value.where.startswith("byte ")
