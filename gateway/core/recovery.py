"""After a start: the state that the last run left in the database, brought back to the instant of its last commit."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec
from sqlalchemy import Table, func, select

from gateway.core.identity import DeviceMemory
from gateway.core.journal import Batch, PackRef, PlaceEntry, unpack
from gateway.core.pipeline import Pipeline
from gateway.core.rejects import KEPT_BYTES
from gateway.core.sheet import Sheet
from gateway.core.states import DeviceState
from gateway.model import (
    Alert,
    AlertState,
    Child,
    Command,
    CommandState,
    Device,
    DeviceList,
    Event,
    Fate,
    ListEntry,
    Notification,
    NotificationState,
    OrderState,
    Outage,
    Pass,
    Person,
    PlanRun,
    Roster,
    Round,
    Schedule,
    Shift,
    ShiftState,
    Site,
    WorkOrder,
    Zone,
)
from gateway.store import tables
from gateway.store.writer import Writer

_log = logging.getLogger(__name__)

#: Closed alerts and orders, final commands and commands with a key that are remembered, newest first, so that who comes
#: second is told who was first, a fault reopens its order, and an idempotency key is known.
REMEMBERED = 2000
#: Events before the snapshot whose time is looked at to tell a redelivered frame that has no identity.
MOST_RECENT = 20_000
_UNSENT = (NotificationState.PENDING, NotificationState.HELD, NotificationState.FAILED)


#: How a `PlaceEntry` begins in a packed batch: its tag, a text of one letter.
_PLACE_MARK = b"\xa1p"


class Selects(Protocol):
    """Where rows are read from: the core's own writer, or a process that only reads."""

    def select(self, statement: Any) -> list[tuple[Any, ...]]:
        """All rows of `statement`."""


class Snapshot(msgspec.Struct):
    """What a snapshot's `body` holds: the engine's own bytes and the pipeline's memories.

    `rejected` are the lately rejected messages, `present` each device's count of messages and merged state: the table
    of states runs ahead of the snapshot, and a replay must find them as they were. `packs` are the rule packs under
    which the engine came to its state.
    """

    seq: int
    engine: bytes
    memory: dict[str, DeviceMemory]
    rejected: dict[bytes, float] = {}
    present: dict[str, tuple[int, dict[str, Any]]] = {}
    packs: tuple[PackRef, ...] = ()


def pack_snapshot(pipeline: Pipeline, engine: bytes, now: float) -> bytes:
    """The state after the newest batch."""
    present = {name: (state.messages, state.shadow) for name, state in pipeline.states.devices.items()}
    return msgspec.msgpack.encode(
        Snapshot(pipeline.seq, engine, pipeline.memory.devices, pipeline.rejects.recent(now), present, pipeline.packs)
    )


class Restored(msgspec.Struct):
    """Where the last run stood. `at` is the newest steady time, `journal` the newest batch's number."""

    at: float = 0.0
    journal: int = 0
    seq: int = 0
    changes: int = 0
    replayed: int = 0
    ended: list[Any] = []
    """Rule changes of the restore itself: conditions that ended because their rule is gone or another now."""


def load_places(writer: Selects) -> tuple[list[Site], list[Zone], list[Device], dict[str, int]]:
    """Sites, zones, devices, and the devices' versions."""
    sites = [Site(**row) for row in _rows(writer, tables.sites)]
    zones = [Zone(**row) for row in _rows(writer, tables.zones)]
    devices, versions = [], {}
    names = {field.name for field in msgspec.structs.fields(Device)}
    for row in _rows(writer, tables.devices):
        devices.append(Device(**{name: value for name, value in row.items() if name in names}))
        versions[row["id"]] = row["version"]
    return sites, zones, devices, versions


def load_records(writer: Selects) -> dict[str, list[Any]]:
    """The records the services restore from, as keyword arguments of their `restore`."""
    final = [state.value for state in CommandState if state.final]
    c = tables
    return {
        "alerts": _bodies(writer, select(c.alerts.c.body).where(c.alerts.c.state != AlertState.CLOSED), Alert)
        + _newest(writer, c.alerts, c.alerts.c.state == AlertState.CLOSED, c.alerts.c.raised_at, Alert),
        "children": _bodies(
            writer, select(c.alert_children.c.body).where(c.alert_children.c.ended_at.is_(None)), Child
        ),
        "work_orders": _bodies(
            writer, select(c.work_orders.c.body).where(c.work_orders.c.state != OrderState.CLOSED), WorkOrder
        )
        + _newest(
            writer, c.work_orders, c.work_orders.c.state == OrderState.CLOSED, c.work_orders.c.closed_at, WorkOrder
        ),
        "externals": writer.select(
            select(c.work_orders.c.external, c.work_orders.c.id).where(c.work_orders.c.external.is_not(None))
        ),
        "plan_runs": _bodies(
            writer, select(c.plan_runs.c.body).where(c.plan_runs.c.state.in_(("running", "proposed"))), PlanRun
        ),
        "commands": _bodies(writer, select(c.commands.c.body).where(c.commands.c.state.not_in(final)), Command)
        + _newest(writer, c.commands, c.commands.c.state.in_(final), c.commands.c.requested_at, Command)
        + _newest(writer, c.commands, c.commands.c.idempotency_key.is_not(None), c.commands.c.requested_at, Command),
        "passes": _bodies(writer, select(c.passes.c.body), Pass),
        "device_lists": _bodies(writer, select(c.device_lists.c.body), DeviceList),
        "list_entries": _bodies(writer, select(c.list_entries.c.body), ListEntry),
        "outages": _bodies(writer, select(c.outages.c.body).where(c.outages.c.state != "ended"), Outage),
        "people": _bodies(writer, select(c.people.c.body), Person),
        "rosters": _bodies(writer, select(c.rosters.c.body), Roster),
        "schedules": _bodies(writer, select(c.schedules.c.body), Schedule),
        "rounds": _bodies(writer, select(c.rounds.c.body).where(c.rounds.c.state.in_(("running", "overdue"))), Round),
        "shifts": _bodies(writer, select(c.shifts.c.body).where(c.shifts.c.state != ShiftState.CLOSED), Shift),
        "notifications": _bodies(
            writer, select(c.notifications.c.body).where(c.notifications.c.state.in_(_UNSENT)), Notification
        )
        + _newest(
            writer, c.notifications, c.notifications.c.state.not_in(_UNSENT), c.notifications.c.created_at, Notification
        ),
    }


def load_states(writer: Selects) -> dict[str, DeviceState]:
    """The devices' states as they were last written."""
    states = {}
    for row in _rows(writer, tables.device_states):
        device = row.pop("device")
        row["kinds"] = msgspec.json.decode(row["kinds"])
        row["shadow"] = msgspec.json.decode(row["shadow"]) if row["shadow"] else {}
        states[device] = DeviceState(**row)
    return states


def replay(writer: Writer, pipeline: Pipeline, engine: Any, remember: int) -> Restored:
    """Loads the newest usable snapshot and feeds the journal past it to the pipeline."""
    restored = Restored(changes=_largest(writer, tables.changes.c.id))
    found = _snapshot(writer, pipeline, engine)
    position, lag, state, restored.ended = found or (0, 0.0, None, [])
    begin_at(writer, pipeline, position, lag, state, remember)
    engine.set_topology(pipeline.registry.devices.values(), None, pipeline.registry.time_zones)
    for number, at, time, batch in journal_batches(writer, position):
        pipeline.replay(batch.entries, at, Sheet(pipeline.seq, at, time))
        position = number
        restored.at = max(restored.at, at)
        restored.replayed += 1
    restored.journal = position
    if not restored.at:
        restored.at = _largest(writer, tables.snapshots.c.at)
    restored.seq = pipeline.seq
    newest = max(_largest(writer, tables.events.c.seq), _largest(writer, tables.readings.c.seq))
    if newest > pipeline.seq:
        _log.warning("the journal ends at event %d, the store at %d: going on after the latter", pipeline.seq, newest)
        pipeline.seq = int(newest)
    return restored


def begin_at(
    writer: Selects, pipeline: Pipeline, position: int, lag: float, state: Snapshot | None, remember: int
) -> None:
    """Brings a pipeline with today's places and states to how all was after batch `position`.

    `state` is the snapshot of that batch, None where there is none; `lag` is how far the steady clock was ahead then.
    """
    _turn_back_places(writer, pipeline, position)
    if state is not None:
        pipeline.seq = state.seq
        pipeline.memory.devices = state.memory
        pipeline.rejects.restore(state.rejected)
        _load_keys(writer, pipeline, remember, lag)
    elif (oldest := next(journal_batches(writer, position), None)) is not None:
        pipeline.seq = oldest[3].seq
        _load_keys(writer, pipeline, remember, 0.0)
    for name, known in pipeline.states.devices.items():
        known.messages, known.shadow = (state.present if state is not None else {}).get(name, (0, {}))


def load_uncounted(writer: Writer, since: Mapping[str, int], lag: float) -> Iterator[Event]:
    """The stored events of each kind past the number given for it, in order. `lag` as for `load_rejects`."""
    for kind, seq in sorted(since.items()):
        for table in (tables.events, tables.readings):
            c = table.c
            wanted = select(c.seq, c.site, c.device, c.time, c.received, c.late, c.replay, c.data)
            for row in writer.select(wanted.where(c.kind == kind, c.seq > seq).order_by(c.seq)):
                number, site, device, time, received, late, replayed, data = row
                yield Event(
                    device, kind, time, received, received + lag, msgspec.json.decode(data), site=site,
                    replay=replayed, late=late, seq=number,
                )  # fmt: skip


def load_rejects(writer: Writer, pipeline: Pipeline, lag: float) -> None:
    """What is remembered of the newest dead letters and of the strangers in quarantine.

    `lag` is how far the steady clock is ahead of the wall clock.
    """
    letters = tables.dead_letters
    # One that was tried again was accepted, or is another letter now; a conflict of identities was no rejection.
    newest = select(letters.c.topic, letters.c.payload, letters.c.received).where(
        letters.c.state != "retried", letters.c.fate != Fate.DUPLICATE, letters.c.size <= KEPT_BYTES
    )
    strangers = tables.quarantine
    pipeline.rejects.load(
        [
            (topic, bytes(payload), received + lag)
            for topic, payload, received in reversed(writer.select(newest.order_by(letters.c.id.desc()).limit(2000)))
        ],
        writer.select(select(strangers).order_by(strangers.c.last_at)),
    )


def _snapshot(writer: Selects, pipeline: Pipeline, engine: Any) -> tuple[int, float, Snapshot, list[Any]] | None:
    """The newest snapshot that can be read; a damaged one is passed over, as the journal reaches further back.

    Its batch, how far the steady clock was ahead of the wall clock, its body, and what the engine said of it.
    """
    kept = tables.snapshots.c
    for number, at, time, body in writer.select(
        select(kept.journal, kept.at, kept.time, kept.body).order_by(kept.journal.desc())
    ):
        try:
            snapshot = msgspec.msgpack.decode(body, type=Snapshot)
            if snapshot.packs and pipeline.rules_of is not None:
                engine.set_rules(pipeline.rules_of(snapshot.packs), 0.0)
                pipeline.packs = snapshot.packs
            return number, at - time, snapshot, list(engine.restore(snapshot.engine) or ())
        except (msgspec.DecodeError, ValueError, KeyError) as error:
            _log.warning("snapshot %d cannot be used, an older one is tried: %s", number, error)
    return None


def journal_batches(writer: Selects, position: int) -> Iterator[tuple[int, float, float, Batch]]:
    """The journal past `position`: number, steady time, wall time, batch."""
    for number, at, time, packed in _packed_batches(writer, position):
        yield number, at, time, unpack(packed)


def _packed_batches(writer: Selects, position: int) -> Iterator[tuple[int, float, float, bytes]]:
    kept = tables.journal.c
    while True:
        rows = writer.select(
            select(kept.id, kept.at, kept.time, kept.body).where(kept.id > position).order_by(kept.id).limit(200)
        )
        if not rows:
            return
        yield from rows
        position = rows[-1][0]


def _turn_back_places(writer: Selects, pipeline: Pipeline, position: int) -> None:
    """Takes back what actions changed of sites and devices past `position`; the replay changes it again."""
    changed = [
        entry
        for _, _, _, packed in _packed_batches(writer, position)
        if _PLACE_MARK in packed
        for entry in unpack(packed).entries
        if isinstance(entry, PlaceEntry)
    ]
    for entry in reversed(changed):
        pipeline.registry.undo(entry.sites, entry.devices)


def _load_keys(writer: Selects, pipeline: Pipeline, remember: int, lag: float) -> None:
    """The identities of the newest events up to the snapshot, so that the replay meets what the live run met."""
    keys: list[tuple[int, bytes, int, float]] = []
    for table in (tables.events, tables.readings):
        newest = select(table.c.seq, table.c.key, table.c.digest, table.c.received).where(table.c.seq <= pipeline.seq)
        keys += writer.select(newest.order_by(table.c.seq.desc()).limit(remember))
    keys.sort()
    recent = {bytes(key): received + lag for _, key, _, received in keys[-MOST_RECENT:]}
    pipeline.keys.load(((bytes(key), digest) for _, key, digest, _ in keys), recent)


def _rows(writer: Selects, table: Table) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in writer.select(select(table))]


def _bodies(writer: Selects, statement: Any, kind: type[Any]) -> list[Any]:
    decode = msgspec.json.Decoder(kind).decode
    return [decode(row[0]) for row in writer.select(statement)]


def _newest(writer: Selects, table: Table, condition: Any, order: Any, kind: type[Any]) -> list[Any]:
    return _bodies(writer, select(table.c.body).where(condition).order_by(order.desc()).limit(REMEMBERED), kind)


def _largest(writer: Selects, column: Any) -> Any:
    return writer.select(select(func.max(column)))[0][0] or 0
