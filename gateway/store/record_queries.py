"""Alerts, work orders, plan runs, commands and passes: what the services keep as JSON of the model's structs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, Table, func, literal_column, select

from gateway.model import Alert, Child, Command, Pass, PlanRun, WorkOrder
from gateway.store import tables
from gateway.store.read_base import Page, Place, QueryBase, Sites, equal, within


class _Source(NamedTuple):
    table: Table
    decoder: msgspec.json.Decoder[Any]
    order: tuple[ColumnElement[Any], ...]


def _source(table: Table, struct: type, *order: ColumnElement[Any]) -> _Source:
    return _Source(table, msgspec.json.Decoder(struct), (*order, table.c.id))


ALERTS = _source(tables.alerts, Alert, tables.alerts.c.raised_at)
CHILDREN = _source(tables.alert_children, Child)
WORK_ORDERS = _source(tables.work_orders, WorkOrder, tables.work_orders.c.opened_at)
PLAN_RUNS = _source(tables.plan_runs, PlanRun, tables.plan_runs.c.started_at)
COMMANDS = _source(tables.commands, Command, tables.commands.c.requested_at)
PASSES = _source(tables.passes, Pass)

#: Spelled out in the statement, where the index of what is not closed is known by it.
_CLOSED: ColumnElement[str] = literal_column("'closed'")
#: Why an alert is put aside: by a person, by design, by a window of maintenance.
ASIDE = ("shelved", "suppressed", "out_of_service")
_OPEN_COMMANDS = ("pending", "sent")


class RecordQueries(QueryBase):
    """What needs people, and what they did about it."""

    def alerts(
        self,
        only: Sites = (),
        *,
        state: str = "all",
        severity: Sequence[str] = (),
        device: str | None = None,
        site: str | None = None,
        rule: str | None = None,
        folded: bool | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Alerts, newest first. `state` is one of the four, `open`, a kind of being aside, or `all`.

        `folded` asks for those that stand under another alert, or for those that do not.
        """
        c = tables.alerts.c
        where = equal(device=(c.device, device), site=(c.site, site), rule=(c.rule, rule))
        if folded is not None:
            where.append(c.parent.is_not(None) if folded else c.parent.is_(None))
        if severity:
            where.append(c.severity.in_(list(severity)))
        if state == "open":
            where.append(c.state != _CLOSED)
        elif state in ASIDE:
            where.append(c.aside == state)
        elif state != "all":
            where.append(c.state == state)
        return self._records(ALERTS, only, where, after, limit)

    def alert(self, id: str, only: Sites = ()) -> Alert | None:
        """One alert, or None."""
        found: Alert | None = self._record(ALERTS, id, only)
        return found

    def children(
        self, alert: str, only: Sites = (), *, ended: bool = False, after: Place | None = None, limit: int = 100
    ) -> Page:
        """What stands under an alert, in the order in which it came; with `ended` also what stood there."""
        c = tables.alert_children.c
        where = [c.alert == alert, *([] if ended else [c.ended_at.is_(None)])]
        return self._records(CHILDREN, only, where, after, limit, newest_first=False)

    def open_alerts_by_severity(self, only: Sites = ()) -> dict[str, dict[str, int]]:
        """{severity: {state: count}} over the open alerts that stand on their own."""
        c = tables.alerts.c
        statement = select(c.severity, c.state, func.count()).where(
            c.state != _CLOSED, c.parent.is_(None), *within(c.site, only)
        )
        counts: dict[str, dict[str, int]] = {}
        row: Any
        for row in self.rows(statement.group_by(c.severity, c.state)):
            counts.setdefault(str(row[0]), {})[str(row[1])] = int(row[2])
        return counts

    def work_orders(
        self,
        only: Sites = (),
        *,
        state: str = "all",
        team: str | None = None,
        device: str | None = None,
        alert: str | None = None,
        site: str | None = None,
        kind: str | None = None,
        source: str | None = None,
        assignee: str | None = None,
        visit_due: bool = False,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Work orders, newest first. `state` is one of theirs, `unfinished` for all but closed, or `all`."""
        c = tables.work_orders.c
        where = equal(team=(c.team, team), device=(c.device, device), alert=(c.alert, alert), site=(c.site, site))
        where += equal(kind=(c.kind, kind), source=(c.source, source), assignee=(c.assignee, assignee))
        if visit_due:
            where.append(c.visit_due)
        if state == "unfinished":
            where.append(c.state != _CLOSED)
        elif state != "all":
            where.append(c.state == state)
        return self._records(WORK_ORDERS, only, where, after, limit)

    def work_order(self, id: str, only: Sites = ()) -> WorkOrder | None:
        """One work order by id or number, or None."""
        order: WorkOrder | None = self._record(WORK_ORDERS, id, only)
        return order or self._record(WORK_ORDERS, id, only, tables.work_orders.c.number)

    def tracked_order(self, tracking: str) -> WorkOrder | None:
        """The request with that tracking number, or None."""
        order: WorkOrder | None = self._record(WORK_ORDERS, tracking, (), tables.work_orders.c.tracking)
        return order

    def untold_orders(self, limit: int = 100) -> list[WorkOrder]:
        """Orders that an outside system has not been told the newest of, the oldest first."""
        c = tables.work_orders.c
        found = self.rows(select(c.body).where(c.untold).order_by(c.opened_at, c.id).limit(limit))
        return [WORK_ORDERS.decoder.decode(row[0]) for row in found]

    def plan_runs(
        self,
        only: Sites = (),
        *,
        state: str | None = None,
        plan: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Runs of plans, newest first."""
        c = tables.plan_runs.c
        return self._records(PLAN_RUNS, only, equal(state=(c.state, state), plan=(c.plan, plan)), after, limit)

    def plan_run(self, id: str, only: Sites = ()) -> PlanRun | None:
        """One run, or None."""
        found: PlanRun | None = self._record(PLAN_RUNS, id, only)
        return found

    def commands(
        self,
        only: Sites = (),
        *,
        device: str | None = None,
        state: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Commands, newest first. `state` is one of theirs, or `open` for those not final."""
        c = tables.commands.c
        where = equal(device=(c.device, device))
        if state == "open":
            where.append(c.state.in_(_OPEN_COMMANDS))
        elif state is not None:
            where.append(c.state == state)
        return self._records(COMMANDS, only, where, after, limit)

    def command(self, id: str, only: Sites = ()) -> Command | None:
        """One command, or None."""
        found: Command | None = self._record(COMMANDS, id, only)
        return found

    def passes(
        self,
        only: Sites = (),
        *,
        site: str | None = None,
        kind: str | None = None,
        value: str | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page:
        """Passes by id. `value` must match whole."""
        c = tables.passes.c
        where = equal(site=(c.site, site), kind=(c.kind, kind), value=(c.value, value))
        return self._records(PASSES, only, where, after, limit, newest_first=False)

    def pass_(self, id: str, only: Sites = ()) -> Pass | None:
        """One pass, or None."""
        found: Pass | None = self._record(PASSES, id, only)
        return found

    def _records(
        self,
        source: _Source,
        only: Sites,
        where: list[ColumnElement[bool]],
        after: Place | None,
        limit: int,
        *,
        newest_first: bool = True,
    ) -> Page:
        # Which ones is decided on narrow rows; the bodies are read of those alone.
        chosen = select(*source.order).where(*where, *within(source.table.c.site, only))
        found, place = self.page(chosen, source.order, after, limit, newest_first)
        ids = [row[-1] for row in found]
        bodies = {row.id: row.body for row in self.rows(_bodies(source.table, ids))} if ids else {}
        return Page([source.decoder.decode(bodies[id]) for id in ids if id in bodies], place)

    def _record(self, source: _Source, id: str, only: Sites, key: ColumnElement[Any] | None = None) -> Any:
        column = source.table.c.id if key is None else key
        row = self.one(select(source.table.c.body).where(column == id, *within(source.table.c.site, only)))
        return source.decoder.decode(row[0]) if row else None


def _bodies(table: Table, ids: list[str]) -> Select[Any]:
    return select(table.c.id, table.c.body).where(table.c.id.in_(ids))
