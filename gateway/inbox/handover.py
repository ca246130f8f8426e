"""From paho's thread to the core's, without a lock for each message."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Sequence

from gateway.inbox.messages import InboxMessage


class Handover:
    """A queue with one taker. Putting costs one append; the taker is woken only when it sleeps."""

    def __init__(self) -> None:
        self._queue: deque[InboxMessage] = deque()
        # A bare lock as a bell: held is silent, released is rung. An Event has a lock inside: a signal handler that
        # calls `wake` would wait for it for ever if it came while the main thread holds it.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._sleeping = False
        self._woken = False

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, messages: Sequence[InboxMessage]) -> None:
        """Adds messages, from the network thread."""
        self._queue.extend(messages)
        if self._sleeping:
            self._ring()

    def give_back(self, messages: Sequence[InboxMessage]) -> None:
        """Puts messages taken before in front again, in their order. For the taker's thread."""
        self._queue.extendleft(reversed(messages))

    def wake(self) -> None:
        """Makes the present or the next `take` return at once, from any thread and from a signal handler."""
        self._woken = True
        self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(RuntimeError):  # it is rung already
            self._bell.release()

    def clear(self) -> int:
        """Throws away what nobody has taken; returns how much that was."""
        dropped = len(self._queue)
        for _ in range(dropped):
            try:
                self._queue.popleft()
            except IndexError:
                break
        return dropped

    def take(self, most: int, timeout: float, linger: float = 0.0) -> list[InboxMessage]:
        """Up to `most` messages as soon as there is one, or none after `timeout` seconds or a `wake`.

        `linger` seconds are waited for more when there are fewer than `most`.
        """
        if not self._queue and not self._woken:
            # The flag goes up before the second look: a message put before it is seen, one put after it wakes.
            self._sleeping = True
            if not self._queue and not self._woken:
                self._bell.acquire(timeout=timeout)
            self._sleeping = False
        # In this order a wake that comes in between leaves the bell rung, and the next take returns at once.
        self._bell.acquire(blocking=False)
        self._woken = False
        if linger > 0.0 and 0 < len(self._queue) < most:
            time.sleep(linger)
        popleft = self._queue.popleft
        return [popleft() for _ in range(min(len(self._queue), most))]
