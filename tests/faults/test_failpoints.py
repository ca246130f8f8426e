"""`kill -9` at every failpoint while alerts, orders, plans, commands and messages change: nothing lost or doubled.

A core in a process of its own, on a real database and with real servers for its messages, lives through one story on
the virtual clock. For each failpoint the story is told again, and the process kills itself there in every step that
comes by it; the next life goes on with that step: what was not acknowledged comes again, and people look whether what
they did was done. `SEED=n` repeats a run.
"""

from __future__ import annotations

import base64
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, func, select

from gateway.core.core import Core, CoreSettings
from gateway.errors import Conflict, GatehouseError, Invalid
from gateway.model import Action, Actor, Command, Notification, PlanRun, Role, Shift
from gateway.notify import Channel, Deliverer, Guard, Sender
from gateway.services.chain_reading import read_chains
from gateway.services.chains import ChannelInfo, EscalationBook
from gateway.store import tables
from gateway.store.writer import WriteBatch, verify_chain
from tests.notify.servers import http_server, mail_server
from tests.support.brokers import free_port
from tests.support.lab import START, Lab, VirtualClock
from tests.support.lives import Lives, die, lives

PACK = """
- {id: k.forced, title: forced, severity: critical, latched: true, on: access.door, when: forced,
   then: {command: {name: lock, device: self}, work_order: {team: security, respond_within: 20s, resolve_within: 60s}}}
- {id: k.held, title: held, severity: high, on: access.door, when: state == 'open' and not forced, for: 10s,
   clear: state == 'closed'}
- {id: k.trapped, title: trapped, severity: critical, on: elevator.status, when: motion == 'stopped', for: 5s,
   clear: door == 'open', then: {plan: elevator-entrapment}}
"""
CHAIN = """
chains:
  - id: all
    levels:
      - {after: 0s, tell: [{user: anna}], by: [hook, mail]}
      - {after: 30s, tell: [{user: sue}], by: [dead, mail]}
"""
FAILPOINTS = (
    "before the commit",
    "within the commit",
    "after the commit",
    "messages handed to the sender",
    "a message arrived, its outcome unknown",
    "before the acknowledgement",
    "after the acknowledgement",
    "before a publication",
    "after a publication",
    "before the answer to a person",
    "after the turn",
)
PERSON = Actor("user:olga", Role.ADMIN)
OTHER = Actor("user:otto", Role.ADMIN)
SETTINGS = CoreSettings(snapshot_every=40.0)
TICK = 5.0
SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
Step = tuple[float, str, list[Any]]

STORY: list[tuple[float, str, list[Any]]] = [
    (1, "act", ["shift.take_over", {"desk": "main", "site": "s1"}]),
    (2, "say", ["door-1", "access.door", {"state": "open", "forced": True}]),
    (4, "answer", ["door-1"]),
    (6, "act", ["alert.take", {"alert": "k.forced"}]),
    (8, "act", ["alert.comment", {"alert": "k.forced", "text": "seen"}]),
    (12, "say", ["door-2", "access.door", {"state": "open", "forced": False}]),
    (31, "act", ["work_order.accept", {"order": 0}]),
    (36, "act", ["alert.acknowledge", {"alert": "k.forced"}]),
    (38, "act", ["alert.shelve", {"alert": "k.held", "minutes": 1, "reason": "removal"}]),
    (41, "say", ["lift-1", "elevator.status", {"motion": "stopped", "door": "closed", "occupied": True}]),
    (51, "answer", ["lift-1"]),
    (53, "act", ["plan.step", {"run": 0, "step": "call-car", "state": "done"}]),
    (54, "select", ["door-2", "unlock"]),
    (56, "confirm", ["door-2", "unlock"]),
    (58, "answer", ["door-2"]),
    (59, "select", ["door-3", "unlock"]),
    (61, "confirm", ["door-3", "unlock"]),
    (66, "act", ["work_order.start", {"order": 0}]),
    (71, "say", ["door-1", "access.door", {"state": "closed", "forced": False}]),
    (72, "act", ["work_order.done", {"order": 0}]),
    (74, "act", ["work_order.verify", {"order": 0}]),
    (76, "act", ["work_order.reopen", {"order": 0, "text": "again"}]),
    (101, "say", ["door-2", "access.door", {"state": "closed", "forced": False}]),
    (106, "act", ["alert.close", {"alert": "k.forced", "comment": "reset"}]),
    (108, "say", ["lift-1", "elevator.status", {"motion": "up", "door": "open", "occupied": False}]),
    (245, "act", ["plan.stop", {"run": 0, "reason": "over"}]),
]
END = 260.0


def story() -> list[Step]:
    """The steps, with the ticks at which the core only looks at its timers."""
    ticks: list[Step] = [(TICK * number + 0.5, "tick", []) for number in range(int(END / TICK))]
    return sorted([*STORY, *ticks], key=lambda step: step[0])


class Life:
    """One life of a core, as its orders say; `tell` reaches the test."""

    def __init__(self, orders: dict[str, Any], tell: Any) -> None:
        self.orders, self.tell = orders, tell
        self.steps = story()
        self.number = orders["first"]
        self.chance = random.Random(orders["seed"])
        self.armed = self.wrote = False
        self.heard: dict[str, list[str]] = orders["heard"]
        folder = Path(orders["folder"])
        self.clock = VirtualClock(START + self.steps[self.number][0])
        self.lab = Lab(
            folder, pack=PACK, settings=SETTINGS, clock=self.clock, escalation=self._book(), sender=self._sender
        )
        self._set_traps()

    # What carries messages.

    def _channels(self) -> tuple[Channel, ...]:
        mail = {"host": "127.0.0.1", "port": self.orders["mail"], "sender": "gate@example.com", "tls": "none"}
        return (
            Channel(id="hook", type="webhook", options={"url": self.orders["hook"], "secret": self.orders["secret"]}),
            Channel(id="dead", type="webhook", options={"url": self.orders["dead"], "secret": self.orders["secret"]}),
            Channel(id="mail", type="email", options=mail),
        )

    def _book(self) -> EscalationBook:
        infos = [ChannelInfo(id=one.id, needs=one.needs) for one in self._channels()]
        return EscalationBook(read_chains("x", CHAIN, [one.id for one in infos]), infos)

    def _sender(self, core: Core) -> Sender:
        def submit(action: Action, report: Any) -> None:
            self.reached("a message arrived, its outcome unknown")
            core.submit(action, report)

        self.sender = Sender(Deliverer(self._channels(), Guard(("127.0.0.1",)), time.time), submit)
        return self.sender

    # Where it dies.

    def reached(self, failpoint: str) -> None:
        if self.armed and self.orders["failpoint"] == failpoint:
            die()

    def _set_traps(self) -> None:
        core, inbox = self.lab.core, self.lab.inbox
        commit, acknowledge, publish, send = core.writer.commit, inbox.acknowledge, inbox.publish, self.sender.send
        within = [0]

        def commits(batch: WriteBatch) -> None:
            weighty = bool(batch.changes or batch.alerts or batch.notifications or batch.outbox)
            if weighty:
                self.reached("before the commit")
            within[0] = self.chance.randint(2, 6) if weighty else 0
            commit(batch)
            within[0] = 0
            if weighty:
                self.wrote = True
                self.reached("after the commit")

        def executes(*_: Any) -> None:
            within[0] -= 1
            if within[0] == 0:
                self.reached("within the commit")

        def sends(deliveries: Any) -> None:
            send(deliveries)
            self.reached("messages handed to the sender")

        def acknowledges(messages: Any) -> None:
            self.reached("before the acknowledgement")
            acknowledge(messages)
            self.reached("after the acknowledgement")

        def publishes(topic: str, payload: bytes, **how: Any) -> bool:
            self.reached("before a publication")
            taken = publish(topic, payload, **how)
            if topic.endswith("/commands"):
                device, ident = topic.split("/")[3], json.loads(payload)["id"]
                self.heard.setdefault(device, []).append(ident)
                self.tell({"heard": [device, ident]})
            self.reached("after a publication")
            return taken

        core.writer.commit = commits  # type: ignore[method-assign]
        event.listen(core.writer.connection, "before_cursor_execute", executes)
        self.sender.send = sends  # type: ignore[method-assign]
        inbox.acknowledge = acknowledges  # type: ignore[method-assign]
        inbox.publish = publishes  # type: ignore[method-assign]

    # What it lives through.

    def run(self) -> None:
        for number in range(self.orders["first"], len(self.steps)):
            self.number = number
            at, what, args = self.steps[self.number]
            again = self.orders["again"] and self.number == self.orders["first"]
            self.clock.at = max(self.clock.at, START + at)
            self.tell({"begun": self.number})
            self.armed = not again
            getattr(self, "_" + what)(again, *args)
            self._settle()
            if self.wrote:
                self.reached("after the turn")
            self.armed = self.wrote = False
            self.tell({"done": self.number})
        self.lab.close()

    def _settle(self) -> None:
        """Until each message on its way has its outcome; the clock stands still meanwhile."""
        deadline = time.monotonic() + 60
        table = tables.notifications
        while any(one.flying for one in bodies(self.lab, table, Notification)):
            assert time.monotonic() < deadline, "a message has no outcome"
            if not self.lab.core._queue:
                time.sleep(0.001)
                continue
            self.lab.turn()

    def _tick(self, again: bool) -> None:
        self.lab.turn()

    def _say(self, again: bool, device: str, kind: str, data: dict[str, Any]) -> None:
        message = self.lab.event(device, kind, id=f"step-{self.number}", **data)
        self.lab.turn(msgspec.structs.replace(message, dup=again))

    def _answer(self, again: bool, device: str) -> None:
        """The device answers the command that it heard last; one that never reached it has no answer."""
        for ident in self.heard.get(device, [])[-1:]:
            answer = json.dumps({"id": ident, "status": "done"})
            message = self.lab.message(f"gatehouse/v1/s1/{device}/results", answer)
            self.lab.turn(msgspec.structs.replace(message, dup=again))

    def _act(self, again: bool, name: str, args: dict[str, Any]) -> None:
        """A person; one whose gateway died before it answered looks into the audit and does it again if need be."""
        if again and self._noted(name) >= self._acts(name):
            return
        self._do(name, self._named(args))

    def _noted(self, name: str) -> int:
        table = tables.audit
        where = (table.c.action == name, table.c.actor == PERSON.name, table.c.outcome != "refused")
        return int(self.lab.rows(select(func.count()).select_from(table).where(*where))[0][0])

    def _acts(self, name: str) -> int:
        """How often the story has come to this action by now."""
        return sum(args[0] == name for _, what, args in self.steps[: self.number + 1] if what == "act")

    def _named(self, args: dict[str, Any]) -> dict[str, Any]:
        lab, named = self.lab, dict(args)
        if "alert" in args:
            named["alert"] = [one.id for one in lab.alerts() if one.rule == args["alert"]][-1]
        if "order" in args:
            named["order"] = lab.work_orders()[args["order"]].id
        if "run" in args:
            named["run"] = bodies(lab, tables.plan_runs, PlanRun)[args["run"]].id
        return named

    def _do(self, name: str, args: dict[str, Any]) -> Any:
        outcome: list[tuple[Any, GatehouseError | None]] = []

        def report(result: Any, error: GatehouseError | None) -> None:
            self.reached("before the answer to a person")
            outcome.append((result, error))

        self.lab.core.submit(Action(name=name, args=args, actor=PERSON), report)
        self.lab.turn()
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    def _select(self, again: bool, device: str, name: str) -> None:
        self._do("command.select", {"device": device, "name": name, "confirm": f"token-{device}", "session": "s"})

    def _confirm(self, again: bool, device: str, name: str) -> None:
        """Under one key, so that asking twice is no second command. A lost selection is selected anew."""
        args = {
            "device": device, "name": name, "confirm": f"token-{device}", "session": "s", "reason": "parcel",
            "idempotency_key": f"key-{device}", "expires_in": 20,
        }  # fmt: skip
        try:
            self._do("command.request", args)
        except (Invalid, Conflict):
            self._select(again, device, name)
            self._do("command.request", args)


def bodies(lab: Lab, table: Any, kind: Any) -> list[Any]:
    return [msgspec.json.decode(row[0], type=kind) for row in lab.rows(select(table.c.body).order_by(table.c.id))]


def live(orders: dict[str, Any], tell: Any) -> None:
    Life(orders, tell).run()


@dataclass
class Told:
    """What came of one run of the story."""

    outcome: dict[str, Counter[Any]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    commands: dict[str, str] = field(default_factory=dict)
    heard: Counter[str] = field(default_factory=Counter)
    kills: list[str] = field(default_factory=list)


def begin(folder: Path) -> None:
    folder.mkdir()
    lab = Lab(folder, pack=PACK, settings=SETTINGS)
    lab.act("site.put", id="s1", timezone="Asia/Shanghai")
    for name, kind in (("door-1", "door"), ("door-2", "door"), ("door-3", "door"), ("lift-1", "elevator")):
        lab.device(name, type=kind)
    for name in ("anna", "sue"):
        lab.act("person.put", id=name, addresses={"email": f"{name}@example.com"})
    lab.close()


def told(factory: Lives, folder: Path, orders: dict[str, Any], failpoint: str, seed: int) -> Told:
    """Tells the story over as many lives as it takes."""
    begin(folder)
    found, steps = Told(), story()
    heard: dict[str, list[str]] = {}
    first, again = 0, False
    while first < len(steps):
        more = {"folder": str(folder), "first": first, "again": again, "failpoint": failpoint, "heard": heard}
        begun = first
        for said in factory.live({**orders, **more, "seed": seed + first}):
            assert "error" not in said, f"{failpoint}, step {steps[begun]}: {said['error']}"
            if "heard" in said:
                device, ident = said["heard"]
                heard.setdefault(device, []).append(ident)
                found.heard[ident] += 1
            begun, first = said.get("begun", begun), said.get("done", first - 1) + 1
        if factory.code == 0:
            break
        assert factory.code == -9, f"{failpoint}, step {steps[begun]}: exit code {factory.code}"
        assert not (again and begun == first and found.kills[-1:] == [str(steps[begun])]), "killed twice in one step"
        found.kills.append(str(steps[begun]))
        first, again = begun, True
    _look(folder, found)
    return found


def _look(folder: Path, found: Told) -> None:
    lab = Lab(folder, pack=PACK, settings=SETTINGS, clock=VirtualClock(START + END))
    messages: list[Notification] = bodies(lab, tables.notifications, Notification)
    alerts = {one.id: one for one in lab.alerts()}
    rules = {one.id: one.rule for one in alerts.values()}
    commands: list[Command] = bodies(lab, tables.commands, Command)
    found.keys = {one.key for one in messages}
    found.commands = {one.id: one.state.value for one in commands}
    mine = [one for one in alerts.values() if not one.rule.startswith("gateway.command-")]

    def at(moment: float | None) -> float | None:
        return None if moment is None else round(moment - START, 1)

    found.outcome = {
        "alerts": Counter(
            (at(a.raised_at), a.rule, a.state.value, a.count, at(a.returned_at), len(a.comments), str(a.owner))
            for a in mine
        ),
        "escalations": Counter(
            (a.rule, e.chain, e.level, e.state, e.stopped_by, len(e.told))
            for a in mine if (e := a.escalation) is not None
        ),
        "work orders": Counter(
            (at(o.opened_at), o.state.value, str(o.assignee), o.respond_overdue, o.resolve_overdue,
             tuple((at(entry.entry_at), entry.action) for entry in o.log))
            for o in lab.work_orders()
        ),
        "plan runs": Counter(
            (at(r.started_at), r.plan, r.state,
             tuple((s.id, str(s.state), s.escalated) for s in r.steps if not s.automatic))
            for r in bodies(lab, tables.plan_runs, PlanRun)
        ),
        "commands": Counter((at(c.requested_at), c.device, c.name, c.by) for c in commands),
        "shifts": Counter((s.desk, s.operator) for s in bodies(lab, tables.shifts, Shift)),
        "messages": Counter(
            (at(n.created_at), rules.get(n.alert or "", ""), n.kind, n.level, n.people, n.state, n.sent_by)
            for n in messages if not rules.get(n.alert or "", "").startswith("gateway.command-")
        ),
    }  # fmt: skip
    assert verify_chain(lab.rows(select(tables.audit).order_by(tables.audit.c.id))) is None
    lab.close()


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Lives]:
    begin(tmp_path / "read-once")
    with lives(live) as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fault_005_killed_at_every_failpoint_of_every_transition_nothing_is_lost_or_doubled(
    factory: Lives, tmp_path: Path
) -> None:
    """FAULTS 4, 5, 74, 103: each transition of alert, order, plan, command, shift and message, at each failpoint."""
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    print(f"SEED={seed}")
    with ExitStack() as stack:
        hook, box = stack.enter_context(http_server(behaviour=204)), stack.enter_context(mail_server())
        orders = {"hook": hook.url, "mail": box.port, "dead": f"http://127.0.0.1:{free_port()}/", "secret": SECRET}
        calm = told(factory, tmp_path / "calm", orders, "", seed)
        assert not calm.kills and set(calm.commands.values()) == {"done", "unknown"}, calm.commands
        for number, failpoint in enumerate(FAILPOINTS):
            hook.posts.clear()
            box.mails.clear()
            began = time.monotonic()
            rough = told(factory, tmp_path / f"rough-{number}", orders, failpoint, seed)
            print(f"{failpoint}: {len(rough.kills)} kills, {time.monotonic() - began:.1f} s")
            assert len(rough.kills) >= 3, f"{failpoint} was hardly reached: {rough.kills}"
            for what, wanted in calm.outcome.items():
                got = rough.outcome[what]
                assert got == wanted, f"SEED={seed} {failpoint}, {what}: lost {wanted - got}, doubled {got - wanted}"
            assert max(rough.heard.values(), default=1) == 1, (
                f"SEED={seed} {failpoint}: a command was sent twice: {rough.heard}"
            )
            assert set(rough.heard) <= set(rough.commands)
            arrived = {post.headers["webhook-id"] for post in hook.posts} | {_key(mail) for mail in box.mails}
            assert arrived == rough.keys, f"SEED={seed} {failpoint}: never arrived {rough.keys - arrived}"


def _key(mail: Any) -> str:
    """The message's id, which is the same at each attempt."""
    text = mail.content.decode()
    line = next(line for line in text.splitlines() if line.lower().startswith("x-gatehouse-message:"))
    return str(line.split(":")[1].strip())
