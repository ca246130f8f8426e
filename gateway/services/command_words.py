"""What may be commanded, and by whom: a table, not code. What forbids it is data too: see `safety`."""

from __future__ import annotations

import msgspec

from gateway.model import Role


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One command word. `opens` counts towards the limit of openings, `weighty` ones must give a reason.

    `answered_within` is how long after its expiry a device that got it may still be busy with it, in seconds.
    `releases` lets people out or help in: while a fire alert is open, neither interlock nor limit nor second person
    holds it back.
    """

    role: Role = Role.OPERATOR
    opens: bool = False
    releases: bool = False
    weighty: bool = False
    answered_within: float = 5.0


_OPERATOR = Word()
_OPENING = Word(opens=True, releases=True)
_HOLDING = Word(opens=True, weighty=True, releases=True)
_WEIGHTY = Word(weighty=True)
_ENGINEER = Word(role=Role.ENGINEER)
_SUPPLY = Word(role=Role.ENGINEER, weighty=True, answered_within=60.0)

#: By these the gateway keeps the lists that devices hold themselves; nobody else says them.
LIST_WORDS = LIST_PUT, LIST_REMOVE = ("list_put", "list_remove")

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
    "raise": Word(opens=True, releases=True, answered_within=15.0),
    "keep_open": Word(opens=True, weighty=True, releases=True, answered_within=15.0),
    "lower": Word(answered_within=15.0),
    "close": Word(answered_within=15.0),
    # Lifts: a recalled car answers when it stands at the ground floor
    "recall": Word(weighty=True, releases=True, answered_within=120.0),
    "release": _OPERATOR,
    "announce": _OPERATOR,
    # Lights, pumps, fans, sounders
    "on": _OPERATOR,
    "off": _OPERATOR,
    "dim": _OPERATOR,
    "start": _WEIGHTY,
    "stop": _WEIGHTY,
    "evacuate": Word(weighty=True, releases=True),
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


def word_of(name: str) -> Word:
    """The word's entry. A word that it lacks may be a device's own: that takes an engineer."""
    return WORDS.get(name, _ENGINEER)
