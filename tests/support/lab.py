"""The real core, store, rules and services on a virtual clock, with a scripted connection in place of the broker.

    lab = Lab(tmp_path)
    lab.device("lift-1", type="elevator")
    lab.say("lift-1", "elevator.status", motion="stopped", in_door_zone=False, occupied=True)
    lab.wait(31)
    assert lab.alert("elevator.entrapment")

`crash()` drops the core as `kill -9` would, with whatever was not committed, and starts another on the same database.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from adapters import load_adapters
from gateway.app.definitions import load_teams, shipped_plans, shipped_rules, shipped_safety
from gateway.catalogue import load_catalogue
from gateway.core.clock import Clock
from gateway.core.core import Core, CoreSettings
from gateway.core.editing.folder import Folder
from gateway.errors import GatehouseError
from gateway.inbox.messages import InboxMessage
from gateway.model import DIRECT, Action, Actor, Alert, Command, Role, Site, WorkOrder
from gateway.services.chain_reading import read_chains
from gateway.services.chains import ChannelInfo, EscalationBook
from gateway.services.desk import Desk
from gateway.services.ids import JournalIds
from gateway.services.safety import Safety
from gateway.services.schedule_book import ScheduleBook
from gateway.services.settings import DeskSettings
from gateway.store import tables
from gateway.store.writer import Writer
from rules import Engine, RuleSet
from tests.support.keys import Keys

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC).timestamp()
#: They may command in one step, as a program with the scope for it may: most stories are not about the two steps.
ADMIN = Actor("user:admin", Role.ADMIN, scopes=(DIRECT,))
OPERATOR = Actor("user:olga", Role.OPERATOR, scopes=(DIRECT,))
SYSTEM = Actor("system", Role.ADMIN)


#: Read once: they are frozen, and reading them is most of what building a core takes.
adapters_once = cache(load_adapters)
catalogue_once = cache(load_catalogue)
plans_once = cache(shipped_plans)
teams_once = cache(load_teams)
#: What was parsed of rule packs, found by the hashes of their texts.
_PARSED: dict[Any, Any] = {}


@cache
def safety_once() -> Safety:
    """The shipped interlocks."""
    return shipped_safety(catalogue_once())


class VirtualClock(Clock):
    """Wall and steady time as the test says. `wall_step` shifts the wall clock alone."""

    def __init__(self, at: float = START) -> None:
        self.at = at
        self.wall_step = 0.0

    def resume(self, last: float) -> None:
        self.at = max(self.at, last)

    def wall(self) -> float:
        return self.at + self.wall_step

    def now(self) -> float:
        return self.at

    def steady(self, monotonic: float) -> float:
        return monotonic


@dataclass
class ScriptedInbox:
    """The connection: what was acknowledged and published is remembered."""

    acknowledged: list[int] = field(default_factory=list)
    published: list[tuple[str, bytes, bool]] = field(default_factory=list)
    up: bool = True
    problem: str | None = None
    before_ack: Callable[[], None] = lambda: None
    before_publish: Callable[[], None] = lambda: None

    def take(self, max_messages: int, timeout: float, linger: float) -> list[Any]:
        return []

    def acknowledge(self, messages: Any) -> None:
        self.before_ack()
        self.acknowledged += [message.mid for message in messages]

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry: Any = None, on_done: Any = None
    ) -> bool:
        self.before_publish()
        if not self.up:
            return False
        self.published.append((topic, payload, retain))
        if on_done is not None:
            on_done(True)
        return True

    def wake(self) -> None: ...

    def healthy(self, now: float) -> bool:
        return self.up


class Crash(BaseException):
    """Stands for `kill -9` at a failpoint: nothing in the product catches it."""


class Lab:
    """One gateway without network. Times are seconds; every message is one batch unless `batch` is used."""

    def __init__(
        self,
        folder: Path,
        *,
        pack: str | None = None,
        clock: VirtualClock | None = None,
        url: str | None = None,
        settings: CoreSettings | None = None,
        site: dict[str, str] | None = None,
        schedules: ScheduleBook | None = None,
        escalation: EscalationBook | None = None,
        sender: Callable[[Core], Any] = lambda core: None,
    ) -> None:
        """`pack` stands in the place of the shipped packs; `site` are the site's own in its folder, by name.

        `sender` makes what carries messages to people for each core that is built.
        """
        self._escalation = escalation
        self._sender = sender
        self.folder = folder
        self.clock = clock or VirtualClock()
        self.url = url or f"sqlite:///{folder / 'lab.db'}"
        self._pack = pack
        self._settings = settings or CoreSettings()
        self._mids = itertools.count(1)
        self._ids = itertools.count(1)
        self._schedules = schedules
        self.keys = Keys()
        self._catalogue = catalogue_once()
        self.packs = folder / "rules"
        self.packs.mkdir(exist_ok=True)
        for name, text in (site or {}).items():
            (self.packs / f"{name}.yaml").write_text(text, encoding="utf-8")
        self.core = self._build()

    # Life.

    def _build(self) -> Core:
        adapters = adapters_once()
        ids = JournalIds()
        core = Core(
            writer=Writer(self.url),
            adapters=adapters,
            catalogue=self._catalogue,
            engine=Engine(RuleSet(), self._catalogue, {}),
            desk=Desk(
                RuleSet(),
                plans_once(),
                self._catalogue,
                ids,
                DeskSettings(),
                safety=safety_once(),
                teams=teams_once(),
                schedules=self._schedules,
                escalation=self._escalation,
                keys=self.keys,
            ),
            ids=ids,
            settings=self._settings,
            default_site=Site(id="", timezone="Asia/Shanghai"),
            shipped={"lab": self._pack} if self._pack is not None else shipped_rules(),
            folder=Folder(self.packs),
            clock=self.clock,
        )
        # What was parsed before need not be parsed again: it is found by the hashes of the texts.
        core.book.shelf._made.update(_PARSED)
        core.sender = self._sender(core)
        core.recover()
        _PARSED.update(core.book.shelf._made)
        self.inbox = ScriptedInbox()
        core.inbox = self.inbox
        return core

    def escalate(self, chains: str, *channels: tuple[str, str]) -> None:
        """From now on these chains, and channels given as id and kind of address, are in force."""
        infos = [ChannelInfo(id=name, needs=needs) for name, needs in channels]
        book = EscalationBook(read_chains("lab", chains, [name for name, _ in channels]), infos)
        self._escalation = book
        self.crash()

    def crash(self, pack: str | None = None) -> None:
        """`kill -9` and a restart, of a product with another rule pack if one is given."""
        if pack is not None:
            self._pack = pack
        self.core.close()
        self.core = self._build()

    def close(self) -> None:
        self.core.close()

    # What devices do.

    def device(self, name: str, *, site: str = "s1", adapter: str = "cloudevents", **more: Any) -> None:
        """Registers a device."""
        self.act("device.add", id=name, site=site, adapter=adapter, secret_hash="x", **more)

    def message(self, topic: str, payload: bytes | str, *, dup: bool = False, retain: bool = False) -> InboxMessage:
        """A message as the inbox would hand it over."""
        body = payload.encode() if isinstance(payload, str) else payload
        at = self.clock.now()
        return InboxMessage(topic, body, at, self.clock.wall(), next(self._mids), 1, dup, retain, 1)

    def event(
        self, device: str, kind: str, *, site: str = "s1", id: str | None = None, ago: float = 0.0, **data: Any
    ) -> InboxMessage:
        """A native event, claimed to have happened `ago` seconds before now."""
        extensions = {name[1:]: data.pop(name) for name in list(data) if name.startswith("_")}
        body = {
            "specversion": "1.0",
            "id": id or f"e{next(self._ids)}",
            "source": f"/{site}/{device}",
            "type": kind,
            "time": datetime.fromtimestamp(self.clock.wall() - ago, UTC).isoformat().replace("+00:00", "Z"),
            "data": data,
            **extensions,
        }
        return self.message(f"gatehouse/v1/{site}/{device}/events", json.dumps(body))

    def turn(self, *messages: InboxMessage) -> None:
        """One batch."""
        self.core.turn(messages)

    def say(self, device: str, kind: str, **more: Any) -> InboxMessage:
        """A device says something, in a batch of its own. The message, to be sent again."""
        message = self.event(device, kind, **more)
        self.turn(message)
        return message

    def raw(self, topic: str, payload: bytes | str, **flags: bool) -> None:
        """Any bytes on any topic, in a batch of their own."""
        self.turn(self.message(topic, payload, **flags))

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Time passes; the core's loop wakes every `step`."""
        end = self.clock.at + seconds
        while self.clock.at < end:
            self.clock.at = min(end, self.clock.at + step)
            self.core.turn([])

    # What people do.

    def act(self, action: str, /, *, actor: Actor = ADMIN, **args: Any) -> dict[str, Any]:
        """An action through the door; raises its error."""
        outcome: list[tuple[Any, GatehouseError | None]] = []
        self.core.submit(
            Action(name=action, args=args, actor=actor), lambda result, error: outcome.append((result, error))
        )
        self.core.turn([])
        result, error = outcome[0]
        if error is not None:
            raise error
        return msgspec.to_builtins(result)  # type: ignore[no-any-return]

    def push(self, adapter: str, device: str, payload: bytes) -> dict[str, Any]:
        """An HTTP push."""
        return self.act("message.ingest", adapter=adapter, device=device, payload=base64.b64encode(payload).decode())

    # What is so.

    def rows(self, statement: Any) -> list[tuple[Any, ...]]:
        return self.core.writer.select(statement)

    def ledger(self) -> dict[str, int]:
        """Fates and their counts, with `received`; checks that the sum holds."""
        counts = dict(self.rows(select(tables.ledger)))
        received = counts.get("received", 0)
        assert received == sum(count for fate, count in counts.items() if fate != "received"), counts
        return counts

    def alerts(self, *, open_only: bool = False) -> list[Alert]:
        """All alerts, oldest first."""
        found = [
            msgspec.json.decode(row[0], type=Alert)
            for row in self.rows(select(tables.alerts.c.body).order_by(tables.alerts.c.raised_at, tables.alerts.c.id))
        ]
        return [alert for alert in found if alert.state != "closed"] if open_only else found

    def alert(self, rule: str) -> Alert:
        """The one alert of a rule; a failed look tells what there is."""
        found = [alert for alert in self.alerts() if alert.rule == rule]
        assert len(found) == 1, (
            f"wanted one alert of {rule}, there are {[(a.rule, a.scope, a.state) for a in self.alerts()]}"
        )
        return found[0]

    def alert_of(self, rule: str, scope: str) -> Alert:
        """The newest alert of a rule and a scope."""
        return [alert for alert in self.alerts() if (alert.rule, alert.scope) == (rule, scope)][-1]

    def work_orders(self) -> list[WorkOrder]:
        return [
            msgspec.json.decode(row[0], type=WorkOrder)
            for row in self.rows(select(tables.work_orders.c.body).order_by(tables.work_orders.c.opened_at))
        ]

    def command(self, name: str) -> Command:
        return msgspec.json.decode(
            self.rows(select(tables.commands.c.body).where(tables.commands.c.id == name))[0][0], type=Command
        )

    def letters(self) -> list[tuple[str, str, str]]:
        """The dead letters: fate, place, reason."""
        table = tables.dead_letters
        return self.rows(select(table.c.fate, table.c.place, table.c.reason).order_by(table.c.id))

    def events(self, kind: str | None = None) -> list[tuple[Any, ...]]:
        """Discrete events: device, kind, data, late, replay."""
        table = tables.events
        statement = select(table.c.device, table.c.kind, table.c.data, table.c.late, table.c.replay).order_by(
            table.c.seq
        )
        return self.rows(statement.where(table.c.kind == kind) if kind else statement)

    def sent(self, topic_part: str) -> list[tuple[str, bytes, bool]]:
        """What was published on topics that contain `topic_part`."""
        return [item for item in self.inbox.published if topic_part in item[0]]
