"""What may be commanded, by whom, and what forbids it: a table, not code."""

from __future__ import annotations

import msgspec

from gateway.errors import Conflict
from gateway.model import Device, Role
from gateway.services.alerts import Alerts
from gateway.services.world import World


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One command word. `opens` counts towards the limit of openings, `weighty` ones must give a reason.

    `answered_within` is how long after its expiry a device that got it may still be busy with it, in seconds.
    """

    role: Role = Role.OPERATOR
    opens: bool = False
    weighty: bool = False
    answered_within: float = 5.0


_OPERATOR = Word()
_OPENING = Word(opens=True)
_HOLDING = Word(opens=True, weighty=True)
_WEIGHTY = Word(weighty=True)
_ENGINEER = Word(role=Role.ENGINEER)
_SUPPLY = Word(role=Role.ENGINEER, weighty=True, answered_within=60.0)

WORDS: dict[str, Word] = {
    # Access control
    "open": _OPENING,
    "unlock": _OPENING,
    "hold_open": _HOLDING,
    "unlock_all": _HOLDING,
    "lock": _WEIGHTY,
    "lock_down": _WEIGHTY,
    "normal": _OPERATOR,
    # Barriers: an arm takes its time
    "raise": Word(opens=True, answered_within=15.0),
    "keep_open": Word(opens=True, weighty=True, answered_within=15.0),
    "lower": Word(answered_within=15.0),
    "close": Word(answered_within=15.0),
    # Lifts: a recalled car answers when it stands at the ground floor
    "recall": Word(weighty=True, answered_within=120.0),
    "release": _OPERATOR,
    "announce": _OPERATOR,
    # Lights, pumps, fans, sounders
    "on": _OPERATOR,
    "off": _OPERATOR,
    "dim": _OPERATOR,
    "start": _WEIGHTY,
    "stop": _WEIGHTY,
    "evacuate": _WEIGHTY,
    # Supply
    "valve_open": _SUPPLY,
    "valve_close": _SUPPLY,
    "relay_on": _SUPPLY,
    "relay_off": _SUPPLY,
    # Reading and configuration
    "read": _OPERATOR,
    "restart": _ENGINEER,
    "set_time": _ENGINEER,
    "configure": _ENGINEER,
}

#: Words that bring an arm down, on a barrier or on the camera that works one.
LOWERING = frozenset(("lower", "close", "normal", "release"))
_BARRIER_TYPES = ("barrier", "gate", "parking", "camera")
#: Words that keep people in.
LOCKING = frozenset(("lock", "lock_down"))


def word_of(name: str) -> Word:
    """The word's entry. A word that it lacks may be a device's own: that takes an engineer."""
    return WORDS.get(name, _ENGINEER)


def interlock(name: str, device: Device, world: World, alerts: Alerts) -> str | None:
    """Why the command must not reach the device now, or None. Nothing overrides it (FAULTS 78, 79)."""
    barrier = name == "lower" or any(part in device.type for part in _BARRIER_TYPES)
    if name in LOWERING and barrier:
        occupied = world.loop(device.id)
        if occupied is None:
            return "it is not known whether a vehicle stands under the arm: look, or wait for the barrier's next report"
        if occupied:
            return "a vehicle stands under the arm"
    if name in LOCKING:
        fire = alerts.fire(device.site)
        if fire is not None:
            return f"fire alert '{fire.id}' of this site is not reset: doors stay released"
    return None


def check_interlock(name: str, device: Device, world: World, alerts: Alerts) -> None:
    """Raises `Conflict` where an interlock forbids the command."""
    reason = interlock(name, device, world, alerts)
    if reason is not None:
        raise Conflict(f"'{name}' on '{device.id}' is blocked: {reason}", interlock=reason, device=device.id)
