"""The inbox against real brokers: nothing is lost, nothing is acknowledged before the commit, nothing stops it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
import trustme

from gateway.inbox.heartbeat import Heartbeat
from gateway.inbox.messages import InboxMessage, MqttSettings
from gateway.inbox.mqtt import MqttInbox
from tests.support.brokers import PATIENCE, REPOSITORY, SHARED, Broker, device, wait_until
from tests.support.mqtt_client import MqttTestClient

MINE = "gatehouse/v1/s1/a/events"
InboxFactory = Callable[..., MqttInbox]
BrokerFactory = Callable[..., Any]


@pytest.fixture(params=["nats", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def any_broker(request: pytest.FixtureRequest) -> BrokerFactory:
    """The embedded broker over MQTT 3.1.1, and Mosquitto over MQTT 5: see `version_for`."""
    factory: BrokerFactory = request.getfixturevalue(f"{request.param}_broker")
    return partial(factory, ack_wait="1s") if request.param == "nats" else factory


def version_for(broker: Broker) -> str:
    return "5" if type(broker).__name__ == "MosquittoBroker" else "3.1.1"


def collect(inbox: MqttInbox, count: int, deadline: float = PATIENCE, acknowledge: bool = True) -> list[InboxMessage]:
    """Takes until `count` messages are in hand."""
    end = time.monotonic() + deadline
    got: list[InboxMessage] = []
    while len(got) < count and time.monotonic() < end:
        batch = inbox.take(1000, timeout=0.2)
        got += batch
        if acknowledge:
            inbox.acknowledge(batch)
    assert len(got) >= count, f"{len(got)} of {count} messages within {deadline} s; {inbox.counters}; {inbox.problem}"
    return got


def numbers(messages: list[InboxMessage]) -> list[int]:
    return [int(message.payload) for message in messages]


def test_a_message_comes_with_all_that_the_core_needs(nats_broker: Any, make_inbox: InboxFactory) -> None:
    broker = nats_broker(devices=[device("a")])
    inbox = make_inbox(broker)
    before, wall = time.monotonic(), time.time()
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        gate.publish(MINE, b"42")
    (message,) = collect(inbox, 1)
    assert (message.topic, message.payload, message.qos, message.dup, message.retain) == (MINE, b"42", 1, False, False)
    assert before <= message.at_monotonic <= time.monotonic()
    assert wall <= message.wall <= time.time()
    assert message.mid > 0


def test_what_was_not_acknowledged_comes_again_to_the_next_run_and_what_was_does_not(
    any_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = any_broker(devices=[device("a")])
    version = version_for(broker)
    inbox = make_inbox(broker, version=version)
    send(broker, 0, 10)
    taken = collect(inbox, 10, acknowledge=False)
    inbox.acknowledge(taken[:6])
    inbox.stop()
    again = make_inbox(broker, version=version)
    assert again.session_present
    got: set[int] = set()
    end = time.monotonic() + PATIENCE
    while not got >= {6, 7, 8, 9} and time.monotonic() < end:
        got.update(numbers(again.take(timeout=0.2)))
    assert got >= {6, 7, 8, 9}
    if version == "5":
        # The embedded broker works by time (`ack_wait`), and on a busy machine that can be over before the PUBACK.
        assert got == {6, 7, 8, 9}, "acknowledged messages came again"


def send(broker: Broker, first: int, end: int) -> None:
    """Publishes these numbers as device a, and returns when the broker has confirmed all of them."""
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        infos = [gate.paho.publish(MINE, str(number), qos=1) for number in range(first, end)]
        for info in infos:
            info.wait_for_publish(PATIENCE)


def test_every_message_comes_once_and_in_order(any_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    broker = any_broker(devices=[device("a")])
    inbox = make_inbox(broker, version=version_for(broker))
    send(broker, 0, 3_000)
    assert numbers(collect(inbox, 3_000)) == list(range(3_000))
    wait_until(lambda: inbox.unacknowledged() == 0, what="all to be acknowledged")
    assert inbox.take(timeout=0.1) == []


@pytest.mark.mosquitto
def test_the_window_of_mqtt_5_is_the_back_pressure(mosquitto_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    broker = mosquitto_broker(devices=[device("a")])
    inbox = make_inbox(broker, version="5", window=10)
    send(broker, 0, 50)
    first = collect(inbox, 10, acknowledge=False)
    assert len(first) == 10
    assert inbox.take(timeout=0.3) == [], "the broker sent more than the window"
    inbox.acknowledge(first)
    assert numbers(first + collect(inbox, 40)) == list(range(50))


def test_the_brokers_window_is_the_back_pressure_over_3_1_1(
    nats_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = nats_broker(devices=[device("a")], max_ack_pending=10, ack_wait="5m")
    inbox = make_inbox(broker)
    send(broker, 0, 50)
    first = collect(inbox, 10, acknowledge=False)
    assert inbox.take(timeout=0.3) == [], "the broker sent more than the window"
    inbox.acknowledge(first)
    assert numbers(first + collect(inbox, 40)) == list(range(50))


CONSUMER = """
import sys, time
from gateway.inbox.messages import MqttSettings
from gateway.inbox.mqtt import MqttInbox
url, user, password, version = sys.argv[1:]
inbox = MqttInbox(
    MqttSettings(url=url, client_id="core-of-the-test", username=user, password=password, version=version)
)
inbox.subscribe(["gatehouse/v1/+/+/events"])
inbox.start()
inbox.wait_connected(60)
while True:
    for message in inbox.take(50, 1.0):
        print(message.payload.decode(), flush=True)
        if int(message.payload) < 50:
            inbox.acknowledge([message])
"""


def test_fault_003_a_consumer_killed_before_it_acknowledged_gets_everything_again(
    any_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = any_broker(devices=[device("a")])
    version = version_for(broker)
    command = [sys.executable, "-c", CONSUMER, f"mqtt://127.0.0.1:{broker.port}", *broker.login(), version]
    consumer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert consumer.stdout is not None
    with consumer.stdout:
        # It has subscribed once a message reaches it.
        with MqttTestClient(broker.port, *broker.login("a")) as gate:
            waker = threading.Event()

            def knock() -> None:
                while not waker.wait(0.05):
                    gate.paho.publish(MINE, b"0", qos=1)

            thread = threading.Thread(target=knock, name="knock")
            thread.start()
            consumer.stdout.readline()
            waker.set()
            thread.join()
        send(broker, 1, 100)
        while consumer.stdout.readline() != "99\n":
            pass
        consumer.kill()
        consumer.wait()
    inbox = make_inbox(broker, version=version)
    assert inbox.session_present
    wanted, again = set(range(50, 100)), set[int]()
    end = time.monotonic() + PATIENCE
    while not again >= wanted and time.monotonic() < end:
        again |= set(numbers(inbox.take(timeout=0.2)))  # and perhaps some whose acknowledgement was still on its way
    assert again >= wanted, f"lost: {wanted - again}"


def test_an_exception_in_the_handling_loses_nothing_when_the_batch_is_given_back(
    nats_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = nats_broker(devices=[device("a")], ack_wait="1s")
    inbox = make_inbox(broker)
    send(broker, 0, 20)
    handled: list[int] = []
    failures = 0
    end = time.monotonic() + PATIENCE
    while len(handled) < 20 and time.monotonic() < end:
        batch = inbox.take(7, timeout=1.0)
        try:
            if batch and failures < 3:
                failures += 1
                raise OSError("disk full")
            handled += numbers(batch)
        except OSError:
            inbox.give_back(batch)
        else:
            inbox.acknowledge(batch)
    assert handled == list(range(20))
    # The broker sends copies of what it waits for, after a second; while we hold the original they are dropped.
    send(broker, 20, 21)
    (held,) = collect(inbox, 1, acknowledge=False)
    wait_until(lambda: inbox.counters.redelivered_pending > 0, what="the broker to send a copy")
    assert inbox.take(timeout=0.1) == []
    inbox.acknowledge([held])


def test_fault_016_the_broker_is_killed_and_comes_back_and_nothing_is_lost(
    nats_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = nats_broker(devices=[device("a")], ack_wait="1s")
    lost: list[str] = []
    inbox = make_inbox(broker, on_session_lost=lambda: lost.append("session"))
    send(broker, 0, 30)
    held = collect(inbox, 30, acknowledge=False)
    broker.kill()
    wait_until(lambda: not inbox.publish("any/topic", b"x"), what="the link to be known as down")
    wait_until(lambda: inbox.problem is not None, what="the loss to be seen")
    broker.restart()
    assert inbox.wait_connected(PATIENCE), inbox.problem
    inbox.acknowledge(held)
    assert inbox.counters.stale_acknowledgements == 30
    send(broker, 30, 40)
    assert set(numbers(collect(inbox, 40))) == set(range(40)), "old acknowledgements reached new messages"
    assert lost == []
    assert inbox.session_present


def test_fault_015_a_lost_session_is_reported_and_subscribed_anew(
    nats_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = nats_broker(devices=[device("a")])
    lost: list[float] = []
    inbox = make_inbox(broker, on_session_lost=lambda: lost.append(time.monotonic()))
    assert lost == [], "the very first connection has no session to lose"
    broker.kill()
    shutil.rmtree(broker.embedded.store_dir / "jetstream")
    broker.restart()
    wait_until(lambda: bool(lost), what="the loss of the session to be reported")
    wait_until(lambda: bool(inbox.confirmed()), what="the subscriptions to be granted again")
    send(broker, 0, 3)
    assert numbers(collect(inbox, 3)) == [0, 1, 2]


def test_fault_015_a_session_that_an_earlier_run_had_is_missed_by_the_next(
    nats_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = nats_broker()
    lost: list[str] = []
    make_inbox(broker, expect_session=True, on_session_lost=lambda: lost.append("session"))
    assert lost == ["session"]


def test_no_exception_of_a_callback_stops_the_inbox(nats_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    broker = nats_broker(devices=[device("a")])

    def fail(*_: object) -> None:
        raise RuntimeError("a callback of ours is wrong")

    inbox = make_inbox(broker, expect_session=True, on_session_lost=fail)
    assert inbox.publish("any/topic", b"x", on_done=fail)
    wait_until(lambda: inbox.counters.callback_errors == 2, what="both failures to be counted")
    send(broker, 0, 3)
    assert numbers(collect(inbox, 3)) == [0, 1, 2]


def test_a_failure_while_reading_costs_the_connection_and_no_message(
    nats_broker: BrokerFactory, make_inbox: InboxFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = nats_broker(devices=[device("a")], ack_wait="1s")
    inbox = make_inbox(broker)
    failed = threading.Event()

    def fail(messages: list[InboxMessage]) -> None:
        failed.set()
        monkeypatch.undo()
        raise RuntimeError("a fault in the inbox itself")

    monkeypatch.setattr(inbox._handover, "put", fail)
    send(broker, 0, 5)
    assert failed.wait(PATIENCE)
    assert set(numbers(collect(inbox, 5))) == set(range(5))
    assert inbox.counters.callback_errors >= 1


def test_fault_037_a_dead_network_thread_is_found_and_started_again(
    nats_broker: BrokerFactory, make_inbox: InboxFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS X6: paho's thread can end while `is_connected()` goes on saying yes."""
    broker = nats_broker(devices=[device("a")], ack_wait="1s")
    inbox = make_inbox(broker, heartbeat=Heartbeat(interval=0.1, limit=0.5))
    wait_until(lambda: inbox.healthy(time.monotonic()), what="the first heartbeat")

    def fail() -> NoReturn:
        monkeypatch.undo()
        raise RuntimeError("the thread ends")

    monkeypatch.setattr(inbox._client, "loop_misc", fail)
    wait_until(lambda: inbox.counters.callback_errors == 1, what="the thread to end")
    send(broker, 0, 5)
    wait_until(lambda: not inbox.healthy(time.monotonic()) or inbox.counters.restarts == 1, what="the death to be seen")
    wait_until(
        lambda: inbox.counters.restarts == 1 and inbox.healthy(time.monotonic()), what="the inbox to be well again"
    )
    assert set(numbers(collect(inbox, 5))) == set(range(5))


def test_a_broker_that_hangs_is_unhealthy_though_still_connected(
    nats_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = nats_broker(devices=[device("a")])
    inbox = make_inbox(broker, heartbeat=Heartbeat(interval=0.1, limit=0.5))
    wait_until(lambda: inbox.healthy(time.monotonic()), what="the first heartbeat")
    os.kill(broker.embedded.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: not inbox.healthy(time.monotonic()), what="the silence to be noticed")
    finally:
        os.kill(broker.embedded.pid, signal.SIGCONT)
    wait_until(lambda: inbox.healthy(time.monotonic()), what="the inbox to be well again")


def test_heartbeats_are_not_messages(any_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    broker = any_broker(devices=[device("a")])
    inbox = make_inbox(
        broker, filters=("gatehouse/v1/#",), heartbeat=Heartbeat(interval=0.05, limit=1.0), version=version_for(broker)
    )
    wait_until(lambda: inbox.healthy(time.monotonic()), what="the first heartbeat")
    send(broker, 0, 1)
    assert [message.topic for message in collect(inbox, 1)] == [MINE]
    assert inbox.take(timeout=0.3) == []


def test_the_hand_of_the_broker_is_reported_when_it_has_a_message_of_ours(
    any_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = any_broker(devices=[device("a")])
    inbox = make_inbox(broker, version=version_for(broker))
    done: list[bool] = []
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        gate.subscribe("gatehouse/v1/s1/a/commands")
        for number in range(300):
            assert inbox.publish("gatehouse/v1/s1/a/commands", str(number).encode(), on_done=done.append)
        gate.wait_for_count(300)
        assert [int(message.payload) for message in gate.messages] == list(range(300))
    wait_until(lambda: done == [True] * 300, what="all publications to be confirmed")


@pytest.mark.mosquitto
def test_a_refused_publication_is_reported_over_mqtt_5(
    mosquitto_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = mosquitto_broker(devices=[device("a")])
    inbox = make_inbox(broker, version="5")
    done: list[bool] = []
    assert inbox.publish("$SYS/not/yours", b"x", on_done=done.append)
    wait_until(lambda: len(done) == 1, what="an answer")
    assert done == [False]


@pytest.mark.mosquitto
def test_fault_073_a_command_that_expired_while_the_device_was_away_is_never_delivered(
    mosquitto_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = mosquitto_broker(devices=[device("a")])
    inbox = make_inbox(broker, version="5")
    gate = MqttTestClient(broker.port, *broker.login("a"), version=5, clean=False)
    gate.connect()
    gate.subscribe("gatehouse/v1/s1/a/commands")
    gate.close()
    gone: list[bool] = []
    assert inbox.publish("gatehouse/v1/s1/a/commands", b"open", expiry=0.5, on_done=gone.append)
    assert inbox.publish("gatehouse/v1/s1/a/commands", b"later", expiry=60.0, on_done=gone.append)
    wait_until(lambda: gone == [True, True], what="both to be with the broker")
    end = time.monotonic() + 2.1
    wait_until(lambda: time.monotonic() > end, what="the expiry to pass")
    again = MqttTestClient(broker.port, *broker.login("a"), version=5, clean=False)
    again.connect()
    again.wait_for()
    assert [message.payload for message in again.messages] == [b"later"]
    again.close()


def test_fault_066_a_retained_copy_is_marked_as_no_news(any_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    broker = any_broker(devices=[device("a")])
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        gate.publish(MINE, b"old", retain=True)
    inbox = make_inbox(broker, version=version_for(broker))
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        gate.publish(MINE, b"new", retain=True)
    assert [(message.payload, message.retain) for message in collect(inbox, 2)] == [(b"old", True), (b"new", False)]


def test_fault_073_a_command_whose_time_ran_out_without_a_connection_is_not_sent_with_the_next(
    nats_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    """The broker hangs, so no PUBACK comes, and dies: paho would send both again. 3.1.1 has no expiry of its own."""
    broker = nats_broker(devices=[device("a")])
    inbox = make_inbox(broker)
    done: list[tuple[str, bool]] = []
    os.kill(broker.embedded.pid, signal.SIGSTOP)
    topic = "gatehouse/v1/s1/a/commands"
    assert inbox.publish(topic, b"open", expiry=0.2, on_done=lambda taken: done.append(("open", taken)))
    assert inbox.publish(topic, b"light on", on_done=lambda taken: done.append(("light on", taken)))
    broker.kill()
    end = time.monotonic() + 0.3
    wait_until(lambda: time.monotonic() > end, what="the time to run out")
    broker.restart()
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        gate.subscribe("gatehouse/v1/s1/a/commands")
        wait_until(lambda: len(done) == 2, what="both to be decided")
        if "light on" not in [message.payload.decode() for message in gate.messages]:
            assert inbox.publish("gatehouse/v1/s1/a/commands", b"end")
            gate.wait_for()
        assert b"open" not in [message.payload for message in gate.messages]
    assert sorted(done) == [("light on", True), ("open", False)]


def test_a_flood_at_qos_0_is_bounded_and_counted(nats_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    broker = nats_broker(devices=[device("a")])
    inbox = make_inbox(broker, window=100)
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        for number in range(1_000):
            gate.paho.publish(MINE, str(number), qos=0)
        gate.publish(MINE, b"1000")
        wait_until(lambda: inbox.waiting() + inbox.counters.dropped_qos0 == 1_001, what="all to arrive")
    assert inbox.waiting() == 101, "one beyond the window: QoS 1 is never dropped"
    assert inbox.take(1)[0].payload == b"0"


def test_a_wrong_password_is_said_in_words_that_help(nats_broker: BrokerFactory) -> None:
    broker = nats_broker()
    settings = MqttSettings(
        url=f"mqtt://127.0.0.1:{broker.port}", client_id="x", username="gatehouse-core", password="no"
    )
    inbox = MqttInbox(settings)
    inbox.start()
    try:
        wait_until(lambda: "refused" in (inbox.problem or ""), what="the refusal")
        assert "mqtt.username" in (inbox.problem or "")
        assert not inbox.healthy(time.monotonic())
    finally:
        inbox.stop()


def test_an_inbox_without_a_broker_waits_and_connects_when_there_is_one(
    nats_broker: BrokerFactory, make_inbox: InboxFactory
) -> None:
    broker = nats_broker(devices=[device("a")])
    broker.stop()
    inbox = make_inbox(broker, wait=False)
    wait_until(lambda: "cannot be reached" in (inbox.problem or ""), what="the absence to be said")
    broker.restart()
    wait_until(lambda: bool(inbox.confirmed()), what="the inbox to connect")
    send(broker, 0, 1)
    assert numbers(collect(inbox, 1)) == [0]


def test_a_filter_that_the_broker_refuses_is_named(nats_broker: Any, make_inbox: InboxFactory) -> None:
    """The identifiers of a session are divided among its subscriptions: a window of 40,000 leaves room for one."""
    broker = nats_broker(max_ack_pending=40_000)
    inbox = make_inbox(broker)
    inbox.subscribe(["one/too/many"])
    wait_until(lambda: inbox.refused() == {"one/too/many"}, what="the refusal to be noted")


def test_an_answer_that_is_here_before_the_subscribe_call_returns_is_noted(
    nats_broker: Any, make_inbox: InboxFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a busy machine, where the network thread can have the SUBACK before the asking thread runs again."""
    broker = nats_broker(max_ack_pending=40_000)
    inbox = make_inbox(broker)
    answer_came, answer_noted = threading.Event(), threading.Event()
    subscribe, noted = inbox._client.subscribe, inbox._client.on_subscribe

    def on_subscribe(*args: Any) -> None:
        answer_came.set()
        assert noted is not None
        noted(*args)
        answer_noted.set()

    def slow(asked: Any) -> Any:
        result = subscribe(asked)
        assert answer_came.wait(PATIENCE)
        # The answer has to wait for us; were it handled now, it would find no question that it belongs to.
        assert not answer_noted.wait(0.2)
        return result

    inbox._client.on_subscribe = on_subscribe
    monkeypatch.setattr(inbox._client, "subscribe", slow)
    inbox.subscribe(["one/too/many"])
    wait_until(lambda: inbox.refused() == {"one/too/many"}, what="the refusal to be noted")


def test_an_unsubscribed_filter_brings_nothing_more(nats_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    broker = nats_broker(devices=[device("a")])
    inbox = make_inbox(broker, filters=("gatehouse/v1/+/+/events", "gatehouse/v1/+/+/results"))
    inbox.unsubscribe(["gatehouse/v1/+/+/events"])
    wait_until(lambda: inbox.confirmed() == {"gatehouse/v1/+/+/results"}, what="the end of the subscription")
    send(broker, 0, 1)
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        gate.publish("gatehouse/v1/s1/a/results", b"7")
    assert numbers(collect(inbox, 1)) == [7]


def test_stopping_is_prompt_even_while_there_is_no_broker(nats_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    broker = nats_broker()
    inbox = make_inbox(broker)
    broker.kill()
    wait_until(lambda: inbox.problem is not None, what="the loss to be seen")
    start = time.monotonic()
    inbox.stop()
    assert time.monotonic() - start < 2.0 * SHARED
    assert not [thread for thread in threading.enumerate() if "core-of-the-test" in thread.name]


def test_small_packets_do_not_wait_for_nagle(nats_broker: BrokerFactory, make_inbox: InboxFactory) -> None:
    inbox = make_inbox(nats_broker())
    sock = inbox._client.socket()
    assert isinstance(sock, socket.socket)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def certificates(folder: Path) -> dict[str, str]:
    """A server's certificate and key, its authority, and an authority that knows nothing of it: paths by name."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    certificate.cert_chain_pems[0].write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other-ca.pem")
    return {name: str(folder / name) for name in ("server.key", "server.pem", "ca.pem", "other-ca.pem")}


def test_thousands_of_messages_come_through_tls(
    nats_broker: BrokerFactory, make_inbox: InboxFactory, tmp_path: Path
) -> None:
    files = certificates(tmp_path)
    broker = nats_broker(devices=[device("a")], tls_cert=files["server.pem"], tls_key=files["server.key"])
    inbox = make_inbox(broker, url=f"mqtts://127.0.0.1:{broker.port}", tls_ca=files["ca.pem"])
    gate = MqttTestClient(broker.port, *broker.login("a"))
    gate.paho.tls_set(files["ca.pem"])
    with gate:
        for number in range(2_000):
            gate.paho.publish(MINE, f"{number:0200d}", qos=1)
        assert numbers(collect(inbox, 2_000)) == list(range(2_000))
        gate.publish(MINE, f"{2_000:0200000d}")
        (large,) = collect(inbox, 1)
        assert large.payload.lstrip(b"0") == b"2000"


def test_fault_071_a_broker_of_another_authority_is_not_trusted_and_the_reason_is_named(
    nats_broker: BrokerFactory, make_inbox: InboxFactory, tmp_path: Path
) -> None:
    files = certificates(tmp_path)
    broker = nats_broker(tls_cert=files["server.pem"], tls_key=files["server.key"])
    url = f"mqtts://127.0.0.1:{broker.port}"
    inbox = make_inbox(broker, url=url, tls_ca=files["other-ca.pem"], wait=False)
    wait_until(lambda: "mqtt.tls_ca" in (inbox.problem or ""), what="the reason")
    assert "does not prove who it is" in (inbox.problem or "")
    assert not inbox.wait_connected(0.1)


def test_the_core_reaches_the_embedded_broker_by_its_certificate_where_devices_need_their_own(
    nats_broker: BrokerFactory, make_inbox: InboxFactory, tmp_path: Path
) -> None:
    """The certificate is made out to the site's name, and the core connects over loopback: it is pinned instead."""
    authority = trustme.CA()
    for name in ("broker.example", "stranger.example"):
        issued = authority.issue_cert(name)
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    ours = {"tls_cert": str(tmp_path / "broker.example.pem"), "tls_key": str(tmp_path / "broker.example.key")}
    broker = nats_broker(**ours, tls_ca=str(tmp_path / "ca.pem"))
    url = f"mqtts://127.0.0.1:{broker.port}"
    inbox = make_inbox(broker, url=url, tls_pinned=ours["tls_cert"], **ours)
    assert inbox.publish("gatehouse/v1/s1/a/events", b"5")
    assert numbers(collect(inbox, 1)) == [5]
    other = make_inbox(broker, url=url, tls_pinned=str(tmp_path / "stranger.example.pem"), wait=False, **ours)
    wait_until(lambda: "does not prove who it is" in (other.problem or ""), what="the refusal")


@pytest.mark.mosquitto
def test_the_shipped_mosquitto_listener_speaks_tls(
    mosquitto_broker: BrokerFactory, make_inbox: InboxFactory, tmp_path: Path
) -> None:
    files = certificates(tmp_path)
    changes = {
        "cafile": files["ca.pem"],
        "certfile": files["server.pem"],
        "keyfile": files["server.key"],
        "tls_version": "tlsv1.2",
    }
    broker = mosquitto_broker(devices=[device("a")], changes=changes)
    inbox = make_inbox(broker, url=f"mqtts://127.0.0.1:{broker.port}", tls_ca=files["ca.pem"], version="5")
    assert inbox.publish("gatehouse/v1/s1/a/events", b"5")
    assert numbers(collect(inbox, 1)) == [5]
