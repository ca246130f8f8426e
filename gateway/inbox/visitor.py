"""One short connection to a broker, to find something out. For the probe; the core uses `mqtt`."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Self

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.inbox.messages import MqttSettings
from gateway.inbox.sockets import no_delay, tls_context

DEADLINE: Final = 5.0
_JAIL_SECONDS: Final = 1.2


class Turned(Exception):
    """The broker did not let the visitor in; the text says how."""


class Visitor:
    """Connects as `settings` say, without reconnecting, and collects what it gets.

    `clean` starts without a session and leaves none behind; without it the visitor takes its subscriptions back when it
    leaves, unless `keep`. `guest` is for visits under the core's name: nothing is acknowledged, so that messages which
    wait for the core are still there when it comes. Use as a context manager. Raises `Turned` when refused and
    `OSError` when there is nobody to talk to.
    """

    def __init__(self, settings: MqttSettings, *, clean: bool = True, keep: bool = False, guest: bool = False) -> None:
        self._settings = settings
        self._clean = clean
        self._keep = keep
        self._guest = guest
        self._filters: list[str] = []
        self._v5 = settings.version == "5"
        self._changed = threading.Condition()
        self._connack: ReasonCode | None = None
        self._granted: set[int] = set()
        self.gone = False
        self.session_present = False
        self.messages: list[paho.MQTTMessage] = []
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if self._v5 else clean,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=guest,
        )
        self._client.max_inflight_messages_set(1_000)
        self._client.suppress_exceptions = True
        if settings.username:
            self._client.username_pw_set(settings.username, settings.password)
        if settings.tls:
            self._client.tls_set_context(tls_context(settings))
        self._client.on_socket_open = no_delay
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe

    def __enter__(self) -> Self:
        self._connect()
        if self._guest and self._connack is None:
            # nats-server shuts out for a second whoever comes back faster than it noticed him leaving.
            self._client.loop_stop()
            time.sleep(_JAIL_SECONDS)
            self._connect()
        if self._connack is None or self._connack.is_failure:
            self.leave()
            raise Turned("no answer to CONNECT" if self._connack is None else str(self._connack))
        return self

    def _connect(self) -> None:
        self.gone = False
        host, port = self._settings.address()
        if self._v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0 if self._clean else self._settings.session_expiry
            self._client.connect(host, port, clean_start=self._clean, properties=properties)
        else:
            self._client.connect(host, port)
        self._client.loop_start()
        self.wait(lambda: self._connack is not None or self.gone, DEADLINE)

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Says DISCONNECT and ends the thread."""
        if self._filters and not self._keep:
            self._client.unsubscribe(self._filters)
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, *filters: str, qos: int = 1) -> bool:
        """Subscribes; whether the broker answered at all. What it grants is seen in what it delivers."""
        self._filters += filters
        _, mid = self._client.subscribe([(name, qos) for name in filters])
        return self.wait(lambda: mid in self._granted, DEADLINE)

    def publish(self, topic: str, *payloads: bytes, retain: bool = False, deadline: float = DEADLINE) -> bool:
        """Publishes all of them at QoS 1; whether the broker confirmed them all within the deadline."""
        infos = [self._client.publish(topic, payload, 1, retain) for payload in payloads]
        with contextlib.suppress(RuntimeError, ValueError):
            infos[-1].wait_for_publish(deadline)
        return all(info.is_published() for info in infos)

    def wait(self, condition: Callable[[], bool], deadline: float) -> bool:
        """Whether `condition` came true within the deadline."""
        with self._changed:
            return self._changed.wait_for(condition, deadline)

    def gather(self, count: int, patience: float) -> None:
        """Waits for `count` messages as long as one comes every `patience` seconds."""
        while (had := len(self.messages)) < count:
            if not self.wait(lambda: len(self.messages) > had, patience):
                return

    def payloads(self) -> Sequence[bytes]:
        """What came in so far."""
        return [bytes(message.payload) for message in self.messages]

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()

    def _on_connect(self, _c: paho.Client, _u: Any, flags: Any, reason: ReasonCode, _p: Properties | None) -> None:
        with self._noting():
            self.session_present = bool(flags.session_present)
            self._connack = reason

    def _on_disconnect(self, _c: paho.Client, _u: Any, _f: Any, _r: ReasonCode, _p: Properties | None) -> None:
        with self._noting():
            self.gone = True

    def _on_message(self, _c: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        with self._noting():
            self.messages.append(message)

    def _on_subscribe(
        self, _c: paho.Client, _u: Any, mid: int, _reasons: list[ReasonCode], _p: Properties | None
    ) -> None:
        with self._noting():
            self._granted.add(mid)


def best_version(settings: MqttSettings) -> str:
    """`5` where the broker speaks it, else `3.1.1`; also where nobody answers, for that one works everywhere.

    Ask before the inbox starts: on a broker that binds client ids to users this takes its place for a moment.
    """
    try:
        with Visitor(msgspec.structs.replace(settings, version="5"), clean=False, keep=True, guest=True):
            return "5"
    except (Turned, OSError):
        return "3.1.1"
