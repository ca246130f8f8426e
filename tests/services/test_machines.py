"""State machines against simple models, with restarts at random points (promises P2, P6, P8)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.errors import Conflict, GatehouseError, NotFound, TooMany
from gateway.model import Alert, AlertState, Command, CommandState, OrderState, Outage, WorkOrder
from gateway.services import DeskSettings
from gateway.services.work_order_actions import TRANSITIONS
from tests.services.story import ERIKA, Story

BOUNDED = settings(max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONDITIONS = st.tuples(
    st.sampled_from(["access.held", "access.forced", "meter.leak", "access.denied_often"]),
    st.sampled_from(["door-1", "door-2"]),
)
DOORS = st.sampled_from(["door-1", "door-2"])
WAITS = st.sampled_from([0.5, 10.0, 40.0, 70.0, 400.0, 5000.0, 90_000.0])


class Model:
    """What an alert should be, said in the plainest way: facts, and the state that follows from them."""

    def __init__(self, name: str, now: float) -> None:
        self.latched = name == "meter.leak"
        self.momentary = name == "access.denied_often"
        self.active, self.acknowledged, self.chatters = True, False, False
        self.times = [now]
        self.shelved_until: float | None = None
        self.owner: str | None = None
        self.closed = False

    def comes(self, now: float) -> None:
        back, self.active = not self.active, True
        # Coming back undoes an acknowledgement, unless the alert chatters and was accepted as that.
        if back and self.acknowledged and (self.latched or not self.chatters):
            self.acknowledged = False
        self.times.append(now)
        self.chatters = self.chatters or (len(self.times) >= 3 and now - self.times[-3] <= 60)

    @property
    def over(self) -> bool:
        calm = self.momentary or not self.chatters
        return self.closed or (self.acknowledged and not self.latched and calm and (self.momentary or not self.active))

    @property
    def state(self) -> AlertState:
        if self.over:
            return AlertState.CLOSED
        if self.acknowledged:
            return AlertState.ACKNOWLEDGED
        return AlertState.UNACKNOWLEDGED if self.active else AlertState.RETURNED

    def rings_anew(self) -> None:
        if self.acknowledged and self.active:
            self.acknowledged = False

    def in_service_again(self, since: float) -> None:
        """The window ends: what came and went within it closes with it; nothing ends what a person has shelved."""
        if self.shelved_until is not None:
            return
        came_within = self.times[0] >= since
        self.closed = came_within and not self.latched and (self.momentary or not self.active)
        self.rings_anew()

    def passes(self, now: float, window: tuple[float, float] | None) -> None:
        """Whatever came due first happened first."""
        ends = window[1] if window is not None else None
        calm = self.times[-1] + 60 if self.chatters else None
        dues = [(due, rank) for rank, due in enumerate((calm, self.shelved_until, ends)) if due is not None]
        for due, rank in sorted(dues):
            if due > now or self.over:
                return
            if rank == 0:
                self.chatters = False
            elif rank == 1:
                self.shelved_until = None
                self.rings_anew()
            elif window is not None:
                self.in_service_again(window[0])


class AlertMachine(RuleBasedStateMachine):
    """Two desks are told the same; one of them dies and comes back now and then. Both must do what the model does."""

    def __init__(self) -> None:
        super().__init__()
        # What a start has to look at is looked at: a later start has the same to do, and nothing is left of it.
        calm = DeskSettings(storm_above=1000)
        self.steady, self.mortal = Story(settings=calm).after(0.0), Story(settings=calm).after(0.0)
        self.models: dict[tuple[str, str], Model] = {}
        self.windows: dict[str, tuple[float, float]] = {}
        self.order_states: dict[str, OrderState] = {}

    def both(self, what: str, *args: Any, **more: Any) -> Any:
        """Tells both stories; their answers and refusals must be equal."""
        answers = []
        for story in (self.steady, self.mortal):
            try:
                answers.append(getattr(story, what)(*args, **more))
            except GatehouseError as error:
                answers.append(f"{type(error).__name__}: {error.message}")
        if what not in ("after", "restart"):
            assert answers[0] == answers[1]
        return answers[0]

    @rule(condition=CONDITIONS)
    def condition_comes(self, condition: tuple[str, str]) -> None:
        known = self.models.get(condition)
        if known is None:
            self.models[condition] = Model(condition[0], self.steady.now)
        else:
            known.comes(self.steady.now)
        again = known is not None and known.active
        self.both("raised", *condition, again=again, momentary=condition[0] == "access.denied_often")

    @rule(condition=CONDITIONS)
    def condition_ends(self, condition: tuple[str, str]) -> None:
        model = self.models.get(condition)
        if model is not None and not model.momentary:
            model.active = False
        if condition[0] != "access.denied_often":
            self.both("cleared", *condition)
        self.forget_closed()

    @rule(condition=CONDITIONS)
    def somebody_acknowledges(self, condition: tuple[str, str]) -> None:
        model = self.models.get(condition)
        if model is None:
            return
        answer = self.both("act", "alert.acknowledge", alert=self.steady.alert(*condition).id)
        if model.acknowledged:
            assert "acknowledged by user:anna" in answer
        model.acknowledged = True
        if model.momentary and model.latched:
            model.active = False
        self.forget_closed()

    @rule(condition=CONDITIONS)
    def somebody_closes(self, condition: tuple[str, str]) -> None:
        model = self.models.get(condition)
        if model is None:
            return
        answer = self.both("act", "alert.close", ERIKA, alert=self.steady.alert(*condition).id)
        if model.active and not model.momentary:
            assert "still holds" in answer
        else:
            del self.models[condition]

    @rule(condition=CONDITIONS, minutes=st.sampled_from([1, 30, 480]))
    def somebody_shelves(self, condition: tuple[str, str], minutes: int) -> None:
        model = self.models.get(condition)
        if model is None:
            return
        answer = self.both("act", "alert.shelve", alert=self.steady.alert(*condition).id, reason="x", minutes=minutes)
        if model.shelved_until is not None:
            assert "is shelved by" in answer
        elif condition[1] in self.windows:
            assert "out of service by user:erika" in answer
        else:
            model.shelved_until = self.steady.now + minutes * 60

    @rule(door=DOORS, minutes=st.sampled_from([1, 30, 480]))
    def a_door_goes_out_of_service(self, door: str, minutes: int) -> None:
        what = {"site": "garden", "scope": "device", "target": door, "reason": "x", "minutes": minutes}
        answer = self.both("act", "outage.begin", ERIKA, **what)
        if door in self.windows:
            assert "is out of service by user:erika" in answer
        else:
            self.windows[door] = (self.steady.now, self.steady.now + minutes * 60)

    @rule(door=DOORS)
    def a_door_is_in_service_again(self, door: str) -> None:
        if door not in self.windows:
            return
        (outage,) = (one for one in self.steady.records(Outage) if one.target == door and one.state != "ended")
        self.both("act", "outage.end", outage=outage.id)
        since, _ = self.windows.pop(door)
        for condition, model in self.models.items():
            if condition[1] == door:
                model.in_service_again(since)
        self.forget_closed()

    @rule(condition=CONDITIONS, to=st.sampled_from(["anna", "ben"]), before=st.sampled_from([None, "", "user:ben"]))
    def somebody_assigns(self, condition: tuple[str, str], to: str, before: str | None) -> None:
        model = self.models.get(condition)
        if model is None:
            return
        seen = {} if before is None else {"before": before}
        answer = self.both("act", "alert.assign", alert=self.steady.alert(*condition).id, to=to, **seen)
        if before is None or before == (model.owner or ""):
            model.owner = f"user:{to}"
        else:
            assert ("it is nobody's" if model.owner is None else f"was taken by {model.owner}") in answer

    @rule(condition=CONDITIONS, verb=st.sampled_from(["take", "release"]))
    def somebody_takes_or_gives_back(self, condition: tuple[str, str], verb: str) -> None:
        model = self.models.get(condition)
        if model is None:
            return
        answer = self.both("act", f"alert.{verb}", alert=self.steady.alert(*condition).id)
        if (verb == "take") == (model.owner is None):
            model.owner = "user:anna" if verb == "take" else None
        else:
            assert ("is nobody's" if model.owner is None else f"was taken by {model.owner}") in answer

    @rule(seconds=WAITS, step=st.sampled_from([0.0, 0.0, 3600.0, -3600.0]))
    def time_passes(self, seconds: float, step: float) -> None:
        self.both("after", seconds, wall_step=step)
        for condition, model in self.models.items():
            model.passes(self.steady.now, self.windows.get(condition[1]))
        self.windows = {door: window for door, window in self.windows.items() if window[1] > self.steady.now}
        self.forget_closed()

    @rule()
    def the_gateway_dies(self) -> None:
        self.steady._batch()
        self.mortal.restart()

    @rule(action=st.sampled_from(sorted(TRANSITIONS)), choice=st.integers(0, 20))
    def somebody_works(self, action: str, choice: int) -> None:
        orders = sorted(one.id for one in self.steady.records(WorkOrder))
        if orders:
            more = {"assignee": "Li"} if action == "assign" else {}
            self.both("act", f"work_order.{action}", order=orders[choice % len(orders)], **more)

    def forget_closed(self) -> None:
        for condition in [one for one, model in self.models.items() if model.over]:
            del self.models[condition]

    @invariant()
    def both_stand_where_the_model_stands(self) -> None:
        alerts = self.steady.records(Alert)
        have = {(one.rule, one.scope): one.state for one in alerts if one.state is not AlertState.CLOSED}
        assert have == {condition: model.state for condition, model in self.models.items()}, self.steady.tale()
        assert len(have) == sum(one.state is not AlertState.CLOSED for one in alerts), "two open alerts of a condition"
        aside = {(one.rule, one.scope): one.shelving.kind for one in alerts if one.shelving is not None}
        assert aside == {
            condition: "out_of_service" if model.shelved_until is None else "shelved"
            for condition, model in self.models.items()
            if model.shelved_until is not None or condition[1] in self.windows
        }, self.steady.tale()
        owners = {(one.rule, one.scope): one.owner for one in alerts if one.state is not AlertState.CLOSED}
        assert owners == {condition: model.owner for condition, model in self.models.items()}

    @invariant()
    def a_window_counts_what_it_hides(self) -> None:
        hidden = {one.target: one.hidden for one in self.steady.records(Outage) if one.state == "active"}
        aside = [one for one, model in self.models.items() if model.shelved_until is None]
        assert hidden == {door: sum(scope == door for _, scope in aside) for door in self.windows}

    @invariant()
    def a_death_changes_nothing(self) -> None:
        assert self.mortal.stored == self.steady.stored
        assert self.mortal.audit == self.steady.audit
        assert self.mortal.told == self.steady.told
        assert self.mortal.desk.next_due() == self.steady.desk.next_due()

    @invariant()
    def orders_move_only_as_they_may(self) -> None:
        orders = self.steady.records(WorkOrder)
        assert len({one.number for one in orders}) == len(orders)
        open_ones = [(one.rule, one.scope) for one in orders if one.state is not OrderState.CLOSED]
        assert len(set(open_ones)) == len(open_ones), "two open orders for one condition"
        allowed = {(source, target) for sources, target in TRANSITIONS.values() for source in sources}
        for order in orders:
            before = self.order_states.get(order.id, OrderState.OPEN)
            reopened = order.state is OrderState.OPEN and before in (
                OrderState.DONE,
                OrderState.VERIFIED,
                OrderState.CLOSED,
            )
            assert order.state is before or (before, order.state) in allowed or reopened, (before, order.state)
            self.order_states[order.id] = order.state


class CommandMachine(RuleBasedStateMachine):
    """Commands under loss, repetition, restarts and late answers: sent at most once, and final is final."""

    @initialize()
    def begin(self) -> None:
        self.story = Story()
        self.expected: dict[str, CommandState] = {}
        self.asked: dict[str, tuple[str, float]] = {}
        self.online: dict[str, bool] = {}

    @rule(door=st.sampled_from(["door-1", "door-2"]), key=st.sampled_from([None, "k1", "k2"]))
    def somebody_opens(self, door: str, key: str | None) -> None:
        try:
            command = self.story.act("command.request", device=door, name="open", idempotency_key=key)
        except Conflict:
            assert key is not None
            return
        except TooMany:
            lately = [since for _, since in self.asked.values() if self.story.now - since < 10]
            assert len(lately) >= 20, self.story.tale()
            return
        if command.id in self.expected:
            assert command.idempotency_key == key is not None
            assert command.state is self.expected[command.id]
            return
        self.expected[command.id] = CommandState.SENT if self.online.get(door, True) else CommandState.PENDING
        self.asked[command.id] = (door, self.story.now)

    @rule(door=st.sampled_from(["door-1", "door-2"]), online=st.booleans())
    def a_door_comes_or_goes(self, door: str, online: bool) -> None:
        self.story.says(door, "device.availability", online=online)
        self.online[door] = online
        for ident, (target, _) in self.asked.items():
            if online and target == door and self.expected[ident] is CommandState.PENDING:
                self.expected[ident] = CommandState.SENT

    @precondition(lambda self: self.asked)
    @rule(choice=st.integers(0, 50), door=st.sampled_from(["door-1", "door-2"]), done=st.booleans())
    def a_door_answers(self, choice: int, door: str, done: bool) -> None:
        ident = sorted(self.asked)[choice % len(self.asked)]
        self.story.answers(door, ident, "done" if done else "failed")
        if self.asked[ident][0] == door and self.expected[ident] is CommandState.SENT:
            self.expected[ident] = CommandState.DONE if done else CommandState.FAILED

    @rule(seconds=st.sampled_from([0.5, 2.0, 4.0, 6.0, 20.0]), step=st.sampled_from([0.0, 7200.0, -7200.0]))
    def time_passes(self, seconds: float, step: float) -> None:
        self.story.after(seconds, wall_step=step)
        for ident, (_, since) in self.asked.items():
            age = self.story.now - since
            if self.expected[ident] is CommandState.PENDING and age >= 5:
                self.expected[ident] = CommandState.EXPIRED
            elif self.expected[ident] is CommandState.SENT and age >= 10:
                self.expected[ident] = CommandState.UNKNOWN

    @rule()
    def the_gateway_dies(self) -> None:
        self.story.restart()
        for ident, state in self.expected.items():
            if state is CommandState.SENT:
                self.expected[ident] = CommandState.UNKNOWN

    @invariant()
    def every_command_stands_where_it_should_and_was_sent_at_most_once(self) -> None:
        have = {one.id: one.state for one in self.story.records(Command)}
        assert have == self.expected, self.story.tale()
        sent = [one.id for one in self.story.sent]
        assert len(set(sent)) == len(sent)
        unsent = {CommandState.PENDING, CommandState.EXPIRED}
        assert set(sent) == {ident for ident, state in self.expected.items() if state not in unsent}
        under_way = {ident for ident, state in self.expected.items() if not state.final}
        assert set(self.story.desk.commands.under_way) == under_way


TestAlertMachine = pytest.mark.filterwarnings("default")(AlertMachine.TestCase)
TestAlertMachine.settings = BOUNDED
TestCommandMachine = CommandMachine.TestCase
TestCommandMachine.settings = BOUNDED


def test_what_is_not_known_is_not_found() -> None:
    story = Story()
    for name, args in (
        ("alert.acknowledge", {"alert": "al-1"}),
        ("work_order.accept", {"order": "wo-1"}),
        ("plan.stop", {"run": "pl-1", "reason": "x"}),
    ):
        with pytest.raises(NotFound):
            story.act(name, **args)
