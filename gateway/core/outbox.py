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

    def __len__(self) -> int:
        return len(self._waiting) + len(self._flying)

    def load(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Takes over the table: (id, topic, payload, qos, retain, created_at)."""
        for number, topic, payload, qos, retain, _ in rows:
            self._waiting[number] = Outgoing(topic=topic, payload=bytes(payload), qos=qos, retain=retain, durable=True)
            self._last = max(self._last, number)

    def add(self, message: Outgoing, wall: float) -> tuple[Any, ...]:
        """Takes a message and returns its row. It flies with the next `publish`, which comes after the commit."""
        self._last += 1
        self._waiting[self._last] = message
        return (self._last, message.topic, message.payload, message.qos, message.retain, wall)

    def publish(self, publisher: Publisher) -> None:
        """Sends what waits, in order, until the broker takes no more."""
        for number in sorted(self._waiting):
            message = self._waiting[number]
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
