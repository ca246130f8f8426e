"""Which publications still wait for the broker's word, and until when they may."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

Done = Callable[[bool], None]


class Outgoing:
    """Ties what is to happen after a PUBACK to the message id, before the message can be on the wire.

    paho makes the id inside its `publish`; a PUBACK can be back before that returns. So the caller says what it wants
    first (`announce`), and `id_made` is called from where the id is made, in the same thread.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Done | None, float]] = {}
        self._announced = threading.local()

    def announce(self, done: Done | None, deadline: float = math.inf) -> None:
        """The next id that this thread makes belongs to `done`, and is of no use after `deadline` (monotonic)."""
        self._announced.entry = (done, deadline)

    def id_made(self, mid: int) -> None:
        """A message id was made; whoever had it before is forgotten."""
        done, deadline = getattr(self._announced, "entry", (None, math.inf))
        if done is None and deadline == math.inf:
            self._waiting.pop(mid, None)
        else:
            self._waiting[mid] = (done, deadline)

    def forget(self, mid: int) -> None:
        """The message was not taken after all."""
        self._waiting.pop(mid, None)

    def finished(self, mid: int, taken: bool) -> None:
        """The broker has the message, or will not get it."""
        done, _ = self._waiting.pop(mid, (None, math.inf))
        if done is not None:
            done(taken)

    def expired(self, now: float) -> list[int]:
        """The ids of those whose time has passed."""
        return [mid for mid, (_, deadline) in list(self._waiting.items()) if deadline <= now]
