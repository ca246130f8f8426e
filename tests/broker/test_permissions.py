"""What a credential of the embedded broker can and cannot do, judged by what is delivered and never by SUBACK."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.brokers import Account, NatsBroker, device
from tests.support.mqtt_client import MqttTestClient, Refused

Factory = Callable[..., NatsBroker]
EVENTS = "gatehouse/v1/s1/{}/events"
COMMANDS = "gatehouse/v1/s1/{}/commands"
AVAILABILITY = "gatehouse/v1/s1/{}/availability"


def test_fault_062_anonymous_and_wrong_credentials_are_refused(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a")])
    for username, password in ((None, None), ("a", "wrong"), ("a", ""), ("nobody", "x"), ("", "")):
        with pytest.raises(Refused):
            MqttTestClient(broker.port, username, password).connect()


def test_fault_062_a_broker_without_devices_is_open_to_nobody_but_the_core(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[])
    with pytest.raises(Refused):
        MqttTestClient(broker.port).connect()
    with MqttTestClient(broker.port, *broker.login()) as core:
        core.publish("any/topic", b"x")


def test_a_device_may_do_what_it_needs(nats_broker: Factory) -> None:
    """Publish at QoS 1, keep a session with its commands, retain its availability, leave a last will."""
    broker = nats_broker(devices=[device("a")])
    with MqttTestClient(broker.port, *broker.login()) as core:
        core.subscribe(EVENTS.format("+"), AVAILABILITY.format("+"))
        will = (AVAILABILITY.format("a"), b"offline", True)
        gate = MqttTestClient(broker.port, *broker.login("a"), client_id="a", clean=False, will=will)
        gate.connect()
        gate.subscribe(COMMANDS.format("a"))
        gate.publish(EVENTS.format("a"), b"event")
        gate.publish(AVAILABILITY.format("a"), b"online", retain=True)
        core.wait_for(lambda message: message.payload == b"event")
        core.wait_for(lambda message: message.payload == b"online")
        gate.drop()
        core.wait_for(lambda message: message.payload == b"offline")
        core.publish(COMMANDS.format("a"), b"while away")
        again = MqttTestClient(broker.port, *broker.login("a"), client_id="a", clean=False)
        again.connect()
        assert again.session_present
        assert again.wait_for().payload == b"while away"
        again.close()
    with MqttTestClient(broker.port, *broker.login()) as late:
        late.subscribe(AVAILABILITY.format("+"))
        kept = late.wait_for()
        assert (kept.payload, kept.retain) == (b"offline", True)


def test_fault_063_a_device_cannot_publish_as_another_nor_on_commands_nor_into_the_server(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a"), device("b")])
    with (
        MqttTestClient(broker.port, *broker.login()) as core,
        MqttTestClient(broker.port, *broker.login("b")) as victim,
        MqttTestClient(broker.port, *broker.login("a")) as rogue,
    ):
        core.subscribe("#")
        victim.subscribe(COMMANDS.format("b"))
        forbidden = [
            EVENTS.format("b"),
            AVAILABILITY.format("b"),
            COMMANDS.format("b"),
            COMMANDS.format("a"),
            "gatehouse/v1/s1/alerts/x",
            "gatehouse/v1/_core/heartbeat",
            "gatehouse/v1/s1/a/events/more",
            "/gatehouse/v1/s1/a/events",
            "$MQTT/msgs/gatehouse/v1/s1/b/commands",
            "$MQTT/sub/x",
            "$JS/API/STREAM/DELETE/$MQTT_msgs",
            "$SYS/REQ/SERVER/PING",
        ]
        for topic in forbidden:
            rogue.publish(topic, b"forged")  # 3.1.1 cannot say no: the PUBACK comes all the same
            rogue.publish(topic, b"forged", retain=True)
        rogue.publish(EVENTS.format("a"), b"own")
        core.wait_for(lambda message: message.payload == b"own")
        core.publish(COMMANDS.format("b"), b"real")
        victim.wait_for()
        assert [message.topic for message in core.messages if message.payload == b"forged"] == []
        assert [message.payload for message in victim.messages] == [b"real"]
    with MqttTestClient(broker.port, *broker.login()) as late:
        late.subscribe("#")
        core_messages = [message.topic for message in late.messages if message.payload == b"forged"]
        assert core_messages == [], f"forged messages were retained: {core_messages}"


WIDE_FILTERS = [
    "#",
    "+/+/+/+/+",
    "gatehouse/#",
    "gatehouse/v1/s1/+/commands",
    "gatehouse/v1/s1/b/#",
    "gatehouse/v1/s1/b/commands",
    "gatehouse/v1/s1/b/events",
    "gatehouse/v1/>",
    ">",
    "*/*/*/*/*",
    "$share/g/#",
    "$share/g/gatehouse/v1/s1/b/commands",
    "$MQTT/#",
    "$MQTT/sub/#",
    "$MQTT/msgs/#",
    "$JS/#",
    "$SYS/#",
    "_INBOX/#",
]


@pytest.mark.parametrize("qos", [0, 1])
def test_fault_070_a_device_receives_nothing_foreign_whatever_it_subscribes_to(nats_broker: Factory, qos: int) -> None:
    broker = nats_broker(devices=[device("a"), device("b")])
    with (
        MqttTestClient(broker.port, *broker.login()) as core,
        MqttTestClient(broker.port, *broker.login("b")) as victim,
        MqttTestClient(broker.port, *broker.login("a")) as rogue,
    ):
        for name in WIDE_FILTERS:
            rogue.subscribe(name, qos=qos)
        rogue.subscribe(COMMANDS.format("a"), qos=qos)
        victim.subscribe(COMMANDS.format("b"))
        core.publish(COMMANDS.format("b"), b"secret")
        core.publish(COMMANDS.format("b"), b"secret", retain=True)
        victim.publish(EVENTS.format("b"), b"secret")
        victim.publish(AVAILABILITY.format("b"), b"online", retain=True)
        victim.wait_for_count(2)
        core.publish(COMMANDS.format("a"), b"mine")
        rogue.wait_for(lambda message: message.payload == b"mine")
        assert rogue.topics() == [COMMANDS.format("a")]


def test_fault_070_a_wide_subscription_in_one_packet_with_an_allowed_one_opens_nothing(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a"), device("b")])
    with (
        MqttTestClient(broker.port, *broker.login()) as core,
        MqttTestClient(broker.port, *broker.login("a")) as rogue,
    ):
        rogue.subscribe("#", COMMANDS.format("a"), "gatehouse/v1/s1/+/commands")
        core.publish(COMMANDS.format("b"), b"secret")
        core.publish(COMMANDS.format("a"), b"mine")
        rogue.wait_for()
        assert rogue.topics() == [COMMANDS.format("a")]


def test_fault_070_retained_messages_of_others_are_not_handed_out(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a"), device("b")])
    with (
        MqttTestClient(broker.port, *broker.login("b")) as victim,
        MqttTestClient(broker.port, *broker.login("a")) as rogue,
        MqttTestClient(broker.port, *broker.login()) as core,
    ):
        victim.publish(AVAILABILITY.format("b"), b"online", retain=True)
        rogue.subscribe("#", AVAILABILITY.format("b"), AVAILABILITY.format("+"), COMMANDS.format("a"))
        core.publish(COMMANDS.format("a"), b"mine")
        rogue.wait_for(lambda message: message.payload == b"mine")
        assert rogue.topics() == [COMMANDS.format("a")]


def test_fault_064_another_device_with_the_cores_client_id_reads_nothing_and_loses_nothing(
    nats_broker: Factory,
) -> None:
    """The server does not bind a client id to a user. Whoever resumes a session finds its subscriptions refused, and
    the messages wait for the owner. (A clean session under the same id would delete it: the core's id is a secret.)"""
    broker = nats_broker(devices=[device("a"), device("b")])
    core = MqttTestClient(broker.port, *broker.login(), client_id="guessed", clean=False)
    core.connect()
    core.subscribe(EVENTS.format("+"))
    with (
        MqttTestClient(broker.port, *broker.login("a")) as gate,
        MqttTestClient(broker.port, *broker.login("b"), client_id="guessed", clean=False) as rogue,
    ):
        core.wait_until_disconnected()
        gate.publish(EVENTS.format("a"), b"secret")
        rogue.subscribe(COMMANDS.format("b"))
        assert rogue.messages == []
    owner = MqttTestClient(broker.port, *broker.login(), client_id="guessed", clean=False)
    owner.connect()
    assert owner.wait_for().payload == b"secret"
    owner.close()


ODD_TOPICS = [
    "a",
    "/a",
    "a/",
    "/",
    "//",
    "a//b",
    "a///b",
    "/a//b/",
    "v1.0/data",
    ".a/b.",
    "电梯/1号",
    "a/-_:@=~",
    "a/$x",
]


def test_the_translation_of_topics_is_the_servers_own(nats_broker: Factory) -> None:
    """A credential for exactly one odd topic may publish to it, and to none of the other odd ones."""
    accounts = [Account(name=f"u{i}", password="p", publish=(topic,)) for i, topic in enumerate(ODD_TOPICS)]
    broker = nats_broker(devices=accounts)
    with MqttTestClient(broker.port, *broker.login()) as core:
        core.subscribe("#")
        for account in accounts:
            with MqttTestClient(broker.port, account.name, "p") as client:
                for topic in ODD_TOPICS:
                    client.publish(topic, account.name)
        core.publish("the/end", b"")
        core.wait_for(lambda message: message.topic == "the/end")
        got = {(message.topic, message.payload.decode()) for message in core.messages if message.payload}
    assert got == {(topic, f"u{i}") for i, topic in enumerate(ODD_TOPICS)}


def test_the_translation_of_filters_is_the_servers_own(nats_broker: Factory) -> None:
    account = Account(name="reader", password="p", subscribe=("v1.0/+/x", "/lead/#", "a//+"))
    broker = nats_broker(devices=[account])
    with (
        MqttTestClient(broker.port, *broker.login()) as core,
        MqttTestClient(broker.port, "reader", "p") as reader,
    ):
        assert reader.subscribe(*account.subscribe) == [1, 1, 1]
        wanted = ["v1.0/q/x", "/lead/1/2", "a//b"]
        for topic in (*wanted, "v1/0/q/x", "lead/1/2", "a/b", "end"):
            core.publish(topic, topic)
        reader.wait_for_count(len(wanted))
        assert sorted(reader.topics()) == sorted(wanted)


def test_the_core_is_kept_out_of_the_servers_own_subjects(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a")])
    with MqttTestClient(broker.port, *broker.login(), clean=False, client_id="core") as core:
        core.subscribe(EVENTS.format("+"))
        for topic in (
            "$JS/API/STREAM/DELETE/$MQTT_msgs",
            "$JS/API/STREAM/PURGE/$MQTT_sess",
            "$MQTT/sess/x",
            "$MQTT/msgs/gatehouse/v1/s1/a/events",
            "$SYS/REQ/SERVER/PING",
        ):
            core.publish(topic, b"")
        with MqttTestClient(broker.port, *broker.login("a")) as gate:
            gate.publish(EVENTS.format("a"), b"still stored")
        assert core.wait_for().payload == b"still stored"
