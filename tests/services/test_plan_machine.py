"""The machine of plans against a slow and obvious model that works everything out anew from what was reported."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.errors import GatehouseError
from gateway.model import PlanRun
from gateway.services import read_plans
from tests.services.story import Story

PLANS = read_plans(
    {
        "m.yaml": """
id: model
title: {en: M, zh: M}
scope: site
escalate: [{to: lead, after: 30s}, {to: boss, after: 90s}]
steps:
  - {id: a, title: {en: a, zh: a}, role: x, within: 60s}
  - {id: b, title: {en: b, zh: b}, role: x, within: 45s, ask: {yes-: {en: y, zh: y}, no-: {en: n, zh: n}}}
  - {id: c, title: {en: c, zh: c}, role: x, within: 60s, after: [a], if: {b: yes-}}
  - {id: d, title: {en: d, zh: d}, role: x, within: 60s, if: {b: [no-, failed]}}
  - {id: e, title: {en: e, zh: e}, role: x, within: 30s, after: [c]}
  - {id: f, title: {en: f, zh: f}, role: x, within: 30s, after: [e, d], escalate: []}
  - {id: g, title: {en: g, zh: g}, role: x, within: 30s, if: {a: [done]}}
"""
    }
)
AFTER = {"a": [], "b": [], "c": ["a", "b"], "d": ["b"], "e": ["c"], "f": ["e", "d"], "g": ["a"]}
WITHIN = {"a": 60, "b": 45, "c": 60, "d": 60, "e": 30, "f": 30, "g": 30}
LEVELS: dict[str, list[int]] = {name: [30, 90] for name in AFTER} | {"f": []}
#: A time, and which report of that time.
Instant = tuple[float, float]
Told = tuple[Instant, str, str]


class Model:
    """What was reported, and from it, each time anew, where everything stands."""

    def __init__(self, start: float) -> None:
        self.start: Instant = (start, 0.0)
        self.number = 0
        self.told: dict[str, Told] = {}
        self.reports: dict[str, list[Told]] = {}
        """All that was reported of each step: those after it go by what was known when their turn came, not by what
        was mended later."""
        self.stopped: Instant | None = None

    def needed(self, name: str, begun: Instant, view: dict[str, dict[str, Any]]) -> bool:
        before = AFTER[name]
        if before and all(view[one]["left"] for one in before):
            return False
        answer, b, a = self.known("b", begun)[2], self.known("b", begun)[1], self.known("a", begun)[1]
        if name == "c":
            return answer in ("yes-", "")
        if name == "d":
            return answer == "no-" or b == "failed"
        return name != "g" or a == "done"

    def known(self, name: str, at: Instant) -> Told:
        told = [one for one in self.reports.get(name, []) if one[0] <= at]
        return told[-1] if told else (self.start, "", "")

    def instant(self, now: float) -> Instant:
        self.number += 1
        return (now, float(self.number))

    def view(self, time: float) -> dict[str, dict[str, Any]]:
        now = self.stopped if self.stopped is not None else (time, float("inf"))
        view: dict[str, dict[str, Any]] = {}
        for name, before in AFTER.items():
            ends = [view[one]["end"] for one in before]
            begun = max([self.start, *ends]) if None not in ends else None
            one: dict[str, Any] = {"state": "waiting", "left": False, "end": None, "levels": 0, "good": None}
            view[name] = one
            told = self.told.get(name)
            until = now if told is None else told[0]
            if begun is not None and begun <= until and not self.needed(name, begun, view):
                one |= {"state": "skipped", "left": True, "end": begun}
                continue
            if begun is not None and begun <= until:
                late = until[0] - begun[0] - WITHIN[name]
                one |= {"state": "overdue" if late >= 0 else "active"}
                one["levels"] = sum(late >= level for level in LEVELS[name])
            if told is not None:
                took = told[0][0] - begun[0] if begun is not None and begun <= told[0] else None
                good = told[1] == "done" and took is not None and took <= WITHIN[name]
                one |= {"state": told[1], "end": self.reports[name][0][0], "good": good}
        return view

    def over(self, now: float) -> bool:
        return all(one["end"] is not None for one in self.view(now).values())


class PlanMachine(RuleBasedStateMachine):
    """Random reports, waits, restarts and a stop. Whole seconds, so that both sides compare the same times."""

    @initialize(drill=st.booleans())
    def begin(self, drill: bool) -> None:
        self.story = Story(plans=PLANS)
        self.ident = self.story.act("plan.start", plan="model", site="garden", drill=drill).id
        self.model = Model(self.story.now)

    @rule(
        name=st.sampled_from(sorted(AFTER)),
        state=st.sampled_from(["done", "done", "done", "failed", "skipped"]),
        answer=st.sampled_from(["yes-", "no-", ""]),
    )
    def report(self, name: str, state: str, answer: str) -> None:
        now, model = self.story.now, self.model
        before = model.view(now)[name]
        asked = name == "b"
        fine = model.stopped is None and not model.over(now)
        fine = fine and before["state"] not in ("done", "skipped")
        fine = fine and (before["state"] != "waiting" or state == "skipped")
        fine = fine and (not answer or asked) and (state != "done" or not asked or bool(answer))
        same = before["state"] == state and not (answer and answer != model.told.get(name, (model.start, "", ""))[2])
        note = f"{state} at {now}" if not same else ""
        try:
            self.story.act("plan.step", run=self.ident, step=name, state=state, note=note, answer=answer or None)
        except GatehouseError:
            assert not fine or same, f"{name} {state} {answer!r} was refused: {before}"
            return
        if fine and not same:
            model.told[name] = (model.instant(now), state, answer if state == "done" else "")
            model.reports.setdefault(name, []).append(model.told[name])
        else:
            assert same, f"{name} {state} {answer!r} was taken: {before}"

    @rule(seconds=st.sampled_from([1, 15, 29, 30, 31, 60, 200]), step=st.sampled_from([0, 0, -3600, 3600]))
    def wait(self, seconds: int, step: int) -> None:
        self.story.after(seconds, wall_step=step)

    @rule()
    def crash(self) -> None:
        self.story.restart()

    @rule(sure=st.sampled_from([False, False, False, True]))
    def stop(self, sure: bool) -> None:
        if sure and self.model.stopped is None and not self.model.over(self.story.now):
            self.story.act("plan.stop", run=self.ident, reason="enough")
            self.model.stopped = self.model.instant(self.story.now)

    @invariant()
    def stands_as_the_model_says(self) -> None:
        run = self.story.record(PlanRun, self.ident)
        view = self.model.view(self.story.now)
        for step in run.steps:
            want = view[step.id]
            assert (str(step.state), step.not_needed) == (want["state"], want["left"]), (step.id, want)
            if want["state"] in ("active", "overdue"):
                assert len(step.escalated) == want["levels"], (step.id, want)
            if want["good"] is not None:
                assert step.in_time is want["good"], (step.id, want, step)
        over = self.model.over(self.story.now)
        state = "stopped" if self.model.stopped is not None else "finished" if over else "running"
        assert run.state == state
        overdue = [f"{self.ident}/{name}" for name, one in view.items() if one["state"] == "overdue"]
        standing: dict[str, bool] = {}
        for told in self.story.found:
            standing[told.data["key"]] = told.data["overdue"]
        open_ones = {key for key, is_open in standing.items() if is_open}
        assert open_ones == (set(overdue) if state == "running" else set())


def test_a_branch_goes_by_what_was_mended_before_its_turn_came() -> None:
    machine = PlanMachine()
    machine.begin(drill=False)
    for name, state, answer in (("b", "failed", ""), ("b", "done", "no-"), ("a", "done", "")):
        machine.report(name=name, state=state, answer=answer)
        machine.stands_as_the_model_says()


TestPlanMachine = PlanMachine.TestCase
TestPlanMachine.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
