"""Schedules and their rounds against a slow and obvious model: a sheet on which each visit is ticked off."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import GatehouseError
from gateway.model import Event, Round, Schedule, WorkOrder
from gateway.services.schedule_reading import read_schedules
from tests.services.story import ERIKA, Story

FILE = """
schedules:
  - id: walk
    site: garden
    title: {en: Walk, zh: 巡}
    does: patrol
    at: "0 12 1 1 *"
    ordered: true
    points:
      - {id: gate, title: {en: Gate, zh: 门}, to: 20m}
      - {id: roof, title: {en: Roof, zh: 顶}, from: 10m, to: 40m}
      - {id: cellar, title: {en: Cellar, zh: 地下室}, to: 30m}
  - id: service
    site: garden
    title: {en: Door service, zh: 门保养}
    does: maintenance
    counts: {kind: access.door, field: state, is: open, times: 3}
    devices: [door-1]
"""
BOOK = read_schedules({"x.yaml": FILE})
WINDOWS = {"gate": (0.0, 1200.0), "roof": (600.0, 2400.0), "cellar": (0.0, 1800.0)}


class Sheet:
    """A round on paper."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.points = dict.fromkeys(WINDOWS, "waiting")
        self.in_order: dict[str, bool] = {}

    @property
    def over(self) -> bool:
        """Whether it is put away: everything was visited, in time or late."""
        return all(state in ("done", "late") for state in self.points.values())

    def time(self, now: float) -> None:
        for name, (_, end) in WINDOWS.items():
            if self.points[name] == "waiting" and now >= self.began + end:
                self.points[name] = "missed"

    def visit(self, name: str, now: float) -> bool:
        start, end = WINDOWS[name]
        if self.over or self.points[name] in ("done", "late") or now < self.began + start:
            return False
        before = list(WINDOWS)[: list(WINDOWS).index(name)]
        self.in_order[name] = all(self.points[one] != "waiting" for one in before)
        self.points[name] = "late" if now > self.began + end else "done"
        return True


class RoundMachine(RuleBasedStateMachine):
    """A walk that is begun by hand, and a door whose openings are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story(schedules=BOOK).restart()
        self.story.after(1)
        self.sheets: list[Sheet] = []
        self.open = False
        self.openings = 0
        self.services = 0
        self.paused = False
        self.events: list[Event] = []

    def tries(self, name: str, **args: Any) -> Any:
        try:
            return self.story.act(name, ERIKA, **args)
        except GatehouseError:
            return None

    def rounds(self) -> list[Round]:
        return sorted(self.story.records(Round), key=lambda one: one.id)

    @rule()
    def a_round_begins(self) -> None:
        if self.sheets and not self.sheets[-1].over:
            points = self.sheets[-1].points
            points.update({name: "missed" for name, state in points.items() if state == "waiting"})
        self.story.act("schedule.run", ERIKA, schedule="walk")
        self.sheets.append(Sheet(self.story.now))

    @rule(name=st.sampled_from(list(WINDOWS)))
    def somebody_is_there(self, name: str) -> None:
        if not self.sheets:
            return
        ended = self.rounds()[-1].state not in ("running", "overdue")
        wanted = not ended and self.sheets[-1].visit(name, self.story.now)
        done = self.tries("round.check", round=self.rounds()[-1].id, point=name)
        assert (done is not None) == wanted, (name, self.story.tale())

    @rule(seconds=st.sampled_from([1.0, 300.0, 599.0, 1000.0]), step=st.sampled_from([0.0, 0.0, 3600.0, -3600.0]))
    def time_passes(self, seconds: float, step: float) -> None:
        self.story.after(seconds, step)
        if self.sheets:
            self.sheets[-1].time(self.story.now)

    @rule(open=st.booleans())
    def the_door_speaks(self, open: bool) -> None:
        """Opened three times it is due; while nobody serves it the same order is told again."""
        self.story.seq += 1
        event = self.story.event("door-1", "access.door", state="open" if open else "closed")
        event = msgspec.structs.replace(event, seq=self.story.seq)
        self.events.append(event)
        self.story.says_event(event)
        self.openings += open and not self.open
        self.open = open
        if self.openings >= 3 and not self.paused:
            self.openings -= 3
            self.services += 1

    @rule()
    def the_service_is_paused_or_resumed(self) -> None:
        name, more = ("schedule.resume", {}) if self.paused else ("schedule.pause", {"reason": "works"})
        self.story.act(name, ERIKA, schedule="service", **more)
        self.paused = not self.paused

    @rule()
    def the_gateway_stops_and_starts(self) -> None:
        """What its counters had not written is counted again from the events, as the core does at its start."""
        story = self.story
        story.desk = story._build()
        out = story._batch()
        held = story.desk.planned.schedules.uncounted()
        for event in self.events:
            if event.seq > held[event.kind]:
                story.desk.recount(event, story.now, story.wall, out)
        story.desk.recover(story.now, story.wall, out)
        story._commit(out)

    @invariant()
    def the_last_round_is_as_on_its_sheet(self) -> None:
        found = self.rounds()
        assert len(found) == len(self.sheets), "a round was lost or doubled"
        if found:
            sheet = self.sheets[-1]
            assert {point.id: str(point.state) for point in found[-1].points} == sheet.points, self.story.tale()
            for point in found[-1].points:
                assert point.visited_at is None or point.in_order == sheet.in_order[point.id]
        assert sum(one.state in ("running", "overdue") for one in found) <= 1

    @invariant()
    def the_service_was_ordered_as_often_as_it_was_due(self) -> None:
        state = next((one for one in self.story.records(Schedule) if one.id == "service"), None)
        assert (state.ran if state is not None else 0) == self.services, self.story.tale()
        orders = [one for one in self.story.records(WorkOrder) if one.schedule == "service"]
        assert len(orders) == min(self.services, 1), "one open order, told again"
        assert sum(entry.action == "again" for one in orders for entry in one.log) == max(self.services - 1, 0)


TestRoundMachine = RoundMachine.TestCase
TestRoundMachine.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
