"""The automatic steps of plans: which devices they command, and what became of it (FAULTS 83).

A step is `active` until the last of its commands is final; its note then lists what went wrong. Devices whose wire
format has no such command are left out, and where none has it the step is `skipped`. A drill sends nothing. A step of a
run that was started on a judgement too old (FAULTS 82) sends only what releases people.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from gateway.errors import Conflict, GatehouseError
from gateway.model import Command, CommandState, Device, PlanRun, StepRun, StepState
from gateway.services.command_words import word_of
from gateway.services.commands import Commands
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.plan_book import Selector
from gateway.services.plan_parts import logged, noted, step_of, with_step
from gateway.services.templates import plain


class Runs(Protocol):
    """The runs as the automatic steps see them (`plans.PlanRuns`)."""

    running: dict[str, PlanRun]

    def end_step(self, run: PlanRun, step: StepRun, state: StepState, by: str, moment: Moment) -> PlanRun:
        """The run with that step in its final state."""

    def go_on(self, run: PlanRun, moment: Moment) -> PlanRun:
        """Activates what has its turn, and keeps the run."""

    def save(self, run: PlanRun, moment: Moment) -> PlanRun:
        """Keeps the run."""


class AutomaticSteps:
    """The commands whose outcome steps wait for, by run and step."""

    def __init__(self, runs: Runs, common: Common, commands: Callable[[], Commands]) -> None:
        self._runs = runs
        self._common = common
        self._commands = commands
        self._waiting: dict[tuple[str, str], set[str]] = {}

    def clear(self) -> None:
        """Forgets all."""
        self._waiting.clear()

    def restore(self, run: PlanRun) -> None:
        """Takes up the steps of a stored run. The commands must have been restored before."""
        under_way = self._commands().under_way
        for step in run.steps:
            if step.automatic and step.state is StepState.ACTIVE:
                self._waiting[run.id, step.id] = {ident for ident in step.commands if ident in under_way}

    def recover(self, moment: Moment) -> None:
        """After a restart: ends the steps that wait for no command any more."""
        for (ident, step), waiting in list(self._waiting.items()):
            run = self._runs.running.get(ident)
            if run is not None and not waiting:
                self._settle(run, step, moment)

    def forget(self, run: str, step: str) -> None:
        """The step is over."""
        self._waiting.pop((run, step), None)

    def begin(self, run: PlanRun, step: StepRun, moment: Moment) -> PlanRun:
        """Carries out a step that has just become active."""
        targets, problem = self._targets(run, step)
        if not targets:
            state = StepState.FAILED if problem.startswith("!") else StepState.SKIPPED
            return self._runs.end_step(run, replace(step, note=problem.lstrip("!")), state, "system", moment)
        word = step.command["name"]
        able = [device for device in targets if self._common.world.takes(device, word)]
        if len(able) < len(targets):
            unable = [device for device in targets if device not in able]
            step = replace(step, left_out=tuple(device.id for device in unable))
            text = f"{word}: " + ", ".join(f"{device.id} ({device.adapter})" for device in unable)
            run = logged(run, "system", "left_out", plain(text, 500), moment)
        if not able:
            note = f"the equipment takes no '{word}'"
            return self._runs.end_step(run, replace(step, note=note), StepState.SKIPPED, "system", moment)
        if run.drill:
            for device in able:
                run = logged(run, "system", "simulated", f"{word} {device.id}", moment)
            note = f"simulated on {len(able)} devices"
            return self._runs.end_step(run, replace(step, note=note), StepState.DONE, "system", moment)
        if run.input_age > self._common.settings.stale_input and not word_of(word).releases:
            note = f"not sent: the judgement that started the plan was {run.input_age:.0f} s old; look, then command it"
            moment.note(f"plan:{run.plan}", "command.request", run.id, "refused", name=word, why=note)
            return self._runs.end_step(run, replace(step, note=note), StepState.FAILED, "system", moment)
        return self._send(run, step, able, f"plan:{run.plan}", moment)

    def again(self, run: PlanRun, step: StepRun, by: str, moment: Moment) -> PlanRun:
        """Does a failed step again, for the devices that did not do it. Raises `Conflict` where there are none.

        What was done is not commanded again, so that doing it again and again is safe.
        """
        targets, problem = self._targets(run, step)
        done = {
            command.device for command in map(self._known, step.commands) if command is not None and _is_done(command)
        }
        left = [one for one in targets if one.id not in done and self._common.world.takes(one, step.command["name"])]
        if not left:
            raise Conflict(f"step '{step.id}' has nothing to do again: {problem.lstrip('!') or 'every device did it'}")
        run = logged(run, by, "retry", step.id, moment)
        started = replace(step, state=StepState.ACTIVE, note="", finished_at=None, done_by=None, took=None)
        run = self._send(with_step(run, started), started, left, by, moment)
        return self._runs.go_on(run, moment)

    def _known(self, ident: str) -> Command | None:
        commands = self._commands()
        return commands.under_way.get(ident) or commands.final.get(ident)

    def _send(self, run: PlanRun, step: StepRun, targets: list[Device], by: str, moment: Moment) -> PlanRun:
        sent: list[str] = []
        for device in targets:
            draft = Command(
                id="",
                site=device.site,
                device=device.id,
                name=step.command["name"],
                args=step.command["args"],
                by=by,
                reason=run.id,
                alert=run.alert,
                plan_run=run.id,
            )
            try:
                sent.append(self._commands().order(draft, moment).id)
            except GatehouseError as error:
                step = replace(step, note=noted(step.note, f"{device.id}: {error.message}"))
        step = replace(step, commands=(*step.commands, *sent))
        run = logged(
            run, by if by.startswith("user:") else "system", "command", f"{step.command['name']} ({len(sent)})", moment
        )
        if not sent:
            return self._runs.end_step(run, step, StepState.FAILED, "system", moment)
        self._waiting[run.id, step.id] = set(sent)
        return with_step(run, step)

    def _targets(self, run: PlanRun, step: StepRun) -> tuple[list[Device], str]:
        """The devices that the step commands, and, where there are none, why: with `!` where that is a failure."""
        world = self._common.world
        selector = Selector(**step.command["to"])
        if selector.device is not None:
            ident = run.device if selector.device == "self" else selector.device
            device = world.devices.get(ident) if ident is not None else None
            if device is None or device.site != run.site:
                return [], f"!no device '{ident or 'self'}' at this site"
            return [device], ""
        own = world.devices.get(run.device) if run.device is not None else None
        around: set[str] = {run.site}
        if selector.scope == "building":
            around = {own.building} if own is not None and own.building is not None else set()
            around |= {run.zone} if run.zone is not None and not around else set()
        elif selector.scope == "zone":
            around = {run.zone or (own.zone if own is not None else None) or ""} - {""}
        if not around:
            return [], f"!the {selector.scope} is not known"
        found = [
            device
            for device in world.devices.values()
            if device.site == run.site
            and device.type == selector.type
            and device.enabled
            and (selector.scope == "site" or not around.isdisjoint(world.places(device)))
        ]
        return sorted(found, key=lambda device: device.id), f"no {selector.type} in this {selector.scope}"

    def finished(self, command: Command, moment: Moment) -> None:
        """A command of a step is final; when it was the last one, so is the step."""
        run = self._runs.running.get(command.plan_run or "")
        step = _step_with(run, command) if run is not None else None
        if run is None or step is None:
            return
        by = f"device:{command.device}"
        if command.state is CommandState.DONE:
            run = logged(run, by, "command_done", f"{command.name} {command.device}", moment)
        else:
            text = f"{command.device}: {command.state}" + (f" ({command.detail})" if command.detail else "")
            run = logged(run, by, "command_failed", plain(text, 300), moment)
            run = with_step(run, replace(step, note=noted(step.note, text)))
        waiting = self._waiting.get((run.id, step.id))
        if waiting is None or command.id not in waiting:
            self._runs.save(run, moment)
            return
        self._runs.running[run.id] = run
        waiting.discard(command.id)
        if waiting:
            self._runs.save(run, moment)
        else:
            self._settle(run, step.id, moment)

    def unconfirmed(self, command: Command, moment: Moment) -> None:
        """A device said that it did it, and is not seen to have done it."""
        run = self._runs.running.get(command.plan_run or "")
        if run is not None and command.observation == "missing":
            text = f"{command.name} {command.device}"
            self._runs.save(logged(run, "system", "command_unconfirmed", text, moment), moment)

    def _settle(self, run: PlanRun, ident: str, moment: Moment) -> None:
        """All commands of the step are final."""
        step = step_of(run, ident)
        state = StepState.FAILED if step.note else StepState.DONE
        self._runs.go_on(self._runs.end_step(run, step, state, "system", moment), moment)


def _step_with(run: PlanRun, command: Command) -> StepRun | None:
    return next((step for step in run.steps if command.id in step.commands), None)


def _is_done(command: Command) -> bool:
    return command.state is CommandState.DONE and command.observation != "missing"
