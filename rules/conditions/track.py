"""What the engine remembers: a track for each rule and scope in which something stands open, nothing for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from gateway.model.alert import Evidence
from gateway.model.event import Event
from gateway.model.place import Device
from rules.expressions import Getter, Reader

AVAILABILITY = "device.availability"
"""The kind that tells whether a device is connected: the gateway's word, even where the device sends it."""
MOST_EVIDENCE = 20


class Standing(msgspec.Struct, tag="standing"):
    """`when` is true. `data` is what the last event that said so carried."""

    data: dict[str, Any] = {}


class Holding(msgspec.Struct, tag="holding"):
    """`when` is true since `since`. `last` is when it was last confirmed, `gap` the silence that breaks it (0: none).

    `own` is whether the gap is measured on the rule's own kinds, else on anything the device says.
    """

    since: float
    last: float
    gap: float = 0.0
    own: bool = True
    done: bool = False


class Counted(msgspec.Struct):
    """One event in a window, with the value of the field that is to be distinct."""

    at: float
    event: Evidence
    value: Any = None


class Window(msgspec.Struct, tag="window"):
    """The newest events that may still count, oldest first."""

    entries: list[Counted] = []


class Waiting(msgspec.Struct, tag="waiting"):
    """Waits for what is expected."""

    since: float


class Hearing(msgspec.Struct, tag="hearing"):
    """Listens for a device. `away` while it is known to be offline; `gap` is the silence allowed."""

    last: float
    gap: float
    received: float | None = None
    away: bool = False


class Run(msgspec.Struct):
    """The steps of a sequence done so far, with when the first was."""

    started: float
    events: list[Evidence]


class Steps(msgspec.Struct, tag="steps"):
    """For each number of steps done, the run that started last; None where there is none."""

    runs: list[Run | None]


class Member(msgspec.Struct):
    """One device of a place, whose condition came at `at` and stands, or was of a moment."""

    at: float
    standing: bool
    event: Evidence | None = None


class Gathering(msgspec.Struct, tag="gathering"):
    """The devices of a place whose conditions hold, by id, in the order in which they came."""

    members: dict[str, Member] = {}


State = Standing | Holding | Window | Waiting | Hearing | Steps | Gathering


class Samples(msgspec.Struct, tag="samples"):
    """What an `aggregate` is worked out from, oldest first: when, and how much. `value` is the newest figure."""

    entries: list[tuple[float, float]] = []
    value: float | None = None


class Learned(msgspec.Struct, tag="learned"):
    """What a `baseline` knows. `weeks` are the means of past hours by hour of the week, oldest first.

    `hour` is the local hour under way (`rules.schedule.hour_of`), with the sum and the number of its values; `usual`
    and `spread` are the median and the deviation it is judged by, None while `known` weeks are not enough. `value` is
    the value judged last.
    """

    hour: int
    weeks: dict[int, list[float]] = {}
    total: float = 0.0
    number: int = 0
    usual: float | None = None
    spread: float = 0.0
    known: int = 0
    value: float | None = None


class Lasting(msgspec.Struct):
    """`when` is true of the last event that said anything of it, whatever the schedule says; confirmed at `at`."""

    at: float
    event: Evidence


class Track(msgspec.Struct, omit_defaults=True):
    """One rule in one scope. `active` while its alert condition holds.

    `ripens` is when the condition next wants to be asked again, `clears` when `clear_after` is over, `drains` when the
    last sample leaves the window, `released` when an inhibition is over. `withheld` is the cause, rule and scope, that
    explains it. `lasting` is kept for rules with a schedule. `evidence` holds the events that speak for the condition
    and have not been reported yet.
    """

    site: str
    device: str | None = None
    active: bool = False
    state: State | None = None
    measure: Samples | Learned | None = None
    lasting: Lasting | None = None
    withheld: tuple[str, str] | None = None
    ripens: float | None = None
    clears: float | None = None
    drains: float | None = None
    released: float | None = None
    evidence: list[Evidence] = []

    @property
    def due(self) -> float | None:
        """The earliest of its times."""
        due = self.ripens
        for other in (self.clears, self.drains, self.released):
            if other is not None and (due is None or other < due):
                due = other
        return due

    def remember(self, evidence: Evidence) -> None:
        """Keeps the event: the first, and the newest of the rest."""
        if len(self.evidence) >= MOST_EVIDENCE:
            del self.evidence[1]
        self.evidence.append(evidence)


class Effect(Enum):
    """What an event or a timer did to a condition."""

    NOTHING = 0
    CAME = 1
    WENT = 2


class Sight(msgspec.Struct):
    """An event as a condition sees it.

    `covered` is whether the rule's device filter admits its device, `inside` whether it came within the rule's
    schedule, `hour` the local hour it came in (`rules.schedule.hour_of`), where a rule wants to know.
    """

    event: Event
    at: float
    device: Device | None
    get: Getter
    past: Reader
    verdict: bool | None = None
    covered: bool = True
    inside: bool = True
    hour: int = 0

    def evidence(self) -> Evidence:
        """The event, in the form an alert keeps."""
        event = self.event
        return Evidence(event.seq, event.device, event.kind, event.received, event.data)


Heard = Mapping[str, float]
"""When each device was last heard of, on the steady clock."""
