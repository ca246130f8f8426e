"""What an adapter is. The one file an adapter's author reads.

An adapter turns the bytes of one wire format into events, and commands into bytes. It is pure: it opens no connection,
reads no clock and keeps no state between calls. What a format needs of these is handed to it as `Context` and kept by
the core. Optional abilities are small protocols of their own: an adapter that has `encode` can be commanded
(`Commands`), one that has `http_reply` takes pushes over HTTP (`Pushes`), others are below.

A minimal adapter:

    class Bell:
        manifest = Manifest(name="bell", title={"en": "Doorbell"}, topics=("bell/+/ring",), kinds=("access.call",))

        def decode(self, topic: str, payload: bytes, context: Context) -> Decoded:
            return Decoded(device=topic.split("/")[1], events=(Reading("access.call", {}),))

It is found by name through the table in `adapters/__init__.py` or the entry-point group `gatehouse.adapters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from gateway.model.command import Command, CommandResult
from gateway.model.passes import Question
from gateway.model.place import Device


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the core must know of an adapter before it has seen a message.

    `topics` are MQTT filters to subscribe to; `kinds` is `("*",)` where the format can carry every kind. `publish` and
    `subscribe` are the topics that one device's credential may use, with `{device}`, `{site}` and `{external_id}` as
    placeholders. `commands` are the command words it can encode.
    """

    name: str
    title: dict[str, str]
    topics: tuple[str, ...]
    kinds: tuple[str, ...]
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


class Reading(msgspec.Struct, gc=False):
    """One event as the device told it, before the gateway placed it.

    `time` is the device's own clock in Unix seconds, None where it says nothing. `id` is its own key for the event
    (idempotency), "" where it has none. `sequence` is the device's running number, for gap detection, with `boot` to
    tell one run of the counter from the next. `replay` marks history that is told again: it never raises an alert.
    `device` names the device that speaks where it is not `Decoded.device`: one of several behind a bus or a gateway.
    """

    kind: str
    data: dict[str, Any]
    time: float | None = None
    id: str = ""
    replay: bool = False
    sequence: int | None = None
    boot: str = ""
    device: str = ""


class Reply(msgspec.Struct, frozen=True):
    """A message the protocol demands, sent only after the commit: `PushAck`, a confirm frame. For HTTP, topic is ""."""

    topic: str
    payload: bytes


class Decoded(msgspec.Struct, gc=False):
    """Everything one message carried.

    `device` is the maker's own serial (`Device.external_id`) or, for native topics, the device's id.
    `availability` is True for online, False for offline, None where the message says nothing of it.
    `shadow` is the device's new merged state for formats that send partial updates; it replaces the old one.
    """

    device: str
    events: tuple[Reading, ...] | list[Reading] = ()
    replies: tuple[Reply, ...] = ()
    results: tuple[CommandResult, ...] = ()
    question: Question | None = None
    availability: bool | None = None
    shadow: dict[str, Any] | None = None


class Context(Protocol):
    """What the core knows and a decoder may ask."""

    received: float
    """Wall-clock time of receipt, Unix seconds."""
    retain: bool
    """Whether the broker sent a retained copy, which is never news."""

    def device(self, external_id: str) -> Device | None:
        """The adapter's device with that serial, or None if it is not registered."""

    def timezone(self, external_id: str) -> str:
        """IANA name of the zone in which that device's local times are meant."""

    def shadow(self, external_id: str) -> Mapping[str, Any]:
        """The device's merged state so far, for formats that send partial updates; empty at first."""


class Adapter(Protocol):
    """One wire format. `decode` raises `gateway.errors.Undecodable` (naming the offending part) or `Ignored`."""

    @property
    def manifest(self) -> Manifest:
        """What the core must know before the first message."""

    def decode(self, topic: str, payload: bytes, context: Context) -> Decoded:
        """The events of one message. Pure; any exception but the two named ones is a bug and is dead-lettered."""


class Packet(msgspec.Struct, frozen=True):
    """One message to publish to a device."""

    topic: str
    payload: bytes


@runtime_checkable
class Commands(Protocol):
    """An adapter whose devices can be commanded."""

    def encode(self, command: Command, device: Device) -> tuple[Packet, ...]:
        """The messages that carry `command`. Raises `gateway.errors.Invalid` for a word or argument it cannot carry."""


@runtime_checkable
class Pushes(Protocol):
    """An adapter whose devices push over HTTP as well. Its `decode` then gets the topic `ingest/{adapter}/{device}`.

    `{device}` is the registered id of the device whose credential came with the push.
    """

    def http_reply(self, decoded: Decoded, allowed: bool | None) -> tuple[str, bytes]:
        """Content type and body of the answer, given after the commit."""
