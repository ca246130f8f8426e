"""A rule as data: what a pack says, checked and frozen. Durations are seconds, expressions are their text.

The words are explained in docs/rules.md; `rules.reading` turns YAML into these types and refuses what makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256

import msgspec

from gateway.model.alert import Severity
from rules.schedule import Schedule

Text = dict[str, str]
"""The same sentence by language: `en`, `zh`."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """At least so many true events, or so many values of the field `distinct`, in a sliding window.

    `in_a_row`: a false event empties the window.
    """

    at_least: int
    within: float
    distinct: str | None = None
    in_a_row: bool = False


class Expect(msgspec.Struct, frozen=True, kw_only=True):
    """What has to follow, and how soon."""

    on: tuple[str, ...]
    within: float
    when: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a sequence."""

    on: tuple[str, ...]
    when: str | None = None


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing heard: for `seconds`, or for so many of the device's own report intervals."""

    seconds: float | None = None
    intervals: float | None = None


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a value has to keep to: every bound that is given."""

    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None

    def hold(self, value: float) -> bool:
        """Whether the value keeps to all of them."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


class Aggregate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure worked out over the values of `field` in the last `over` seconds, from at least so many `samples`."""

    field: str
    function: str
    over: float
    bounds: Bounds
    samples: int


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """How far `field` is from what it usually is at this hour of the week.

    `weeks` is how many are remembered, `learn` how many have to be known before anything is judged, `deviation` how
    many usual deviations, and `at_least` how much at the least, the difference has to be.
    """

    field: str
    weeks: int = 4
    deviation: float = 4.0
    learn: int = 3
    direction: str = "either"
    at_least: float = 0.0


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """At least so many devices of a place, whose conditions came within a time of one another."""

    scope: str
    at_least: int
    within: float


class Inhibition(msgspec.Struct, frozen=True, kw_only=True):
    """The rules, by id or by `prefix*`, whose alerts explain this one; it is raised `settle` seconds after they end."""

    rules: tuple[str, ...]
    settle: float = 0.0


class DeviceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which devices a rule is for; an empty word asks nothing."""

    id: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    building: tuple[str, ...] = ()
    site: tuple[str, ...] = ()


class WorkOrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The work order a rule opens. `respond_within` and `resolve_within` are seconds."""

    team: str
    respond_within: float | None = None
    resolve_within: float | None = None
    needs_proof: bool = False
    title: Text = {}


class CommandRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The command a rule gives. `device` is an id, or `self` for the device that completed the condition."""

    name: str
    device: str = "self"
    args: dict[str, str | int | float | bool] = {}


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule starts besides its alert."""

    plan: str | None = None
    work_order: WorkOrderRequest | None = None
    command: CommandRequest | None = None


_DECISIVE = (
    *("on", "devices", "scope", "scope_by", "when", "for_", "at_once", "count", "expect", "sequence", "within"),
    *("silent", "clear", "clear_after", "late", "schedule", "aggregate", "baseline", "together", "inhibited_by"),
)


class Rule(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One rule of a pack.

    `scope` is a place (device, zone, building, site); `scope_by`, where given, an expression that divides it further.
    `for_` is the word `for`, `schedule` the words `during` and `except`. `stands_alone` marks what concerns lives: it
    is never folded, suppressed or inhibited. `momentary` marks a rule whose condition has no end. `reads` are the
    fields whose values go with the alert, and `personal` those of them that are personal data.
    """

    id: str
    title: Text
    severity: Severity
    reason: Text = {}
    advice: Text = {}
    consequence: Text = {}
    latched: bool = False
    momentary: bool = False
    on: tuple[str, ...] = ()
    devices: DeviceFilter = DeviceFilter()
    scope: str = "device"
    scope_by: str | None = None
    when: str | None = None
    for_: float | None = msgspec.field(default=None, name="for")
    at_once: str | None = None
    count: Count | None = None
    expect: Expect | None = None
    sequence: tuple[Step, ...] = ()
    within: float | None = None
    silent: Silent | None = None
    clear: str | None = None
    clear_after: float | None = None
    late: bool = False
    schedule: Schedule | None = None
    aggregate: Aggregate | None = None
    baseline: Baseline | None = None
    together: Together | None = None
    inhibited_by: Inhibition | None = None
    stands_alone: bool = False
    then: Then = Then()
    reads: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    pack: str = ""
    line: int = 0

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Every kind the condition listens to; empty where a silence listens to all."""
        steps = [kind for step in self.sequence for kind in step.on]
        return tuple(dict.fromkeys([*self.on, *(self.expect.on if self.expect else ()), *steps]))

    @property
    def measured(self) -> bool:
        """Whether a figure is judged, which stands as long as nothing else is measured, and not each event."""
        return self.aggregate is not None or self.baseline is not None

    @property
    def level(self) -> str:
        """What one of its alerts is for: device, zone, building or site."""
        return self.together.scope if self.together is not None else self.scope

    @cached_property
    def fingerprint(self) -> str:
        """Tells one condition from another: its state is kept across reloads exactly while this stays the same.

        Texts, severity and what a rule starts are not part of it.
        """
        decisive = [getattr(self, word) for word in _DECISIVE]
        return sha256(msgspec.json.encode(decisive)).hexdigest()[:16]


class RuleSet:
    """Rules in the order of their packs, each id once. Immutable."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self._by_id: Mapping[str, Rule] = {rule.id: rule for rule in self.rules}

    def get(self, rule: str) -> Rule | None:
        """The rule with that id, or None."""
        return self._by_id.get(rule)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)
