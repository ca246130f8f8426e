"""What a bad network and bad clocks do to a stream of messages: pure, and the same for the same seed."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from random import Random

from simulators.wire import Message

HISTORY = 64
RESEND_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """How bad it is. Shares are of all messages, 0 to 1; times in seconds.

    `duplicate`: sent twice, the copy up to two seconds later. `reorder`: held back up to half a second, so that later
    ones overtake. `delay`: every message is held up to this long, in order. `skew`: each device's clock is wrong by up
    to this much. `drop_link`: connections cut per minute and link, for 2 to 8 s. `replay`: an earlier message of the
    device is sent again. `retained`: a copy is left with the broker as retained.
    """

    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    skew: float = 0.0
    drop_link: float = 0.0
    replay: float = 0.0
    retained: float = 0.0

    @property
    def quiet(self) -> bool:
        """Whether nothing happens to the messages themselves."""
        return not (self.duplicate or self.reorder or self.delay or self.replay or self.retained)


SHARES = frozenset(("duplicate", "reorder", "replay", "retained"))


def chaos_options(values: Mapping[str, float]) -> ChaosOptions:
    """Checked options. Raises `ValueError` naming the wrong one."""
    known = [field.name for field in fields(ChaosOptions)]
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"no chaos option {name!r}; there is {', '.join(known)}")
        if value < 0 or (name in SHARES and value > 1):
            raise ValueError(f"{name}={value:g} is out of range: " + ("0 to 1" if name in SHARES else "0 or more"))
    return ChaosOptions(**values)


def parse_chaos(text: str) -> dict[str, float]:
    """`duplicate=0.2,delay=0.5` as a table. Raises `ValueError` naming the wrong part."""
    values: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, number = part.partition("=")
        try:
            values[name.strip()] = float(number)
        except ValueError:
            raise ValueError(f"{part!r} is not NAME=NUMBER, such as duplicate=0.2") from None
    return values


class Chaos:
    """Takes messages in, gives them back when their time has come. Retained messages pass untouched."""

    def __init__(self, options: ChaosOptions, seed: object) -> None:
        self.options = options
        self._seed = seed
        self._random = Random(f"{seed}/chaos")
        self._waiting: list[tuple[float, int, Message]] = []
        self._count = 0
        self._latest: dict[str, float] = {}
        self._history: dict[str, deque[Message]] = {}

    def skew(self, device: str) -> float:
        """How wrong the device's clock is, in seconds."""
        span = self.options.skew
        return Random(f"{self._seed}/skew/{device}").uniform(-span, span) if span else 0.0

    def outage(self, link: str, elapsed: float) -> float:
        """Seconds for which the link is cut now; 0 for not at all."""
        rate = self.options.drop_link
        if rate and self._random.random() < rate * elapsed / 60.0:
            return self._random.uniform(2.0, 8.0)
        return 0.0

    def push(self, message: Message, wall: float) -> None:
        """A message on its way out."""
        if message.retain or self.options.quiet:
            self._put(wall, message)
            return
        random, options = self._random, self.options
        due = wall + (random.uniform(0, options.delay) if options.delay else 0.0)
        due = self._latest[message.device] = max(due, self._latest.get(message.device, 0.0))
        held = random.uniform(0.05, 0.5) if random.random() < options.reorder else 0.0
        self._put(due + held, message)
        if random.random() < options.duplicate:
            self._put(due + held + random.uniform(0, RESEND_WITHIN_S), message)
        if random.random() < options.retained:
            self._put(due + held, replace(message, retain=True))
        history = self._history.setdefault(message.device, deque(maxlen=HISTORY))
        if history and random.random() < options.replay:
            self._put(due + held, random.choice(history))
        history.append(message)

    def release(self, wall: float) -> list[Message]:
        """What leaves by now, in order."""
        out: list[Message] = []
        while self._waiting and self._waiting[0][0] <= wall:
            out.append(heapq.heappop(self._waiting)[2])
        return out

    def next_due(self) -> float:
        """When the next message leaves; infinity when none waits."""
        return self._waiting[0][0] if self._waiting else float("inf")

    def _put(self, due: float, message: Message) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (due, self._count, message))
