"""Emergency plans as data: their definitions, and what makes a definition sound. Reading the YAML is `plan_reading`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from gateway.errors import NotFound
from gateway.model.plan import StepEscalation

Scope = Literal["device", "building", "zone", "site"]


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Which devices a step commands: one (`self` is the device of the run, or an id), or all of a type around it."""

    device: str | None = None
    type: str | None = None
    scope: Scope = "building"


class StepCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What an automatic step sends to each selected device."""

    name: str
    to: Selector
    args: dict[str, Any] = {}


class StepDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One step. With `command` it is automatic; without, somebody of `role` does it `within` so many seconds.

    A manual step may `ask` a question: the answers by their ids, in both languages. `only_if` (`if` in the file) makes
    a branch: the answers or final states of earlier steps under which this one is needed. `escalate` is who is told
    when it is overdue; the plan's own where it is None.
    """

    id: str
    title: dict[str, str]
    advice: dict[str, str] = {}
    role: str = ""
    within: float | None = None
    after: tuple[str, ...] = ()
    command: StepCommand | None = None
    ask: dict[str, dict[str, str]] = {}
    only_if: dict[str, list[str]] = msgspec.field(default_factory=dict, name="if")
    escalate: tuple[StepEscalation, ...] | None = None


class DrillScript(msgspec.Struct, frozen=True, kw_only=True):
    """How the plan is drilled: what is supposed to have happened, and what the observers watch."""

    scenario: dict[str, str]
    watch: dict[str, str] = {}


class PlanDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One plan. `scope` is what it runs for: at most one run, and one drill, at a time for the same device or place."""

    id: str
    title: dict[str, str]
    advice: dict[str, str] = {}
    scope: Scope = "device"
    escalate: tuple[StepEscalation, ...] = ()
    drill: DrillScript | None = None
    steps: tuple[StepDefinition, ...]


class PlanBook:
    """All plans by id. Immutable."""

    def __init__(self, plans: Iterable[PlanDefinition] = ()) -> None:
        self.plans: Mapping[str, PlanDefinition] = {plan.id: plan for plan in plans}

    def get(self, plan: str) -> PlanDefinition:
        """The plan. Raises `NotFound`."""
        found = self.plans.get(plan)
        if found is None:
            raise NotFound("plan", plan)
        return found

    def __iter__(self) -> Iterator[PlanDefinition]:
        return iter(self.plans.values())

    def __len__(self) -> int:
        return len(self.plans)
