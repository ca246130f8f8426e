"""A small, well-behaved MQTT client for tests: it connects as a device does and waits for conditions, never for time.

It uses paho as it comes and nothing of the product, so it is an independent witness of what a broker does.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

DEADLINE = 60.0
"""Seconds: what a loaded machine may take. A wait for what can no longer come, as the link is gone, ends at once."""
REFUSED = 0x80


class Refused(AssertionError):
    """The broker answered CONNECT with a refusal; `reason` is its words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the broker refused the connection: {reason}")
        self.reason = reason


class MqttTestClient:
    """One client: `with MqttTestClient(port, "u", "p") as client: client.publish("a/b", b"x")`."""

    def __init__(
        self,
        port: int,
        username: str | None = None,
        password: str | None = None,
        *,
        client_id: str | None = None,
        host: str = "127.0.0.1",
        clean: bool = True,
        version: int = 4,
        will: tuple[str, bytes, bool] | None = None,
        keepalive: int = 30,
        session_expiry: int = 3600,
        auto_ack: bool = True,
    ) -> None:
        self.username = username
        self.host, self.port, self.keepalive = host, port, keepalive
        self.messages: list[paho.MQTTMessage] = []
        self.session_present = False
        self.disconnects = 0
        self.granted: dict[int, list[ReasonCode]] = {}
        self.puback_reasons: dict[int, ReasonCode] = {}
        self._changed = threading.Condition()
        self._connack: ReasonCode | None = None
        self._gone = False
        self._v5 = version == MQTTProtocolVersion.MQTTv5
        self._clean = clean
        self._session_expiry = session_expiry
        if client_id is None:
            client_id = f"{username or 'anonymous'}-{id(self):x}"
        self.client_id = client_id
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self._v5 else clean,
            protocol=MQTTProtocolVersion(version),
            reconnect_on_failure=False,
            manual_ack=not auto_ack,
        )
        self.paho.max_inflight_messages_set(1000)
        if username is not None:
            self.paho.username_pw_set(username, password)
        if will is not None:
            self.paho.will_set(will[0], will[1], qos=1, retain=will[2])
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_message = self._on_message
        self.paho.on_publish = self._on_publish
        self.paho.on_subscribe = self._on_subscribe

    # -- life --------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self, deadline: float = DEADLINE) -> None:
        """Connects and waits for CONNACK. Raises `Refused` with the broker's reason, or when it hangs up instead."""
        self._connack = None
        self._gone = False
        before = self.disconnects
        properties = None
        if self._v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0 if self._clean else self._session_expiry
            self.paho.connect(self.host, self.port, self.keepalive, clean_start=self._clean, properties=properties)
        else:
            self.paho.connect(self.host, self.port, self.keepalive)
        self.paho.loop_start()
        self.wait(lambda: self._connack is not None or self.disconnects > before, deadline, "CONNACK")
        if self._connack is None:
            self.paho.loop_stop()
            raise Refused("connection closed without CONNACK")
        if self._connack.is_failure:
            self.paho.loop_stop()
            raise Refused(str(self._connack))

    def close(self) -> None:
        """Says DISCONNECT and stops; the last will is not sent."""
        self.paho.disconnect()
        self.paho.loop_stop()

    def drop(self) -> None:
        """Loses the link without DISCONNECT, as when a device loses power: the broker sends the last will."""
        sock = self.paho.socket()
        with contextlib.suppress(OSError, AttributeError):
            sock.shutdown(2)  # type: ignore[union-attr]
        self.paho.loop_stop()

    # -- doing -------------------------------------------------------------------------------------------------------

    def publish(
        self, topic: str, payload: bytes | str = b"", *, qos: int = 1, retain: bool = False, deadline: float = DEADLINE
    ) -> ReasonCode | None:
        """Publishes and waits for the PUBACK. Returns its reason: MQTT 5 says "Not authorized", 3.1.1 never does."""
        info = self.paho.publish(topic, payload, qos=qos, retain=retain)
        end = time.monotonic() + deadline
        while not info.is_published() and not self._gone and time.monotonic() < end:
            info.wait_for_publish(min(0.1, deadline))
        if not info.is_published():
            why = "the link is gone" if self._gone else f"not within {deadline} s"
            raise AssertionError(f"no PUBACK for {topic}: {why} (client {self.client_id})")
        return self.puback_reasons.get(info.mid)

    def subscribe(self, *filters: str, qos: int = 1, deadline: float = DEADLINE) -> list[int]:
        """Subscribes and returns what SUBACK grants: a QoS each, or 128 and above for a refusal."""
        _, mid = self.paho.subscribe([(name, qos) for name in filters])
        assert mid is not None, "SUBSCRIBE was not sent"
        self.wait(lambda: mid in self.granted, deadline, f"SUBACK for {filters}")
        return [int(reason.value) for reason in self.granted[mid]]

    def wait_for(
        self, wanted: Callable[[paho.MQTTMessage], bool] = lambda _: True, deadline: float = DEADLINE
    ) -> paho.MQTTMessage:
        """The first message received, so far or within the deadline, that `wanted` accepts."""
        found: list[paho.MQTTMessage] = []

        def look() -> bool:
            found[:] = [message for message in self.messages if wanted(message)][:1]
            return bool(found)

        self.wait(look, deadline, "a matching message")
        return found[0]

    def wait_for_count(self, count: int, deadline: float = DEADLINE) -> None:
        """Until this many messages have come in all."""
        self.wait(lambda: len(self.messages) >= count, deadline, f"{count} messages")

    def wait_until_disconnected(self, deadline: float = DEADLINE) -> float:
        """Until the broker has hung up; returns the seconds it took."""
        start = time.monotonic()
        self.wait(lambda: self.disconnects > 0, deadline, "the broker to disconnect the client")
        return time.monotonic() - start

    def wait(self, condition: Callable[[], bool], deadline: float, what: str) -> None:
        """Until `condition` holds; an assertion names what did not happen and shows what did."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._gone, deadline)
            if not condition():
                seen = [f"{message.topic}={message.payload[:60]!r}" for message in self.messages[-5:]]
                why = "the link is gone" if self._gone else f"not within {deadline} s"
                raise AssertionError(
                    f"{what}: {why} (client {self.client_id}, {len(self.messages)} messages, "
                    f"the last: {seen}, disconnects: {self.disconnects})"
                )

    def topics(self) -> list[str]:
        """The topics of all messages received, in order."""
        return [message.topic for message in self.messages]

    # -- paho's thread -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()

    def _on_connect(
        self, _c: paho.Client, _u: object, flags: paho.ConnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        with self._noting():
            self.session_present = flags.session_present
            self._connack = reason

    def _on_disconnect(
        self, _c: paho.Client, _u: object, _f: paho.DisconnectFlags, _reason: ReasonCode, _p: Properties | None
    ) -> None:
        with self._noting():
            self.disconnects += 1
            self._gone = True

    def _on_message(self, _c: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
        with self._noting():
            self.messages.append(message)

    def _on_publish(self, _c: paho.Client, _u: object, mid: int, reason: ReasonCode, _p: Properties | None) -> None:
        with self._noting():
            self.puback_reasons[mid] = reason

    def _on_subscribe(
        self, _c: paho.Client, _u: object, mid: int, reasons: list[ReasonCode], _p: Properties | None
    ) -> None:
        with self._noting():
            self.granted[mid] = reasons
