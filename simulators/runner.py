"""Plays a simulation against a broker: the only part that opens connections and looks at the clock."""

from __future__ import annotations

import selectors
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from simulators.incidents import Occurrence
from simulators.ledger import Ledger, write_truth
from simulators.links import Address, Link
from simulators.simulation import Simulation
from simulators.wire import Message

LONGEST_SLEEP_S = 0.1
CONNECTS_A_TURN = 15
LAST_ACKS_S = 5.0

Credentials = Mapping[str, tuple[str, str]]


class Runner:
    """One thread, all connections: steps the simulation, sends what it says, hands it what comes.

    `credentials` maps a device to user name and password; a connection without one takes that of its address.
    """

    def __init__(
        self,
        simulation: Simulation,
        address: Address,
        credentials: Credentials,
        ledger: Ledger,
        *,
        truth: Path | None = None,
        report: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.simulation = simulation
        self.ledger = ledger
        self._truth = truth
        self._report = report or (lambda line: None)
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self.links = {name: self._link(name, address, credentials) for name in simulation.community.links}
        simulation.on_incident = self._incident

    @property
    def connected(self) -> int:
        """How many connections stand."""
        return sum(link.connected for link in self.links.values())

    def run(self, duration: float | None = None, stop: threading.Event | None = None) -> None:
        """Plays for `duration` real seconds or until `stop` is set, then waits for the last acknowledgements."""
        stop = stop or threading.Event()
        start = self._clock()
        self.simulation.start(start)
        next_tending = next_report = start
        try:
            while not stop.is_set():
                wall = self._clock()
                if duration is not None and wall - start >= duration:
                    break
                for message in self.simulation.advance(wall):
                    self.links[self.simulation.link_of(message)].send(message)
                self._mind_links(wall)
                if wall >= next_tending:
                    next_tending = wall + 1.0
                    self._tend()
                if wall >= next_report:
                    next_report = wall + 10.0
                    self._report(self.status(wall))
                self._exchange(min(LONGEST_SLEEP_S, max(0.0, self.simulation.next_due() - self._clock())))
        finally:
            self._finish()

    def status(self, wall: float) -> str:
        """One line on how it goes."""
        hour = self.simulation.now(wall).hour
        line = f"{int(hour):02d}:{int(hour * 60) % 60:02d}  {self.connected}/{len(self.links)} connections"
        line += f"  {self.ledger.sent} sent, {self.ledger.acknowledged} acknowledged"
        refused = [link.refusal for link in self.links.values() if link.refusal]
        return line + (f"  {len(refused)} refused, the first: {refused[0]}" if refused else "")

    def _link(self, name: str, address: Address, credentials: Credentials) -> Link:
        default = (address.username, address.password or "") if address.username else None
        simulation, ledger = self.simulation, self.ledger

        def published(mid: int, message: Message) -> None:
            ledger.published(name, mid, message, self._clock())

        return Link(
            name,
            address,
            credentials.get(name, default),
            will=simulation.will(name),
            subscriptions=simulation.subscriptions(name),
            up=lambda: simulation.link_up(name, self._clock()),
            down=lambda: simulation.link_down(name, self._clock()),
            received=lambda topic, payload: simulation.receive(name, topic, payload, self._clock()),
            published=published,
            confirmed=lambda mid: ledger.confirmed(name, mid, self._clock()),
            opened=lambda sock: self._selector.register(sock, selectors.EVENT_READ, name),
            closing=self._selector.unregister,
        )

    def _mind_links(self, wall: float) -> None:
        """Cuts what must be down and connects, a few at a time, what must be up."""
        attempts = 0
        for name, link in self.links.items():
            if not self.simulation.wanted(name, wall):
                if link.socket is not None:
                    link.cut()
            elif attempts < CONNECTS_A_TURN and link.may_connect(wall):
                attempts += 1
                link.connect(wall)

    def _exchange(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            self.links[key.data].read()
        for link in self.links.values():
            link.write()

    def _tend(self) -> None:
        for link in self.links.values():
            link.tend()
        self.ledger.flush()

    def _incident(self, occurrence: Occurrence) -> None:
        word = "ended" if occurrence.ended is not None else "began"
        self._report(f"incident {occurrence.incident} {word}: {occurrence.device} {occurrence.fault}")
        if self._truth is not None:
            write_truth(self._truth, self.simulation.timeline.occurrences)

    def _finish(self) -> None:
        """Ends the incidents, says the last words of each connection, waits for their acknowledgements, leaves."""
        wall = self._clock()
        self.simulation.stop(wall)
        for name, link in self.links.items():
            farewell = self.simulation.will(name)
            if farewell is not None and link.connected:
                link.send(farewell)
        deadline = time.monotonic() + LAST_ACKS_S
        while self.ledger.outstanding and self.connected and time.monotonic() < deadline:
            self._exchange(0.05)
        if self._truth is not None:
            write_truth(self._truth, self.simulation.timeline.occurrences)
        self._report(self.status(wall))
        for link in self.links.values():
            link.leave()
        self._exchange(0.0)
        self._selector.close()
