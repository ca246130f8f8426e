"""The facts of the reports: narrow readings of many records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, func, literal_column, or_, select

from gateway.model import Command
from gateway.model.facts import AlertFact, DeviceFact, Facts, OrderFact, Passage
from gateway.store import tables
from gateway.store.read_base import QueryBase, Sites, within

_alert = msgspec.json.Decoder(AlertFact).decode
_command = msgspec.json.Decoder(Command).decode
_order = msgspec.json.Decoder(OrderFact).decode
#: A fault that had been closed and began longer before a period than this is not looked at, in seconds.
LOOK_BACK = 31 * 86400.0
HOUSEHOLDS = ("household", "unit", "flat", "home")


class ReportQueries(QueryBase):
    """Everything up to a moment, as far as figures need it."""

    def alert_facts(self, since: float, until: float, only: Sites = ()) -> list[AlertFact]:
        """The alerts of a period: raised in it or up to a month before, or open still."""
        c = tables.alerts.c
        concerned = or_(c.raised_at >= since - LOOK_BACK, c.state != literal_column("'closed'"))
        statement = select(c.body).where(c.raised_at < until, concerned, *within(c.site, only))
        return [_alert(body) for body in self._bodies(statement)]

    def order_facts(self, since: float, until: float, only: Sites = ()) -> list[OrderFact]:
        """The orders opened or closed in a period."""
        c = tables.work_orders.c
        concerned = or_(c.opened_at >= since, c.closed_at >= since)
        statement = select(c.body).where(c.opened_at < until, concerned, *within(c.site, only))
        return [_order(body) for body in self._bodies(statement)]

    def _bodies(self, statement: Select[Any]) -> Sequence[str]:
        with self.engine.connect() as connection:
            return connection.scalars(statement).all()

    def incident_commands(self, alert: str, only: Sites = ()) -> list[Command]:
        """The commands that came of an alert."""
        c = tables.commands.c
        named = c.body.contains(f'"alert":"{alert}"', autoescape=True)
        found = [_command(row[0]) for row in self.rows(select(c.body).where(named, *within(c.site, only)))]
        return [command for command in found if command.alert == alert]

    def audit_chain(self, targets: Collection[str]) -> list[tuple[Any, ...]]:
        """The audit from the first line about one of the targets to the last, as its columns stand."""
        c = tables.audit.c
        span: Any = self.one(select(func.min(c.id), func.max(c.id)).where(c.target.in_(sorted(targets))))
        if span is None or span[0] is None:
            return []
        rows = self.rows(select(tables.audit).where(c.id >= span[0], c.id <= span[1]).order_by(c.id))
        return [tuple(row) for row in rows]

    def facts(self, since: float, until: float, roster_gaps: Mapping[str, int], only: Sites = ()) -> Facts:
        """What the figures of periods from `since` to `until` read."""
        devices, zones = tables.devices.c, tables.zones.c
        passed, audit = tables.decisions.c, tables.audit.c
        placed = select(
            devices.id, devices.site, devices.type, devices.zone, devices.building, devices.name, devices.created_at
        ).where(devices.enabled, devices.adapter != "internal", *within(devices.site, only))
        passages = select(
            passed.id, passed.site, passed.kind, passed.direction, passed.pass_id, passed.time, passed.device
        ).where(passed.allowed, passed.time >= since, passed.time < until, *within(passed.site, only))
        homes = self.one(select(func.count()).where(zones.kind.in_(HOUSEHOLDS), *within(zones.site, only)))
        oldest = self.one(select(func.min(audit.time)))
        return Facts(
            alerts=self.alert_facts(since, until, only),
            orders=self.order_facts(since, until, only),
            devices=[
                DeviceFact(row.id, row.site, row.type, row.zone, row.building, bool(row.name), row.created_at)
                for row in self.rows(placed)
            ],
            passages=[Passage._make(row) for row in self.rows(passages)],
            roster_gaps=dict(roster_gaps),
            households=int(homes[0]) if homes else 0,
            oldest_log=oldest[0] if oldest else None,
        )
