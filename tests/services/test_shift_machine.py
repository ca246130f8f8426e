"""Shifts against a slow and obvious model: a book that lies on each desk; with restarts and refusals at random."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import GatehouseError
from gateway.model import Shift
from tests.services.story import ANNA, BEN, ERIKA, VERA, Story

PEOPLE = (ANNA, BEN, ERIKA, VERA)
DESKS = ("main", "gate")


class Page:
    """One desk: who sits there, who has signed, what was noted, and who sat there before, oldest first."""

    def __init__(self) -> None:
        self.operator: str | None = None
        self.signed: str | None = None
        self.notes = 0
        self.before: list[tuple[str, str]] = []

    def take_over(self, by: str) -> bool:
        if self.operator is not None:
            return False
        self.operator, self.signed, self.notes = by, None, 0
        return True

    def hand_over(self, by: str, *, reason: bool, engineer: bool, unseen: bool) -> bool:
        if self.operator is None or unseen:
            return False
        if by != self.operator and not (engineer and reason):
            return False
        self.signed = by
        return True

    def withdraw(self, by: str) -> bool:
        if self.signed is None or by not in (self.operator, self.signed):
            return False
        self.signed = None
        return True

    def accept(self, by: str, *, unseen: bool) -> bool:
        if self.signed is None or self.operator is None or by in (self.signed, self.operator) or unseen:
            return False
        self.before.append((self.operator, by))
        self.operator, self.signed, self.notes = by, None, 0
        return True


class ShiftMachine(RuleBasedStateMachine):
    """Two desks, three operators and one who may only look, and now and then a critical alert."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.pages = {desk: Page() for desk in DESKS}
        self.idents: dict[str, str] = {}
        self.unseen = False

    def tries(self, name: str, person: Any, **args: Any) -> Any:
        """The answer, or None where it was refused."""
        try:
            return self.story.act(name, person, **args)
        except GatehouseError:
            return None

    def ident(self, desk: str) -> str:
        return self.idents.get(desk, "sh-nothing")

    @rule(desk=st.sampled_from(DESKS), person=st.sampled_from(PEOPLE))
    def somebody_takes_over(self, desk: str, person: Any) -> None:
        wanted = person is not VERA and self.pages[desk].take_over(person.name)
        shift = self.tries("shift.take_over", person, site="garden", desk=desk)
        assert (shift is not None) == wanted, self.story.tale()
        if shift is not None:
            self.idents[desk] = shift.id

    @rule(desk=st.sampled_from(DESKS), person=st.sampled_from(PEOPLE))
    def somebody_notes(self, desk: str, person: Any) -> None:
        page = self.pages[desk]
        wanted = page.operator is not None and person is not VERA
        page.notes += wanted
        assert (self.tries("shift.note", person, shift=self.ident(desk), text="x") is not None) == wanted

    @rule(desk=st.sampled_from(DESKS), person=st.sampled_from(PEOPLE), reason=st.booleans())
    def somebody_signs_to_leave(self, desk: str, person: Any, reason: bool) -> None:
        page = self.pages[desk]
        wanted = person is not VERA and page.hand_over(
            person.name, reason=reason, engineer=person is ERIKA, unseen=self.unseen
        )
        more = {"reason": "ill"} if reason else {}
        done = self.tries("shift.handover", person, shift=self.ident(desk), **more)
        assert (done is not None) == wanted, self.story.tale()

    @rule(desk=st.sampled_from(DESKS), person=st.sampled_from(PEOPLE))
    def somebody_withdraws(self, desk: str, person: Any) -> None:
        wanted = person is not VERA and self.pages[desk].withdraw(person.name)
        assert (self.tries("shift.withdraw", person, shift=self.ident(desk)) is not None) == wanted

    @rule(desk=st.sampled_from(DESKS), person=st.sampled_from(PEOPLE))
    def somebody_signs_to_come(self, desk: str, person: Any) -> None:
        wanted = person is not VERA and self.pages[desk].accept(person.name, unseen=self.unseen)
        answer = self.tries("shift.accept", person, shift=self.ident(desk))
        assert (answer is not None) == wanted, self.story.tale()
        if answer is not None:
            self.idents[desk] = answer["next"]

    @rule()
    def a_critical_alert_comes_or_is_seen(self) -> None:
        if self.unseen:
            self.story.act("alert.acknowledge", alert=self.story.alert("access.duress").id)
            self.story.cleared("access.duress")
            self.story.act("alert.close", ERIKA, alert=self.story.alert("access.duress").id, comment="x")
        else:
            self.story.raised("access.duress")
        self.unseen = not self.unseen

    @rule(seconds=st.sampled_from([1.0, 3600.0]), step=st.sampled_from([0.0, 3600.0, -3600.0]))
    def time_passes(self, seconds: float, step: float) -> None:
        self.story.after(seconds, step)

    @rule()
    def the_gateway_dies(self) -> None:
        self.story.restart()

    @invariant()
    def each_desk_is_as_on_its_page(self) -> None:
        stored: list[Shift] = self.story.records(Shift)
        for desk, page in self.pages.items():
            mine = [one for one in stored if one.desk == desk]
            open_ones = [one for one in mine if one.state != "closed"]
            assert [one.operator for one in open_ones] == ([page.operator] if page.operator else [])
            for one in open_ones:
                assert (one.state == "handover") is (page.signed is not None)
                assert len(one.notes) == page.notes
            by_id = {one.id: one for one in mine}
            ended = [one for one in mine if one.state == "closed"]
            assert len(ended) == len(page.before), "a shift was lost or doubled"
            chain = [(one.operator, by_id[one.after].operator) for one in ended if one.after is not None]
            assert sorted(chain) == sorted(page.before)


TestShiftMachine = ShiftMachine.TestCase
TestShiftMachine.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
