"""The real brokers these tests run against, and inboxes on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.inbox.heartbeat import Heartbeat
from gateway.inbox.messages import MqttSettings
from gateway.inbox.mqtt import MqttInbox
from tests.support.brokers import PATIENCE, Broker, mosquitto_broker, nats_broker, wait_until

__all__ = ["mosquitto_broker", "nats_broker"]
EVENTS = "gatehouse/v1/+/+/events"


@pytest.fixture
def make_inbox() -> Iterator[Callable[..., MqttInbox]]:
    """`make_inbox(broker, filters=..., **settings)` gives a started, connected inbox; all are stopped at the end."""
    made: list[MqttInbox] = []

    def make(
        broker: Broker,
        *,
        filters: tuple[str, ...] = (EVENTS,),
        heartbeat: Heartbeat | None = None,
        on_session_lost: Callable[[], None] | None = None,
        expect_session: bool = False,
        wait: bool = True,
        **settings: Any,
    ) -> MqttInbox:
        username, password = broker.login()
        chosen = MqttSettings(
            client_id="core-of-the-test",
            username=username,
            password=password,
            **{"url": f"mqtt://127.0.0.1:{broker.port}", **settings},
        )
        inbox = MqttInbox(chosen, expect_session=expect_session, on_session_lost=on_session_lost, heartbeat=heartbeat)
        made.append(inbox)
        inbox.subscribe(filters)
        inbox.start()
        if wait:
            assert inbox.wait_connected(PATIENCE), inbox.problem
            wait_until(lambda: inbox.confirmed() >= set(filters), what="the subscriptions to be granted")
        return inbox

    yield make
    for inbox in made:
        inbox.stop()
