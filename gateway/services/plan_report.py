"""The after-action report of a plan's run: what was to be done, what was done, when, by whom, and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from gateway.model import Command, PlanRun, StepRun, StepState

Report = dict[str, Any]


def report_of(run: PlanRun, commands: Iterable[Command]) -> Report:
    """The report as plain values. Fields that end in `_at` are Unix seconds, `took` and `within` seconds."""
    by_id = {command.id: command for command in commands}
    manual = [step for step in run.steps if not step.automatic and not step.not_needed]
    timed = [step for step in manual if step.within is not None]
    known = [by_id[ident] for step in run.steps for ident in step.commands if ident in by_id]
    return {
        "run": run.id,
        "plan": run.plan,
        "title": run.title,
        "drill": run.drill,
        "state": run.state,
        "site": run.site,
        "place": run.place,
        "device": run.device,
        "alert": run.alert,
        "started_at": run.started_at,
        "started_by": run.started_by,
        "second_by": run.second_by,
        "finished_at": run.finished_at,
        "took": run.took,
        "score": run.score,
        "preempted_by": run.preempted_by,
        "scenario": run.scenario,
        "watch": run.watch,
        "figures": {
            "steps": len(run.steps),
            "not_needed": sum(step.not_needed for step in run.steps),
            "manual": len(manual),
            "in_time": sum(step.in_time is True for step in timed),
            "late": sum(step.state is StepState.DONE and step.in_time is False for step in timed),
            "failed": sum(step.state is StepState.FAILED for step in run.steps),
            "skipped": sum(step.state is StepState.SKIPPED and not step.not_needed for step in run.steps),
            "unfinished": sum(
                step.state in (StepState.ACTIVE, StepState.OVERDUE, StepState.WAITING) for step in run.steps
            ),
            "escalations": sum(len(step.escalated) for step in run.steps),
            "commands": dict(Counter(_end(command) for command in known)),
        },
        "steps": [_step(step, by_id) for step in run.steps],
        "timeline": [
            {"told_at": one.entry_at, "by": one.by, "action": one.action, "text": one.text} for one in run.log
        ],
    }


def _end(command: Command) -> str:
    return "unconfirmed" if command.observation == "missing" else str(command.state)


def _step(step: StepRun, commands: dict[str, Command]) -> Report:
    return {
        "id": step.id,
        "title": step.title,
        "automatic": step.automatic,
        "role": step.role,
        "state": str(step.state),
        "not_needed": step.not_needed,
        "answer": step.answers.get(step.answer, {}) if step.answer else {},
        "within": step.within,
        "took": step.took,
        "in_time": step.in_time,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
        "done_by": step.done_by,
        "note": step.note,
        "escalated": list(step.escalated),
        "commands": [
            {"id": one.id, "device": one.device, "name": one.name, "state": _end(one), "detail": one.detail}
            for one in (commands.get(ident) for ident in step.commands)
            if one is not None
        ],
    }
