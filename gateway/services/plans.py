"""Emergency plans as they run. A step that fails or is late stands out, and never stops the rest.

An automatic step is `active` until the last of its commands is final; its note then lists what went wrong. Devices
whose wire format has no such command are left out, and where none has it the step is `skipped`. A manual step is
`active` until a person says `done`, `failed` or `skipped`, and `overdue` when its time has passed. A drill runs the
same steps and sends nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from gateway.errors import GatehouseError, NotFound
from gateway.model import Alert, Command, CommandState, Device, LogEntry, PlanRun, StepRun, StepState
from gateway.services.commands import Commands
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.plan_book import PlanBook, PlanDefinition, Selector, StepDefinition
from gateway.services.templates import plain

STEP = "plan.step"
FINAL_STEPS = frozenset((StepState.DONE, StepState.FAILED, StepState.SKIPPED))
_LOG_KEPT = 1000
_NOTE_LONGEST = 2000


class PlanRuns:
    """All running plans."""

    def __init__(self, common: Common, book: PlanBook, commands: Callable[[], Commands]) -> None:
        self.book = book
        self.running: dict[str, PlanRun] = {}
        self.ended: OrderedDict[str, PlanRun] = OrderedDict()
        self._by_place: dict[tuple[str, str, bool], str] = {}
        self._waiting: dict[tuple[str, str], set[str]] = {}
        """The commands whose outcome an automatic step waits for, by run and step."""
        self._common = common
        self._commands = commands

    def restore(self, runs: Iterable[PlanRun]) -> None:
        """Takes over stored runs. The commands must have been restored before."""
        self.running.clear()
        self.ended.clear()
        self._by_place.clear()
        self._waiting.clear()
        under_way = self._commands().under_way
        for run in runs:
            if run.state != "running":
                self._remember(run)
                continue
            self.running[run.id] = run
            self._by_place[run.plan, run.place, run.drill] = run.id
            for step in run.steps:
                self._set_timer(run.id, step)
                if step.automatic and step.state is StepState.ACTIVE:
                    self._waiting[run.id, step.id] = {ident for ident in step.commands if ident in under_way}

    def recover(self, moment: Moment) -> None:
        """After a restart: ends the automatic steps that wait for no command any more."""
        for (ident, step), waiting in list(self._waiting.items()):
            run = self.running.get(ident)
            if run is not None and not waiting:
                self._settle(run, step, moment)

    def get(self, ident: str) -> PlanRun:
        """A running plan, or one that ended lately. Raises `NotFound`."""
        run = self.running.get(ident) or self.ended.get(ident)
        if run is None:
            raise NotFound("running plan", ident)
        return run

    # Starting

    def start_for(self, alert: Alert, plan: str, moment: Moment) -> PlanRun:
        """The run that answers the alert: a new one, or the real one that runs for the same place already."""
        definition = self.book.get(plan)
        device = self._common.world.devices.get(alert.device) if alert.device is not None else None
        by = f"rule:{alert.rule}"
        run = self.at(definition, self.place(definition, alert.site, device, alert.zone), drill=False)
        if run is not None:
            if run.alert != alert.id:
                run = self.save(logged(run, by, "alert", alert.id, moment), moment)
            return run
        draft = PlanRun(
            id="", plan=plan, site=alert.site, title={}, alert=alert.id, device=alert.device, zone=alert.zone
        )
        return self.start(definition, draft, by, moment)

    def place(self, definition: PlanDefinition, site: str, device: Device | None, zone: str | None) -> str:
        """What a run of the plan is for: the id of a device, building, zone or site."""
        zone = zone or (device.zone if device is not None else None)
        if definition.scope == "device" and device is not None:
            return device.id
        if definition.scope == "building" and device is not None and device.building is not None:
            return device.building
        if definition.scope in ("building", "zone", "device") and zone is not None:
            return zone
        return site

    def at(self, definition: PlanDefinition, place: str, *, drill: bool) -> PlanRun | None:
        """The plan's run for that place, if it runs."""
        ident = self._by_place.get((definition.id, place, drill))
        return None if ident is None else self.running[ident]

    def start(self, definition: PlanDefinition, draft: PlanRun, by: str, moment: Moment) -> PlanRun:
        """Starts a run: `draft` says where, for which alert, and whether it is a drill."""
        device = self._common.world.devices.get(draft.device) if draft.device is not None else None
        run = replace(
            draft,
            id=self._common.ids.next("pl"),
            title=dict(definition.title),
            place=self.place(definition, draft.site, device, draft.zone),
            started_at=moment.wall,
            started_by=by,
            steps=tuple(_step(step) for step in definition.steps),
            version=0,
        )
        moment.note(by, "plan.start", run.id, plan=run.plan, alert=run.alert, drill=run.drill or None)
        run = logged(run, by, "drill" if run.drill else "start", "", moment)
        self.running[run.id] = run
        self._by_place[run.plan, run.place, run.drill] = run.id
        return self.go_on(run, moment)

    def go_on(self, run: PlanRun, moment: Moment) -> PlanRun:
        """Activates every step whose turn has come, and finishes the run when nothing is left."""
        while True:
            final = {step.id for step in run.steps if step.state in FINAL_STEPS}
            ready = [step for step in run.steps if step.state is StepState.WAITING and set(step.after) <= final]
            if not ready:
                break
            for step in ready:
                run = self._activate(run, step, moment)
        if all(step.state in FINAL_STEPS for step in run.steps):
            run = replace(logged(run, "system", "finish", "", moment), state="finished", finished_at=moment.wall)
            moment.note("system", "plan.finish", run.id, plan=run.plan)
        return self.save(run, moment)

    # Steps

    def _activate(self, run: PlanRun, step: StepRun, moment: Moment) -> PlanRun:
        within = step.within
        step = replace(
            step,
            state=StepState.ACTIVE,
            started_at=moment.wall,
            complete_by=None if within is None or step.automatic else moment.wall + within,
            complete_due=None if within is None or step.automatic else moment.now + within,
        )
        if not step.automatic:
            self._set_timer(run.id, step)
            return with_step(run, step)
        targets, problem = self._targets(run, step)
        if not targets:
            state = StepState.FAILED if problem.startswith("!") else StepState.SKIPPED
            return self.end_step(run, replace(step, note=problem.lstrip("!")), state, "system", moment)
        word = step.command["name"]
        able = [device for device in targets if self._common.world.takes(device, word)]
        if len(able) < len(targets):
            unable = [device for device in targets if device not in able]
            step = replace(step, left_out=tuple(device.id for device in unable))
            text = f"{word}: " + ", ".join(f"{device.id} ({device.adapter})" for device in unable)
            run = logged(run, "system", "left_out", plain(text, 500), moment)
        if not able:
            note = f"the equipment takes no '{word}'"
            return self.end_step(run, replace(step, note=note), StepState.SKIPPED, "system", moment)
        targets = able
        if run.drill:
            for device in targets:
                run = logged(run, "system", "simulated", f"{step.command['name']} {device.id}", moment)
            note = f"simulated on {len(targets)} devices"
            return self.end_step(run, replace(step, note=note), StepState.DONE, "system", moment)
        return self._send(run, step, targets, moment)

    def _send(self, run: PlanRun, step: StepRun, targets: list[Device], moment: Moment) -> PlanRun:
        sent: list[str] = []
        for device in targets:
            draft = Command(
                id="",
                site=device.site,
                device=device.id,
                name=step.command["name"],
                args=step.command["args"],
                by=f"plan:{run.plan}",
                reason=run.id,
                alert=run.alert,
                plan_run=run.id,
            )
            try:
                sent.append(self._commands().order(draft, moment).id)
            except GatehouseError as error:
                step = replace(step, note=_noted(step.note, f"{device.id}: {error.message}"))
        step = replace(step, commands=tuple(sent))
        run = logged(run, "system", "command", f"{step.command['name']} ({len(sent)})", moment)
        if not sent:
            return self.end_step(run, step, StepState.FAILED, "system", moment)
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

    def command_finished(self, command: Command, moment: Moment) -> None:
        """A command of a step is final; when it was the last one, so is the step."""
        run = self.running.get(command.plan_run or "")
        if run is None:
            return
        for step in run.steps:
            waiting = self._waiting.get((run.id, step.id))
            if waiting is None or command.id not in waiting:
                continue
            waiting.discard(command.id)
            if command.state is not CommandState.DONE:
                text = f"{command.device}: {command.state}" + (f" ({command.detail})" if command.detail else "")
                run = logged(run, f"device:{command.device}", "command_failed", plain(text, 300), moment)
                run = with_step(run, replace(step, note=_noted(step.note, text)))
                self.running[run.id] = run
            if waiting:
                self.save(run, moment)
            else:
                self._settle(run, step.id, moment)
            return

    def _settle(self, run: PlanRun, ident: str, moment: Moment) -> None:
        """All commands of the step are final."""
        step = step_of(run, ident)
        state = StepState.FAILED if step.note else StepState.DONE
        self.go_on(self.end_step(run, step, state, "system", moment), moment)

    def end_step(self, run: PlanRun, step: StepRun, state: StepState, by: str, moment: Moment) -> PlanRun:
        """The run with that step in its final state; others are not yet activated."""
        self._waiting.pop((run.id, step.id), None)
        step = replace(step, state=state, finished_at=moment.wall, done_by=by)
        self._set_timer(run.id, step)
        text = f"{step.id}: {step.note}" if step.note else step.id
        return with_step(logged(run, by, f"step_{state}", plain(text, 500), moment), step)

    def overdue(self, key: str, moment: Moment) -> None:
        """The timer of a manual step."""
        ident, _, step_id = key.partition("/")
        run = self.running.get(ident)
        if run is None:
            return
        step = step_of(run, step_id)
        if step.state is StepState.ACTIVE:
            moment.note("system", "plan.step_overdue", run.id, step=step_id)
            run = with_step(
                logged(run, "system", "step_overdue", step_id, moment), replace(step, state=StepState.OVERDUE)
            )
            self.save(run, moment)

    # Keeping

    def save(self, run: PlanRun, moment: Moment) -> PlanRun:
        """Keeps the run's newest state."""
        run = replace(run, version=run.version + 1)
        if run.state == "running":
            self.running[run.id] = run
        else:
            self.running.pop(run.id, None)
            self._remember(run)
            self._by_place.pop((run.plan, run.place, run.drill), None)
            for step in run.steps:
                self._waiting.pop((run.id, step.id), None)
                self._common.timers.set(STEP, f"{run.id}/{step.id}", None)
        moment.out.put(run)
        return run

    def _remember(self, run: PlanRun) -> None:
        self.ended[run.id] = run
        while len(self.ended) > self._common.settings.remembered:
            self.ended.popitem(last=False)

    def _set_timer(self, run: str, step: StepRun) -> None:
        due = step.complete_due if step.state is StepState.ACTIVE and not step.automatic else None
        self._common.timers.set(STEP, f"{run}/{step.id}", due)


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


def _noted(note: str, text: str) -> str:
    return plain(f"{note}; {text}" if note else text, _NOTE_LONGEST)


def _step(definition: StepDefinition) -> StepRun:
    command = definition.command
    return StepRun(
        id=definition.id,
        title=dict(definition.title),
        advice=dict(definition.advice),
        automatic=command is not None,
        role=definition.role,
        after=definition.after,
        within=definition.within,
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
