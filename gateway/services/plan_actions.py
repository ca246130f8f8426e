"""What people do with plans: start one, or a drill, report steps, stop."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.errors import Conflict, Invalid, NotFound
from gateway.model import Actor, PlanRun, Role, StepRun, StepState
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.permission import demand, demand_fresh, demand_sight
from gateway.services.plans import FINAL_STEPS, PlanRuns, logged, step_of

_REPORTS = ("done", "failed", "skipped")


class PlanActions:
    """The actions `plan.*`."""

    def __init__(self, runs: PlanRuns, common: Common) -> None:
        self._runs = runs
        self._common = common

    def start(self, args: Arguments, actor: Actor, moment: Moment) -> PlanRun:
        """`plan.start{plan, site, device?, zone?, drill?}`: one real run and one drill at a time for each place."""
        plan, site, drill = args.ident("plan"), args.ident("site"), args.flag("drill")
        device, zone = args.maybe_ident("device"), args.maybe_ident("zone")
        args.end()
        world = self._common.world
        world.site(site, actor)
        demand(actor, Role.OPERATOR, "starting a plan")
        definition = self._runs.book.get(plan)
        placed = world.device(device, actor) if device is not None else None
        if placed is not None and placed.site != site:
            raise NotFound(f"device of site '{site}'", device)
        if zone is not None and (zone not in world.zones or world.zones[zone].site != site):
            raise NotFound(f"zone of site '{site}'", zone)
        place = self._runs.place(definition, site, placed, zone)
        running = self._runs.at(definition, place, drill=drill)
        if running is not None:
            what = "a drill of the plan" if drill else "the plan"
            raise Conflict(f"{what} '{plan}' runs for '{place}' already: '{running.id}'", run=running.id)
        draft = PlanRun(id="", plan=plan, site=site, title={}, device=device, zone=zone, drill=drill)
        return self._runs.start(definition, draft, actor.name, moment)

    def step(self, args: Arguments, actor: Actor, moment: Moment) -> PlanRun:
        """`plan.step{run, step, state: done|failed|skipped, note?}`: saying the same again changes nothing."""
        ident, name = args.ident("run"), args.ident("step")
        state, note = StepState(args.choice("state", _REPORTS)), args.maybe_text("note")
        version = args.version()
        args.end()
        run = self._find(ident, actor, "reporting a step")
        step = step_of(run, name)
        if step.state is state and (not note or note == step.note):
            return run
        self._demand_running(run)
        demand_fresh("plan run", ident, run.version, version)
        if state is StepState.SKIPPED and not note:
            raise Invalid("note", "say why the step is skipped")
        self._admit(run, step, state)
        moment.note(actor.name, "plan.step", ident, str(state), step=name, note=note)
        run = self._runs.end_step(run, replace(step, note=note or step.note), state, actor.name, moment)
        return self._runs.go_on(run, moment)

    def _admit(self, run: PlanRun, step: StepRun, state: StepState) -> None:
        """Raises `Conflict` where the step cannot be reported so now. What failed may be mended by hand."""
        if step.state is StepState.WAITING and state is not StepState.SKIPPED:
            open_ones = [other for other in step.after if step_of(run, other).state not in FINAL_STEPS]
            raise Conflict(f"step '{step.id}' waits for {', '.join(open_ones)}: report those first, or skip it")
        if step.automatic and step.state is StepState.ACTIVE:
            raise Conflict(f"step '{step.id}' is being done by the gateway: wait for its outcome")
        if step.state in (StepState.DONE, StepState.SKIPPED):
            raise Conflict(f"step '{step.id}' was reported {step.state} by {step.done_by}", by=step.done_by)

    def stop(self, args: Arguments, actor: Actor, moment: Moment) -> PlanRun:
        """`plan.stop{run, reason}`: ends the run as it stands; commands that were sent stay sent."""
        ident, reason, version = args.ident("run"), args.text("reason"), args.version()
        args.end()
        run = self._find(ident, actor, "stopping a plan")
        self._demand_running(run)
        demand_fresh("plan run", ident, run.version, version)
        moment.note(actor.name, "plan.stop", ident, reason=reason)
        run = logged(run, actor.name, "stop", reason, moment)
        return self._runs.save(replace(run, state="stopped", finished_at=moment.wall), moment)

    def _demand_running(self, run: PlanRun) -> None:
        if run.state != "running":
            raise Conflict(f"plan run '{run.id}' is {run.state}: nothing more is reported", state=run.state)

    def _find(self, ident: str, actor: Actor, what: str) -> PlanRun:
        run = self._runs.get(ident)
        demand_sight(actor, run.site, "running plan", ident)
        demand(actor, Role.OPERATOR, what)
        return run
