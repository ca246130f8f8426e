"""The core: one thread that takes batches, commits them, acknowledges, and only then lets anything out."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import delete, select

from gateway.contract import Adapter
from gateway.core.actions import Actions
from gateway.core.clock import Clock
from gateway.core.editing.book import Book
from gateway.core.editing.changing import Changing
from gateway.core.editing.edits import Edits
from gateway.core.editing.files import Files
from gateway.core.editing.folder import Folder
from gateway.core.editing.packs import Shelf
from gateway.core.identity import Keys
from gateway.core.journal import Batch, EventEntry, MessageEntry, PlaceEntry, pack
from gateway.core.lookback import Query
from gateway.core.outbox import Outbox, Publisher
from gateway.core.pipeline import PAUSE, Pipeline
from gateway.core.recovery import Restored, load_places, load_records, load_rejects, load_states, load_uncounted, replay
from gateway.core.registry import SELF, Registry
from gateway.core.rows import ChangeFeed, Statements, write_decisions, write_records
from gateway.core.sending import encode_commands, encode_instructions, publish
from gateway.core.sheet import Reporter, Sheet
from gateway.core.upkeep import Upkeep
from gateway.door import REPLY_TIMEOUT
from gateway.errors import StorageFailed, Unavailable
from gateway.model import (
    Action,
    AuditEntry,
    Catalogue,
    Delivery,
    Device,
    Site,
)
from gateway.store import tables
from gateway.store.read_base import reading_engine
from gateway.store.rule_queries import RuleReader
from gateway.store.writer import WriteBatch, Writer

_log = logging.getLogger(__name__)

#: How long the core waits before it tries a refused commit again, at first and at most.
RETRY_FIRST, RETRY_MOST = 0.1, 2.0
#: How often the link is looked at while it is down, in seconds.
LINK_LOOK = 0.05
#: If nobody attended for longer than this, silence in that time is not the devices' fault.
ATTENTION_GAP = 5.0
#: Where nothing happens, an empty batch this often says that somebody attended: a crash does not excuse that time.
ATTENDANCE = 4.0
#: How often in one batch what the services found out may lead to more of it.
MOST_TOLD = 10
#: Actions that may wait while the core is busy.
MOST_WAITING = 10_000


class Inbox(Publisher, Protocol):
    """The connection to the broker (`gateway.inbox.mqtt.MqttInbox`)."""

    problem: str | None

    def take(self, max_messages: int, timeout: float, linger: float) -> Sequence[Any]:
        """What is there."""

    def acknowledge(self, messages: Sequence[Any]) -> None:
        """After the commit."""

    def wake(self) -> None:
        """Makes `take` return."""

    def healthy(self, now: float) -> bool:
        """Whether the link is proven alive; `now` is monotonic."""


class Sender(Protocol):
    """What carries messages to people, beside the core (`gateway.notify.sender.Sender`)."""

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Takes attempts over; returns at once. Their outcomes come back as actions."""


class CoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The pace of the core; see `gateway.config.CoreSection`."""

    batch: int = 1000
    linger: float = 0.0
    snapshot_every: float = 30.0
    remember_ids: int = 200_000
    redelivery: float = 5.0
    max_payload: int = 262_144
    retention: Mapping[str, float] = {}


class Core:
    """Everything that writes. `run` is its loop; `submit` and `report_link` may be called from other threads."""

    def __init__(
        self,
        *,
        writer: Writer,
        adapters: Mapping[str, Adapter],
        catalogue: Catalogue,
        engine: Any,
        desk: Any,
        ids: Any,
        settings: CoreSettings,
        default_site: Site,
        shipped: Mapping[str, str],
        folder: Folder | None = None,
        clock: Clock | None = None,
        on_devices: Callable[[], None] = lambda: None,
    ) -> None:
        """`shipped` are the texts of the product's rule packs by name, `folder` is where the site's own lie."""
        self.clock = clock or Clock()
        self.writer = writer
        self.engine = engine
        self.desk = desk
        self.settings = settings
        self.registry = Registry(default_site)
        self.statements = Statements(writer.engine.dialect.name)
        self.pipeline = Pipeline(
            adapters=adapters,
            registry=self.registry,
            catalogue=catalogue,
            engine=engine,
            desk=desk,
            keys=Keys(settings.remember_ids, settings.redelivery),
            max_payload=settings.max_payload,
        )
        self.outbox = Outbox()
        self.feed = ChangeFeed()
        self.folder = folder
        self._reading = reading_engine(writer.engine.url.render_as_string(hide_password=False))
        self.query, self.kept = Query(self._reading), RuleReader(self._reading)
        """For threads beside the core's: these read, whoever asks."""
        self.book = Book(writer, self.statements, Shelf(catalogue, shipped, self.kept.rule_text))
        self.edits = Edits(self.book, self.pipeline, Changing(self.book, self.pipeline, writer, self.feed))
        self.files = Files(desk, self.pipeline)
        self.pipeline.rules_of = lambda packs: self.book.shelf.load_what_can_be(packs)[0]
        self.actions = Actions(
            writer=writer,
            pipeline=self.pipeline,
            adapters=adapters,
            desk=desk,
            feed=self.feed,
            statements=self.statements,
            edits=self.edits,
            files=self.files,
            on_topology=self._topology_changed,
            on_devices=self.tell_devices,
        )
        self.upkeep = Upkeep(self.pipeline, self.feed, writer, settings.snapshot_every, settings.retention)
        self.restored = Restored()
        self.inbox: Inbox | None = None
        self.sender: Sender | None = None
        self.failing: str | None = None
        self.on_changes: Callable[[int], None] = lambda last: None
        self.on_link_up: Callable[[], None] = lambda: None
        self._ids = ids
        self._on_devices = on_devices
        self._tell_at: float | None = None
        self._journal = 0
        self._queue: deque[tuple[Action, Reporter, float] | EventEntry] = deque()
        self._stopping = False
        self._attended = 0.0
        self._journaled_at = 0.0
        self._busy_journal = 0
        self._link_up: bool | None = None
        self._started = time.time()
        self._batches = 0
        self._messages = 0

    # Life.

    def recover(self) -> None:
        """Opens the store and takes up where the last run ended. Raises `Conflict`, `SchemaTooNew`, `StorageFailed`."""
        self.writer.open()
        sites, zones, devices, versions = load_places(self.writer)
        self.registry.load(sites, zones, devices)
        self.actions.inventory.load(versions)
        self.actions.load()
        self.book.load()
        self.pipeline.states.devices.update(load_states(self.writer))
        self.outbox.load(self.writer.select(select(tables.outbox).order_by(tables.outbox.c.id)))
        load_rejects(self.writer, self.pipeline, self.clock.now() - self.clock.wall())
        self.restored = replay(self.writer, self.pipeline, self.engine, self.settings.remember_ids)
        self.desk.restore(
            devices=self.registry.devices,
            zones=self.registry.zones,
            sites=self.registry.sites,
            **load_records(self.writer),
        )
        states = self.pipeline.states.devices.items()
        self.desk.know({device: {kind: known["data"] for kind, known in one.kinds.items()} for device, one in states})
        self._journal = self.restored.journal
        self.feed.last = self.restored.changes
        self.clock.resume(self.restored.at)
        self._attended = self.restored.at or self.clock.now()
        self._busy_journal = self._journal
        self._begin()

    def _begin(self) -> None:
        """The first batches of this run: the gateway's own device, its rules, and what the last run left half done."""
        self._begin_rules()
        sheet = self._sheet()
        if self.restored.ended:
            self.desk.apply(self.restored.ended, sheet.at, sheet.wall, sheet.changes)
        for event in load_uncounted(self.writer, self.desk.planned.schedules.uncounted(), sheet.at - sheet.wall):
            self.desk.recount(event, sheet.at, sheet.wall, sheet.changes)
        self.desk.recover(sheet.at, sheet.wall, sheet.changes)
        self._judge_told(sheet)
        detail = {"replayed": self.restored.replayed, "journal": self.restored.journal}
        sheet.changes.note(AuditEntry(time=sheet.wall, actor="system", action="core.start", target=SELF, detail=detail))
        # With the state that was come by: what ended at this start must not end again at the next.
        self._write(sheet, [], snapshot=bool(self.restored.replayed or self.restored.ended))

    def _begin_rules(self) -> None:
        """As of the moment at which the last run ended: the time in which nobody attended is yet to be given back."""
        sheet = self._sheet()
        sheet.at = self.restored.at or sheet.at
        if SELF not in self.registry.devices:
            device = Device(
                id=SELF,
                site=next(iter(self.registry.sites), "gatehouse"),
                adapter="internal",
                external_id=SELF,
                type="gateway",
                name={"en": "Gateway", "zh": "网关"},
            )
            self.registry.put(device)
            row = {**msgspec.to_builtins(device), "secret_hash": None, "created_at": sheet.wall, "version": 1}
            self.statements.put(tables.devices, row)
            self._topology_changed([device], sheet)
        try:
            files = self.folder.read_all() if self.folder is not None else None
        except OSError as error:
            _log.error("the folder of the rules cannot be read, the rules stay as they were: %s", error)
            files = None
        self.edits.begin(files, sheet)
        self._judge_told(sheet)
        if sheet.entries or self.statements.pending:
            self._write(sheet, [])

    def run(self, inbox: Inbox) -> None:
        """Takes, judges, commits and acknowledges until `stop`. Raises `StorageFailed` where carrying on would lie."""
        self.inbox = inbox
        try:
            while not self._stopping:
                self.turn(inbox.take(self.settings.batch, self._patience(), self.settings.linger))
            self._snapshot()
        finally:
            self.inbox = None

    def stop(self) -> None:
        """Ends `run` after the present batch. From any thread, and from a signal handler."""
        self._stopping = True
        if self.inbox is not None:
            self.inbox.wake()

    def close(self) -> None:
        """Closes the store."""
        self.writer.close()
        self._reading.dispose()

    def tell_devices(self) -> None:
        """Says that devices changed; tries again later where that fails, as it does when the disk is full."""
        try:
            self._on_devices()
            self._tell_at = None
        except OSError as error:
            if self._tell_at is None:
                _log.error("the broker's list of devices could not be written, trying again: %s", error)
            self._tell_at = self.clock.now() + RETRY_MOST

    # Other threads.

    def submit(self, action: Action, report: Reporter) -> None:
        """Queues an action; `report` is called on the core's thread after the commit, or with the error."""
        if len(self._queue) >= MOST_WAITING:
            report(None, Unavailable("too many requests wait for the core: try again in a minute"))
            return
        self._queue.append((action, report, self.clock.now()))
        if self.inbox is not None:
            self.inbox.wake()

    def report_link(self, link: str, up: bool, detail: str = "") -> None:
        """Queues an event of the gateway itself: a link went down or came up."""
        data = {"link": link, "up": up, "detail": detail}
        self._queue.append(EventEntry(self.clock.now(), self.clock.wall(), "gateway.link", data))
        if self.inbox is not None:
            self.inbox.wake()

    def health(self) -> dict[str, Any]:
        """What the core says of itself. From any thread; numbers may be one batch old."""
        inbox = self.inbox
        return {
            "started_at": self._started,
            "journal": self._journal,
            "seq": self.pipeline.seq,
            "changes": self.feed.last,
            "devices": len(self.registry.devices),
            "batches": self._batches,
            "messages": self._messages,
            "outbox": len(self.outbox),
            "replayed": self.restored.replayed,
            "rules": {"count": len(self.engine.rules), **self.book.health()},
            "broker": {"up": bool(self._link_up), "detail": (inbox.problem if inbox else None) or ""},
            "store": {"up": self.failing is None, "detail": self.failing or ""},
        }

    # One turn.

    def turn(self, messages: Sequence[Any]) -> None:
        """One batch: the messages, then the actions and own events that wait."""
        sheet = self._sheet()
        self._attend(sheet)
        pipeline, steady = self.pipeline, self.clock.steady
        for taken in messages:
            entry = MessageEntry(
                steady(taken.at_monotonic), taken.wall, taken.topic, taken.payload, taken.dup, taken.retain
            )
            pipeline.message(entry, sheet)
        # Not all that wait: who goes on asking must not keep the others from their commit.
        for _ in range(min(len(self._queue), self.settings.batch)):
            item = self._queue.popleft()
            if isinstance(item, EventEntry):
                pipeline.own(item, sheet)
            elif self.clock.now() - item[2] > REPLY_TIMEOUT:
                # Nobody waits for it any more, and an old "open" must not be carried out when the disk is back.
                late = Unavailable("the core was busy or could not write for too long: nothing was done, try again")
                sheet.reports.append((item[1], None, late))
            else:
                self.actions.act(item[0], item[1], sheet)
        sheet.at = max(sheet.at, self.clock.now())
        pipeline.finish(sheet.at, sheet)
        due = self.desk.next_due()
        if due is not None and due <= sheet.at:
            self.desk.advance(sheet.at, sheet.wall, sheet.changes)
        self._judge_told(sheet)
        self._write(sheet, messages)
        self._housekeeping(sheet.at)

    def _judge_told(self, sheet: Sheet) -> None:
        """What the services found out goes through the rules, as what a device says does."""
        for _ in range(MOST_TOLD):
            told = sheet.changes.take_told()
            for one in told:
                entry = EventEntry(sheet.at, sheet.wall, one.kind, one.data, one.device, one.site)
                self.pipeline.own(entry, sheet)
            if not told:
                return

    def _attend(self, sheet: Sheet) -> None:
        """After a pause of ours (a restart, a stopped process) silence is no proof: the engine gives it back."""
        gap = sheet.at - self._attended
        self._attended = sheet.at
        if gap > ATTENTION_GAP:
            self.pipeline.pause(EventEntry(sheet.at, sheet.wall, PAUSE, {"seconds": round(gap, 3)}), sheet)

    def _sheet(self) -> Sheet:
        self._ids.begin(self._journal + 1)
        return Sheet(self.pipeline.seq, self.clock.now(), self.clock.wall())

    def _patience(self) -> float:
        """How long to wait for messages: until the next timer or announcement, a second at most."""
        if self._queue:
            return 0.0
        announce = self.upkeep.announce_at if self.pipeline.states.waiting else None
        dues = [due for due in (self.engine.next_due(), self.desk.next_due(), announce) if due is not None]
        patience = min((due - self.clock.now() for due in dues), default=1.0)
        return min(max(patience, 0.0), 1.0 if self._link_up else LINK_LOOK)

    def _topology_changed(self, changed: Sequence[Device], sheet: Sheet) -> None:
        sites, devices = self.registry.take_changes()
        sheet.entries.append(PlaceEntry(sheet.at, sheet.wall, sites, devices))
        self.engine.set_topology([device for _, device in devices], sheet.at, self.registry.time_zones)
        self.desk.set_topology(self.registry.devices, self.registry.zones, self.registry.sites)
        for device in changed:
            self.pipeline.rejects.adopted(device.adapter, device.external_id)

    # Commit, acknowledge, publish.

    def _write(self, sheet: Sheet, messages: Sequence[Any], *, snapshot: bool = False) -> None:
        unreachable = self.inbox is None or self._link_up is False
        packets = encode_commands(sheet, self.pipeline, unreachable=unreachable)
        encode_instructions(sheet, self.pipeline)
        sheet.rows.statements = [*self.outbox.settle(), *self.statements.take(), *self._strangers_gone()]
        rows, changes = sheet.rows, sheet.changes
        write_records(changes, rows, self.feed, sheet.wall)
        write_decisions(changes, rows, self.feed, sheet.wall)
        self.upkeep.add_states(sheet, len(messages))
        rows.audit = changes.audit
        rows.outbox = [self.outbox.add(message, sheet.wall) for message in changes.outgoing if message.durable]
        # Records of a batch without entries (a plan that goes on after a command expired) have ids of its number too.
        busy = sheet.entries or sheet.judged or changes.records
        if busy or sheet.at - self._journaled_at >= ATTENDANCE:
            self._journaled_at = sheet.at
            self._journal += 1
            if busy:
                self._busy_journal = self._journal
            batch = Batch(sheet.first_seq, sheet.at, sheet.entries)
            rows.journal = [(self._journal, sheet.at, sheet.wall, len(sheet.entries), pack(batch))]
        if snapshot:
            self._add_snapshot(rows)
        if sheet.worth_writing or rows.audit or rows.outbox or rows.journal or rows.snapshots:
            self._commit(rows)
            self._batches += 1
            self._messages += len(messages)
        if self.sender is not None and changes.deliveries:
            self.sender.send(changes.deliveries)
        if self.inbox is not None:
            if messages:
                self.inbox.acknowledge(messages)
            publish(sheet, packets, self.inbox, self.clock)
            self.outbox.publish(self.inbox)
        for report, result, error in sheet.reports:
            report(result, error)
        if rows.changes:
            self.on_changes(self.feed.last)

    def _commit(self, rows: WriteBatch) -> None:
        """Until it is done: the state machines have moved on, so the same rows are tried again, nothing is taken."""
        delay = RETRY_FIRST
        while True:
            try:
                self.writer.commit(rows)
            except StorageFailed as error:
                if error.facts.get("fatal"):
                    _log.critical("%s: ending, as what the disk holds is uncertain", error.message)
                    raise
                if self.failing is None:
                    _log.error("%s", error.message)
                self.failing = str(error.facts.get("reason"))
                if self._pause(delay):
                    raise
                delay = min(delay * 2, RETRY_MOST)
                continue
            if self.failing is not None:
                _log.warning("the database takes writes again")
                for failing in (True, False):
                    data = {"failing": failing, "detail": self.failing}
                    self._queue.append(EventEntry(self.clock.now(), self.clock.wall(), "gateway.storage", data))
                self.failing = None
            return

    def _pause(self, seconds: float) -> bool:
        """Waits; True where the core is to end. No lock: the signal handler that sets the flag may interrupt it."""
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
        return self._stopping

    def _strangers_gone(self) -> list[Any]:
        table = tables.quarantine
        return [
            delete(table).where(table.c.adapter == adapter, table.c.external_id == serial)
            for adapter, serial in self.pipeline.rejects.take_gone()
        ]

    # Now and then.

    def _housekeeping(self, now: float) -> None:
        if self.inbox is not None:
            self._look_at_link(self.inbox)
        if self._tell_at is not None and now >= self._tell_at:
            self.tell_devices()
        if self.upkeep.announcement_due(now):
            sheet = self._sheet()
            self.upkeep.add_states(sheet, 0)
            if sheet.rows.changes or sheet.rows.states:
                self._commit(sheet.rows)
                self.on_changes(self.feed.last)
        if self.upkeep.snapshot_due(now):
            self._snapshot()
        self.upkeep.prune(now, self.clock.wall())

    def _look_at_link(self, inbox: Inbox) -> None:
        up = inbox.healthy(time.monotonic()) and inbox.problem is None
        if up == self._link_up:
            return
        if self._link_up is not None:
            self.report_link("broker", up, inbox.problem or "")
        self._link_up = up
        if up:
            self.on_link_up()

    def _snapshot(self) -> None:
        """The engine's state after the newest batch, with the devices' states it covers, in one transaction."""
        rows = WriteBatch()
        if self._add_snapshot(rows):
            self._commit(rows)

    def _add_snapshot(self, rows: WriteBatch) -> bool:
        if self.upkeep.is_known(self._busy_journal, self._journal):
            return False
        made = self.upkeep.snapshot(self._journal, self.engine.snapshot, self.clock.now(), self.clock.wall())
        rows.states = [*rows.states, *made.states]
        rows.snapshots = made.snapshots
        rows.statements = [*rows.statements, *made.statements]
        return True
