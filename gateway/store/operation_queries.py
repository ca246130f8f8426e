"""The running of the gateway itself: ledger, dead letters, quarantine, audit, changes, figures."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, literal_column, or_, select

from gateway.store.read_base import Page, Place, QueryBase, Sites, decoded, equal, within
from gateway.store.rows import AuditRow, ChangeRow, DeadLetter, Unregistered
from gateway.store.tables import (
    alerts,
    audit,
    changes,
    commands,
    dead_letters,
    devices,
    journal,
    ledger,
    outbox,
    plan_runs,
    quarantine,
    work_orders,
)

#: Spelled out in the statement, where the index of what is not closed is known by it.
_CLOSED: ColumnElement[str] = literal_column("'closed'")
_LETTER_COLUMNS = tuple(column for column in dead_letters.c if column.name not in ("payload", "id"))


class OperationQueries(QueryBase):
    """What came in and what became of it."""

    def ledger(self) -> dict[str, int]:
        """How many messages met each fate, with `received` for what came in, read in one look."""
        rows: Any = self.rows(select(ledger.c.fate, ledger.c.count))
        return {str(fate): int(count) for fate, count in rows}

    def dead_letters(
        self,
        only: Sites = (),
        *,
        fate: str | None = None,
        state: str | None = None,
        adapter: str | None = None,
        device: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Messages not accepted, newest first, without their bytes."""
        c = dead_letters.c
        where = equal(
            fate=(c.fate, fate), state=(c.state, state), adapter=(c.adapter, adapter), device=(c.device, device)
        )
        statement = select(*_LETTER_COLUMNS, c.id).where(*where, *_letters_of(only))
        found, place = self.page(statement, [c.id], after, limit)
        return Page([DeadLetter(**row._mapping) for row in found], place)

    def dead_letter(self, id: int, only: Sites = ()) -> DeadLetter | None:
        """One message not accepted, with its bytes."""
        row = self.one(select(dead_letters).where(dead_letters.c.id == id, *_letters_of(only)))
        return DeadLetter(**row._mapping) if row else None

    def quarantine(self, only: Sites = (), *, after: Place | None = None, limit: int = 100) -> Page:
        """Devices that speak and are not registered."""
        c = quarantine.c
        columns = (c.site, c.first_at, c.last_at, c.messages, c.topic, c.adapter, c.external_id)
        statement = select(*columns).where(*within(c.site, only))
        found, place = self.page(statement, [c.adapter, c.external_id], after, limit, newest_first=False)
        return Page([Unregistered(**row._mapping) for row in found], place)

    def unregistered(self, adapter: str, external_id: str, only: Sites = ()) -> Unregistered | None:
        """One of them, or None."""
        c = quarantine.c
        row = self.one(
            select(quarantine).where(c.adapter == adapter, c.external_id == external_id, *within(c.site, only))
        )
        return Unregistered(**row._mapping) if row else None

    def audit(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """The audit, newest first."""
        c = audit.c
        where = equal(actor=(c.actor, actor), action=(c.action, action), target=(c.target, target))
        columns = (c.time, c.actor, c.action, c.target, c.outcome, c.detail, c.hash, c.id)
        found, place = self.page(select(*columns).where(*where), [c.id], after, limit)
        return Page([AuditRow(**{**row._mapping, "detail": decoded(row.detail) or {}}) for row in found], place)

    def changes_after(self, last: int, limit: int = 500) -> list[ChangeRow]:
        """Changes past `last`, in order."""
        with self.engine.connect() as connection:
            found = connection.execute(_CHANGES_AFTER, {"last": last, "most": limit}).all()
        return [ChangeRow(*row) for row in found]

    def change_span(self) -> tuple[int, int]:
        """The oldest and the newest change that is kept; (0, 0) where there is none."""
        row: Any = self.one(select(func.min(changes.c.id), func.max(changes.c.id)))
        return (row[0] or 0, row[1] or 0) if row else (0, 0)

    def counts(self, only: Sites = ()) -> dict[str, int]:
        """How many there are of what a person looks after."""
        number: Any = func.count()
        asked = {
            "devices": select(number).select_from(devices).where(*within(devices.c.site, only)),
            "alerts_open": select(number).where(
                alerts.c.state != _CLOSED, alerts.c.parent.is_(None), *within(alerts.c.site, only)
            ),
            "work_orders_open": select(number).where(work_orders.c.state != _CLOSED, *within(work_orders.c.site, only)),
            "plan_runs_running": select(number).where(plan_runs.c.state == "running", *within(plan_runs.c.site, only)),
            "commands_open": select(number).where(
                commands.c.state.in_(("pending", "sent")), *within(commands.c.site, only)
            ),
            "quarantine": select(number).select_from(quarantine).where(*within(quarantine.c.site, only)),
            "dead_letters": select(number).where(dead_letters.c.state == "kept", *_letters_of(only)),
        }
        with self.engine.connect() as connection:
            return {name: int(connection.scalar(statement) or 0) for name, statement in asked.items()}

    def figures(self) -> dict[str, float]:
        """Positions and queue lengths for the metrics."""
        with self.engine.connect() as connection:
            newest = connection.execute(select(journal.c.id, journal.c.time).order_by(journal.c.id.desc()).limit(1))
            position = newest.first()
            waiting = connection.scalar(select(func.count()).select_from(outbox)) or 0
            last = connection.scalar(select(func.max(changes.c.id))) or 0
        return {
            "journal_position": float(position[0]) if position else 0.0,
            "journal_time": float(position[1]) if position else 0.0,
            "outbox_waiting": float(waiting),
            "last_change": float(last),
        }


_CHANGES_AFTER = (
    select(changes.c.id, changes.c.time, changes.c.kind, changes.c.ref, changes.c.site, changes.c.body)
    .where(changes.c.id > bindparam("last"))
    .order_by(changes.c.id)
    .limit(bindparam("most"))
)


def _letters_of(only: Sites) -> list[ColumnElement[bool]]:
    """Dead letters know no site: who may see some sites sees what names a device there, or came on that site's topic.

    A device is named by its serial or its id; of a message that could not be read, only the topic is known.
    """
    if not only:
        return []
    c = dead_letters.c
    native = [c.topic.startswith(f"gatehouse/v1/{site}/", autoescape=True) for site in only]
    # An HTTP push has the topic ingest/<adapter>/<device>.
    pushed_by = and_(c.topic.startswith("ingest/"), devices.c.id == func.substr(c.topic, func.length(c.adapter) + 9))
    by_serial = and_(devices.c.adapter == c.adapter, devices.c.external_id == c.device)
    own = devices.c.site.in_(list(only))
    return [
        or_(
            *native,
            *(exists(select(devices.c.id).where(one, own)) for one in (by_serial, devices.c.id == c.device, pushed_by)),
        )
    ]
