"""The load generator: correct packets, distinct ids, every message acknowledged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.links import Address
from simulators.load import KINDS, Load, LoadOptions, Templates, device_id, main
from simulators.packets import connect, remaining
from tests.support.brokers import Account

BENCH = Account(name="bench", password="pw", publish=("gatehouse/v1/bench/#",))


@pytest.mark.parametrize(
    ("length", "wire"), [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001")]
)
def test_remaining_length_is_seven_bits_a_byte(length: int, wire: str) -> None:
    assert remaining(length).hex() == wire


def test_connect_packet_is_the_one_of_the_standard() -> None:
    assert connect("c", "u", "p", 60).hex() == "10130004" + b"MQTT".hex() + "04c2003c" + "000163" + "000175" + "000170"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alarming", [False, True])
def test_packets_are_whole_and_their_payload_is_a_cloudevent(kind: str, alarming: bool) -> None:
    templates = Templates(LoadOptions(address=Address("h", 1), devices=3, kind=kind, run="r1"))
    stamp = b"2026-01-02T03:04:05.678Z"
    packet = templates.packet(7, b"\x12\x34", stamp, alarming)
    length, shift, index = 0, 0, 1
    while True:
        length |= (packet[index] & 0x7F) << shift
        shift, index = shift + 7, index + 1
        if packet[index - 1] < 0x80:
            break
    assert packet[0] == 0x32 and len(packet) == index + length
    size = int.from_bytes(packet[index : index + 2], "big")
    topic = packet[index + 2 : index + 2 + size].decode()
    event = json.loads(packet[index + 4 + size :])
    assert topic == f"gatehouse/v1/bench/{device_id('bench', 1)}/events"
    assert (event["id"], event["type"], event["time"]) == ("r1-0000000007", kind, stamp.decode())
    assert event["source"] == "bench-00001"
    loud = event["data"].get("voltage_v", 0) > 250 or (event["data"].get("in_door_zone") is False)
    assert loud is alarming


def test_every_message_arrives_once_with_its_own_id(
    nats_broker: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = nats_broker(devices=[BENCH])
    marks = tmp_path / "marks.jsonl"
    url = f"mqtt://127.0.0.1:{broker.port}"
    options = ["--username", "bench", "--password", "pw", "--messages", "3000", "--connections", "2", "--window", "64"]
    assert main(["--url", url, *options, "--alarm-every", "1000", "--marks", str(marks)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["published"], report["pubacked"]) == (3000, 3000)
    assert len({json.loads(line)["id"] for line in marks.read_text().splitlines()}) == 3


def test_rate_is_kept(nats_broker: Callable[..., Any]) -> None:
    broker = nats_broker(devices=[BENCH])
    address = Address("127.0.0.1", broker.port, username="bench", password="pw")
    report = Load(LoadOptions(address=address, messages=300, rate=600.0)).run()
    assert report.pubacked == 300 and 0.45 < report.seconds < 1.5


def test_wrong_password_is_said_and_the_exit_code_is_1(
    nats_broker: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    broker = nats_broker(devices=[BENCH])
    url = f"mqtt://127.0.0.1:{broker.port}"
    assert main(["--url", url, "--username", "bench", "--password", "no", "--messages", "5"]) == 1
    assert "refused the connection: not authorised" in capsys.readouterr().err
    assert main(["--url", "http://x", "--messages", "5"]) == 2
