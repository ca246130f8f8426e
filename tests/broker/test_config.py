"""The configuration of the embedded broker as text: translation, refusals, nothing in clear."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.broker import BrokerSettings, BrokerUser, render_config, topic_to_subject
from gateway.errors import ConfigError, Invalid

HASH = "$2a$04$abcdefghijklmnopqrstuuJ5X1PpzDgFyWz2vAvZ5h1aS1zY9WJxK"
CORE = BrokerUser(name="core", password_bcrypt=HASH, publish=("#",), subscribe=("#",))
SETTINGS = BrokerSettings(host="127.0.0.1", port=1883)


@pytest.mark.parametrize(
    ("topic", "subject"),
    [
        ("gatehouse/v1/s1/door-1/events", "gatehouse.v1.s1.door-1.events"),
        ("a/+/b", "a.*.b"),
        ("a/#", "a.>"),
        ("#", ">"),
        ("+", "*"),
        ("/a", "/.a"),
        ("a/", "a./"),
        ("/", "/./"),
        ("a//b", "a./.b"),
        ("a///b", "a././.b"),
        ("/a//b/", "/.a./.b./"),
        ("v1.0/data", "v1//0.data"),
        ("电梯/1号/状态", "电梯.1号.状态"),
    ],
)
def test_topics_become_the_subjects_that_the_server_makes_of_them(topic: str, subject: str) -> None:
    assert topic_to_subject(topic) == subject


@pytest.mark.parametrize(
    "topic",
    ["", "a b/c", "a/b\t", "a/\x00", "a/*", "gatehouse/v1/>", "a/#/b", "a/b#", "a/b+", "x" * 70_000, "a\u00a0b"],
)
def test_topics_that_would_open_more_than_they_say_are_refused(topic: str) -> None:
    with pytest.raises(Invalid, match="topic"):
        topic_to_subject(topic)


@given(st.text(max_size=20))
def test_fault_065_no_device_id_widens_a_permission(name: str) -> None:
    """Whatever stands in a device's place is one level of the subject and no wildcard, or it is refused."""
    try:
        subject = topic_to_subject(f"gatehouse/v1/s1/{name}/events")
    except Invalid:
        return
    if "/" in name or "+" in name or "#" in name:
        return  # the enrolment refuses these: they are levels and wildcards of MQTT itself
    assert len(subject.split(".")) == 5, subject
    assert not {"*", ">"} & set(subject), subject


def test_every_user_is_bound_to_mqtt_and_to_its_own_topics() -> None:
    gate = BrokerUser(name="gate", password_bcrypt=HASH, publish=("x/gate/events",), subscribe=("x/gate/commands",))
    line = next(line for line in render_config(SETTINGS, CORE, [gate]).splitlines() if '"gate"' in line)
    assert 'allowed_connection_types: ["MQTT", "MQTT_WS"]' in line
    assert 'publish: {allow: ["x.gate.events"]}' in line
    assert 'subscribe: {allow: ["$MQTT.sub.>", "x.gate.commands"]}' in line


def test_a_user_without_topics_may_do_nothing() -> None:
    line = next(
        line
        for line in render_config(SETTINGS, CORE, [BrokerUser(name="mute", password_bcrypt=HASH)]).splitlines()
        if '"mute"' in line
    )
    assert 'publish: {deny: [">"]}, subscribe: {deny: [">"]}' in line


def test_a_permission_for_the_servers_own_topics_is_refused() -> None:
    with pytest.raises(ConfigError, match="gate"):
        render_config(SETTINGS, CORE, [BrokerUser(name="gate", password_bcrypt=HASH, publish=("$JS/API/#",))])


def test_a_password_in_clear_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        render_config(SETTINGS, CORE, [BrokerUser(name="gate", password_bcrypt="hunter2")])
    assert "gate" in caught.value.message
    assert "hunter2" not in caught.value.message


def test_two_credentials_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="core"):
        render_config(SETTINGS, CORE, [CORE])


def test_quotes_and_control_characters_cannot_leave_their_place() -> None:
    text = render_config(SETTINGS, CORE, [BrokerUser(name='a"}, {user: "b', password_bcrypt=HASH)])
    assert '{user: "a\\"}, {user: \\"b"' in text
    with pytest.raises(ConfigError):
        render_config(SETTINGS, CORE, [BrokerUser(name="a\nb", password_bcrypt=HASH)])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"port": 0}, "mqtt.port"),
        ({"port": 70_000}, "mqtt.port"),
        ({"websocket_port": -1}, "mqtt.websocket_port"),
        ({"max_payload": 10}, "mqtt.max_payload"),
        ({"max_ack_pending": 70_000}, "mqtt.max_ack_pending"),
        ({"sync": "sometimes"}, "mqtt.sync"),
        ({"ack_wait": "soon"}, "mqtt.ack_wait"),
        ({"tls_cert": "cert.pem"}, "mqtt.tls_cert"),
        ({"tls_ca": "ca.pem"}, "mqtt.tls_ca"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        render_config(msgspec.structs.replace(SETTINGS, **change), CORE, [])
