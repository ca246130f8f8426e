"""Broker and consumer killed at random under load: what a device got a PUBACK for reaches the core. Seeded."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.inbox.messages import MqttSettings
from gateway.inbox.mqtt import MqttInbox
from tests.support.brokers import PATIENCE, NatsBroker, device

KILLS = int(os.environ.get("GATEHOUSE_TEST_KILLS", "6"))
SEED = int(os.environ.get("SEED", "7"))
MINE = "gatehouse/v1/s1/a/events"


class Device:
    """A device that numbers its messages, sends 500 a second and remembers which were confirmed."""

    def __init__(self, broker: NatsBroker) -> None:
        self.confirmed: set[int] = set()
        self._ids: dict[int, int] = {}
        self._stop = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="device-a", clean_session=False)
        self._client.username_pw_set(*broker.login("a"))
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        self._client.connect_async("127.0.0.1", broker.port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._send, name="device")
        self._thread.start()

    def _send(self) -> None:
        number = 0
        while not self._stop.wait(0.02):
            if len(self._ids) - len(self.confirmed) < 500:
                for _ in range(10):
                    self._ids[self._client.publish(MINE, str(number), qos=1).mid] = number
                    number += 1

    def _on_publish(self, _c: paho.Client, _u: object, mid: int, *_: object) -> None:
        # A PUBACK can be here before `publish` has told us the id: then it is looked up at the end.
        self.confirmed.add(mid)

    def finish(self) -> set[int]:
        """Stops sending, waits for the last confirmations, and returns the confirmed numbers."""
        self._stop.set()
        self._thread.join()
        end = time.monotonic() + 20.0
        while len(self.confirmed) < len(self._ids) and time.monotonic() < end:
            time.sleep(0.05)
        self._client.disconnect()
        self._client.loop_stop()
        return {self._ids[mid] for mid in self.confirmed}


def test_fault_001_random_kills_of_broker_and_consumer_lose_no_confirmed_message(
    nats_broker: Callable[..., Any],
) -> None:
    chance = random.Random(SEED)
    broker: NatsBroker = nats_broker(devices=[device("a")], ack_wait="1s")
    username, password = broker.login()
    settings = MqttSettings(
        url=f"mqtt://127.0.0.1:{broker.port}", client_id="core", username=username, password=password
    )
    committed: set[int] = set()

    def open_inbox() -> MqttInbox:
        inbox = MqttInbox(settings)
        inbox.subscribe(["gatehouse/v1/+/+/events"])
        inbox.start()
        assert inbox.wait_connected(PATIENCE), inbox.problem
        return inbox

    done = threading.Event()

    def consume(inbox: MqttInbox, until: float) -> None:
        while time.monotonic() < until and not done.is_set():
            batch = inbox.take(1000, timeout=0.05)
            committed.update(int(message.payload) for message in batch)
            inbox.acknowledge(batch)

    inbox = open_inbox()
    consume(inbox, time.monotonic() + 0.2)
    sender = Device(broker)
    for _ in range(KILLS):
        consume(inbox, time.monotonic() + chance.uniform(0.1, 0.6))
        if chance.random() < 0.6:
            broker.kill()
            broker.restart()
        else:
            # As a killed core: what was taken and not acknowledged is forgotten, the link just breaks.
            inbox.take(chance.randrange(1, 50), timeout=0.1)
            inbox.stop()
            inbox = open_inbox()
    reader = threading.Thread(target=consume, args=(inbox, time.monotonic() + 60.0), name="consumer", daemon=True)
    reader.start()
    confirmed = sender.finish()
    end = time.monotonic() + 20.0
    while not confirmed <= committed and time.monotonic() < end:
        time.sleep(0.05)
    missing = confirmed - committed
    done.set()
    reader.join()
    inbox.stop()
    assert len(confirmed) > 100, "the device could hardly send; the test proves nothing"
    assert missing == set(), (
        f"seed {SEED}: {len(missing)} of {len(confirmed)} confirmed messages lost: {sorted(missing)[:10]}"
    )
