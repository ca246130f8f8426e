"""Which publications still wait for the broker's word."""

from __future__ import annotations

import threading
from collections.abc import Callable

Done = Callable[[bool], None]


class Outgoing:
    """Ties what is to happen after a PUBACK to the message id, before the message can be on the wire.

    paho makes the id inside its `publish`; a PUBACK can be back before that returns. So the caller says what it wants
    first (`announce`), and `id_made` is called from where the id is made, in the same thread.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, Done] = {}
        self._announced = threading.local()

    def announce(self, done: Done | None) -> None:
        """The next id that this thread makes belongs to `done`; None ends that."""
        self._announced.done = done

    def id_made(self, mid: int) -> None:
        """A message id was made; whoever had it before is forgotten."""
        done: Done | None = getattr(self._announced, "done", None)
        if done is None:
            self._waiting.pop(mid, None)
        else:
            self._waiting[mid] = done

    def forget(self, mid: int) -> None:
        """The message was not taken after all."""
        self._waiting.pop(mid, None)

    def finished(self, mid: int, taken: bool) -> None:
        """The broker has the message, or refused it."""
        done = self._waiting.pop(mid, None)
        if done is not None:
            done(taken)
