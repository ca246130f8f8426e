"""The journal: everything that came in, in the order in which it was judged, a row a batch.

Replaying it past a snapshot gives the engine the state it had, because a batch holds all that the pipeline saw:
the messages with their times and flags, the events the gateway made itself, and the actions.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.model import Device, Site


class Entry(msgspec.Struct, array_like=True, gc=False, tag=True):
    """Base of what a batch holds. `at` is the steady clock, `wall` the wall clock."""

    at: float
    wall: float


class MessageEntry(Entry, array_like=True, gc=False, tag="m"):
    """A message. `adapter` is named where it did not come by a topic: an HTTP push, or a dead letter tried again."""

    topic: str
    payload: bytes
    dup: bool = False
    retain: bool = False
    adapter: str = ""
    fate: str = ""
    answers: tuple[bool, ...] = ()
    """What the services answered while it was judged, in order: a replay cannot ask them what was so then."""


class EventEntry(Entry, array_like=True, gc=False, tag="e"):
    """An event of the gateway itself: a link lost, the store failing. `device` is whom it is about, "" for itself.

    `site` is where what it is about is, for what has no device; "" for the device's own.
    """

    kind: str
    data: dict[str, Any]
    device: str = ""
    site: str = ""


class ActionEntry(Entry, array_like=True, gc=False, tag="a"):
    """What a person or program asked for, and how it ended (`done` or an error's code)."""

    name: str
    args: dict[str, Any]
    actor: str
    outcome: str = "done"


class PlaceEntry(Entry, array_like=True, gc=False, tag="p"):
    """Sites and devices that an action changed: how each was before, None where it was not there, and is from now on.

    A start goes back to how the places were at the snapshot, and the replay changes them where the action did.
    """

    sites: list[tuple[Site | None, Site]]
    devices: list[tuple[Device | None, Device]]


class PackRef(msgspec.Struct, array_like=True, frozen=True):
    """A rule pack by the hash of its text; `shipped` ones come with the product, the others are the site's own."""

    name: str
    hash: str
    shipped: bool = False


class RulesEntry(Entry, array_like=True, gc=False, tag="r"):
    """From here on these packs are in force. Their texts are in the table `rule_texts`."""

    packs: tuple[PackRef, ...]


AnyEntry = MessageEntry | EventEntry | ActionEntry | PlaceEntry | RulesEntry


class Batch(msgspec.Struct, array_like=True):
    """One transaction's input. `seq` is the number before its first event, `at` the time to which it was judged."""

    seq: int
    at: float
    entries: list[AnyEntry]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)


def pack(batch: Batch) -> bytes:
    """The batch as bytes for the journal's `body`."""
    return _encoder.encode(batch)


def unpack(body: bytes) -> Batch:
    """The batch of a journal's `body`. Raises `msgspec.DecodeError` where it is damaged."""
    return _decoder.decode(body)
