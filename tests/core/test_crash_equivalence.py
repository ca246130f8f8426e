"""A shift with crashes ends as the same shift without: alerts, work orders, plan runs, commands and fates.

One random script, written once from a seed, is played twice on the virtual clock: undisturbed, and with `kill -9`
between any two steps, before a commit, between a commit and its acknowledgement, and with snapshots in odd places.
What was not acknowledged comes again with the broker's DUP flag. `SEED=n` repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from gateway.core.core import CoreSettings
from gateway.errors import GatehouseError
from gateway.inbox.messages import InboxMessage
from gateway.model import Command, PlanRun
from gateway.store import tables
from gateway.store.writer import verify_chain
from rules import shipped_packs
from tests.support.lab import OPERATOR, SYSTEM, Crash, Lab

OWN = """
- id: own.hold
  title: held
  on: access.door
  when: state == 'open'
  for: 12s
  clear: state == 'closed'
  severity: high
  then: {work_order: {team: security, respond_within: 1m, resolve_within: 3m}}
- id: own.count
  title: counted
  on: access.denied
  count: {at_least: 3, within: 40s, distinct: card}
  severity: medium
- id: own.silent
  title: silent
  silent: 50s
  devices: {type: meter}
  severity: low
- id: own.expect
  title: expected
  on: parking.vehicle
  when: registered
  expect: {on: parking.barrier, when: position == 'up', within: 9s}
  severity: medium
  scope: zone
- id: own.sequence
  title: in order
  sequence: [{on: access.denied}, {on: access.door, when: state == 'open'}]
  within: 20s
  severity: medium
- id: own.stranger
  title: no pass
  on: parking.vehicle
  when: not registered
  count: {at_least: 2, within: 30s}
  severity: low
- id: own.changed
  title: changed
  on: meter.reading
  when: energy_kwh < previous(energy_kwh)
  clear_after: 25s
  severity: low
- id: own.commanded
  title: forced
  on: access.door
  when: forced
  severity: high
  latched: true
  then:
    command: {name: lock, device: self}
    plan: elevator-entrapment
- id: own.office-hours
  title: open in the evening
  on: access.door
  when: state == 'open'
  during: {hours: '18:00-18:02'}
  for: 7s
  severity: low
- id: own.figure
  title: on average
  on: meter.reading
  aggregate: {field: voltage_v, function: avg, over: 60s, above: 230}
  severity: low
- id: own.usual
  title: unusual
  on: meter.reading
  baseline: {field: voltage_v, period: 2w, learn: 2, at_least: 5}
  severity: low
- id: own.several
  title: several doors
  on: access.door
  when: state == 'open'
  together: {scope: zone, at_least: 2, within: 30s}
  severity: medium
- id: own.explained
  title: denied where doors stand open
  on: access.tamper
  when: active
  inhibited_by: {rules: [own.several, own.hold], settle: 5s}
  severity: medium
- id: own.together
  title: many
  scope: site
  on: [access.denied, access.tamper]
  count: {at_least: 6, within: 60s}
  severity: medium
"""
#: What the site makes of its pack in the course of a shift: the same rules changed, taken out, replaced, and nonsense.
EDITS = [
    "[]",
    "- change: own.hold\n  for: 20s\n",
    "- change: own.hold\n  title: still held\n  severity: low\n",
    "- disable: [own.silent, own.count]\n",
    "- change: own.silent\n  silent: 25s\n- change: own.together\n  count: {at_least: 3, within: 90s}\n",
    "- change: own.changed\n  when: energy_kwh != previous(energy_kwh) and changed(voltage_v)\n",
    "- change: own.commanded\n  clear_after: 30s\n  when: forced and previous(state) == 'open'\n",
    "- change: elevator.entrapment\n  for: 5s\n",
    "- id: site.silent\n  title: quiet\n  silent: 15s\n  devices: {type: door}\n  severity: low\n",
    "- id: own.expect\n  title: mine\n  on: parking.vehicle\n  count: {at_least: 2, within: 30s}\n  severity: low\n",
    "- change: own.hold\n  fro: 20s\n",
    "- disable: [nothing.there]\n- id: x\n",
]
PACK = OWN + "\n".join(path.read_text(encoding="utf-8") for path in shipped_packs())
SETTINGS = CoreSettings(snapshot_every=1e12)
DEVICES: dict[str, dict[str, Any]] = {
    **{f"door-{n}": {"type": "door", "zone": "z1"} for n in range(3)},
    **{f"lift-{n}": {"type": "elevator", "report_interval": 8.0} for n in range(2)},
    **{f"meter-{n}": {"type": "meter", "report_interval": 20.0} for n in range(2)},
    "camera-1": {"type": "plate_camera", "zone": "z1"},
    "arm-1": {"type": "barrier", "zone": "z1"},
}
CARDS, PLATES = ["c1", "c2", "c3"], ["京A12345", "沪B99999"]
Step = tuple[str, dict[str, Any]]
#: A plan run's id, which says in which batch it began.
_RUN = re.compile(r"pl-\w+-\d+")


def depends_on_answers(rule: str, scope: str) -> bool:
    """Whether an alert tells of a command under way: a crash makes it `unknown`, and what follows differs rightly."""
    return rule.startswith("gateway.command-") or (rule.startswith("gateway.plan-") and scope.endswith("/lifts-empty"))


class Script:
    """Writes the steps. Nothing here looks at a running gateway, so both runs are told the same."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._ids = 0
        self._numbers: Counter[str] = Counter()
        self._told: list[dict[str, Any]] = []

    def steps(self, count: int) -> list[Step]:
        choose = self.chance.choices
        makers: list[Callable[[], Step]] = [self._batch, self._wait, self._action, self._file]
        return [choose(makers, [10, 8, 7, 1])[0]() for _ in range(count)]

    def _batch(self) -> Step:
        size = self.chance.choice([1, 1, 1, 2, 3, 8])
        return "batch", {"messages": [self._message() for _ in range(size)]}

    def _wait(self) -> Step:
        return "wait", {"seconds": self.chance.choice([0.5, 1, 2, 3.7, 6, 13, 30])}

    def _message(self) -> dict[str, Any]:
        roll = self.chance.random()
        if roll < 0.08 and self._told:
            return self.chance.choice(self._told)
        if roll < 0.20:
            return self._odd()
        device = self.chance.choice([*DEVICES, "camera-1", "camera-1"])
        kind, data = self._say(device)
        self._ids += 1
        body: dict[str, Any] = {"specversion": "1.0", "id": f"e{self._ids}", "source": "/s1/x", "type": kind}
        body["data"] = data
        made = {"device": device, "body": body, "ago": self._ago(device), "number": self._ids}
        if self.chance.random() < 0.3:
            self._numbers[device] += self.chance.choice([1, 1, 1, 2, 3])
            body["sequence"] = str(max(self._numbers[device] - self.chance.choice([0, 0, 0, 1]), 0))
        if self.chance.random() < 0.03:
            made["retain"] = True
        self._told.append(made)
        return made

    def _ago(self, device: str) -> float:
        if device == "door-2":
            return 3600.0
        return self.chance.choice([0, 0, 0, 0, 0, 1, 30, 400])

    def _say(self, device: str) -> tuple[str, dict[str, Any]]:
        pick: Callable[[list[Any]], Any] = self.chance.choice
        if device.startswith("door"):
            told: tuple[str, dict[str, Any]] = pick([
                ("access.door", {"state": pick(["open", "closed"])}),
                ("access.door", {"state": "open", "forced": pick([True, False])}),
                ("access.denied", {"card": pick(CARDS), "reason": "unknown"}),
                ("access.tamper", {"active": pick([True, False])}),
            ])  # fmt: skip
            return told
        if device.startswith("lift"):
            data = {"motion": pick(["stopped", "up"]), "in_door_zone": pick([True, False])}
            return "elevator.status", {**data, "occupied": pick([True, False]), "door": pick(["open", "closed"])}
        if device.startswith("meter"):
            return "meter.reading", {"energy_kwh": pick([1.0, 2.0, 3.0]), "voltage_v": pick([220.0, 290.0, 150.0])}
        if device == "camera-1":
            return "parking.vehicle", {"plate": pick(PLATES), "direction": "in"}
        return "parking.barrier", {"position": pick(["up", "down"]), "loop_occupied": pick([True, False])}

    def _odd(self) -> dict[str, Any]:
        device = self.chance.choice(list(DEVICES))
        topic = f"gatehouse/v1/s1/{device}/"
        event = {"specversion": "1.0", "source": "/s1/x", "type": "access.door", "id": "odd", "data": {"state": "open"}}
        return self.chance.choice([
            {"topic": topic + "events", "payload": self.chance.choice(["\x00{", "[]", '{"a":', "[[[["])},
            {"device": device, "body": {**event, "type": "elevator.status", "data": {"floor": "x"}}, "ago": 0.0},
            {"device": self.chance.choice(["ghost-1", "ghost-2"]), "body": event, "ago": 0.0},
            {"topic": "nobody/reads/this", "payload": "x"},
            {"topic": topic + "availability", "payload": self.chance.choice(["online", "offline"])},
            {"topic": topic + "availability", "payload": "online", "retain": True},
            {"device": device, "body": {**event, "data": {"state": "closed"}}, "ago": 0.0},
            {"device": device, "body": event, "ago": 0.0},
            {"topic": "tele/plug-1/SENSOR", "payload": self._plug()},
            {"topic": topic + "events", "payload": "x" * 300_000},
            {"answer": device},
        ])  # fmt: skip

    def _plug(self) -> str:
        power = {"Power": self.chance.choice([10, 20]), "Voltage": self.chance.choice([220, 290]), "Total": 1.5}
        return json.dumps({"Time": "2026-03-02T10:00:00", "ENERGY": power})

    def _action(self) -> Step:
        pick = self.chance.choice
        device = pick([*DEVICES, "ghost-1"])
        name, args = pick([
            ("alert.acknowledge", {"alert": pick(range(6))}),
            ("alert.acknowledge", {"alert": pick(range(6))}),
            ("alert.shelve", {"alert": pick(range(6)), "minutes": 1, "reason": "known"}),
            ("alert.comment", {"alert": pick(range(6)), "text": "seen"}),
            ("alert.close", {"alert": pick(range(6)), "comment": "done"}),
            ("work_order.accept", {"order": pick(range(3))}),
            ("plan.start", {"plan": "fire", "site": "s1"}),
            ("plan.start", {"plan": "gas-leak", "site": "s1", "drill": True}),
            ("plan.step", {"run": pick([0, 1]), "step": "confirm", "answer": pick(["fire", "leak"]), "state": "done"}),
            ("plan.step", {"run": pick(range(3)), "step": pick(["call-119", "send-guard"]), "state": "done"}),
            ("plan.stop", {"run": pick(range(3)), "reason": "over"}),
            ("device.add", {"id": "ghost-1", "site": "s1", "adapter": "cloudevents", "type": "door"}),
            ("device.update", {"id": device, "report_interval": pick([5.0, 60.0])}),
            ("device.update", {"id": device, "zone": pick(["z1", "z2"])}),
            ("device.disable", {"id": device}),
            ("device.enable", {"id": device}),
            ("site.put", {"id": "s1", "timezone": "Asia/Shanghai", "lateness": pick([20.0, 60.0, 500.0])}),
            ("pass.put", {"id": "p1", "site": "s1", "kind": "plate", "value": pick(PLATES)}),
            ("pass.put", {"id": "p2", "site": "s1", "kind": "plate", "value": pick(PLATES)}),
            ("pass.remove", {"id": pick(["p1", "p2"])}),
            ("command.request", {"device": device, "name": "lock", "reason": "night", "expires_in": 30}),
            ("dead_letter.retry", {"id": pick(range(1, 8))}),
            ("audit.note", {"action": "looked", "target": device}),
            *[("rules.put", {"pack": pick(["site", "site", "more"]), "text": pick(EDITS), "reason": "shift"})] * 4,
            ("rules.restore", {"pack": "site", "number": pick([1, 2, 3]), "reason": "back"}),
            ("rules.delete", {"pack": "site", "reason": "gone"}),
            ("rules.confirm", {"pack": "site"}),
            ("rules.checked", {"pack": "site", "number": pick([1, 2, 3, 4, 5]), "hidden": []}),
        ])  # fmt: skip
        return "action", {"name": name, "args": args}

    def _file(self) -> Step:
        """Somebody saves a pack in the folder, or takes it away."""
        return "file", {"text": self.chance.choice([*EDITS, None])}


@dataclass
class Player:
    """Plays a script on a lab; `chance` is given where it shall be disturbed."""

    lab: Lab
    chance: random.Random | None = None
    again: Counter[str] = field(default_factory=Counter)
    """The fates of the second deliveries of messages whose first was committed."""
    story: list[str] = field(default_factory=list)
    _claimed: dict[int, float] = field(default_factory=dict)

    def play(self, steps: list[Step]) -> None:
        for number, (what, args) in enumerate(steps):
            self.story.append(f"{number} @{self.lab.clock.at - 1772445600:.1f} {what} {str(args)[:300]}")
            self._disturb()
            getattr(self, "_" + what)(**args)

    def _disturb(self) -> None:
        if self.chance is None:
            return
        if self.chance.random() < 0.15:
            self.story.append("  snapshot")
            self.lab.core._snapshot()
        if self.chance.random() < 0.12:
            self.story.append("  crash")
            before = self._remembered()
            self.lab.crash()
            after = self._remembered()
            for what, known in before.items():
                assert after[what] == known, f"a start remembers other {what}:\n" + "\n".join(self.story)

    def _remembered(self) -> dict[str, Any]:
        """What a crash must not change, wherever the last snapshot stands."""
        core = self.lab.core
        engine = msgspec.json.decode(core.engine.snapshot())
        rejected = core.pipeline.rejects.recent(self.lab.clock.now())
        return {
            "rules": {key: value for key, value in engine.items() if key != "now"},
            "clocks and numbers": msgspec.to_builtins(core.pipeline.memory.devices),
            "counts": {name: one.messages for name, one in core.pipeline.states.devices.items()},
            "rejections": {digest.hex(): round(at, 3) for digest, at in rejected.items()},
            "numbers": (core.pipeline.seq, core.feed.last >= 0),
            "devices": msgspec.to_builtins(core.registry.devices),
            "packs": msgspec.to_builtins(core.pipeline.packs),
            "definitions": sorted((rule.id, rule.fingerprint) for rule in core.engine.rules),
        }

    def _wait(self, seconds: float) -> None:
        end = self.lab.clock.at + seconds
        while self.lab.clock.at < end:
            self.lab.clock.at = min(end, self.lab.clock.at + 1.0)
            self._turn([])

    def _batch(self, messages: list[dict[str, Any]]) -> None:
        made = [message for message in map(self._make, messages) if message is not None]
        self._turn(made)

    def _turn(self, messages: list[InboxMessage]) -> None:
        roll = self.chance.random() if self.chance is not None else 1.0
        if roll >= (0.2 if messages else 0.03):
            self.lab.core.turn(messages)
            return
        committed = roll < (0.1 if messages else 0.015)
        self.story.append(f"  crash {'between commit and ack' if committed else 'before the commit'}")
        with suppress(Crash):
            if committed:
                self.lab.inbox.before_publish = self._die
                self.lab.inbox.before_ack = self._die
            else:
                self.lab.core._commit = self._die  # type: ignore[method-assign, assignment]
            self.lab.core.turn(messages)
        self.lab.crash()
        before = Counter(self.lab.ledger())
        self.lab.core.turn([msgspec.structs.replace(message, dup=True) for message in messages])
        if committed:
            self.again += Counter(self.lab.ledger()) - before

    def _die(self, *_: Any) -> Any:
        raise Crash

    def _make(self, message: dict[str, Any]) -> InboxMessage | None:
        lab = self.lab
        if "answer" in message:
            found = [command for command in self.commands() if command.device == message["answer"]]
            if not found:
                return None
            payload = json.dumps({"id": found[-1].id, "status": "done"})
            return lab.message(f"gatehouse/v1/s1/{message['answer']}/results", payload)
        if "topic" in message:
            return lab.message(message["topic"], message["payload"], retain=message.get("retain", False))
        body = dict(message["body"])
        # One that was told before comes with the very bytes it had: sent again by the device itself.
        claimed = self._claimed.setdefault(message.get("number", 0), lab.clock.wall() - message["ago"])
        body["time"] = datetime.fromtimestamp(claimed, UTC).isoformat().replace("+00:00", "Z")
        topic = f"gatehouse/v1/s1/{message['device']}/events"
        return lab.message(topic, json.dumps(body), retain=message.get("retain", False))

    def _action(self, name: str, args: dict[str, Any]) -> None:
        args = dict(args)
        if "alert" in args:
            found = sorted(self.lab.alerts(open_only=True), key=lambda one: (one.rule, one.scope))
            args["alert"] = found[args["alert"] % len(found)].id if found else "none"
        if "order" in args:
            orders = sorted(self.lab.work_orders(), key=lambda one: (one.opened_at, str(one.device)))
            args["order"] = orders[args["order"] % len(orders)].id if orders else "none"
        if "run" in args:
            runs = sorted(self.plan_runs(), key=lambda one: (one.started_at, one.plan, str(one.device)))
            args["run"] = runs[args["run"] % len(runs)].id if runs else "none"
        person: dict[str, Any] = {"actor": OPERATOR} if name.startswith("alert") else {}
        if name == "rules.checked":
            person = {"actor": SYSTEM}
        try:
            self.lab.act(name, **person, **args)
            self.story.append("  done")
        except GatehouseError as error:
            self.story.append(f"  refused: {error.message[:150]}")

    def _file(self, text: str | None) -> None:
        args = {"pack": "folder"} if text is None else {"pack": "folder", "text": text}
        self.lab.core.folder.write("folder", text)  # type: ignore[union-attr]
        self.lab.act("rules.file", actor=SYSTEM, **args)

    # What is so in the end.

    def plan_runs(self) -> list[PlanRun]:
        bodies = self.lab.rows(select(tables.plan_runs.c.body))
        return [msgspec.json.decode(row[0], type=PlanRun) for row in bodies]

    def commands(self) -> list[Command]:
        bodies = self.lab.rows(select(tables.commands.c.body).order_by(tables.commands.c.id))
        return [msgspec.json.decode(row[0], type=Command) for row in bodies]

    def outcome(self) -> dict[str, list[Any]]:
        """Everything that has to be the same, told without ids."""
        lab = self.lab
        alerts = {alert.id: alert for alert in lab.alerts()}
        runs = self.plan_runs()
        orders = lab.work_orders()
        events = tables.events
        fates = Counter(lab.ledger()) - self.again
        return {
            "alerts": sorted(
                (round(a.raised_at, 3), a.rule, _RUN.sub("run", a.scope), a.state.value, a.count, a.severity.value,
                 len(a.evidence))
                for a in alerts.values()
                if not depends_on_answers(a.rule, a.scope)
            ),
            "work orders": sorted(
                (round(o.opened_at, 3), str(o.device), alerts[o.alert].rule if o.alert in alerts else "",
                 o.state.value, o.respond_overdue, o.resolve_overdue) for o in orders
            ),
            "plan runs": sorted(
                (round(r.started_at, 3), r.plan, str(r.device), r.drill, r.state, _manual(r)) for r in runs
            ),
            "commands": sorted((round(c.requested_at, 3), c.device, c.name, c.by) for c in self.commands()),
            "rules": sorted(
                lab.rows(select(*(tables.rule_versions.c[name] for name in ("pack", "number", "state", "hash"))))
            ),
            "events": sorted(
                (device, kind, received, late, _RUN.sub("run", data))
                for device, kind, received, late, data in lab.rows(
                    select(events.c.device, events.c.kind, events.c.received, events.c.late, events.c.data)
                )
                if not kind.startswith("gateway.command_") and "lifts-empty" not in data
            ),
            "fates": sorted(fates.items()),
        }  # fmt: skip

    def check(self) -> None:
        """What holds in every run by itself."""
        lab = self.lab
        seqs = [row[0] for table in (tables.events, tables.readings) for row in lab.rows(select(table.c.seq))]
        assert len(set(seqs)) == len(seqs), "a number was given twice"
        assert set(self.again) <= {"received", "duplicate", "ignored", "accepted"}, self.again
        assert verify_chain(lab.rows(select(tables.audit).order_by(tables.audit.c.id))) is None


def _manual(run: PlanRun) -> str:
    """The manual steps that wait for no command: state, who was told, and whether they were in time."""
    automatic = {step.id for step in run.steps if step.automatic}
    free = [step for step in run.steps if not step.automatic and automatic.isdisjoint(step.after)]
    return str([(step.id, str(step.state), step.escalated, step.in_time, step.not_needed) for step in free])


@pytest.mark.parametrize("number", range(int(os.environ.get("RUNS", "4"))))
def test_a_shift_with_crashes_equals_the_one_without(tmp_path: Path, number: int) -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    print(f"SEED={seed}")
    steps = Script(random.Random(seed)).steps(70)
    outcomes = []
    players = [_player(tmp_path / "calm", None), _player(tmp_path / "rough", random.Random(seed + 1))]
    for player in players:
        player.play(steps)
        player.check()
        outcomes.append(player.outcome())
    for what, calm in outcomes[0].items():
        rough = outcomes[1][what]
        before, after = Counter(calm), Counter(rough)
        lost, added = list((before - after).elements()), list((after - before).elements())
        story = "\n".join(players[1].story)
        assert not lost and not added, f"SEED={seed} {what}: lost {lost}, added {added}\n{story}"
    for player in players:
        player.lab.close()


def _player(folder: Path, chance: random.Random | None) -> Player:
    folder.mkdir()
    lab = Lab(folder, pack=PACK, settings=SETTINGS)
    lab.act("site.put", id="s1", timezone="Asia/Shanghai")
    for zone in ("z1", "z2"):
        lab.act("zone.put", id=zone, site="s1")
    for name, more in DEVICES.items():
        lab.device(name, **more)
    # A format that says no id, and its time without a zone.
    lab.device("plug-1", adapter="tasmota", type="meter")
    return Player(lab, chance)
