"""The escalation against a slow and obvious model: second by second, with restarts and steps of the wall clock."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import GatehouseError
from tests.services.story import BEN
from tests.services.telling import Telling

CHAINS = """
chains:
  - id: chain
    severity: [high, critical]
    levels:
      - {after: 0s, tell: [{user: anna}], by: [desk]}
      - {after: 30s, tell: [{user: sue}], by: [desk]}
      - {after: 90s, tell: [everyone], by: [desk]}
    repeat: 40s
    on_return: stop
"""
DELAYS = (0, 30, 90)
REPEAT = 40


class Model:
    """What should happen, a second at a time: the levels told are written down when their second comes."""

    def __init__(self) -> None:
        self.open = self.active = self.acknowledged = self.taken = False
        self.shelved_for = 0
        self.age: int | None = None
        self.level = 0
        self.paused_by_return = False
        self.told: list[int] = []

    @property
    def halted(self) -> bool:
        return not self.open or self.acknowledged or self.taken or self.shelved_for > 0

    def comes(self) -> None:
        if not self.open:
            self.__init__()  # type: ignore[misc]
            self.open = True
        back, self.active = not self.active, True
        if back and self.acknowledged:
            self.acknowledged = False
        self.look()

    def look(self) -> None:
        """After anything happened: does it run, from where?"""
        if self.halted:
            self.age, self.paused_by_return = None, False
        elif not self.active:
            self.paused_by_return = self.age is not None
        elif self.age is None:
            self.age, self.level, self.paused_by_return = 0, 0, False
            self.tell()
        elif self.paused_by_return:
            self.paused_by_return = False
            self.tell()

    def tell(self) -> None:
        """Whatever is due at this age and not told yet."""
        while self.age is not None and self.level < len(DELAYS) and DELAYS[self.level] <= self.age:
            self.level += 1
            self.told.append(self.level)

    def second(self) -> None:
        if self.shelved_for:
            self.shelved_for -= 1
            if not self.shelved_for:
                self.look()
            return
        if self.age is None:
            return
        self.age += 1
        if self.paused_by_return or self.halted:
            return
        before = len(self.told)
        self.tell()
        over = self.age - DELAYS[-1]
        if len(self.told) == before and over > 0 and over % REPEAT == 0:
            self.told.append(len(DELAYS))


class EscalationMachine(RuleBasedStateMachine):
    """One alert of `access.forced`; the story dies and comes back at random, the model knows nothing of that."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Telling(CHAINS)
        self.model = Model()
        self.history: list[int] = []

    def alert(self) -> str:
        return self.story.alert("access.forced").id

    @rule()
    def condition_comes(self) -> None:
        if not self.model.open:
            self.history = []
        self.model.comes()
        self.story.raised("access.forced")

    @rule()
    def somebody_acknowledges(self) -> None:
        if self.model.open and not self.model.acknowledged:
            self.story.act("alert.acknowledge", alert=self.alert())
            self.model.acknowledged = True
            self.close_if_over()
            self.model.look()

    @rule()
    def somebody_takes_or_gives_back(self) -> None:
        if not self.model.open:
            return
        verb = "alert.release" if self.model.taken else "alert.take"
        self.story.act(verb, BEN, alert=self.alert())
        self.model.taken = not self.model.taken
        self.model.look()

    @rule(minutes=st.sampled_from([1, 2]))
    def somebody_shelves(self, minutes: int) -> None:
        if self.model.open and not self.model.shelved_for:
            self.story.act("alert.shelve", alert=self.alert(), reason="x", minutes=minutes)
            self.model.shelved_for = minutes * 60
            self.model.look()

    def close_if_over(self) -> None:
        if self.model.acknowledged and not self.model.active:
            self.model.open = False

    @rule(seconds=st.sampled_from([1, 29, 30, 31, 61, 95, 200]), step=st.sampled_from([0.0, 3600.0, -3600.0]))
    def time_passes(self, seconds: int, step: float) -> None:
        for number in range(seconds):
            self.story.after(1.0, wall_step=0.0 if number else step)
            if self.model.shelved_for == 1 and self.model.acknowledged and self.model.active:
                self.model.acknowledged = False
            self.model.second()

    @rule()
    def the_core_dies(self) -> None:
        self.story.answer_all()
        self.story.restart()

    @rule()
    def messages_arrive(self) -> None:
        self.story.answer_all()

    @invariant()
    def the_same_levels_were_told(self) -> None:
        if not self.model.open:
            return
        found = [call.level for call in self.story.alert("access.forced").escalation.told]  # type: ignore[union-attr]
        assert found == self.model.told[-50:]

    @invariant()
    def it_runs_when_it_should(self) -> None:
        if not self.model.open:
            return
        where = self.story.where("access.forced")
        runs = self.model.age is not None and not self.model.paused_by_return
        assert (where.state == "running") == runs, where


TestEscalation = EscalationMachine.TestCase
TestEscalation.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_the_model_itself_keeps_the_chain() -> None:
    model = Model()
    model.comes()
    for _ in range(200):
        model.second()
    assert model.told == [1, 2, 3, 3, 3]
    with pytest.raises(GatehouseError):
        Telling(CHAINS).act("alert.take", alert="al-none")
