"""Parts of a plan's run: found, replaced, made of their definitions, told in its timeline."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.errors import NotFound
from gateway.model import LogEntry, PlanRun, StepRun, StepState
from gateway.services.moment import Moment
from gateway.services.plan_book import PlanDefinition, StepDefinition
from gateway.services.templates import plain

FINAL_STEPS = frozenset((StepState.DONE, StepState.FAILED, StepState.SKIPPED))
_LOG_KEPT = 1000
_NOTE_LONGEST = 2000


def step_of(run: PlanRun, ident: str) -> StepRun:
    """The step. Raises `NotFound`."""
    for step in run.steps:
        if step.id == ident:
            return step
    raise NotFound(f"step of plan run '{run.id}'", ident)


def with_step(run: PlanRun, step: StepRun) -> PlanRun:
    """The run with that step replaced."""
    return replace(run, steps=tuple(step if one.id == step.id else one for one in run.steps))


def logged(run: PlanRun, by: str, action: str, text: str, moment: Moment) -> PlanRun:
    """The run with one more line of its timeline."""
    return replace(run, log=(*run.log, LogEntry(by, moment.wall, action, text))[-_LOG_KEPT:])


def noted(note: str, text: str) -> str:
    """A note with something more to say."""
    return plain(f"{note}; {text}" if note else text, _NOTE_LONGEST)


def steps_of(definition: PlanDefinition) -> tuple[StepRun, ...]:
    """The steps of a new run."""
    return tuple(_step(definition, step) for step in definition.steps)


def _step(plan: PlanDefinition, definition: StepDefinition) -> StepRun:
    command = definition.command
    return StepRun(
        id=definition.id,
        title=dict(definition.title),
        advice=dict(definition.advice),
        automatic=command is not None,
        role=definition.role,
        after=tuple(dict.fromkeys((*definition.after, *definition.only_if))),
        within=definition.within,
        answers=definition.ask,
        only_if=definition.only_if,
        escalate=plan.escalate if definition.escalate is None else definition.escalate,
        command={}
        if command is None
        else {
            "name": command.name,
            "args": dict(command.args),
            "to": {"device": command.to.device}
            if command.to.device is not None
            else {"type": command.to.type, "scope": command.to.scope},
        },
    )


def needed(run: PlanRun, step: StepRun) -> bool:
    """Whether a step whose turn has come is needed: what its branch asks for holds, and its branch was taken.

    A question that ended without an answer takes all its branches: in doubt more is done, not less.
    """
    before = [step_of(run, ident) for ident in step.after]
    if before and all(one.not_needed for one in before):
        return False
    for ident, wanted in step.only_if.items():
        asked = step_of(run, ident)
        if asked.not_needed:
            return False
        if asked.answers and not asked.answer and not any(word in FINAL_STEPS for word in wanted):
            continue
        if asked.answer not in wanted and str(asked.state) not in wanted:
            return False
    return True


def score_of(run: PlanRun) -> float | None:
    """The share of the manual steps that were needed and done in time, in percent; None where there were none."""
    counted = [step for step in run.steps if not step.automatic and not step.not_needed and step.within is not None]
    if not counted:
        return None
    return round(100.0 * sum(step.in_time is True for step in counted) / len(counted), 1)
