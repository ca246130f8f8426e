"""What must hold before a command leaves, and what proves that it was done: data of the product and of the site.

An interlock is asked when a command is selected, confirmed and sent. What is not known forbids, as what is wrong does.
Words that release people (`Word.releases`) are held back by no interlock while a fire alert of the site is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway.model import Device
from gateway.services.alerts import Alerts
from gateway.services.command_words import word_of
from gateway.services.settings import matches
from gateway.services.world import World
from rules.expressions import Predicate

FIRE = "fire"


class Interlock(msgspec.Struct, frozen=True, kw_only=True):
    """One interlock. `requires` must be known to hold of the device's newest `kind`; `during` names what forbids.

    Where `void` holds of it, what it says counts for nothing, as if it were not known.
    `during` is `fire`, or patterns of rules of which no alert may be open at the site. `devices` are patterns of types.
    """

    id: str
    words: tuple[str, ...]
    devices: tuple[str, ...] = ("*",)
    kind: str = ""
    requires: Predicate | None = None
    void: Predicate | None = None
    during: tuple[str, ...] = ()
    blocked: dict[str, str]
    unknown: dict[str, str] = {}


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What a device that did the command is seen to say `within` so many seconds of its answer."""

    words: tuple[str, ...]
    devices: tuple[str, ...] = ("*",)
    kind: str
    when: Predicate
    within: float | None = None


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """An interlock that forbids a command now, and why, in both languages."""

    id: str
    reason: dict[str, str]


class Safety:
    """All interlocks and proofs. Immutable."""

    def __init__(self, interlocks: Iterable[Interlock] = (), feedback: Iterable[Feedback] = ()) -> None:
        self.interlocks = tuple(interlocks)
        self.feedback = tuple(feedback)
        self.kinds = frozenset(one.kind for one in self.interlocks if one.kind) | {one.kind for one in self.feedback}
        """The kinds of events that are to be watched."""

    def blocks(self, name: str, device: Device, world: World, alerts: Alerts) -> tuple[Block, ...]:
        """What forbids the command now; empty where nothing does. Nothing overrides it (FAULTS 78, 79)."""
        if word_of(name).releases and alerts.fire(device.site) is not None:
            return ()
        found = [
            _block(one, device, world, alerts)
            for one in self.interlocks
            if name in one.words and matches(device.type, one.devices)
        ]
        return tuple(block for block in found if block is not None)

    def proofs(self, name: str, device: Device) -> tuple[Feedback, ...]:
        """What may prove that the command was done by such a device; the site's own come first."""
        return tuple(one for one in self.feedback if name in one.words and matches(device.type, one.devices))


def verdict(predicate: Predicate, data: Any) -> bool | None:
    """Whether a state fits; None where it does not say."""
    return predicate.verdict(data.get, _NOTHING)


def _block(one: Interlock, device: Device, world: World, alerts: Alerts) -> Block | None:
    if one.requires is not None:
        newest = world.newest(device.id, one.kind) or {}
        fits = verdict(one.requires, newest)
        if fits is None or (one.void is not None and verdict(one.void, newest)):
            return Block(id=one.id, reason=one.unknown)
        if not fits:
            return Block(id=one.id, reason=one.blocked)
    if one.during:
        standing = alerts.fire(device.site) if one.during == (FIRE,) else alerts.standing(device.site, one.during)
        if standing is not None:
            return Block(
                id=one.id, reason={key: text.replace("{alert}", standing.id) for key, text in one.blocked.items()}
            )
    return None


class _Nothing:
    """There is nothing to look back on: such expressions are refused when they are read."""

    def previous(self, field: str) -> Any:
        return None

    def changed(self, field: str, value: Any) -> bool | None:
        return None

    def latest(self, field: str, value: Any, otherwise: Any) -> Any:
        return value

    def age(self, field: str, value: Any) -> float | None:
        return None


_NOTHING = _Nothing()
