"""What people do with plans: start one, or a drill, confirm a start, report steps, do one again, stop."""

from __future__ import annotations

from msgspec.structs import replace

from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.model import Actor, PlanRun, Role, StepRun, StepState
from gateway.services.arguments import NAME, Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.permission import demand, demand_fresh, demand_sight
from gateway.services.plan_parts import FINAL_STEPS, logged, step_of
from gateway.services.plans import PlanRuns
from gateway.services.settings import matches

_REPORTS = ("done", "failed", "skipped")


class PlanActions:
    """The actions `plan.*`."""

    def __init__(self, runs: PlanRuns, common: Common) -> None:
        self._runs = runs
        self._common = common

    def start(self, args: Arguments, actor: Actor, moment: Moment) -> PlanRun:
        """`plan.start{plan, site, device?, zone?, drill?}`: one real run and one drill at a time for each place.

        Where the settings want two persons, a real start is proposed, and begins when another one has confirmed it.
        """
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
            how = "waits for a second person" if running.state == "proposed" else "runs"
            raise Conflict(f"{what} '{plan}' {how} for '{place}' already: '{running.id}'", run=running.id)
        draft = PlanRun(id="", plan=plan, site=site, title={}, device=device, zone=zone, drill=drill)
        second = not drill and matches(plan, self._common.settings.plans_second_person)
        return self._runs.start(definition, draft, actor.name, moment, second=second)

    def approve(self, args: Arguments, actor: Actor, moment: Moment) -> PlanRun:
        """`plan.approve{run}`: another person confirms a proposed start."""
        ident = args.ident("run")
        args.end()
        run = self._find(ident, actor, "confirming the start of a plan")
        if run.state != "proposed":
            raise Conflict(f"plan run '{ident}' is {run.state}: it waits for no second person", state=run.state)
        if not actor.name.startswith(("user:", "cli")):
            raise Forbidden("the second person must be a person, not a program")
        if actor.name == run.started_by:
            raise Forbidden("the second person must be another one than the first")
        moment.note(actor.name, "plan.approve", ident, plan=run.plan)
        run = logged(replace(run, second_by=actor.name), actor.name, "approve", "", moment)
        return self._runs.begin(run, run.started_by, moment)

    def step(self, args: Arguments, actor: Actor, moment: Moment) -> PlanRun:
        """`plan.step{run, step, state: done|failed|skipped, note?, answer?}`: saying the same again changes nothing."""
        ident, name = args.ident("run"), args.ident("step")
        state, note = StepState(args.choice("state", _REPORTS)), args.maybe_text("note")
        answer, version = args.maybe_text("answer", NAME), args.version()
        args.end()
        run = self._find(ident, actor, "reporting a step")
        step = step_of(run, name)
        if step.state is state and (not note or note == step.note) and (not answer or answer == step.answer):
            return run
        self._demand_running(run)
        demand_fresh("plan run", ident, run.version, version)
        if state is StepState.SKIPPED and not note:
            raise Invalid("note", "say why the step is skipped")
        self._admit(run, step, state)
        answer = _answered(step, state, answer)
        moment.note(actor.name, "plan.step", ident, str(state), step=name, note=note, answer=answer)
        reported = replace(step, note=note or step.note, answer=answer)
        run = self._runs.end_step(run, reported, state, actor.name, moment)
        return self._runs.go_on(run, moment)

    def retry(self, args: Arguments, actor: Actor, moment: Moment) -> PlanRun:
        """`plan.retry{run, step}`: commands the devices again that did not do a failed step; those that did, not."""
        ident, name = args.ident("run"), args.ident("step")
        args.end()
        run = self._find(ident, actor, "doing a step again")
        step = step_of(run, name)
        self._demand_running(run)
        if run.drill or not step.automatic or step.state is not StepState.FAILED:
            raise Conflict(f"step '{name}' is {step.state}: only a failed automatic step is done again")
        moment.note(actor.name, "plan.retry", ident, step=name)
        return self._runs.automatic.again(run, step, actor.name, moment)

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
        if run.state != "proposed":
            self._demand_running(run)
        demand_fresh("plan run", ident, run.version, version)
        moment.note(actor.name, "plan.stop", ident, reason=reason)
        return self._runs.end(logged(run, actor.name, "stop", reason, moment), "stopped", moment)

    def _demand_running(self, run: PlanRun) -> None:
        if run.state != "running":
            raise Conflict(f"plan run '{run.id}' is {run.state}: nothing more is reported", state=run.state)

    def _find(self, ident: str, actor: Actor, what: str) -> PlanRun:
        run = self._runs.get(ident)
        demand_sight(actor, run.site, "running plan", ident)
        demand(actor, Role.OPERATOR, what)
        return run


def _answered(step: StepRun, state: StepState, answer: str) -> str:
    """The answer as it is kept. Raises `Invalid` where a question is done without one, or with another."""
    if answer and answer not in step.answers:
        known = ", ".join(step.answers) or "none: this step asks nothing"
        raise Invalid("answer", f"'{answer[:40]}' is no answer here; there is {known}")
    if step.answers and state is StepState.DONE and not answer:
        raise Invalid("answer", f"say which of {', '.join(step.answers)}: the further steps depend on it")
    return answer if state is StepState.DONE else ""
