"""Emergency plans as they run. A step that fails or is late stands out, and never stops the rest.

A manual step is `active` until a person says `done`, `failed` or `skipped`, and `overdue` when its time has passed;
then the roles of its escalation are told one after the other. Automatic steps are `plan_commands`. A drill runs the
same steps and sends nothing; a real run of the same plan at the same site ends it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from gateway.errors import NotFound
from gateway.model import Alert, Device, PlanRun, StepRun, StepState
from gateway.services.commands import Commands
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.plan_book import PlanBook, PlanDefinition
from gateway.services.plan_commands import AutomaticSteps
from gateway.services.plan_parts import FINAL_STEPS, logged, needed, score_of, step_of, steps_of, with_step
from gateway.services.templates import plain

STEP = "plan.step"
PROPOSAL = "plan.proposal"
#: What the rules are told of an overdue step, and when it is over.
OVERDUE_STEP = "gateway.plan_step"
_OPEN = frozenset(("running", "proposed"))


class PlanRuns:
    """All running plans, and those that wait for a second person."""

    def __init__(self, common: Common, book: PlanBook, commands: Callable[[], Commands]) -> None:
        self.book = book
        self.running: dict[str, PlanRun] = {}
        self.ended: OrderedDict[str, PlanRun] = OrderedDict()
        self.automatic = AutomaticSteps(self, common, commands)
        self._by_place: dict[tuple[str, str, bool], str] = {}
        self._common = common

    def restore(self, runs: Iterable[PlanRun]) -> None:
        """Takes over stored runs. The commands must have been restored before."""
        self.running.clear()
        self.ended.clear()
        self._by_place.clear()
        self.automatic.clear()
        for run in runs:
            if run.state not in _OPEN:
                self._remember(run)
                continue
            self._take_up(run)
            self.automatic.restore(run)
            for step in run.steps:
                self._set_timer(run.id, step)

    def recover(self, moment: Moment) -> None:
        """After a restart: ends the automatic steps that wait for no command any more."""
        self.automatic.recover(moment)

    def get(self, ident: str) -> PlanRun:
        """A running plan, or one that ended lately. Raises `NotFound`."""
        run = self.running.get(ident) or self.ended.get(ident)
        if run is None:
            raise NotFound("running plan", ident)
        return run

    # Starting

    def start_for(self, alert: Alert, plan: str, moment: Moment, age: float = 0.0) -> PlanRun:
        """The run that answers the alert: a new one, or the real one that runs for the same place already.

        `age` is how old the judgement is, in seconds.
        """
        definition = self.book.get(plan)
        device = self._common.world.devices.get(alert.device) if alert.device is not None else None
        by = f"rule:{alert.rule}"
        run = self.at(definition, self.place(definition, alert.site, device, alert.zone), drill=False)
        if run is not None:
            if run.alert != alert.id:
                run = self.save(logged(run, by, "alert", alert.id, moment), moment)
            return self.begin(run, by, moment) if run.state == "proposed" else run
        draft = PlanRun(
            id="", plan=plan, site=alert.site, title={}, alert=alert.id, device=alert.device, zone=alert.zone,
            input_age=round(max(0.0, age), 3),
        )  # fmt: skip
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

    def start(
        self, definition: PlanDefinition, draft: PlanRun, by: str, moment: Moment, *, second: bool = False
    ) -> PlanRun:
        """Starts a run, or with `second` proposes it: `draft` says where, for which alert, and whether as a drill."""
        device = self._common.world.devices.get(draft.device) if draft.device is not None else None
        script = definition.drill
        run = replace(
            draft,
            id=self._common.ids.next("pl"),
            title=dict(definition.title),
            advice=dict(definition.advice),
            scenario=dict(script.scenario) if script is not None and draft.drill else {},
            watch=dict(script.watch) if script is not None and draft.drill else {},
            place=self.place(definition, draft.site, device, draft.zone),
            started_at=moment.wall,
            started_due=moment.now,
            started_by=by,
            steps=steps_of(definition),
            version=0,
        )
        if not second:
            return self.begin(run, by, moment)
        within = self._common.settings.second_within
        run = replace(run, state="proposed", expires=moment.wall + within, expires_due=moment.now + within)
        moment.note(by, "plan.propose", run.id, plan=run.plan)
        self._take_up(run)
        return self.save(logged(run, by, "propose", "", moment), moment)

    def begin(self, run: PlanRun, by: str, moment: Moment) -> PlanRun:
        """The run begins: now, whenever it was proposed."""
        if not run.drill:
            self._preempt(run, by, moment)
        run = replace(
            run, state="running", started_at=moment.wall, started_due=moment.now, expires=None, expires_due=None
        )
        moment.note(by, "plan.start", run.id, plan=run.plan, alert=run.alert, drill=run.drill or None)
        run = logged(run, by, "drill" if run.drill else "start", "", moment)
        self._take_up(run)
        return self.go_on(run, moment)

    def _preempt(self, real: PlanRun, by: str, moment: Moment) -> None:
        """What is real ends the drills of the same plan at the same site."""
        for drill in [one for one in self.running.values() if one.drill and one.plan == real.plan]:
            if drill.site == real.site:
                moment.note(by, "plan.preempt", drill.id, "done", plan=real.plan, by=real.id)
                ended = replace(logged(drill, by, "preempt", real.id, moment), preempted_by=real.id)
                self.end(ended, "stopped", moment)

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
            moment.note("system", "plan.finish", run.id, plan=run.plan)
            return self.end(logged(run, "system", "finish", "", moment), "finished", moment)
        return self.save(run, moment)

    def end(self, run: PlanRun, state: str, moment: Moment) -> PlanRun:
        """The run is over; what is overdue stands out no longer."""
        for step in run.steps:
            if step.state is StepState.OVERDUE:
                self._tell(run, step, moment, overdue=False)
        took = round(max(0.0, moment.now - run.started_due), 3) if run.state == "running" else None
        score = None if run.preempted_by is not None or took is None else score_of(run)
        return self.save(replace(run, state=state, finished_at=moment.wall, took=took, score=score), moment)

    # Steps

    def _activate(self, run: PlanRun, step: StepRun, moment: Moment) -> PlanRun:
        if not needed(run, step):
            step = replace(step, state=StepState.SKIPPED, not_needed=True, finished_at=moment.wall, done_by="system")
            return with_step(logged(run, "system", "step_not_needed", step.id, moment), step)
        within = None if step.automatic else step.within
        step = replace(
            step,
            state=StepState.ACTIVE,
            started_at=moment.wall,
            started_due=moment.now,
            complete_by=None if within is None else moment.wall + within,
            complete_due=None if within is None else moment.now + within,
        )
        if step.automatic:
            return self.automatic.begin(with_step(run, step), step, moment)
        self._set_timer(run.id, step)
        return with_step(run, step)

    def end_step(self, run: PlanRun, step: StepRun, state: StepState, by: str, moment: Moment) -> PlanRun:
        """The run with that step in its final state; others are not yet activated."""
        self.automatic.forget(run.id, step.id)
        if step.state is StepState.OVERDUE:
            self._tell(run, step, moment, overdue=False)
        took = None if step.started_due is None else round(max(0.0, moment.now - step.started_due), 3)
        in_time = step.in_time
        if not step.automatic and step.within is not None:
            in_time = state is StepState.DONE and took is not None and took <= step.within
        step = replace(step, state=state, finished_at=moment.wall, done_by=by, took=took, in_time=in_time)
        self._set_timer(run.id, step)
        text = f"{step.id}: {step.note}" if step.note else step.id
        return with_step(logged(run, by, f"step_{state}", plain(text, 500), moment), step)

    def due(self, key: str, moment: Moment) -> None:
        """The timer of a manual step: it is overdue, or the next role is told that it still is."""
        ident, _, step_id = key.partition("/")
        run = self.running.get(ident)
        if run is None:
            return
        step = step_of(run, step_id)
        if step.state is StepState.ACTIVE:
            moment.note("system", "plan.step_overdue", run.id, step=step_id)
            run = logged(run, "system", "step_overdue", step_id, moment)
            step = replace(step, state=StepState.OVERDUE)
        elif step.state is StepState.OVERDUE and len(step.escalated) < len(step.escalate):
            to = step.escalate[len(step.escalated)].to
            moment.note("system", "plan.step_escalated", run.id, step=step_id, to=to, drill=run.drill or None)
            run = logged(run, "system", "step_escalated", f"{step_id}: {to}", moment)
            step = replace(step, escalated=(*step.escalated, to))
        else:
            return
        self._tell(run, step, moment, overdue=True)
        self._set_timer(run.id, step)
        self.save(with_step(run, step), moment)

    def lapsed(self, ident: str, moment: Moment) -> None:
        """The timer of a proposed start: nobody came."""
        run = self.running.get(ident)
        if run is not None and run.state == "proposed":
            moment.note("system", "plan.lapse", ident, plan=run.plan)
            self.end(logged(run, "system", "lapse", "", moment), "lapsed", moment)

    def _tell(self, run: PlanRun, step: StepRun, moment: Moment, *, overdue: bool) -> None:
        """The rules judge overdue steps; those of a drill are marked as such."""
        role = step.escalated[-1] if step.escalated else step.role
        data = {
            "run": run.id, "key": f"{run.id}/{step.id}", "plan": run.plan, "step": step.id, "role": role,
            "plan_en": run.title.get("en", run.plan), "plan_zh": run.title.get("zh", run.plan),
            "step_en": step.title.get("en", step.id), "step_zh": step.title.get("zh", step.id),
            "level": len(step.escalated), "overdue": overdue, "drill": run.drill,
        }  # fmt: skip
        moment.out.tell(run.device or "", OVERDUE_STEP, data, run.site)

    # Keeping

    def save(self, run: PlanRun, moment: Moment) -> PlanRun:
        """Keeps the run's newest state."""
        run = replace(run, version=run.version + 1)
        if run.state in _OPEN:
            self.running[run.id] = run
        else:
            self.running.pop(run.id, None)
            self._remember(run)
            self._by_place.pop((run.plan, run.place, run.drill), None)
            self._common.timers.set(PROPOSAL, run.id, None)
            for step in run.steps:
                self.automatic.forget(run.id, step.id)
                self._common.timers.set(STEP, f"{run.id}/{step.id}", None)
        moment.out.put(run)
        return run

    def _take_up(self, run: PlanRun) -> None:
        self.running[run.id] = run
        self._by_place[run.plan, run.place, run.drill] = run.id
        self._common.timers.set(PROPOSAL, run.id, run.expires_due if run.state == "proposed" else None)

    def _remember(self, run: PlanRun) -> None:
        self.ended[run.id] = run
        while len(self.ended) > self._common.settings.remembered:
            self.ended.popitem(last=False)

    def _set_timer(self, run: str, step: StepRun) -> None:
        due = None
        if step.complete_due is not None and step.state is StepState.ACTIVE:
            due = step.complete_due
        elif step.complete_due is not None and step.state is StepState.OVERDUE:
            left = step.escalate[len(step.escalated) :]
            due = step.complete_due + left[0].after if left else None
        self._common.timers.set(STEP, f"{run}/{step.id}", due)
