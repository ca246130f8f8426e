"""What a batch changed: collected by the services while they judge, written by the core in one transaction."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.model.alert import Alert, Child
from gateway.model.audit import Actor, AuditEntry
from gateway.model.command import Command
from gateway.model.device_list import DeviceList, ListEntry
from gateway.model.duty import Person, Roster, Shift
from gateway.model.escalation import Delivery, Notification
from gateway.model.outage import Outage
from gateway.model.passes import DecisionRecord, Pass
from gateway.model.plan import PlanRun
from gateway.model.schedule import Round, Schedule
from gateway.model.work_order import WorkOrder

Record = (
    Alert
    | Child
    | WorkOrder
    | PlanRun
    | Command
    | Pass
    | Person
    | Roster
    | Shift
    | Schedule
    | Round
    | Notification
    | DeviceList
    | ListEntry
    | Outage
)


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A message to publish after the commit. `durable` ones wait in the outbox until the broker has them.

    A command is never durable: it is sent once, now, or not at all.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    expiry: float | None = None
    durable: bool = False


class Told(msgspec.Struct, frozen=True):
    """What the services found out of a device and the rules shall judge, as if the device had said it.

    Where there is no device the gateway says it itself, of `site`.
    """

    device: str
    kind: str
    data: dict[str, Any]
    site: str = ""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a person, a program or a rule asks for: `name` is `noun.verb` (`alert.acknowledge`)."""

    name: str
    args: dict[str, Any] = {}
    actor: Actor = Actor("system")
    id: str = ""


class Changes:
    """A batch's changes, in order. Putting a record again replaces it: only its last state is written."""

    def __init__(self) -> None:
        self.records: dict[tuple[type, str], Record] = {}
        self.removed: dict[tuple[type, str], Record] = {}
        self.decisions: list[DecisionRecord] = []
        self.outgoing: list[Outgoing] = []
        self.commands: list[Command] = []
        self.instructions: list[Command] = []
        self.audit: list[AuditEntry] = []
        self.told: list[Told] = []
        self.deliveries: list[Delivery] = []

    def put(self, record: Record) -> None:
        """The record's newest state, to be written and announced."""
        self.records[type(record), record.id] = record
        self.removed.pop((type(record), record.id), None)

    def remove(self, record: Record) -> None:
        """The record is gone: its row is deleted, and that is announced."""
        self.records.pop((type(record), record.id), None)
        self.removed[type(record), record.id] = record

    def decide(self, decision: DecisionRecord) -> None:
        """A decision at a door or barrier, to be kept and announced with its value masked."""
        self.decisions.append(decision)

    def send(self, message: Outgoing) -> None:
        """A message to publish after the commit."""
        self.outgoing.append(message)

    def dispatch(self, command: Command) -> None:
        """A command, already in state `sent`, whose bytes leave after the commit. Also puts it."""
        self.put(command)
        self.commands.append(command)

    def instruct(self, command: Command) -> None:
        """A message that keeps a device's own list: by the outbox, at least once. Its answer names the command's id."""
        self.instructions.append(command)

    def deliver(self, delivery: Delivery) -> None:
        """A message that leaves for a person after the commit. Also puts it."""
        self.put(delivery.notification)
        self.deliveries.append(delivery)

    def note(self, entry: AuditEntry) -> None:
        """A line for the audit."""
        self.audit.append(entry)

    def tell(self, device: str, kind: str, data: dict[str, Any], site: str = "") -> None:
        """An event for the rules to judge, before the batch is written."""
        self.told.append(Told(device, kind, data, site))

    def take_told(self) -> list[Told]:
        """What was told since the last call."""
        told, self.told = self.told, []
        return told

    def __bool__(self) -> bool:
        return bool(self.records or self.removed or self.decisions or self.outgoing or self.commands or self.audit)
