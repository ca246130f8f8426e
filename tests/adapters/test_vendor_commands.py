"""The messages that carry commands to devices of other makers, and what those ask of the passes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.dlt645.frames import find
from gateway.contract import Commands, Packet
from gateway.errors import Invalid
from gateway.model.command import Command
from gateway.model.place import Device
from tests.adapters.cases import ADAPTERS


def send(adapter: str, name: str, settings: dict[str, Any] | None = None, **args: Any) -> Packet:
    device = Device(
        id="d-1", site="garden", adapter=adapter, external_id="202603010007", settings=settings or {"unit": "unit-1"}
    )
    command = Command(id="cmd-1", site="garden", device="d-1", name=name, args=args, sent_at=1772327730.9)
    encoder = ADAPTERS[adapter]
    assert isinstance(encoder, Commands)
    (packet,) = encoder.encode(command, device)
    return packet


def test_face_terminal_unlocks_with_the_command_id_as_message_id() -> None:
    packet = send("mqttface", "open")
    assert packet.topic == "mqtt/face/202603010007"
    assert json.loads(packet.payload) == {
        "operator": "Unlock",
        "messageId": "cmd-1",
        "info": {"DeviceID": "202603010007", "Chn": 0, "status": 0, "msg": "请通行"},
    }


@pytest.mark.parametrize(("name", "relay"), [("raise", 0), ("lower", 1)])
def test_new_camera_pulses_the_relay(name: str, relay: int) -> None:
    packet = send("vzenith", name, {}, delay=800)
    assert packet.topic == "device/202603010007/message/down/gpio_out"
    body = json.loads(packet.payload)
    assert body["payload"] == {"type": "gpio_out", "body": {"delay": 800, "io": relay, "value": 2}}
    envelope = {name: body[name] for name in ("id", "sn", "name", "timestamp")}
    assert envelope == {"id": "cmd-1", "sn": "202603010007", "name": "gpio_out", "timestamp": 1772327730}


@pytest.mark.parametrize(("name", "channel"), [("raise", 0), ("lower", 1)])
def test_old_camera_is_sent_a_response(name: str, channel: int) -> None:
    packet = send("vzenith", name, {"variant": "old"})
    assert packet.topic == "/device/202603010007/command"
    expected = {"info": "ok", "channelNum": channel, "delay": 500, "msgId": "cmd-1"}
    assert json.loads(packet.payload) == {"Response_AlarmInfoPlate": expected}


def test_camera_with_the_older_topics() -> None:
    assert send("vzenith", "raise", {"variant": "older_topics"}).topic == "202603010007/device/message/down/gpio_out"


@pytest.mark.parametrize(
    ("args", "field"), [({"delay": 9}, "args.delay"), ({"delay": "long"}, "args.delay"), ({"power": 1}, "args.power")]
)
def test_an_argument_out_of_bounds_or_unknown_is_refused_by_name(args: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        send("vzenith", "raise", {}, **args)
    assert caught.value.field == field


def test_tasmota_relay_is_switched_by_a_bare_word() -> None:
    assert send("tasmota", "relay_off", relay=2) == Packet("cmnd/202603010007/POWER2", b"OFF")
    assert send("tasmota", "relay_on") == Packet("cmnd/202603010007/POWER1", b"ON")


def test_meter_is_asked_through_its_unit() -> None:
    packet = send("dlt645", "read", di="02010100")
    frames, damages = find(packet.payload)
    assert packet.topic == "dtu/unit-1/down" and not damages
    assert [(f.address, f.control, f.data.hex()) for f in frames] == [("202603010007", 0x11, "00010102")]
    (frame,), _ = find(send("dlt645", "read", di="9010").payload)
    assert (frame.control, frame.data.hex()) == (0x01, "1090")


@pytest.mark.parametrize(
    ("settings", "args", "field"),
    [
        ({}, {}, "settings.unit"),
        ({"unit": "a/b"}, {}, "settings.unit"),
        ({"unit": "u"}, {"di": "12"}, "args.di"),
        ({"unit": "u"}, {"di": "0001000g"}, "args.di"),
        ({"unit": "u"}, {"speed": 1}, "args.speed"),
    ],
)
def test_a_read_request_that_cannot_be_made_says_what_is_missing(
    settings: dict[str, Any], args: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        send("dlt645", "read", settings or {"none": 1}, **args)
    assert caught.value.field == field
