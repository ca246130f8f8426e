"""The connection to the broker: QoS 1, a persistent session, acknowledgement after the commit.

paho keeps the connection: handshake, keepalive, publishing, reconnecting. What it read goes through `frames` into
`handover`, where the core takes it; what the core has committed goes back as PUBACKs.
"""

from __future__ import annotations

import logging
import math
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.inbox.buffered import BufferedClient, Hooks
from gateway.inbox.frames import FrameReader, pubacks
from gateway.inbox.handover import Handover
from gateway.inbox.heartbeat import Heartbeat
from gateway.inbox.messages import HEARTBEAT_TOPIC, InboxMessage, MqttSettings
from gateway.inbox.outgoing import Done, Outgoing
from gateway.inbox.sockets import no_delay, tls_context
from gateway.inbox.subscriptions import Subscriptions

_REFUSED: Final = 0x80
_FIRST_DELAY: Final = 0.1
_MAX_DELAY: Final = 5.0
_FAREWELL_SECONDS: Final = 1.0
_MAX_QUEUED: Final = 10_000
_MAX_IN_FLIGHT: Final = 100

_log = logging.getLogger(__name__)


@dataclass
class InboxCounters:
    """What the inbox has done since it was made."""

    received: int = 0
    acknowledged: int = 0
    stale_acknowledgements: int = 0
    redelivered_pending: int = 0
    dropped_qos0: int = 0
    published: int = 0
    publish_refused: int = 0
    connects: int = 0
    disconnects: int = 0
    sessions_lost: int = 0
    callback_errors: int = 0
    restarts: int = 0


class MqttInbox:
    """Messages from the broker in, publications out. One consumer thread calls `take` and `acknowledge`.

    `on_session_lost` is called from the network thread when the broker has forgotten a session that it should have
    kept: what devices sent meanwhile is lost, and whoever owns the inbox has to say so. `expect_session` says that an
    earlier run had connected under the same client id.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        expect_session: bool = False,
        on_session_lost: Callable[[], None] | None = None,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        self._host, self._port = settings.address()
        self._settings = settings
        self._v5 = settings.version == "5"
        self._expect_session = expect_session
        self._on_session_lost = on_session_lost
        self._heartbeat = heartbeat or Heartbeat()
        self._handover = Handover()
        self._pending: set[int] = set()
        self._generation = 0
        self._generation_lock = threading.Lock()
        self._outgoing = Outgoing()
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._farewell = b""
        self._bade_farewell = threading.Event()
        self._failures = 0
        self._revived_at = -math.inf
        self._reader = FrameReader(version_5=self._v5)
        self._client = self._make_client()
        self._subscriptions = Subscriptions(lambda asked: self._client.subscribe(asked)[1], self._client.unsubscribe)
        self.counters = InboxCounters()
        self.session_present: bool | None = None
        """What the last CONNACK said; None before the first."""
        self.problem: str | None = "not connected yet"
        """Why there is no connection, for a person; None while there is one."""

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts connecting, and goes on for ever until it works; `wait_connected` waits for it."""
        self._connect_async()
        self._client.loop_start()

    def wait_connected(self, timeout: float) -> bool:
        """Whether CONNACK came within `timeout` seconds. `problem` says why not."""
        return self._connected.wait(timeout)

    def stop(self) -> None:
        """Sends what is queued and a DISCONNECT, then ends the network thread. The broker keeps the session."""
        if self._connected.is_set():
            # Closing a socket with unread bytes in it throws away what the broker has not read yet, acknowledgements
            # among it. A last heartbeat comes back when the broker has read everything before it.
            self._farewell = self._heartbeat.beat(time.monotonic())
            self._client.publish(HEARTBEAT_TOPIC, self._farewell, 0)
            self._bade_farewell.wait(_FAREWELL_SECONDS)
        self._stopping.set()
        self._client.disconnect()
        self._client.loop_stop()
        self._connected.clear()
        self._handover.wake()

    def healthy(self, now: float) -> bool:
        """Whether a heartbeat came back through the broker lately. `now` is `time.monotonic()`.

        Revives a network thread that died and cuts a link that is silent, so call it every second or so.
        """
        if not self._stopping.is_set() and now - self._revived_at > self._heartbeat.interval:
            if self._client.network_thread_ended():
                self._revived_at = now
                self._revive()
            elif self._connected.is_set() and self._heartbeat.overdue(now):
                self._revived_at = now
                self._cut()
        return self._heartbeat.alive(now)

    # -- the consumer's side -----------------------------------------------------------------------------------------

    def take(self, max_messages: int = 1000, timeout: float = 1.0, linger: float = 0.0) -> list[InboxMessage]:
        """What is there, up to `max_messages`; waits up to `timeout` seconds for the first. Empty after `wake`."""
        return self._handover.take(max_messages, timeout, linger)

    def wake(self) -> None:
        """Makes `take` return at once, from any thread: there is something else to do."""
        self._handover.wake()

    def give_back(self, messages: Sequence[InboxMessage]) -> None:
        """What could not be committed now: the next `take` returns these again, first and in their order.

        The broker is not involved: it still waits for their acknowledgement, and a copy that it sends is dropped.
        """
        self._handover.give_back(messages)

    def acknowledge(self, messages: Sequence[InboxMessage]) -> None:
        """Tells the broker that these are safe: call it after the commit, never before.

        Messages of a connection that is gone are passed over: their ids mean nothing now, and they come again.
        """
        with self._generation_lock:
            generation = self._generation
            mids = [message.mid for message in messages if message.mid and message.generation == generation]
            if mids:
                self._pending.difference_update(mids)
                self._client.send_acknowledgements(pubacks(mids))
        self.counters.acknowledged += len(mids)
        self.counters.stale_acknowledgements += sum(1 for message in messages if message.mid) - len(mids)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry: float | None = None,
        on_done: Done | None = None,
    ) -> bool:
        """Sends a message, from any thread. False: it was not taken, because there is no connection or no room.

        A message whose PUBACK was lost with the connection is sent again on the next one, not after `expiry` seconds
        though; over MQTT 5 the broker holds it no longer either. `on_done` is called from the network thread with True
        when the broker has the message (QoS 1: its PUBACK), with False when it refused it or it expired; it must not
        block.
        """
        if not self._connected.is_set():
            self.counters.publish_refused += 1
            return False
        properties = None
        if self._v5 and expiry is not None:
            properties = _properties(PacketTypes.PUBLISH, MessageExpiryInterval=max(1, math.ceil(expiry)))
        self._outgoing.announce(on_done, math.inf if expiry is None else time.monotonic() + expiry)
        try:
            info = self._client.publish(topic, payload, qos, retain, properties)
        finally:
            self._outgoing.announce(None)
        # Without a connection paho keeps a QoS-1 message for the next one.
        if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS or (info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN and qos > 0):
            self.counters.published += 1
            return True
        self._outgoing.forget(info.mid)
        self.counters.publish_refused += 1
        return False

    def subscribe(self, filters: Iterable[str]) -> None:
        """Subscribes at QoS 1, now and whenever the session is new. `refused` names what the broker did not grant."""
        self._subscriptions.add(filters)

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Ends subscriptions, also those that an earlier run left in the session."""
        self._subscriptions.remove(filters)

    def confirmed(self) -> set[str]:
        """The filters that the broker has granted in this session."""
        return self._subscriptions.granted()

    def refused(self) -> set[str]:
        """The filters that the broker refused."""
        return self._subscriptions.refused()

    def waiting(self) -> int:
        """How many messages nobody has taken yet."""
        return len(self._handover)

    def unacknowledged(self) -> int:
        """How many messages of this connection the broker still waits for."""
        return len(self._pending)

    # -- paho's network thread ---------------------------------------------------------------------------------------

    def _bytes_came(self, data: bytes) -> list[tuple[int, bytes]]:
        messages, others = self._reader.feed(data, time.monotonic(), time.time(), self._generation)
        if messages:
            self.counters.received += len(messages)
            if self._reader.irregular:
                messages = self._sift(messages)
            self._pending.update([message.mid for message in messages])
            self._handover.put(messages)
        return others

    def _sift(self, messages: list[InboxMessage]) -> list[InboxMessage]:
        """Without heartbeats, copies of what is in our hands already, and QoS 0 beyond what we can hold."""
        kept: list[InboxMessage] = []
        for message in messages:
            if message.qos:
                if message.dup and message.mid in self._pending:
                    self.counters.redelivered_pending += 1
                    continue
            elif message.topic == HEARTBEAT_TOPIC:
                self._heartbeat.echo(message.payload, message.at_monotonic)
                if message.payload == self._farewell:
                    self._bade_farewell.set()
                continue
            elif len(self._handover) + len(kept) >= self._settings.window:
                self.counters.dropped_qos0 += 1
                continue
            kept.append(message)
        return kept

    def _tick(self) -> None:
        if self._connected.is_set():
            beat = self._heartbeat.due(time.monotonic())
            if beat is not None:
                self._client.publish(HEARTBEAT_TOPIC, beat, 0)

    def _new_generation(self) -> None:
        with self._generation_lock:
            self._generation += 1
            self._pending.clear()
        self._reader = FrameReader(version_5=self._v5)
        self._connected.clear()
        self._subscriptions.connection_lost()
        expired = self._outgoing.expired(time.monotonic())
        self._client.drop_outgoing(expired)
        for mid in expired:
            with self._guarded("on_done"):
                self._outgoing.finished(mid, False)

    def _on_connect(self, _c: paho.Client, _u: Any, flags: Any, reason: ReasonCode, _p: Properties | None) -> None:
        with self._guarded("on_connect"):
            if reason.is_failure:
                self.problem = (
                    f"the broker {self._settings.url} refused the connection: {reason}; "
                    "check mqtt.username, its password and mqtt.version"
                )
                _log.error("%s", self.problem)
                return
            self._connack(bool(flags.session_present))

    def _connack(self, session_present: bool) -> None:
        lost = self._expect_session and not session_present
        self._failures = 0
        self.session_present = session_present
        self._expect_session = True
        self.problem = None
        self.counters.connects += 1
        if session_present and len(self._handover) > self._settings.window:
            # They come again, all of them. Without this, a slow consumer on a bad link would gather copies.
            self._handover.clear()
        self._subscriptions.connection_made(session_present, HEARTBEAT_TOPIC)
        self._heartbeat.restart(time.monotonic())
        self._connected.set()
        if lost:
            self.counters.sessions_lost += 1
            _log.error("the broker %s has lost our session: messages sent meanwhile are gone", self._settings.url)
            if self._on_session_lost is not None:
                self._on_session_lost()

    def _on_disconnect(self, _c: paho.Client, _u: Any, _f: Any, reason: ReasonCode, _p: Properties | None) -> None:
        with self._guarded("on_disconnect"):
            if self._connected.is_set():
                self._connected.clear()
                self._subscriptions.connection_lost()
                self.counters.disconnects += 1
                self.problem = f"the connection to the broker {self._settings.url} was lost: {reason}"
                if not self._stopping.is_set():
                    _log.warning("%s", self.problem)

    def _unreachable(self, error: OSError) -> None:
        reason = getattr(error, "verify_message", "") or error.strerror or str(error)
        what = "does not prove who it is" if getattr(error, "verify_message", "") else "cannot be reached"
        advice = "check mqtt.tls_ca" if self._settings.tls else "is it running, and are host and port right?"
        self.problem = f"the broker {self._settings.url} {what}: {reason}; {advice}"
        if self._failures <= 1:
            _log.warning("%s (trying again for ever)", self.problem)

    def _on_subscribe(
        self, _c: paho.Client, _u: Any, mid: int, reasons: list[ReasonCode], _p: Properties | None
    ) -> None:
        with self._guarded("on_subscribe"):
            self._subscriptions.answered(mid, [str(one) if one.value >= _REFUSED else None for one in reasons])

    def _on_publish(self, _c: paho.Client, _u: Any, mid: int, reason: ReasonCode, _p: Properties | None) -> None:
        with self._guarded("on_publish"):
            self._outgoing.finished(mid, not reason.is_failure)

    def _wait_before_reconnect(self) -> None:
        delay = min(_MAX_DELAY, _FIRST_DELAY * 2.0 ** min(self._failures, 10))
        self._failures += 1
        # Jitter, so that a hundred gateways do not come back in step. Waits for `stop` rather than sleeping.
        self._stopping.wait(delay * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret

    def _failed(self, where: str, error: Exception) -> None:
        self.counters.callback_errors += 1
        _log.error("%s failed, the connection is made anew: %r", where, error, exc_info=error)

    def _guarded(self, where: str) -> _Guard:
        return _Guard(self, where)

    # -- making and mending ------------------------------------------------------------------------------------------

    def _make_client(self) -> BufferedClient:
        settings = self._settings
        client = BufferedClient(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if self._v5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.hooks = Hooks(
            bytes_came=self._bytes_came,
            tick=self._tick,
            new_generation=self._new_generation,
            unreachable=self._unreachable,
            wait_before_reconnect=self._wait_before_reconnect,
            failed=self._failed,
            id_made=self._outgoing.id_made,
        )
        client.max_queued_messages_set(_MAX_QUEUED)
        client.max_inflight_messages_set(_MAX_IN_FLIGHT)
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        if settings.tls:
            client.tls_set_context(tls_context(settings))
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_socket_open = no_delay
        return client

    def _connect_async(self) -> None:
        if not self._v5:
            self._client.connect_async(self._host, self._port, self._settings.keepalive)
            return
        properties = _properties(
            PacketTypes.CONNECT,
            SessionExpiryInterval=self._settings.session_expiry,
            ReceiveMaximum=self._settings.window,
        )
        self._client.connect_async(
            self._host, self._port, self._settings.keepalive, clean_start=False, properties=properties
        )

    def _revive(self) -> None:
        self.counters.restarts += 1
        _log.error("the network thread of the inbox had ended: starting it again")
        self._connect_async()
        self._client.loop_start()

    def _cut(self) -> None:
        """Ends a silent link; the network thread sees it end and connects again."""
        self.counters.restarts += 1
        _log.error("no heartbeat came back from the broker %s: connecting again", self._settings.url)
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                _log.debug("the link was gone already: %s", error)


class _Guard:
    """Keeps an exception inside a callback: one that left it would silently end paho's thread."""

    def __init__(self, inbox: MqttInbox, where: str) -> None:
        self._inbox = inbox
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, Exception):
            self._inbox._failed(self._where, error)
            return True
        return False


def _properties(packet_type: int, **values: int) -> Properties:
    properties = Properties(packet_type)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
