"""The probe tells a broker that holds our guarantees from one that does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.inbox.messages import MqttSettings
from gateway.inbox.probe import ProbeResult, probe
from gateway.inbox.probe_device import probe_device
from gateway.inbox.visitor import best_version
from tests.support.brokers import Account, Broker, device, free_port
from tests.support.mqtt_client import MqttTestClient

BrokerFactory = Callable[..., Any]


def ask(broker: Broker, *names: str) -> dict[str, ProbeResult]:
    username, password = broker.login()
    settings = MqttSettings(
        url=f"mqtt://127.0.0.1:{broker.port}", client_id="core", username=username, password=password
    )
    devices = [probe_device(*broker.login(name)) for name in names]
    return {result.name: result for result in probe(settings, devices)}


def throw_away(name: str) -> Account:
    wanted = probe_device(name, "")
    return Account(name=name, password=f"{name}-password", publish=(wanted.publish,), subscribe=(wanted.subscribe,))


def failed(results: dict[str, ProbeResult]) -> dict[str, str]:
    return {name: result.detail for name, result in results.items() if not result.ok}


def test_the_embedded_broker_holds_what_we_need_and_does_not_bind_client_ids(nats_broker: BrokerFactory) -> None:
    results = ask(nats_broker(devices=[throw_away("p1"), throw_away("p2")]), "p1", "p2")
    del results["delay"]  # it depends on who else uses the machine
    assert failed(results) == {}
    assert [name for name, result in results.items() if result.advice] == ["client id"]
    assert "use_username_as_clientid" in results["client id"].advice
    assert "not spoken" in results["MQTT 5"].detail
    assert results["session and queue"].detail.startswith("5000 of 5000")


@pytest.mark.mosquitto
def test_mosquitto_as_shipped_falls_short_in_its_version_only(mosquitto_broker: BrokerFactory) -> None:
    changes = {"autosave_on_changes": "false"}  # with it 5,000 messages take a while
    results = ask(mosquitto_broker(devices=[throw_away("p1"), throw_away("p2")], changes=changes), "p1", "p2")
    del results["delay"]  # it depends on who else uses the machine
    assert set(failed(results)) <= {"broker"}, failed(results)
    assert "spoken" in results["MQTT 5"].detail


@pytest.mark.mosquitto
def test_fault_062_mosquitto_with_its_defaults_is_told_what_to_change(mosquitto_broker: BrokerFactory) -> None:
    defaults: dict[str, str | None] = {
        "allow_anonymous": "true",
        "max_queued_messages": None,
        "max_queued_bytes": None,
        "set_tcp_nodelay": None,
        "use_username_as_clientid": None,
        "acl_file": None,
        "autosave_on_changes": "false",
        "max_inflight_messages": None,
    }
    results = ask(mosquitto_broker(devices=[throw_away("p1"), throw_away("p2")], changes=defaults), "p1", "p2")
    short = failed(results)
    assert {"anonymous", "foreign reading", "foreign writing", "session and queue"} <= set(short), short
    assert "use_username_as_clientid" in results["client id"].advice
    assert all(results[name].advice for name in short)


def test_a_broker_that_is_not_there_gives_one_clear_answer() -> None:
    (result,) = probe(MqttSettings(url=f"mqtt://127.0.0.1:{free_port()}", client_id="core"))
    assert not result.ok
    assert "cannot be reached" in result.detail
    assert "mqtt.url" in result.advice


def test_a_wrong_credential_gives_one_clear_answer(nats_broker: BrokerFactory) -> None:
    broker = nats_broker()
    settings = MqttSettings(
        url=f"mqtt://127.0.0.1:{broker.port}", client_id="core", username="gatehouse-core", password="no"
    )
    (result,) = probe(settings)
    assert not result.ok
    assert "refused gatehouse-core" in result.detail


def test_without_devices_the_probe_says_what_it_could_not_ask(nats_broker: BrokerFactory) -> None:
    results = ask(nats_broker())
    assert not results["devices"].ok
    assert "foreign topics" in results["devices"].detail


def core_settings(broker: Broker, client_id: str = "core") -> MqttSettings:
    username, password = broker.login()
    return MqttSettings(
        url=f"mqtt://127.0.0.1:{broker.port}", client_id=client_id, username=username, password=password
    )


def test_the_best_version_is_found_on_the_embedded_broker_and_where_nobody_answers(nats_broker: BrokerFactory) -> None:
    broker = nats_broker()
    assert best_version(core_settings(broker)) == "3.1.1"
    broker.stop()
    assert best_version(core_settings(broker)) == "3.1.1"


@pytest.mark.mosquitto
def test_neither_the_probe_nor_the_question_for_the_version_touches_what_waits_for_the_core(
    mosquitto_broker: BrokerFactory,
) -> None:
    """Here the client id is the user's name, so every visit under the core's name is a visit to the core's session."""
    broker = mosquitto_broker(
        devices=[device("a"), throw_away("p1"), throw_away("p2")], changes={"autosave_on_changes": "false"}
    )
    core = MqttTestClient(broker.port, *broker.login(), version=5, clean=False)
    core.connect()
    core.subscribe("gatehouse/v1/+/+/events")
    core.close()
    with MqttTestClient(broker.port, *broker.login("a"), version=5) as gate:
        for number in range(50):
            gate.publish("gatehouse/v1/s1/a/events", str(number))
    assert best_version(core_settings(broker)) == "5"
    ask(broker, "p1", "p2")
    again = MqttTestClient(broker.port, *broker.login(), version=5, clean=False)
    again.connect()
    assert again.session_present
    again.wait_for_count(50)
    mine = [int(message.payload) for message in again.messages if "/a/" in message.topic]
    assert mine == list(range(50))
    again.close()
