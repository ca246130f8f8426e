"""Lists that devices hold themselves: simulated cameras and terminals are told, answer, lose theirs and come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from gateway.errors import Conflict, Forbidden, Invalid
from gateway.model import DeviceList
from gateway.store import tables
from simulators.access.doorway import Doorway
from simulators.access.face_terminal import FaceTerminal
from simulators.device import Device
from simulators.parking.camera import NewCamera
from simulators.parking.lane import Lane
from simulators.people import Resident
from simulators.wire import Identity, Now
from tests.core.test_pass_entries import RULE
from tests.support.lab import OPERATOR, START, Lab


class Site:
    """A lab with a camera and a face terminal; `settle` carries what is said to and fro."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder, pack=RULE)
        self.lab.act("zone.put", id="gate", site="s1", kind="zone")
        self.camera = NewCamera(_identity("cam-1", "vzenith", "SN1"), 1, Lane(Random(1), [], 0.0))
        self.terminal = FaceTerminal(
            _identity("face-1", "mqttface", "26"), 1, Doorway(), [Resident("R0001", "Li Lei", "b1", "", "")], 0.0
        )
        self.devices: dict[str, Device] = {"device/SN1/message/down/": self.camera, "mqtt/face/26": self.terminal}
        self.lab.device(
            "cam-1", type="barrier", adapter="vzenith", external_id="SN1", zone="gate", settings={"holds_list": "plate"}
        )
        self.lab.device("face-1", type="door", adapter="mqttface", external_id="26", settings={"holds_list": "person"})
        self.deaf = False
        self.heard: list[dict[str, Any]] = []
        self._seen = 0

    def put(self, value: str = "沪A12345", kind: str = "plate", **more: Any) -> str:
        return str(self.lab.act("pass.put", site="s1", kind=kind, value=value, **more)["id"])

    def settle(self, rounds: int = 40) -> None:
        """Until nothing more is said."""
        for _ in range(rounds):
            self.lab.wait(0.1, 0.1)
            news = self.lab.inbox.published[self._seen :]
            self._seen = len(self.lab.inbox.published)
            for topic, payload, _retain in news:
                self._carry(topic, payload)
            if not news:
                return

    def pause(self, seconds: float) -> None:
        """Time passes, and what is said is carried."""
        for _ in range(int(seconds / 5)):
            self.lab.wait(5, 5)
            self.settle()

    def _carry(self, topic: str, payload: bytes) -> None:
        for prefix, device in self.devices.items():
            if topic.startswith(prefix) and not self.deaf:
                self.heard.append(json.loads(payload))
                wall = self.lab.clock.wall()
                for answer in device.command(topic, payload, Now(wall, wall - START)):
                    self.lab.raw(answer.topic, answer.payload)

    def crash(self) -> None:
        self.lab.crash()
        self._seen = 0

    def list_of(self, device: str) -> DeviceList:
        c = tables.device_lists.c
        ((body,),) = self.lab.rows(select(c.body).where(c.id == device))
        return msgspec.json.decode(body, type=DeviceList)

    def how(self, device: str = "cam-1") -> tuple[str, int, int, int]:
        one = self.list_of(device)
        return one.state, one.entries, one.pending, one.failed


def _identity(ident: str, adapter: str, serial: str) -> Identity:
    return Identity(id=ident, site="s1", adapter=adapter, type="door", external_id=serial, name={"en": ident})


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.lab.close()


def test_plates_reach_the_camera_with_their_window_and_leave_it_when_the_pass_is_revoked(site: Site) -> None:
    end = site.lab.clock.wall() + 3600
    ident = site.put("沪A·12345", until_at=end, name="Li")
    site.put("沪B00001", blocked=True)
    site.put("沪C00001", zones=["gate"])
    site.settle()
    assert set(site.camera.listed) == {"沪A12345", "沪B00001", "沪C00001"}
    assert site.camera.listed["沪A12345"]["overdue_time"] == "2026-03-02 19:00:00", "in the site's own time"
    assert [site.camera.listed[plate]["need_alarm"] for plate in ("沪A12345", "沪B00001")] == [0, 1]
    assert site.how() == ("in_sync", 3, 0, 0)
    site.lab.act("pass.remove", id=ident)
    site.settle()
    assert "沪A12345" not in site.camera.listed and site.how() == ("in_sync", 2, 0, 0)


def test_what_a_list_cannot_decide_is_not_on_it(site: Site) -> None:
    site.put("A1", days="mon-fri")
    site.put("A2", household="3-501", spaces=1)
    site.put("A3", anti_passback=True)
    site.put("A4", entries=2)
    site.put("A5", from_at=site.lab.clock.wall() + 60)
    site.put("A6")
    site.settle()
    assert set(site.camera.listed) == {"A6"}
    site.lab.wait(61)
    site.settle()
    assert set(site.camera.listed) == {"A5", "A6"}, "it begins"


def test_a_window_that_ends_takes_the_plate_off(site: Site) -> None:
    site.put("A1", until_at=site.lab.clock.wall() + 60)
    site.settle()
    assert set(site.camera.listed) == {"A1"}
    site.lab.wait(61)
    site.settle()
    assert site.camera.listed == {} and site.how() == ("in_sync", 0, 0, 0)


def test_revoked_plates_go_first_when_the_camera_is_back(site: Site) -> None:
    old = [site.put(f"A{number}") for number in range(3)]
    site.settle()
    site.deaf = True
    for number in range(10, 15):
        site.put(f"B{number}")
    for ident in old:
        site.lab.act("pass.remove", id=ident)
    site.settle()
    assert site.how()[0] == "pending"
    site.deaf, site.heard = False, []
    site.pause(120)
    said = [one["payload"]["body"] for one in site.heard]
    first_put = next(index for index, one in enumerate(said) if one["operator_type"] != "delete")
    assert {one["plate"] for one in said[:first_put]} == {"A0", "A1", "A2"}
    assert all(one["operator_type"] != "delete" for one in said[first_put:])
    assert set(site.camera.listed) == {f"B{number}" for number in range(10, 15)}
    assert site.how() == ("in_sync", 5, 0, 0)


def test_a_silent_camera_is_asked_more_and_more_seldom_and_says_so(site: Site) -> None:
    site.deaf = True
    site.put("A1")
    site.lab.wait(600)
    sent = [topic for topic, _, _ in site.lab.inbox.published if "white_list" in topic]
    assert 4 <= len(sent) <= 8
    assert site.list_of("cam-1").reason == "no_answer" and site.how() == ("pending", 0, 1, 0)


def test_a_full_list_fails_with_its_reason_and_is_tried_again(site: Site) -> None:
    site.camera.list_space = 1
    site.put("A1")
    site.put("A2")
    site.settle()
    assert site.how() == ("failed", 1, 0, 1) and site.list_of("cam-1").reason == "code 507"
    site.camera.list_space = 10
    site.pause(120)
    assert site.how() == ("in_sync", 2, 0, 0) and site.list_of("cam-1").reason == ""


@pytest.mark.parametrize("deaf", [True, False])
def test_kill_9_while_a_list_is_sent_loses_nothing(site: Site, deaf: bool) -> None:
    ident = site.put("A0")
    site.settle()
    site.deaf = deaf
    for number in range(1, 6):
        site.put(f"A{number}")
    site.lab.act("pass.remove", id=ident)
    site.crash()
    site.deaf = False
    site.pause(120)
    assert set(site.camera.listed) == {f"A{number}" for number in range(1, 6)} and site.how() == ("in_sync", 5, 0, 0)


def test_a_camera_that_was_reset_or_replaced_gets_its_list_again(site: Site) -> None:
    for number in range(3):
        site.put(f"A{number}")
    site.settle()
    site.camera.listed.clear()
    with pytest.raises(Forbidden):
        site.lab.act("list.resync", actor=OPERATOR, device="cam-1")
    site.lab.act("list.resync", device="cam-1", empty=True)
    site.settle()
    assert len(site.camera.listed) == 3 and site.how() == ("in_sync", 3, 0, 0)
    site.camera.listed.clear()
    site.devices = {"device/SN2/message/down/": site.camera}
    site.lab.act("device.update", id="cam-1", external_id="SN2")
    site.lab.wait(1)
    site.settle()
    assert len(site.camera.listed) == 3, "another camera stands there now"


def test_a_terminal_gets_its_people_and_says_why_it_lacks_one(site: Site) -> None:
    site.put("R0001", "person", name="Li Lei", until_at=site.lab.clock.wall() + 86400)
    site.put("R0002", "person", name="Han Mei", picture="https://photos.example/r2.jpg")
    site.put("R0003", "person", name="Wu")
    site.put("沪A1")
    site.settle()
    assert site.terminal.listed["R0001"]["tempCardType"] == 1
    assert site.terminal.listed["R0002"]["picURI"] == "https://photos.example/r2.jpg"
    assert site.how("face-1") == ("failed", 2, 0, 1) and site.list_of("face-1").reason == "code 463"
    ident = site.put("R0004", "person", name="Zhao", picture="https://photos.example/r4.jpg")
    site.lab.act("pass.remove", id=ident)
    site.settle()
    assert "R0004" not in site.terminal.listed


def test_lists_are_for_devices_that_hold_one(site: Site) -> None:
    site.lab.device("cam-9", type="barrier", adapter="vzenith", external_id="SN9")
    with pytest.raises(Conflict, match="holds no list"):
        site.lab.act("list.resync", device="cam-9")
    site.put("A1")
    site.settle()
    site.lab.act("device.update", id="cam-1", settings={})
    site.lab.wait(1)
    assert site.lab.rows(select(tables.list_entries.c.id)) == []
    assert {row[0] for row in site.lab.rows(select(tables.device_lists.c.id))} == {"face-1"}
    assert set(site.camera.listed) == {"A1"}, "what is on it stays"


def test_nobody_but_the_gateway_writes_a_list(site: Site) -> None:
    with pytest.raises(Invalid, match="the gateway's own word"):
        site.lab.act("command.request", device="cam-1", name="list_put", args={"value": "A1"})
