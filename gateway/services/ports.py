"""What the services ask of their surroundings, as small protocols: rule definitions and fresh ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from gateway.model import Severity


class OrderTemplate(Protocol):
    """The work order a rule opens. Deadlines are in seconds, None for no promise."""

    @property
    def team(self) -> str:
        """The team that gets the order."""

    @property
    def respond_within(self) -> float | None:
        """Until somebody has accepted it."""

    @property
    def resolve_within(self) -> float | None:
        """Until it is done."""

    @property
    def needs_proof(self) -> bool:
        """Whether it closes only after the condition has ended."""

    @property
    def title(self) -> Mapping[str, str] | None:
        """Its own title; the alert's where None."""


class CommandTemplate(Protocol):
    """The command a rule sends. `device` is an id, or empty or `self` for the device of the alert."""

    @property
    def name(self) -> str:
        """The command word."""

    @property
    def device(self) -> str | None:
        """Which device."""

    @property
    def args(self) -> Mapping[str, Any]:
        """Its arguments."""


class Consequences(Protocol):
    """What follows once from a new alert."""

    @property
    def plan(self) -> str | None:
        """The plan to start."""

    @property
    def work_order(self) -> OrderTemplate | None:
        """The order to open."""

    @property
    def command(self) -> CommandTemplate | None:
        """The command to send."""


class RuleInfo(Protocol):
    """A rule's definition, as far as the services care. Texts hold both languages, with placeholders."""

    @property
    def id(self) -> str:
        """The rule's name."""

    @property
    def title(self) -> Mapping[str, str]:
        """What happened."""

    @property
    def reason(self) -> Mapping[str, str]:
        """Why the rule says so."""

    @property
    def advice(self) -> Mapping[str, str]:
        """What to do."""

    @property
    def consequence(self) -> Mapping[str, str]:
        """What happens if nobody does."""

    @property
    def severity(self) -> Severity:
        """How urgent."""

    @property
    def latched(self) -> bool:
        """Whether a person must reset it."""

    @property
    def stands_alone(self) -> bool:
        """Whether lives depend on it: it is never folded."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of events it listens to."""

    @property
    def then(self) -> Consequences | None:
        """What follows."""


class RuleBook(Protocol):
    """All loaded rules by id."""

    def get(self, rule: str, /) -> RuleInfo | None:
        """The rule, or None where it was removed."""

    def __iter__(self) -> Iterator[RuleInfo]:
        """All of them."""


class IdSource(Protocol):
    """Fresh ids, the same ones again when the journal is replayed."""

    def next(self, prefix: str) -> str:
        """A new id that starts with `prefix`."""


class NoRules:
    """A rule book without rules, for a gateway that has none loaded."""

    def get(self, rule: str, /) -> RuleInfo | None:
        """Always None."""
        return None

    def __iter__(self) -> Iterator[RuleInfo]:
        """None at all."""
        return iter(())
