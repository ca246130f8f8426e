"""Passes on the whole product: simulated cameras and terminals over the broker, and the core killed in the middle."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest

from simulators.access.doorway import Doorway
from simulators.access.face_terminal import FaceTerminal
from simulators.device import Device
from simulators.parking.camera import NewCamera
from simulators.parking.lane import Lane
from simulators.wire import Identity, Now
from tests.support.brokers import wait_until
from tests.support.gateway import RealGateway
from tests.support.mqtt_client import MqttTestClient

pytestmark = pytest.mark.slow

PATIENCE = 90.0


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGateway]:
    with RealGateway(tmp_path_factory.mktemp("passes") / "home") as running:
        yield running


class Wired:
    """A simulated device on the broker: what it is sent goes to its model, what the model says goes back."""

    def __init__(self, device: Device, client: MqttTestClient, topics: tuple[str, ...]) -> None:
        self.device, self.client = device, client
        client.subscribe(*topics)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"simulated-{device.id}")

    def now(self) -> Now:
        return Now(time.time(), 0.0)

    def _run(self) -> None:
        done = 0
        while not self._stop.wait(0.01):
            for message in self.client.messages[done:]:
                done += 1
                for answer in self.device.command(message.topic, bytes(message.payload), self.now()):
                    self.client.publish(answer.topic, answer.payload)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()


def identity(ident: str, adapter: str, serial: str) -> Identity:
    return Identity(id=ident, site="s1", adapter=adapter, type="door", external_id=serial, name={"en": ident})


def add(gateway: RealGateway, one: Identity, **settings: str) -> dict[str, str]:
    made = gateway.add_devices([
        {"id": one.id, "site": one.site, "adapter": one.adapter, "type": one.type, "external_id": one.external_id,
         "settings": settings}
    ])  # fmt: skip
    return made[one.id]


def test_a_cameras_list_follows_the_passes_over_kill_9_of_the_core(gateway: RealGateway) -> None:
    one = identity("cam-1", "vzenith", "SN1")
    camera = NewCamera(one, 1, Lane(Random(1), [], 0.0))
    credential = add(gateway, one, holds_list="plate")
    with ExitStack() as stack:
        client = stack.enter_context(gateway.client(credential, client_id="cam-1"))
        stack.enter_context(Wired(camera, client, ("device/SN1/message/down/+",)).running())
        old = gateway.post("/passes", {"site": "s1", "kind": "plate", "value": "沪Z00000"}, 201)
        wait_until(lambda: "沪Z00000" in camera.listed, PATIENCE, "the first plate is on the list")
        rows = "\n".join(f"plate,沪A{number:05},{'yes' if number % 10 == 0 else ''}" for number in range(60))
        gateway.post("/passes/import", {"site": "s1", "csv": f"kind,value,blocked\n{rows}\n"})
        gateway.act("pass.remove", id=old["id"])
        for _ in range(2):
            gateway.wait_back("core", gateway.kill("core"))
        wanted = {f"沪A{number:05}" for number in range(60)}
        wait_until(lambda: set(camera.listed) == wanted, PATIENCE, "the list is like the passes")
        shown = gateway.wait_for("/device-lists/cam-1", lambda body: body["summary"]["state"] == "in_sync", PATIENCE)
        assert (shown["summary"]["entries"], shown["summary"]["failed"]) == (60, 0)
        assert [plate for plate, entry in camera.listed.items() if entry["need_alarm"]] == [
            plate for plate in camera.listed if plate.endswith("0")
        ]


def test_a_visitor_shows_the_code_at_a_terminal_and_is_let_in_once(gateway: RealGateway) -> None:
    one = identity("face-1", "mqttface", "26")
    terminal = FaceTerminal(one, 1, Doorway(), [], 0.0)
    credential = add(gateway, one)
    made = gateway.post("/passes", {"site": "s1", "kind": "qr", "name": "Mr Wu", "entries": 1}, 201)
    code = str(gateway.act("pass.code", id=made["id"])["code"])
    with ExitStack() as stack:
        client = stack.enter_context(gateway.client(credential, client_id="face-1"))
        wired = Wired(terminal, client, ("mqtt/face/26",))
        stack.enter_context(wired.running())
        for count in (1, 2):
            for message in terminal.show_code(code, wired.now()):
                client.publish(message.topic, message.payload)
            answered = lambda body, count=count: len(body["items"]) == count  # noqa: E731
            told = gateway.wait_for("/decisions", answered, PATIENCE, device="face-1")
            wait_until(lambda: terminal.unlocks == 1, PATIENCE, "the door was unlocked")
            # The terminal's clock tells seconds: in the same second it would be the same scan.
            second = int(time.time())
            wait_until(lambda second=second: int(time.time()) > second, PATIENCE, "the terminal's next second")  # type: ignore[misc]
        assert [one["reason"] for one in told["items"]] == ["used_up", "pass"]
        assert told["items"][0]["text"]["zh"]
        assert terminal.unlocks == 1
    log = "".join(path.read_text(errors="replace") for path in Path(gateway.home.logs).glob("*.log"))
    assert code.rpartition(".")[2] not in log


def test_kill_9_among_entries_neither_loses_nor_doubles_a_space(gateway: RealGateway) -> None:
    credential = gateway.add_device("gate-9", type="barrier")
    homes, each = 20, 3
    rows = "\n".join(f"plate,京{home:02}{car},h{home},2,yes" for home in range(homes) for car in range(each))
    heading = "kind,value,household,spaces,anti_passback"
    gateway.post("/passes/import", {"site": "s1", "csv": f"{heading}\n{rows}\n"})
    messages = []
    for number in range(homes * each):
        plate = f"京{number // each:02}{number % each}"
        data = {"plate": plate, "direction": "in"}
        event = {"specversion": "1.0", "id": f"q{number}", "source": "g", "type": "access.requested", "data": data}
        messages.append(json.dumps(event))
    with gateway.client(credential, client_id="gate-9") as client:
        for number, message in enumerate(messages):
            client.publish("gatehouse/v1/s1/gate-9/events", message)
            if number == 20:
                old = gateway.kill("core")
            elif number == 40:
                gateway.wait_back("core", old)
                old = gateway.kill("core")
        gateway.wait_back("core", old)
        for message in messages:
            client.publish("gatehouse/v1/s1/gate-9/events", message)
        whole = lambda body: len(body["items"]) == homes * each  # noqa: E731
        told = gateway.wait_for("/decisions", whole, PATIENCE, device="gate-9", limit=500)["items"]
    states = dict(gateway.sql("select id, state from commands where device = 'gate-9'"))
    assert {one["reason"] for one in told} == {"pass", "no_space"}
    # A command that could not leave while the broker was being found again opened nothing, and gave its space back.
    opened = [one["pass_id"] for one in told if one["allowed"] and states[one["command"]] != "failed"]
    stored = gateway.sql("select body from passes where kind = 'plate' and value like '京%'")
    inside = [body for body in (json.loads(row[0]) for row in stored) if body["inside"]]
    assert sorted(opened) == sorted(one["id"] for one in inside), "nobody counts twice, or not at all"
    taken = Counter(str(one["household"]) for one in inside)
    assert max(taken.values()) == 2
