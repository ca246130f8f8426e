"""Rows of people, rosters, shifts and messages, of schedules and rounds, of devices' own lists and outages."""

from __future__ import annotations

from sqlalchemy import Table

from gateway.model import DeviceList, Notification, Outage, Person, Roster, Round, Schedule, Shift
from gateway.model.changes import Record
from gateway.store import tables
from gateway.store.writer import WriteBatch


def add_duty(record: Record, text: str, batch: WriteBatch) -> tuple[str, str, bytes]:
    """Adds the record's row. What the followers are told of it: kind, site and body.

    Of a person they learn only that something changed: how somebody is reached is not for every listener.
    """
    if isinstance(record, Person):
        batch.people.append((record.id, record.version, text))
        return "person", "", b"null"
    if isinstance(record, Roster):
        batch.rosters.append((record.id, record.site, record.version, text))
        return "roster", record.site, text.encode()
    if isinstance(record, Shift):
        batch.shifts.append(
            (record.id, record.site, record.desk, record.state.value, record.started_at, record.version, text)
        )
        return "shift", record.site, text.encode()
    if isinstance(record, Schedule):
        batch.schedules.append((record.id, record.site, record.version, text))
        return "schedule", record.site, text.encode()
    if isinstance(record, Round):
        batch.rounds.append(
            (record.id, record.schedule, record.site, record.state, record.started_at, record.version, text)
        )
        return "round", record.site, text.encode()
    if isinstance(record, Notification):
        batch.notifications.append((
            record.id, record.site, record.state.value, record.alert, record.key, record.attempts, record.created_at,
            record.next_at, record.version, text,
        ))  # fmt: skip
        return "notification", record.site, text.encode()
    if isinstance(record, DeviceList):
        batch.device_lists.append((record.id, record.site, record.version, text))
        return "device_list", record.site, text.encode()
    if isinstance(record, Outage):
        batch.outages.append((record.id, record.site, record.state, record.from_at, record.version, text))
        return "outage", record.site, text.encode()
    raise TypeError(f"{type(record).__name__} has no table")


def removed(record: Record) -> tuple[Table, str, str] | None:
    """The table, kind and site of a record that is gone."""
    if isinstance(record, Person):
        return tables.people, "person", ""
    if isinstance(record, Roster):
        return tables.rosters, "roster", record.site
    if isinstance(record, DeviceList):
        return tables.device_lists, "device_list", record.site
    return None
