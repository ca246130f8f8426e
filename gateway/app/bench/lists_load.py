"""A busy year on SQLite for `gatehouse bench lists`: alerts, work orders, events and what goes with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Engine, Table, create_engine, insert

from gateway.core.rows import ChangeFeed, write_records
from gateway.model import (
    Alert,
    AlertState,
    Changes,
    Command,
    CommandState,
    LogEntry,
    Notification,
    NotificationState,
    OrderKind,
    OrderState,
    Pass,
    PlanRun,
    Severity,
    Shelving,
    WorkOrder,
)
from gateway.store import tables as t
from gateway.store.writer import WriteBatch, Writer

YEAR = 365 * 86_400.0
#: What the bench signs in with; the database holds its hash, and lives as long as the bench.
TOKEN = "bench"  # noqa: S105 - opens a database of made-up records alone
_BATCH = 5000
_STATES = tuple(OrderState)
_KINDS = tuple(OrderKind)
_SEVERITIES = tuple(Severity)
_COMMANDS = tuple(CommandState)
_RULES = ("fire.alarm", "access.held-door", "parking.tailgating", "power.outage", "elevator.entrapment")
_EVENTS = ("access.granted", "access.denied", "parking.vehicle", "elevator.status", "fire.status")
_TYPES = ("door", "elevator", "pump", "barrier", "fire_panel", "meter")


def fill(url: str, alerts: int, orders: int, events: int, now: float) -> None:
    """Writes the year that ends at `now`: 60 of 100 alerts stand open, a few are shelved."""
    writer, feed = Writer(url), ChangeFeed()
    writer.open()
    try:
        for made in _batches(_records(alerts, orders, now)):
            changes = Changes()
            for record in made:
                changes.put(record)
            batch = WriteBatch()
            write_records(changes, batch, feed, now)
            batch.changes = []
            writer.commit(batch)
    finally:
        writer.close()
    engine = create_engine(url)
    for table, rows in _rest(events, now):
        _insert(engine, table, rows)
    engine.dispose()


def _records(alerts: int, orders: int, now: float) -> Iterator[Any]:
    few = max(20, orders // 10)
    yield from (_alert(n, alerts, now) for n in range(alerts))
    yield from (_order(n, orders, now) for n in range(orders))
    yield from (_command(n, few, now) for n in range(few))
    yield from (_run(n, few, now) for n in range(few // 5))
    yield from (_pass(n) for n in range(few))
    yield from (_notification(n, few, now) for n in range(few))


def _batches(records: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(records)
    while made := list(islice(left, _BATCH)):
        yield made


def _insert(engine: Engine, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        for made in _batches(rows):
            connection.execute(insert(table), made)


def _rest(events: int, now: float) -> list[tuple[Table, Iterable[dict[str, Any]]]]:
    """What has no record of the services."""
    step = YEAR / events
    few = max(20, events // 20)
    token = {"id": "bench", "name": "bench", "hash": hashlib.sha256(TOKEN.encode()).hexdigest(), "role": "admin",
             "sites": [], "created_at": now}  # fmt: skip
    return [
        (t.tokens, [token]),
        (t.sites, ({"id": f"site-{n}", "name": {"en": "Site"}, "timezone": "UTC", "lateness": 60.0} for n in range(3))),
        (t.zones, ({"id": f"flat-{n}", "site": f"site-{n % 3}", "name": {"en": "Flat"}, "kind": "flat", "parent": None}
                   for n in range(1000))),
        (t.devices, (_device(n, now) for n in range(2000))),
        (t.events, (_event(n, now - YEAR + n * step) for n in range(events))),
        (t.decisions, (_decision(n, now - YEAR + n * step * 3) for n in range(events // 3))),
        (t.audit, ({"id": n + 1, "time": now - YEAR + n * step * 20, "actor": f"user:person-{n % 60}",
                    "action": ("alert.acknowledge", "work_order.assign", "pass.put")[n % 3], "target": f"al-{n:09d}",
                    "outcome": "done", "detail": "{}", "previous": "0" * 64, "hash": "0" * 64} for n in range(few))),
        (t.dead_letters, ({"received": now - YEAR + n * step * 20, "fate": ("undecodable", "late")[n % 2],
                           "adapter": "cloudevents", "topic": f"gatehouse/v1/site-{n % 3}/device-{n % 2000}/events",
                           "device": f"device-{n % 2000}", "place": "data", "reason": "is not a number", "size": 200,
                           "payload": b"x" * 200, "state": ("kept", "retried", "discarded")[n % 3]}
                          for n in range(few))),
        (t.quarantine, ({"adapter": "cloudevents", "external_id": f"new-{n}", "site": f"site-{n % 3}", "first_at": now,
                         "last_at": now, "messages": 3, "topic": "x"} for n in range(1000))),
    ]  # fmt: skip


def _device(number: int, now: float) -> dict[str, Any]:
    return {
        "id": f"device-{number}", "site": f"site-{number % 3}", "adapter": "cloudevents", "version": 1,
        "external_id": f"device-{number}", "type": _TYPES[number % 6], "name": {"en": f"Door {number}"},
        "zone": f"flat-{number % 1000}", "building": f"building-{number % 20}", "report_interval": 0.0, "enabled": True,
        "settings": {}, "created_at": now - 2 * YEAR,
    }  # fmt: skip


def _event(number: int, at: float) -> dict[str, Any]:
    return {
        "seq": number + 1, "site": f"site-{number % 3}", "device": f"device-{number % 2000}", "time": at,
        "kind": _EVENTS[number * 7 % 5], "received": at, "late": False, "replay": False,
        "key": number.to_bytes(16, "big"), "digest": number,
        "data": '{"card":"1234567","direction":"in","door":"east"}',
    }  # fmt: skip


def _decision(number: int, at: float) -> dict[str, Any]:
    return {
        "time": at, "site": f"site-{number % 3}", "device": f"device-{number % 2000}", "value": f"A{number % 5000}",
        "kind": ("plate", "card")[number % 2], "direction": "in", "allowed": number % 9 > 0, "reason": "pass",
        "pass_id": None if number % 40 == 0 else f"ps-{number % 5000:09d}",
    }  # fmt: skip


def _alert(number: int, all_: int, now: float) -> Alert:
    at = now - YEAR * (all_ - number) / all_
    is_open = number % 10 < 6
    return Alert(
        id=f"al-{number:09d}",
        site=f"site-{number % 3}",
        rule=_RULES[number % 5] if number % 30 == 0 else f"rule.{number % 150}",
        scope=f"device-{number % 2000}",
        severity=_SEVERITIES[number % 4],
        state=tuple(AlertState)[number % 3] if is_open else AlertState.CLOSED,
        title={"en": "Door 3-2 was forced open", "zh": "3-2 门被强行打开"},
        device=f"device-{number % 2000}",
        zone=f"flat-{number % 1000}",
        raised_at=at,
        last_at=at,
        active=is_open,
        acknowledged_at=at + 60 if number % 3 else None,
        closed_at=None if is_open else at + 3600,
        returned_at=None if is_open else at + 1800,
        shelving=_shelving(at) if is_open and number % 200 == 0 else None,
    )


def _shelving(at: float) -> Shelving:
    return Shelving(by="user:anna", reason="known", from_at=at, until_at=at + 3600, until_due=at + 3600)


def _order(number: int, all_: int, now: float) -> WorkOrder:
    at = now - YEAR * (all_ - number) / all_
    state = _STATES[number % 7] if number > all_ - 700 else OrderState.CLOSED
    return WorkOrder(
        id=f"wo-{number:09d}",
        number=f"WO-BENCH-{number:06d}",
        site=f"site-{number % 3}",
        title={"en": "Door 3-2 was forced open", "zh": "3-2 门被强行打开"},
        state=state,
        kind=_KINDS[number % 5],
        source=("rule", "person", "resident", "schedule")[number % 4],
        team=f"team-{number % 9}",
        assignee=f"person-{number % 60}",
        device=f"device-{number % 2000}",
        opened_at=at,
        respond_by=at + 180,
        responded_at=at + number % 300,
        resolve_by=at + 7200,
        resolved_at=at + 3600 if state is OrderState.CLOSED else None,
        closed_at=at + 3600 if state is OrderState.CLOSED else None,
        visit_wanted=number % 30 == 0,
        log=tuple(LogEntry("user:anna", at + step, "comment", "looked at it, part is on order") for step in range(8)),
    )


def _command(number: int, all_: int, now: float) -> Command:
    at = now - YEAR * (all_ - number) / all_
    return Command(
        id=f"cm-{number:09d}", site=f"site-{number % 3}", device=f"device-{number % 2000}", name="raise", args={},
        state=_COMMANDS[number % len(_COMMANDS)], requested_at=at, by="user:anna", expires=at + 30,
    )  # fmt: skip


def _run(number: int, all_: int, now: float) -> PlanRun:
    at = now - YEAR * (all_ - number) / all_
    return PlanRun(
        id=f"pr-{number:09d}", plan=f"plan-{number % 11}", site=f"site-{number % 3}", started_at=at,
        state=("running", "finished", "stopped")[number % 3], title={"en": "Fire", "zh": "火灾"},
        started_by="user:anna",
    )  # fmt: skip


def _pass(number: int) -> Pass:
    return Pass(
        id=f"ps-{number:09d}", site=f"site-{number % 3}", kind=("card", "plate")[number % 2], value=f"A{number:06d}",
        name="Wang", created_at=0.0,
    )  # fmt: skip


def _notification(number: int, all_: int, now: float) -> Notification:
    at = now - YEAR * (all_ - number) / all_
    return Notification(
        id=f"nt-{number:09d}", site=f"site-{number % 3}", state=tuple(NotificationState)[number % 3],
        kind="alert", title={"en": "Fire", "zh": "火灾"}, alert=f"al-{number:09d}", key=f"key-{number}", created_at=at,
    )  # fmt: skip
