"""A story with people, channels and chains, in which messages are handed out and answered as the test says."""

from __future__ import annotations

from typing import Any

from gateway.model import Alert, Delivery, Notification
from gateway.services.chain_reading import read_chains
from gateway.services.chains import ChannelInfo, EscalationBook
from gateway.services.moment import Moment
from tests.services.story import ERIKA, Story

CHANNELS = (ChannelInfo(id="desk"), ChannelInfo(id="sms", needs="phone"), ChannelInfo(id="mail", needs="email"))
CHAINS = """
chains:
  - id: life
    severity: critical
    levels:
      - {after: 0s, tell: [{team: guards}], by: [sms, mail]}
      - {after: 3m, tell: [{role: supervisor}], by: [sms, mail]}
      - {after: 6m, tell: [everyone], by: [sms, mail]}
    repeat: 10m
  - id: serious
    severity: high
    levels:
      - {after: 0s, tell: [{team: guards}], by: [sms]}
      - {after: 3m, tell: [{role: supervisor}], by: [sms]}
    on_return: stop
"""
PEOPLE: tuple[dict[str, Any], ...] = (
    {"id": "anna", "teams": ["guards"], "addresses": {"phone": "1", "email": "anna@example.com"}},
    {"id": "sue", "roles": ["supervisor"], "addresses": {"phone": "2", "email": "sue@example.com"}},
    {"id": "max", "addresses": {"phone": "3"}},
)


def book(text: str = CHAINS, channels: tuple[ChannelInfo, ...] = CHANNELS) -> EscalationBook:
    return EscalationBook(read_chains("escalation.yaml", text, [one.id for one in channels]), channels)


class Telling(Story):
    """Keeps each delivery with the second (from the beginning) at which it was handed out."""

    def __init__(
        self,
        chains: str = CHAINS,
        people: tuple[dict[str, Any], ...] = PEOPLE,
        channels: tuple[ChannelInfo, ...] = CHANNELS,
        **more: Any,
    ) -> None:
        self.deliveries: list[tuple[float, Delivery]] = []
        super().__init__(escalation=book(chains, channels), **more)
        self.began = self.now
        for person in people:
            self.act("person.put", ERIKA, **person)

    def _commit(self, out: Any) -> None:
        super()._commit(out)
        self.deliveries += [(self.now, delivery) for delivery in out.deliveries]

    def notifications(self) -> list[Notification]:
        """All messages, oldest first."""
        return sorted(self.records(Notification), key=lambda one: (one.created_due, one.id))

    def calls(self) -> list[tuple[float, int, tuple[str, ...]]]:
        """When which level was told to whom, by the first attempts."""
        return [
            (at - self.began, one.notification.level, one.notification.people)
            for at, one in self.deliveries
            if one.notification.attempts == 1 and one.notification.kind == "alert"
        ]

    def outcome(self, delivery: Delivery, error: str = "") -> None:
        """What became of an attempt."""
        one = delivery.notification
        out = self._batch()
        self.desk.duty.notifications.outcome(one.id, one.attempts, not error, error, Moment(self.now, self.wall, out))
        self._commit(out)

    def answer_all(self, error: str = "") -> int:
        """Answers everything that is under way and has no outcome yet. How many."""
        flying = {one.id: one.attempts for one in self.records(Notification) if one.flying}
        count = 0
        for _, delivery in list(self.deliveries):
            one = delivery.notification
            if flying.get(one.id) == one.attempts:
                del flying[one.id]
                self.outcome(delivery, error)
                count += 1
        return count

    def where(self, name: str, scope: str = "door-1") -> Any:
        """Where the newest alert of the condition stands."""
        alert: Alert = self.alert(name, scope)
        return alert.escalation
