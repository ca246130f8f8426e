"""The configuration that we ship for Mosquitto, against the Mosquitto it is for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.brokers import MosquittoBroker, device
from tests.support.mqtt_client import MqttTestClient, Refused

pytestmark = pytest.mark.mosquitto
Factory = Callable[..., MosquittoBroker]
COMMANDS = "gatehouse/v1/s1/{}/commands"
EVENTS = "gatehouse/v1/s1/{}/events"


def test_fault_062_mosquitto_anonymous_and_wrong_password_are_refused(mosquitto_broker: Factory) -> None:
    broker = mosquitto_broker(devices=[device("a")])
    for username, password in ((None, None), ("a", "wrong"), ("nobody-we-know", "x")):
        with pytest.raises(Refused, match="Not authorized"):
            MqttTestClient(broker.port, username, password, version=5).connect()


def test_a_native_device_may_do_what_it_needs_and_its_will_is_sent(mosquitto_broker: Factory) -> None:
    broker = mosquitto_broker(devices=[device("a")])
    with MqttTestClient(broker.port, *broker.login(), version=5) as core:
        core.subscribe("gatehouse/v1/+/+/events", "gatehouse/v1/+/+/availability")
        will = ("gatehouse/v1/s1/a/availability", b"offline", True)
        gate = MqttTestClient(broker.port, *broker.login("a"), version=5, will=will)
        gate.connect()
        gate.subscribe(COMMANDS.format("a"))
        gate.publish(EVENTS.format("a"), b"event")
        gate.publish("gatehouse/v1/s1/a/availability", b"online", retain=True)
        core.wait_for_count(2)
        core.publish(COMMANDS.format("a"), b"open")
        assert gate.wait_for().payload == b"open"
        gate.drop()
        assert core.wait_for(lambda message: message.payload == b"offline").topic == will[0]


def test_fault_063_mosquitto_a_device_cannot_publish_as_another_nor_send_commands(mosquitto_broker: Factory) -> None:
    broker = mosquitto_broker(devices=[device("a"), device("b")])
    with (
        MqttTestClient(broker.port, *broker.login(), version=5) as core,
        MqttTestClient(broker.port, *broker.login("b"), version=5) as victim,
        MqttTestClient(broker.port, *broker.login("a"), version=5) as rogue,
    ):
        core.subscribe("#")
        victim.subscribe(COMMANDS.format("b"))
        for topic in (EVENTS.format("b"), COMMANDS.format("b"), COMMANDS.format("a"), "gatehouse/v1/s1/alerts/x"):
            reason = rogue.publish(topic, b"forged")
            assert str(reason) == "Not authorized", f"{topic}: the broker said {reason}"
        rogue.publish(EVENTS.format("a"), b"own")
        core.wait_for(lambda message: message.payload == b"own")
        core.publish(COMMANDS.format("b"), b"real")
        victim.wait_for()
        assert [m.payload for m in core.messages if m.payload == b"forged"] == []
        assert [m.payload for m in victim.messages] == [b"real"]


def test_fault_070_mosquitto_a_device_receives_nothing_foreign_whatever_it_subscribes_to(
    mosquitto_broker: Factory,
) -> None:
    broker = mosquitto_broker(devices=[device("a"), device("b")])
    with (
        MqttTestClient(broker.port, *broker.login(), version=5) as core,
        MqttTestClient(broker.port, *broker.login("b"), version=5) as victim,
        MqttTestClient(broker.port, *broker.login("a"), version=5) as rogue,
    ):
        rogue.subscribe(
            "#", "+/+/+/+/+", "$SYS/#", COMMANDS.format("b"), "$share/g/#", "$share/g/" + COMMANDS.format("b")
        )
        core.publish(COMMANDS.format("b"), b"secret")
        victim.publish(EVENTS.format("b"), b"secret")
        core.publish(COMMANDS.format("a"), b"for a")
        rogue.wait_for(lambda message: message.payload == b"for a")
        foreign = [m.topic for m in rogue.messages if m.topic != COMMANDS.format("a")]
        assert foreign == [], f"device a received {foreign}"


def test_fault_064_mosquitto_a_session_cannot_be_taken_over_by_its_client_id(mosquitto_broker: Factory) -> None:
    broker = mosquitto_broker(devices=[device("a"), device("b")])
    with (
        MqttTestClient(broker.port, *broker.login("a"), version=5, client_id="a") as victim,
        MqttTestClient(broker.port, *broker.login("b"), version=5, client_id="a") as rogue,
        MqttTestClient(broker.port, *broker.login(), version=5) as core,
    ):
        victim.subscribe(COMMANDS.format("a"))
        core.publish(COMMANDS.format("a"), b"still here")
        assert victim.wait_for().payload == b"still here"
        assert victim.disconnects == 0, "the rogue took over the session"
        assert rogue.messages == []


def test_a_vendor_topic_is_open_to_the_credential_that_names_it_and_to_no_other(mosquitto_broker: Factory) -> None:
    face = device("face-1", publish=["mqtt/face/1234567/Rec"], subscribe=["mqtt/face/1234567"])
    broker = mosquitto_broker(devices=[face, device("b")])
    with (
        MqttTestClient(broker.port, *broker.login(), version=5) as core,
        MqttTestClient(broker.port, *broker.login("face-1"), version=5) as terminal,
        MqttTestClient(broker.port, *broker.login("b"), version=5) as other,
    ):
        core.subscribe("mqtt/face/+/Rec")
        assert str(other.publish("mqtt/face/1234567/Rec", b"forged")) == "Not authorized"
        terminal.publish("mqtt/face/1234567/Rec", b"record")
        core.wait_for()
        assert [m.payload for m in core.messages] == [b"record"]


def test_fault_016_mosquitto_killed_at_once_keeps_the_session_and_all_but_perhaps_the_last_message(
    mosquitto_broker: Factory,
) -> None:
    broker = mosquitto_broker(devices=[device("a")])
    core = MqttTestClient(broker.port, *broker.login(), version=5, clean=False)
    core.connect()
    core.subscribe("gatehouse/v1/+/+/events")
    core.close()
    with MqttTestClient(broker.port, *broker.login("a"), version=5) as gate:
        for number in range(50):
            gate.publish(EVENTS.format("a"), str(number))
        broker.kill()
    broker.restart()
    again = MqttTestClient(broker.port, *broker.login(), version=5, clean=False, client_id=core.client_id)
    again.connect()
    assert again.session_present, "the session is gone"
    again.wait_for_count(49)
    assert [int(message.payload) for message in again.messages][:49] == list(range(49))
    again.close()


def test_mosquitto_keeps_five_thousand_messages_for_an_absent_gateway(mosquitto_broker: Factory) -> None:
    broker = mosquitto_broker(devices=[device("a")], changes={"autosave_on_changes": "false"})
    core = MqttTestClient(broker.port, *broker.login(), version=5, clean=False)
    core.connect()
    core.subscribe("gatehouse/v1/+/+/events")
    core.close()
    with MqttTestClient(broker.port, *broker.login("a"), version=5) as gate:
        last = [gate.paho.publish(EVENTS.format("a"), str(number), qos=1) for number in range(5_000)][-1]
        last.wait_for_publish(60.0)
    again = MqttTestClient(broker.port, *broker.login(), version=5, clean=False, client_id=core.client_id)
    again.connect()
    again.wait_for_count(5_000)
    again.close()


def test_fault_067_mosquitto_a_removed_credential_is_cut_off_and_cannot_come_back(mosquitto_broker: Factory) -> None:
    broker = mosquitto_broker(devices=[device("a"), device("b")])
    with (
        MqttTestClient(broker.port, *broker.login("a"), version=5) as revoked,
        MqttTestClient(broker.port, *broker.login("b"), version=5) as other,
    ):
        broker.set_devices([device("b")])
        revoked.wait_until_disconnected(5.0)
        with pytest.raises(Refused, match="Not authorized"):
            MqttTestClient(broker.port, "a", "a-password", version=5).connect()
        other.publish(EVENTS.format("b"), b"still here")
        assert other.disconnects == 0
