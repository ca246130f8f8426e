"""The sender: a thread for each channel beside the core; one that hangs holds up neither the core nor the others."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from gateway.model import Action, Actor, Delivery, Role
from gateway.notify.channels import SendFailed
from gateway.notify.deliver import Deliverer

_log = logging.getLogger(__name__)
#: As whom the sender tells the core what became of an attempt.
SENDER = Actor("system:sender", Role.OPERATOR)
#: An attempt that waited longer than this for its channel has been given to the next one.
STALE = 25.0
_MOST_WAITING = 10_000

Submit = Callable[[Action, Callable[[Any, Any], None]], None]
Job = tuple[Delivery, float] | None


class Sender:
    """Takes attempts from the core, and submits their outcomes as actions. `close` waits for what is under way."""

    def __init__(self, deliverer: Deliverer, submit: Submit, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._deliverer = deliverer
        self._submit = submit
        self._monotonic = monotonic
        self._queues: dict[str, queue.Queue[Job]] = {}
        self._threads: list[threading.Thread] = []
        self._closing = False

    def use(self, deliverer: Deliverer) -> None:
        """Sends through these channels from the next attempt on."""
        self._deliverer = deliverer

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Takes attempts over; called by the core after the commit."""
        for delivery in deliveries:
            waiting = self._queues.get(delivery.channel)
            if waiting is None:
                waiting = self._start(delivery.channel)
            if waiting.qsize() >= _MOST_WAITING:
                self._report(delivery, f"too many messages wait for channel '{delivery.channel}'")
            else:
                waiting.put((delivery, self._monotonic()))

    def close(self, within: float = 10.0) -> None:
        """Ends the threads. What they do not finish has no outcome, and is sent after the next start."""
        self._closing = True
        for waiting in self._queues.values():
            waiting.put(None)
        until = self._monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, until - self._monotonic()))

    def _start(self, channel: str) -> queue.Queue[Job]:
        waiting: queue.Queue[Job] = queue.Queue()
        self._queues[channel] = waiting
        thread = threading.Thread(target=self._run, args=(waiting,), name=f"notify-{channel}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return waiting

    def _run(self, waiting: queue.Queue[Job]) -> None:
        while (job := waiting.get()) is not None and not self._closing:
            delivery, since = job
            if self._monotonic() - since > STALE:
                # The core has counted it as failed and gone on to the next channel; it comes again in its time.
                continue
            try:
                self._deliverer.deliver(delivery)
            except SendFailed as error:
                _log.warning("%s by %s: %s", delivery.notification.id, delivery.channel, error.message)
                self._report(delivery, error.message)
            else:
                self._report(delivery, "")

    def _report(self, delivery: Delivery, error: str) -> None:
        one = delivery.notification
        args = {"notification": one.id, "attempt": one.attempts, "ok": not error, "error": error[:1000]}
        self._submit(Action(name="notification.outcome", args=args, actor=SENDER), _reported)


def _reported(result: Any, error: Any) -> None:
    if error is not None:
        _log.warning("the outcome of a message was not taken, it is sent again: %s", error)
