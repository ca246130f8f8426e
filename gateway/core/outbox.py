"""What has to reach the broker after the commit: alerts as retained topics, at least once, in order."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import delete

from gateway.model import Outgoing
from gateway.store import tables

_log = logging.getLogger(__name__)


class Publisher(Protocol):
    """The inbox's sending side."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry: float | None = None,
        on_done: Any = None,
    ) -> bool:
        """Sends a message; False where it was not taken."""


class Outbox:
    """Durable messages on their way. A row leaves the table after the broker's PUBACK, in a later batch."""

    def __init__(self) -> None:
        self._last = 0
        self._waiting: dict[int, Outgoing] = {}
        self._flying: dict[int, Outgoing] = {}
        self._finished: deque[tuple[int, bool]] = deque()
        self._retained: dict[str, int] = {}
        """The newest waiting message of each retained topic: of these only the last word counts."""

    def __len__(self) -> int:
        return len(self._waiting) + len(self._flying)

    def load(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Takes over the table: (id, topic, payload, qos, retain, created_at)."""
        for number, topic, payload, qos, retain, _ in rows:
            message = Outgoing(topic=topic, payload=bytes(payload), qos=qos, retain=retain, durable=True)
            self._wait(number, message)
            self._last = max(self._last, number)

    def add(self, message: Outgoing, wall: float) -> tuple[Any, ...]:
        """Takes a message and returns its row. It flies with the next `publish`, which comes after the commit."""
        self._last += 1
        self._wait(self._last, message)
        return (self._last, message.topic, message.payload, message.qos, message.retain, wall)

    def _wait(self, number: int, message: Outgoing) -> None:
        """A retained message takes the place of the one that waits for the same topic while the broker is away."""
        if message.retain:
            before = self._retained.get(message.topic)
            if before is not None and self._waiting.pop(before, None) is not None:
                self._finished.append((before, True))
            self._retained[message.topic] = number
        self._waiting[number] = message

    def publish(self, publisher: Publisher) -> None:
        """Sends what waits, in order, until the broker takes no more."""
        while self._waiting:
            number, message = next(iter(self._waiting.items()))
            taken = publisher.publish(
                message.topic,
                message.payload,
                qos=message.qos,
                retain=message.retain,
                on_done=lambda done, number=number: self._finished.append((number, done)),
            )
            if not taken:
                return
            self._flying[number] = self._waiting.pop(number)
            if self._retained.get(message.topic) == number:
                del self._retained[message.topic]

    def settle(self) -> list[Any]:
        """Statements that delete what the broker has. What it refused is logged and given up: it would refuse again."""
        done = []
        while self._finished:
            number, accepted = self._finished.popleft()
            message = self._flying.pop(number, None)
            if message is not None and not accepted:
                _log.error("the broker refused a message on %s: check the core's permissions", message.topic)
            done.append(number)
        return [delete(tables.outbox).where(tables.outbox.c.id.in_(done))] if done else []

    @property
    def settled(self) -> bool:
        """Whether there is nothing to delete."""
        return not self._finished
