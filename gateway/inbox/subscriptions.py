"""Which filters are wanted, which the broker has granted, and which it refused."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

_FILTERS_PER_PACKET: Final = 50

_log = logging.getLogger(__name__)

Ask = Callable[[list[tuple[str, int]]], int | None]
"""Sends a SUBSCRIBE for these filters and QoS; gives its message id, or None when there is no connection."""


class Subscriptions:
    """Asks for what is wanted, once a connection, and notes the broker's answers. For any thread.

    One lock over everything: a SUBACK can be here before the call that sent the SUBSCRIBE has returned the message id,
    and a filter can be added in the very moment in which a connection comes up. Neither may be lost, or a filter would
    stay without messages, or without the word that it was refused, until the next connection.
    """

    def __init__(self, ask: Ask, drop: Callable[[list[str]], object]) -> None:
        self._ask_broker = ask
        self._drop = drop
        # Re-entrant: paho can find the connection lost while it sends, and say so from within the call.
        self._lock = threading.RLock()
        self._connected = False
        self._wanted: dict[str, None] = {}
        self._asked: dict[int, list[str]] = {}
        self._granted: set[str] = set()
        self._refused: set[str] = set()

    def add(self, filters: Iterable[str]) -> None:
        """Wants these at QoS 1, from now on and whenever the session is new."""
        with self._lock:
            added = [name for name in filters if name not in self._wanted]
            self._wanted.update(dict.fromkeys(added))
            if self._connected:
                self._ask(added, 1)

    def remove(self, filters: Iterable[str]) -> None:
        """Ends these, also where an earlier run left them in the session."""
        with self._lock:
            names = list(filters)
            for name in names:
                self._wanted.pop(name, None)
            self._granted.difference_update(names)
            self._refused.difference_update(names)
            if names and self._connected:
                self._drop(names)

    def connection_made(self, session_present: bool, besides: str) -> None:
        """Asks for all that this session has not granted yet, and for the filter `besides` at QoS 0."""
        with self._lock:
            self._asked.clear()
            if not session_present:
                self._granted.clear()
            self._connected = True
            self._ask([name for name in self._wanted if name not in self._granted], 1)
            self._ask([besides], 0)

    def connection_lost(self) -> None:
        """Answers that are still out will not come."""
        with self._lock:
            self._connected = False
            self._asked.clear()

    def answered(self, mid: int, refusals: Sequence[str | None]) -> None:
        """A SUBACK: for each filter of that SUBSCRIBE None, or the broker's words for a refusal."""
        with self._lock:
            for name, refusal in zip(self._asked.pop(mid, []), refusals, strict=False):
                if refusal is None:
                    self._refused.discard(name)
                    self._granted.add(name)
                else:
                    self._refused.add(name)
                    _log.error("the broker refused our subscription to %s: %s", name, refusal)

    def granted(self) -> set[str]:
        """What is wanted and granted in this session."""
        with self._lock:
            return self._granted & self._wanted.keys()

    def refused(self) -> set[str]:
        """What the broker did not grant when it was last asked."""
        with self._lock:
            return set(self._refused)

    def _ask(self, filters: Sequence[str], qos: int) -> None:
        for first in range(0, len(filters), _FILTERS_PER_PACKET):
            names = list(filters[first : first + _FILTERS_PER_PACKET])
            mid = self._ask_broker([(name, qos) for name in names])
            if mid is not None:
                self._asked[mid] = names
