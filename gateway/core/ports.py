"""The rules engine and the services as the pipeline sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from gateway.model import Changes, CommandResult, Decision, Device, Event, Question, RuleChange


class Engine(Protocol):
    """The rules engine as the pipeline sees it (`rules.engine.Engine`)."""

    rules: Any

    def set_rules(self, rules: Any, now: float) -> list[RuleChange]:
        """Other rules from `now` on; what is unchanged keeps its state."""

    def process(self, event: Event) -> list[RuleChange]:
        """Judges one event."""

    def advance(self, now: float) -> list[RuleChange]:
        """Fires what is due."""

    def next_due(self) -> float | None:
        """When the next timer is due (steady)."""

    def hear(self, device: str, at: float) -> list[RuleChange]:
        """A device was heard of without an event."""

    def set_topology(
        self, devices: Iterable[Device], now: float | None = None, zones: Mapping[str, str] | None = None
    ) -> None:
        """Devices that were added or changed, and the sites' time zones."""

    def excuse(self, seconds: float, now: float) -> None:
        """Nobody listened for `seconds` up to `now`: silence in that time counts against no device."""


class Desk(Protocol):
    """The services as the pipeline sees them (`gateway.services.desk.Desk`)."""

    def set_rules(self, rules: Any) -> None:
        """The texts, severities and consequences of other rules, for what is raised from now on."""

    def apply(self, changes: list[RuleChange], now: float, wall: float, out: Changes) -> None:
        """Takes over what the rules said."""

    def observe(self, event: Event, now: float, wall: float, out: Changes) -> None:
        """Sees an event that the services may care for."""

    def present(self, device: str, online: bool, now: float, wall: float, out: Changes) -> None:
        """A device was heard, or its last will says that it is gone."""

    def result(self, device: str, result: CommandResult, now: float, wall: float, out: Changes) -> None:
        """A device answered a command."""

    def registered(self, site: str, kind: str, value: str, wall: float) -> bool:
        """Has it a pass?"""

    def decide(
        self, question: Question, device: Device, event: Event | None, now: float, wall: float, out: Changes
    ) -> Decision:
        """May it pass?"""
