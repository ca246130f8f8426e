"""A receiver made of paho as it comes, for comparison: it counts, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.inbox.messages import MqttSettings


def receive_bare(
    settings: MqttSettings, name: str, count: int, within: float, ready: Callable[[], None]
) -> tuple[int, bytes]:
    """Subscribes to `name` at QoS 1 and takes `count` messages, or what comes within so many seconds.

    `ready` is called when the broker has granted the subscription. How many came, and the first one's payload.
    """
    host, port = settings.address()
    client = paho.Client(
        CallbackAPIVersion.VERSION2, settings.client_id, clean_session=False, protocol=MQTTProtocolVersion.MQTTv311
    )
    client.username_pw_set(settings.username, settings.password)
    granted, done = threading.Event(), threading.Event()
    first = b""
    seen = 0

    def on_connect(*_: Any) -> None:
        client.subscribe(name, 1)

    def on_subscribe(*_: Any) -> None:
        granted.set()

    def on_message(_client: paho.Client, _user: Any, message: paho.MQTTMessage) -> None:
        nonlocal seen, first
        seen += not message.dup
        if seen == 1:
            first = bytes(message.payload)
        elif seen >= count:
            done.set()

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_message = on_message
    deadline = time.monotonic() + within
    client.connect(host, port, 30)
    client.loop_start()
    try:
        if granted.wait(within):
            ready()
            done.wait(max(0.0, deadline - time.monotonic()))
        return seen, first
    finally:
        client.disconnect()
        client.loop_stop()
