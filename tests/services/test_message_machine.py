"""Messages to people against a slow and obvious model: each is tried in turn until a channel takes it, or given up."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import GatehouseError
from gateway.model import Delivery, Notification
from gateway.services.settings import DeskSettings
from tests.services.story import ERIKA
from tests.services.telling import Telling

CHAINS = """
chains:
  - {id: chain, levels: [{after: 0s, tell: [{user: anna}], by: [sms, mail]}]}
"""
FLIGHT, GIVE_UP = 25.0, 3600.0


class Letter:
    """One message as its writer remembers it."""

    def __init__(self, now: float) -> None:
        self.state = "pending"
        self.attempts = 1
        self.flying = True
        self.until = now + FLIGHT
        self.give_up = now + GIVE_UP

    def fails(self, now: float) -> None:
        """An attempt failed: the other channel at once, then a pause that grows, then it is given up."""
        self.flying = False
        if now >= self.give_up:
            self.state = "failed"
        elif self.attempts % 2:
            self.tries(now)
        else:
            pause = min(15.0 * 2.0 ** (self.attempts // 2 - 1), 600.0)
            self.earliest, self.latest = now + 0.75 * pause, now + 1.25 * pause

    def tries(self, now: float) -> None:
        self.attempts += 1
        self.flying = True
        self.until = now + FLIGHT


class MessageMachine(RuleBasedStateMachine):
    """Alerts that are told by two channels, which work or not as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Telling(CHAINS, settings=DeskSettings(give_up_after=GIVE_UP, flood_count=1000))
        self.letters: dict[str, Letter] = {}
        self.raised = 0

    def stored(self) -> dict[str, Notification]:
        return {one.id: one for one in self.story.notifications()}

    def attempt(self, ident: str) -> Delivery:
        """The newest attempt that was handed out."""
        return [one for _, one in self.story.deliveries if one.notification.id == ident][-1]

    @rule()
    def an_alert_is_told(self) -> None:
        if self.raised < 4:
            door = f"door-{(1, 2, 9)[self.raised % 3]}"
            self.story.raised(("access.forced", "access.held")[self.raised // 3], door)
            self.raised += 1
            for ident in self.stored():
                self.letters.setdefault(ident, Letter(self.story.now))

    @rule(ok=st.booleans(), which=st.integers(0, 3), late=st.booleans())
    def an_outcome_comes(self, ok: bool, which: int, late: bool) -> None:
        """Also one of an attempt that was given up: that it arrived counts, that it failed does not."""
        idents = sorted(self.letters)
        if not idents:
            return
        ident = idents[which % len(idents)]
        letter, newest = self.letters[ident], self.attempt(ident)
        if late:
            mine = [one for _, one in self.story.deliveries if one.notification.id == ident]
            newest = mine[0]
        self.story.outcome(newest, "" if ok else "busy")
        if letter.state != "pending":
            return
        if ok:
            letter.state, letter.flying = "sent", False
        elif letter.flying and newest.notification.attempts == letter.attempts:
            letter.fails(self.story.now)

    @rule(seconds=st.sampled_from([1, 10, 30, 700]), step=st.sampled_from([0.0, 3600.0, -3600.0]))
    def time_passes(self, seconds: int, step: float) -> None:
        """Second by second. When exactly a pause ends is scattered: it is read off, and must lie within its bounds."""
        for second in range(seconds):
            self.story.after(1.0, step if second == 0 else 0.0)
            now, stored = self.story.now, self.stored()
            for ident, letter in self.letters.items():
                if letter.state != "pending":
                    continue
                if letter.flying and now >= letter.until:
                    letter.fails(now)
                elif not letter.flying and (now >= letter.latest or stored[ident].attempts > letter.attempts):
                    assert now >= letter.earliest, "it was tried again too soon"
                    letter.tries(now)

    @rule(which=st.integers(0, 3))
    def somebody_tries_it_again(self, which: int) -> None:
        idents = sorted(self.letters)
        if not idents:
            return
        ident = idents[which % len(idents)]
        letter = self.letters[ident]
        wanted = letter.state == "failed" or (letter.state == "pending" and not letter.flying)
        try:
            self.story.act("notification.retry", ERIKA, notification=ident)
        except GatehouseError:
            assert not wanted, self.story.tale()
            return
        assert wanted, self.story.tale()
        letter.state, letter.give_up = "pending", self.story.now + GIVE_UP
        letter.tries(self.story.now)

    @rule()
    def the_gateway_dies(self) -> None:
        """What was under way is handed out again, under the same number and key."""
        before = len(self.story.deliveries)
        self.story.restart()
        again = [one.notification for _, one in self.story.deliveries[before:]]
        flying = {ident: one.attempts for ident, one in self.letters.items() if one.flying}
        assert {one.id: one.attempts for one in again} == flying

    @invariant()
    def each_message_is_where_its_writer_thinks(self) -> None:
        have: dict[str, Any] = {one.id: (str(one.state), one.attempts, one.flying) for one in self.stored().values()}
        want = {ident: (one.state, one.attempts, one.flying) for ident, one in self.letters.items()}
        assert have == want, self.story.tale()
        assert len({one.key for one in self.stored().values()}) == len(have)


TestMessageMachine = MessageMachine.TestCase
TestMessageMachine.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
