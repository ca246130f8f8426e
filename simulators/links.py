"""One MQTT connection of the simulation, driven from outside: paho without its threads."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.wire import Message

BACKLOG = 10_000
LONGEST_WAIT_S = 10.0
CONNECT_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is. `tls` with the certificate authority's file, or the system's where it is None."""

    host: str
    port: int
    tls: bool = False
    authority: str | None = None
    username: str | None = None
    password: str | None = None


def parse_url(url: str, authority: str | None = None) -> Address:
    """`mqtt://[user:password@]host[:port]` or `mqtts://...`. Raises `ValueError`."""
    parts = urlsplit(url if "://" in url else f"mqtt://{url}")
    if parts.scheme not in ("mqtt", "mqtts", "tcp", "ssl") or not parts.hostname:
        raise ValueError(f"{url!r} is no broker address; write mqtt://host:1883 or mqtts://host:8883")
    tls = parts.scheme in ("mqtts", "ssl")
    user = unquote(parts.username) if parts.username else None
    secret = unquote(parts.password) if parts.password else None
    return Address(parts.hostname, parts.port or (8883 if tls else 1883), tls, authority, user, secret)


class Link:
    """A connection with its own credential. It keeps what is said while it is down and reconnects with growing pauses.

    Callbacks: `up()` gives the first messages, `down()`, `received(topic, payload)`, `published(mid, message)`,
    `confirmed(mid)`; `opened(socket)` and `closing(socket)` tell which socket to wait on.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        credential: tuple[str, str] | None,
        *,
        will: Message | None,
        subscriptions: list[str],
        up: Callable[[], list[Message]],
        down: Callable[[], None],
        received: Callable[[str, bytes], None],
        published: Callable[[int, Message], None],
        confirmed: Callable[[int], None],
        opened: Callable[[Any], object],
        closing: Callable[[Any], object],
    ) -> None:
        self.name = name
        self.connected = False
        self.refusal: str | None = None
        self.lost = 0
        self._address = address
        self._subscriptions = subscriptions
        self._up, self._down, self._received = up, down, received
        self._published, self._confirmed = published, confirmed
        self._opened, self._closing = opened, closing
        self._backlog: deque[Message] = deque(maxlen=BACKLOG)
        self._random = Random(name)
        self._pause = 0.2
        self._retry_at = 0.0
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=True)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(200)
        if credential is not None:
            client.username_pw_set(*credential)
        if address.tls:
            client.tls_set(ca_certs=address.authority)
        if will is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        self._client = client

    @property
    def socket(self) -> socket.socket | None:
        """The socket to wait on, None while there is none."""
        return cast("socket.socket | None", self._client.socket())

    def may_connect(self, wall: float) -> bool:
        """Whether it has no socket and has paused long enough."""
        return self._client.socket() is None and wall >= self._retry_at

    def connect(self, wall: float) -> None:
        """One attempt; a failure sets the next one further off."""
        self._retry_at = wall + self._pause * self._random.uniform(0.7, 1.3)
        self._pause = min(LONGEST_WAIT_S, self._pause * 2)
        try:
            self._client.connect(self._address.host, self._address.port, keepalive=30)
        except OSError as error:
            self.refusal = f"{self._address.host}:{self._address.port}: {error}"

    def send(self, message: Message) -> None:
        """Publishes now, or once the connection stands."""
        if not self.connected:
            self._keep(message)
            return
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if info.rc in (mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_NO_CONN):
            self._published(info.mid, message)
        else:
            self._keep(message)

    def read(self) -> None:
        """The socket has something."""
        self._client.loop_read()
        sock = self._client.socket()
        while sock is not None and getattr(sock, "pending", lambda: 0)():
            self._client.loop_read()
            sock = self._client.socket()

    def write(self) -> None:
        """Sends what paho still holds."""
        if self._client.socket() is not None and self._client.want_write():
            self._client.loop_write()

    def tend(self) -> None:
        """Keep-alive; about once a second."""
        self._client.loop_misc()

    def cut(self) -> None:
        """Breaks the line as a pulled cable does: no DISCONNECT, so that the last will is published."""
        sock = self.socket
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                self.refusal = f"{self.name}: {error}"
            self._client.loop_read()

    def leave(self) -> None:
        """Says goodbye; no last will."""
        if self._client.socket() is not None:
            self._client.disconnect()
            self.write()

    def _keep(self, message: Message) -> None:
        self.lost += len(self._backlog) == BACKLOG
        self._backlog.append(message)

    def _on_socket_open(self, client: mqtt.Client, data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._opened(sock)

    def _on_socket_close(self, client: mqtt.Client, data: Any, sock: Any) -> None:
        self._closing(sock)

    def _on_connect(self, client: mqtt.Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self.refusal = f"{self.name}: the broker refused it: {reason}"
            return
        self.connected, self.refusal, self._pause = True, None, 0.2
        if self._subscriptions:
            client.subscribe([(topic, 1) for topic in self._subscriptions])
        for message in self._up():
            self.send(message)
        while self._backlog:
            self.send(self._backlog.popleft())

    def _on_disconnect(self, client: mqtt.Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if self.connected:
            self.connected = False
            self._down()

    def _on_message(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        if not message.retain:
            self._received(message.topic, bytes(message.payload))

    def _on_publish(self, client: mqtt.Client, data: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        self._confirmed(mid)
