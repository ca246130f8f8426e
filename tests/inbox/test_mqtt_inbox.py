"""The inbox against real brokers: nothing is lost, nothing is acknowledged before the commit, nothing stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.inbox.heartbeat import Heartbeat
from gateway.inbox.messages import InboxMessage, MqttSettings
from gateway.inbox.mqtt import MqttInbox
from tests.support.brokers import Broker, device, wait_until
from tests.support.mqtt_client import MqttTestClient

EVENTS = "gatehouse/v1/+/+/events"
MINE = "gatehouse/v1/s1/a/events"
InboxFactory = Callable[..., MqttInbox]


@pytest.fixture
def make_inbox() -> Iterator[InboxFactory]:
    """`make_inbox(broker, filters=..., **settings)` gives a started, connected inbox; all are stopped at the end."""
    made: list[MqttInbox] = []

    def make(
        broker: Broker,
        *,
        filters: tuple[str, ...] = (EVENTS,),
        heartbeat: Heartbeat | None = None,
        on_session_lost: Callable[[], None] | None = None,
        expect_session: bool = False,
        **settings: Any,
    ) -> MqttInbox:
        username, password = broker.login()
        chosen = MqttSettings(
            url=f"mqtt://127.0.0.1:{broker.port}",
            client_id="core-of-the-test",
            username=username,
            password=password,
            **settings,
        )
        inbox = MqttInbox(chosen, expect_session=expect_session, on_session_lost=on_session_lost, heartbeat=heartbeat)
        made.append(inbox)
        inbox.subscribe(filters)
        inbox.start()
        assert inbox.wait_connected(5.0), inbox.problem
        wait_until(lambda: inbox.confirmed() >= set(filters), 5.0, "the subscriptions to be granted")
        return inbox

    yield make
    for inbox in made:
        inbox.stop()


def collect(inbox: MqttInbox, count: int, deadline: float = 10.0, acknowledge: bool = True) -> list[InboxMessage]:
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
    nats_broker: Any, make_inbox: InboxFactory
) -> None:
    broker = nats_broker(devices=[device("a")], ack_wait="1s")
    inbox = make_inbox(broker)
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        for number in range(10):
            gate.publish(MINE, str(number))
    taken = collect(inbox, 10, acknowledge=False)
    inbox.acknowledge(taken[:6])
    inbox.stop()
    again = make_inbox(broker)
    assert again.session_present
    assert sorted(numbers(collect(again, 4))) == [6, 7, 8, 9]
    assert again.take(timeout=1.5) == [], "acknowledged messages came again"
