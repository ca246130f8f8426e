"""Commands on the whole product: the API asks, the core sends over MQTT, a door answers, nothing old is executed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.support.brokers import SHARED, wait_until
from tests.support.gateway import RealGateway, cloud_event
from tests.support.mqtt_client import MqttTestClient, Refused

pytestmark = pytest.mark.slow

DOOR, OTHER = "door-1", "door-2"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGateway]:
    with RealGateway(tmp_path_factory.mktemp("gateway") / "home") as running:
        yield running


class Door:
    """A native door: it says that it is there, executes what it is told, and answers."""

    def __init__(self, gateway: RealGateway, name: str, credential: dict[str, str]) -> None:
        self.gateway, self.name, self.credential = gateway, name, credential
        self.root = f"gatehouse/v1/s1/{name}"

    @contextmanager
    def connected(self, **more: Any) -> Iterator[MqttTestClient]:
        will = (f"{self.root}/availability", b"offline", True)
        client = self.gateway.client(self.credential, will=will, client_id=self.name, **more)
        with client:
            client.subscribe(f"{self.root}/commands")
            client.publish(f"{self.root}/availability", b"online", retain=True)
            self.wait_online(True)
            yield client

    def wait_online(self, online: bool) -> None:
        self.gateway.wait_for(f"/devices/{self.name}", lambda shown: shown["online"] is online)

    def answer(self, client: MqttTestClient, ident: str, status: str, detail: str = "") -> None:
        body = json.dumps({"id": ident, "status": status, "detail": detail})
        client.publish(f"{self.root}/results", body)


@pytest.fixture(scope="module")
def doors(gateway: RealGateway) -> dict[str, Door]:
    return {name: Door(gateway, name, gateway.add_device(name, type="door")) for name in (DOOR, OTHER)}


def told(client: MqttTestClient) -> list[dict[str, Any]]:
    return [json.loads(message.payload) for message in client.messages if message.topic.endswith("/commands")]


def state_of(gateway: RealGateway, ident: str, state: str) -> dict[str, Any]:
    shown: dict[str, Any] = gateway.wait_for(f"/commands/{ident}", lambda one: one["state"] == state)
    return shown


def ask(gateway: RealGateway, device: str, expires_in: float = 5.0, **more: Any) -> dict[str, Any]:
    body = {"name": "open", "expires_in": expires_in, **more}
    asked: dict[str, Any] = gateway.post(f"/devices/{device}/commands", body, expect=202)
    return asked


def test_a_command_is_done_only_on_the_result_of_its_own_device(gateway: RealGateway, doors: dict[str, Door]) -> None:
    door, other = doors[DOOR], doors[OTHER]
    with door.connected() as client, other.connected() as stranger:
        asked = ask(gateway, DOOR)
        heard = client.wait_for(lambda message: message.topic.endswith("/commands"))
        body = json.loads(heard.payload)
        assert (body["id"], body["command"], heard.retain) == (asked["id"], "open", False)
        assert body["expires"].endswith("Z")
        # Another door may say what it likes, on its own topic and on the commanded door's.
        other.answer(stranger, asked["id"], "done")
        stranger.publish(f"{door.root}/results", json.dumps({"id": asked["id"], "status": "done"}))
        strays = {"target": asked["id"], "action": "command.result", "by": f"device:{OTHER}"}
        gateway.wait_for("/audit", lambda page: bool(page["items"]), **strays)
        assert gateway.get(f"/commands/{asked['id']}")["state"] == "sent"
        door.answer(client, asked["id"], "done", "opened")
        assert state_of(gateway, asked["id"], "done")["detail"] == "opened"
        # A later word changes nothing, and the door was told once.
        door.answer(client, asked["id"], "failed")
        door.answer(client, asked["id"], "done")
        asked = ask(gateway, DOOR)
        client.wait_for(lambda message: asked["id"].encode() in message.payload)
        door.answer(client, asked["id"], "rejected", "interlock")
        assert state_of(gateway, asked["id"], "rejected")["detail"] == "interlock"
        assert [one["id"] for one in told(client)].count(asked["id"]) == 1
        assert [one["state"] for one in gateway.get("/commands", device=DOOR)["items"]] == ["rejected", "done"]
        assert stranger.messages == []


def test_fault_073_a_command_to_an_offline_door_expires_and_never_reaches_it(
    gateway: RealGateway, doors: dict[str, Door]
) -> None:
    door = doors[DOOR]
    with door.connected(clean=False) as client:
        client.drop()
        door.wait_online(False)
    asked = ask(gateway, DOOR, expires_in=0.5)
    assert asked["state"] == "pending"
    assert "never sent" in state_of(gateway, asked["id"], "expired")["detail"]
    with door.connected(clean=False) as client:
        fresh = ask(gateway, DOOR)
        client.wait_for(lambda message: fresh["id"].encode() in message.payload)
        assert [one["id"] for one in told(client)] == [fresh["id"]], "the expired command came after all"
        door.answer(client, fresh["id"], "done")
        state_of(gateway, fresh["id"], "done")


def test_fault_073_a_door_that_left_without_a_word_is_not_told_later_by_the_broker(
    gateway: RealGateway, doors: dict[str, Door]
) -> None:
    """Its session keeps its subscription, and nobody knows that it is away: the broker must not keep the command."""
    door = doors[DOOR]
    with door.connected(clean=False):
        pass  # a DISCONNECT: no last will, so it is still taken to be there
    asked = ask(gateway, DOOR, expires_in=0.5)
    assert asked["state"] == "sent"
    assert "not sent again" in state_of(gateway, asked["id"], "unknown")["detail"]
    with door.connected(clean=False) as client:
        fresh = ask(gateway, DOOR)
        client.wait_for(lambda message: fresh["id"].encode() in message.payload)
        door.answer(client, fresh["id"], "done")
        state_of(gateway, fresh["id"], "done")
        assert [one["id"] for one in told(client)] == [fresh["id"]], "the broker delivered an old command"


def test_fault_076_a_slow_door_is_told_once_and_a_retained_command_is_impossible(
    gateway: RealGateway, doors: dict[str, Door]
) -> None:
    """A door that opens first and acknowledges later must not be told again meanwhile."""
    door = doors[DOOR]
    with door.connected(auto_ack=False) as client:
        # Its own commands topic is not for it to publish on: nothing there comes back, now or to a new subscriber.
        client.publish(f"{door.root}/commands", b'{"id":"forged","command":"open"}', retain=True)
        asked = ask(gateway, DOOR)
        client.wait_for(lambda message: asked["id"].encode() in message.payload)
        # Longer than the broker waits for an acknowledgement (3 s) before it delivers a QoS-1 message again.
        until = time.monotonic() + 4.5
        wait_until(lambda: time.monotonic() > until, what="the broker's patience to end")
        door.answer(client, asked["id"], "done")
        state_of(gateway, asked["id"], "done")
        assert [one["id"] for one in told(client)] == [asked["id"]]
    with door.connected() as client:
        fresh = ask(gateway, DOOR)
        client.wait_for(lambda message: fresh["id"].encode() in message.payload)
        assert [one["id"] for one in told(client)] == [fresh["id"]]
        door.answer(client, fresh["id"], "done")
        state_of(gateway, fresh["id"], "done")


def test_fault_074_a_core_killed_between_sending_and_the_answer_says_unknown_and_sends_nothing_again(
    gateway: RealGateway, doors: dict[str, Door]
) -> None:
    door = doors[DOOR]
    with door.connected() as client:
        asked = ask(gateway, DOOR, expires_in=60.0)
        client.wait_for(lambda message: asked["id"].encode() in message.payload)
        gateway.wait_back("core", gateway.kill("core"))
        assert "restarted before the device answered" in state_of(gateway, asked["id"], "unknown")["detail"]
        door.answer(client, asked["id"], "done")  # too late: what was said stays said
        fresh = ask(gateway, DOOR)
        client.wait_for(lambda message: fresh["id"].encode() in message.payload)
        assert [one["id"] for one in told(client)] == [asked["id"], fresh["id"]]
        door.answer(client, fresh["id"], "done")
        state_of(gateway, fresh["id"], "done")
        assert gateway.get(f"/commands/{asked['id']}")["state"] == "unknown"


def test_a_device_registered_by_the_api_may_connect_the_moment_its_credential_is_read(gateway: RealGateway) -> None:
    for number in range(3):
        name = f"fresh-{number}"
        made = gateway.post("/devices", {"id": name, "site": "s1", "adapter": "cloudevents"}, expect=201)
        with gateway.client(made["credential"]) as client:
            client.publish(f"gatehouse/v1/s1/{name}/events", cloud_event(name, "access.door", 1, {"state": "closed"}))
        rotated = gateway.post(f"/devices/{name}/rotate")
        with pytest.raises(Refused):
            gateway.client(made["credential"]).connect()
        with gateway.client(rotated["credential"]):
            pass
        gateway.wait_for(f"/devices/{name}/events", lambda page: len(page["items"]) == 1)


def test_fault_067_a_disabled_device_is_put_out_within_five_seconds_and_stays_out(gateway: RealGateway) -> None:
    credential = gateway.add_device("leaver", type="door")
    with gateway.client(credential, clean=False) as client:
        client.subscribe("gatehouse/v1/s1/leaver/commands")
        gateway.post("/devices/leaver/disable")
        assert client.wait_until_disconnected() <= 5.0 * SHARED
    with pytest.raises(Refused):
        gateway.client(credential).connect()
    basic = httpx.BasicAuth(credential["username"], credential["password"])
    pushed = httpx.post(f"{gateway.url}/ingest/cloudevents/leaver", content=b"{}", auth=basic, timeout=30)
    assert pushed.status_code == 401
    gateway.post("/devices/leaver/commands", {"name": "open"}, expect=409)
    gateway.post("/devices/leaver/enable")
    with gateway.client(credential):
        pass


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"topics": 5}, "settings.topics"),
        ({"topics": {"publish": "#"}}, "settings.topics.publish"),
        ({"topics": {"publish": [5]}}, "settings.topics.publish"),
        ({"topics": {"subscribe": ["#"]}}, "would reach the topics of other devices"),
        ({"topics": {"publish": ["gatehouse/v1/s1/door-1/results"]}}, "would reach the topics of other devices"),
        ({"topics": {"publish": ["+/v1/s1/door-1/results"]}}, "would reach the topics of other devices"),
        ({"topics": {"publish": ["$SYS/x"]}}, "would reach the topics of other devices"),
    ],
)
def test_no_device_is_given_the_topics_of_another_and_no_record_ends_the_core(
    gateway: RealGateway, settings: dict[str, Any], says: str
) -> None:
    core = gateway.pids()["core"]
    body = {"id": "greedy", "site": "s1", "adapter": "cloudevents", "settings": settings}
    assert says in gateway.post("/devices", body, expect=422)["detail"]
    assert gateway.pids()["core"] == core
    assert gateway.ready()


def test_who_answers_for_one_site_gives_no_vendor_topics_away_and_nobody_takes_the_gateways_names(
    gateway: RealGateway,
) -> None:
    scoped = {"Authorization": f"Bearer {gateway.token('engineer', ('s9',))}"}
    body = {"id": "cam-9", "site": "s9", "adapter": "cloudevents", "settings": {"topics": {"publish": ["cam/9/up"]}}}
    refused = httpx.post(f"{gateway.url}/devices", json=body, headers=scoped, timeout=30)
    assert refused.status_code == 403, refused.text
    gateway.post("/devices", body, expect=201)
    body = {"id": "gatehouse-core", "site": "s1", "adapter": "cloudevents"}
    assert "the gateway's own" in gateway.post("/devices", body, expect=422)["detail"]


def test_the_ledger_holds_after_all_this(gateway: RealGateway) -> None:
    counts = gateway.ledger()
    assert counts["accepted"] > 0
    assert gateway.get("/ledger")["received"] == counts["received"]
