"""A rule as data: what a pack says, checked and frozen. Durations are seconds, expressions are their text.

The words are explained in docs/rules.md; `rules.reading` turns YAML into these types and refuses what makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256

import msgspec

from gateway.model.alert import Severity

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
    *("silent", "clear", "clear_after", "late"),
)


class Rule(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One rule of a pack.

    `scope` is a place (device, zone, building, site); `scope_by`, where given, an expression that divides it further.
    `for_` is the word `for`. `momentary` marks a rule whose condition has no end. `reads` are the fields whose values
    go with the alert, and `personal` those of them that are personal data.
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
