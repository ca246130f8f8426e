"""`kill -9` of a core 200 times in the middle of holds, windows, sequences and baselines changes no alert.

The core runs in a process of its own, on a real database, on a virtual clock that moves with what devices say. It tells
over a pipe which message it takes and which it has acknowledged; what was not acknowledged comes again with the
broker's DUP flag. `SEED=n` repeats a run, `KILLS=n` says how often.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.core.core import CoreSettings
from tests.support.lab import START, Lab, VirtualClock

PACK = """
- {id: k.hold, title: t, severity: low, on: access.door, when: state == 'open', for: 20s, clear_after: 5s}
- {id: k.count, title: t, severity: low, on: access.denied, count: {at_least: 3, within: 30s, distinct: card}}
- {id: k.row, title: t, severity: low, on: meter.reading, when: voltage_v > 240,
   count: {at_least: 3, within: 1h, in_a_row: true}}
- {id: k.expect, title: t, severity: low, on: parking.vehicle, expect: {on: parking.barrier, within: 9s}}
- {id: k.sequence, title: t, severity: low, sequence: [{on: access.denied}, {on: access.tamper, when: active}],
   within: 25s, clear_after: 15s}
- {id: k.silent, title: t, severity: low, silent: 50s, devices: {type: door}}
- {id: k.schedule, title: t, severity: low, on: access.door, when: state == 'open', during: {hours: '18:01-18:04'}}
- {id: k.figure, title: t, severity: low, on: meter.reading, for: 6s,
   aggregate: {field: voltage_v, function: avg, over: 40s, above: 235}}
- {id: k.usual, title: t, severity: low, on: meter.reading,
   baseline: {field: flow_lpm, period: 3w, learn: 2, deviation: 3, at_least: 5}}
- {id: k.together, title: t, severity: low, on: access.door, when: state == 'open',
   together: {scope: zone, at_least: 3, within: 20s}}
- {id: k.explained, title: t, severity: low, on: access.tamper, when: active, clear_after: 12s,
   inhibited_by: {rules: [k.together, k.hold], settle: 4s}}
- {id: k.changed, title: t, severity: low, on: meter.reading, when: flow_lpm > previous(flow_lpm) + 20, clear_after: 8s}
"""
DEVICES: dict[str, dict[str, Any]] = {
    **{f"door-{n}": {"type": "door", "zone": "z1"} for n in range(4)},
    "meter-1": {"type": "meter", "report_interval": 3600.0},
    "camera": {"type": "plate_camera"},
    "arm": {"type": "barrier"},
}
WEEK, HOUR = 604_800, 3600
BEGIN = START - 2 * WEEK - HOUR
SETTINGS = CoreSettings(snapshot_every=40.0)
Step = tuple[float, str, str, dict[str, Any]]


def script(seed: int) -> list[Step]:
    """Two weeks of a meter, hour by hour, and then a lively quarter of an hour. START is 18:00 at the site."""
    chance = random.Random(seed)
    first = START - 2 * WEEK
    steps: list[Step] = [
        (first + hour * HOUR, "meter-1", "meter.reading", {"flow_lpm": 5.0 + hour % 24, "voltage_v": 230.0})
        for hour in range(2 * 168)
    ]
    at = START + 10
    while at < START + 900:
        at += chance.choice([0, 0.3, 1, 1, 2, 4])
        name = chance.choice([*DEVICES, "door-0", "door-1"])
        steps.append((at, name, *_say(chance, name)))
    return steps


def _say(chance: random.Random, name: str) -> tuple[str, dict[str, Any]]:
    if name == "meter-1":
        flow = chance.choice([5.0, 23.0, 90.0])
        return "meter.reading", {"flow_lpm": flow, "voltage_v": chance.choice([225.0, 236.0, 250.0])}
    if name in ("camera", "arm"):
        kind = "parking.vehicle" if name == "camera" else "parking.barrier"
        return kind, {"plate": "x", "direction": "in"} if name == "camera" else {"position": "up"}
    told: list[tuple[str, dict[str, Any]]] = [
        ("access.door", {"state": chance.choice(["open", "open", "closed"])}),
        ("access.denied", {"card": chance.choice(["1", "2", "3"]), "reason": "unknown"}),
        ("access.tamper", {"active": chance.choice([True, True, False])}),
    ]
    return chance.choice(told)


def live(folder: Path, steps: list[Step], first: int, again: bool, tell: Callable[[str], object]) -> None:
    """One life of a core, from step `first` on; `again` is whether that one was taken before."""
    lab = Lab(folder, pack=PACK, settings=SETTINGS, clock=VirtualClock(BEGIN))
    for number in range(first, len(steps)):
        at, name, kind, data = steps[number]
        while lab.clock.at < at:
            # The core's loop wakes at least once a second, but not through the weeks that only teach a baseline.
            lab.clock.at = at if at < START else min(at, lab.clock.at + 1.0)
            if lab.clock.at < at:
                lab.core.turn([])
        message = lab.event(name, kind, id=f"step-{number}", **data)
        tell(f"{number}\n")
        lab.core.turn([message if number > first or not again else type(message)(*_with_dup(message))])
        tell(f"{number}!\n")
    lab.wait(120)
    lab.close()
    tell("end\n")


def _with_dup(message: Any) -> list[Any]:
    return [True if name == "dup" else getattr(message, name) for name in message.__struct_fields__]


class Life:
    """A core in a process of its own, and what it has told."""

    def __init__(self, folder: Path, steps: list[Step], first: int, again: bool) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:  # pragma: no cover
            os.close(read)
            code = 1
            try:
                live(folder, steps, first, again, lambda text: os.write(write, text.encode()))
                code = 0
            finally:
                os._exit(code)
        os.close(write)
        self._read = os.fdopen(read, "rb", buffering=0)
        self._left = b""
        self.taken, self.done, self.ended = -1, first - 1, False

    def hear(self) -> bool:
        """Waits for the next thing told; False where there will be none."""
        more = self._read.read(65536)
        if not more:
            return False
        *lines, self._left = (self._left + more).split(b"\n")
        for line in lines:
            if line == b"end":
                self.ended = True
            elif line.endswith(b"!"):
                self.done = int(line[:-1])
            else:
                self.taken = int(line)
        return True

    def kill(self) -> None:
        """`kill -9`; what it had told by then is still heard."""
        os.kill(self.pid, signal.SIGKILL)
        while self.hear():
            pass
        os.waitpid(self.pid, 0)
        self._read.close()

    def finish(self) -> int:
        """Lets it live to its end; its exit code."""
        while self.hear():
            pass
        self._read.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def begin(folder: Path) -> None:
    """A home with the devices, two weeks before it gets lively."""
    folder.mkdir()
    lab = Lab(folder, pack=PACK, settings=SETTINGS, clock=VirtualClock(BEGIN))
    lab.act("site.put", id="s1", timezone="Asia/Shanghai")
    lab.act("zone.put", id="z1", site="s1")
    for name, more in DEVICES.items():
        lab.device(name, **more)
    lab.close()


def outcome(folder: Path) -> Counter[tuple[Any, ...]]:
    lab = Lab(folder, pack=PACK)
    found = Counter(
        (
            round(alert.raised_at - START, 3), alert.rule, alert.scope, alert.state.value, alert.count,
            round(alert.returned_at - START, 3) if alert.returned_at else None,
            tuple(sorted(alert.values.items())), tuple(round(event.received - START, 3) for event in alert.evidence),
        )
        for alert in lab.alerts()
    )  # fmt: skip
    lab.close()
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fault_001_two_hundred_kills_in_the_middle_of_conditions_change_no_alert(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    kills = int(os.environ.get("KILLS", "200"))
    print(f"SEED={seed}")
    steps = script(seed)
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    for folder in (calm, rough):
        begin(folder)
    assert Life(calm, steps, 0, False).finish() == 0

    chance = random.Random(seed + 1)
    done, again, killed, torn = -1, False, 0, 0
    while killed < kills:
        life = Life(rough, steps, done + 1, again)
        # So many that the kills are spread over what is left.
        wanted = done + chance.randint(0, max(1, 2 * (len(steps) - done) // (kills - killed) - 1))
        while life.done < min(wanted, len(steps) - 2) and life.hear():
            pass
        time.sleep(chance.random() * 0.004)
        assert not life.ended
        life.kill()
        killed += 1
        again = life.taken > life.done
        torn += again
        done = life.done
    assert Life(rough, steps, done + 1, again).finish() == 0
    lost, added = outcome(calm) - outcome(rough), outcome(rough) - outcome(calm)
    assert not lost and not added, f"SEED={seed}\nlost: {lost}\nadded: {added}"
    rules = {alert[1] for alert in outcome(calm)}
    print(f"{killed} kills, {torn} of them within a message, {sum(outcome(calm).values())} alerts of {sorted(rules)}")
    assert {"k.hold", "k.usual", "k.silent"} <= rules, rules
