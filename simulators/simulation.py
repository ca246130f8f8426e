"""The whole simulation without any I/O: the runner hands it the time and what came in, it says what goes out."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from simulators.chaos import Chaos, ChaosOptions
from simulators.community import Community
from simulators.device import Device
from simulators.incidents import Occurrence, Timeline
from simulators.scenario import Scenario, Source, time_of_day
from simulators.wire import Message, Now

CHAOS_STEP_S = 1.0


class Simulation:
    """A community, its incidents and the chaos around it. All times handed in are wall-clock Unix seconds."""

    def __init__(
        self,
        scenario: Scenario,
        source: Source,
        *,
        seed: int | None = None,
        speed: float | None = None,
        chaos: ChaosOptions | None = None,
    ) -> None:
        self.community = Community(scenario, source, seed)
        self.timeline = Timeline(scenario, source, self.community.devices)
        self.speed = scenario.speed if speed is None else speed
        self.chaos = Chaos(chaos or ChaosOptions(), self.community.seed)
        self.on_incident: Callable[[Occurrence], None] | None = None
        self._start_of_day = time_of_day(scenario.start, source, "$.start")
        self._link_of = {device.id: link for link, devices in self.community.links.items() for device in devices}
        self._started: float | None = None
        self._heap: list[tuple[float, str]] = []
        self._outages: dict[str, float] = {}
        self._chaos_at = 0.0

    def start(self, wall: float) -> None:
        """The moment at which the simulated day begins at the scenario's `start`."""
        self._started = self._chaos_at = wall
        for device in self.community.devices.values():
            device.skew = self.chaos.skew(device.id)
            heapq.heappush(self._heap, (wall, device.id))
        self.timeline.start(self.now(wall))

    def now(self, wall: float) -> Now:
        """Both clocks at `wall`."""
        elapsed = 0.0 if self._started is None else wall - self._started
        return Now(wall, self._start_of_day + elapsed * self.speed, self.speed)

    def link_of(self, message: Message) -> str:
        """The connection a message leaves by."""
        return self._link_of[message.device]

    def will(self, link: str) -> Message | None:
        """The last will of a connection: that of the device which owns it."""
        return self.community.devices[link].will

    def subscriptions(self, link: str) -> list[str]:
        """The topics a connection subscribes to."""
        return [topic for device in self.community.links[link] for topic in device.identity.subscribe]

    def wanted(self, link: str, wall: float) -> bool:
        """Whether the connection may be up: not cut by chaos, nor by its owner's `offline` fault."""
        return self._outages.get(link, 0.0) <= wall and not self.community.devices[link].suffers("offline")

    def link_up(self, link: str, wall: float) -> list[Message]:
        """The connection stands: what its devices say first. Not subject to chaos."""
        now = self.now(wall)
        return [message for device in self.community.links[link] for message in device.connected(now)]

    def link_down(self, link: str, wall: float) -> None:
        """The connection is gone."""
        for device in self.community.links[link]:
            device.disconnected(self.now(wall))

    def receive(self, link: str, topic: str, payload: bytes, wall: float) -> None:
        """A message from the gateway for the devices of a connection; answers come out of `advance`."""
        now = self.now(wall)
        for device in self.community.links[link]:
            if topic in device.identity.subscribe:
                self._emit(device, device.command(topic, payload, now), wall)
                heapq.heappush(self._heap, (device.due, device.id))

    def advance(self, wall: float) -> list[Message]:
        """Everything that happens up to `wall`, and what goes out now."""
        now = self.now(wall)
        for occurrence in self.timeline.advance(now):
            heapq.heappush(self._heap, (wall, occurrence.device))
            if self.on_incident is not None:
                self.on_incident(occurrence)
        while self._heap and self._heap[0][0] <= wall:
            _, identifier = heapq.heappop(self._heap)
            device = self.community.devices[identifier]
            if device.due > wall:
                continue
            self._emit(device, device.step(now), wall)
            heapq.heappush(self._heap, (device.due, identifier))
        if wall - self._chaos_at >= CHAOS_STEP_S:
            self._cut_links(wall)
        return self.chaos.release(wall)

    def next_due(self) -> float:
        """When `advance` has something to do again."""
        return min(self._heap[0][0] if self._heap else float("inf"), self.chaos.next_due())

    def stop(self, wall: float) -> None:
        """Ends the incidents, so that their truth is complete."""
        self.timeline.stop(self.now(wall))

    def _emit(self, device: Device, messages: list[Message], wall: float) -> None:
        parent = device.identity.parent
        if parent is not None and self.community.devices[parent].suffers("silent"):
            return
        for message in messages:
            self.chaos.push(message, wall)

    def _cut_links(self, wall: float) -> None:
        elapsed, self._chaos_at = wall - self._chaos_at, wall
        for link in self.community.links:
            seconds = self.chaos.outage(link, elapsed)
            if seconds:
                self._outages[link] = wall + seconds
