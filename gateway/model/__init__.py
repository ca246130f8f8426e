"""The vocabulary of Gatehouse: frozen data, no I/O, no clock.

Two clocks appear in these types, told apart by name. Fields ending in `_at` or `_by`, and `time`, `received`,
`expires`, are wall-clock Unix seconds, for people and other systems: the API shows them in RFC 3339. Fields ending
in `_due`, and `at`, are seconds on the gateway's steady clock, on which holds, deadlines and expiries are measured: a
step of the wall clock does not move them, and the API does not show them.
"""

from gateway.model.alert import Alert, AlertState, Child, Comment, Evidence, Severity, Shelving, ShelvingAsk
from gateway.model.audit import DIRECT, SCOPES, Actor, AuditEntry, Role
from gateway.model.catalogue import Catalogue, Field, Kind, Misfit
from gateway.model.changes import Action, Changes, Outgoing, Told
from gateway.model.command import Command, CommandResult, CommandState
from gateway.model.device_list import DeviceList, ListEntry
from gateway.model.duty import (
    Cover,
    Handover,
    HandoverItem,
    HandoverList,
    Person,
    Roster,
    Shift,
    ShiftState,
    Slot,
)
from gateway.model.escalation import (
    Attempt,
    Call,
    Delivery,
    Escalation,
    Notification,
    NotificationState,
    Recipient,
)
from gateway.model.event import Event, Fate
from gateway.model.judgement import Cleared, Raised, RuleChange, Withheld
from gateway.model.outage import Outage
from gateway.model.passes import Decision, DecisionRecord, Pass, Question
from gateway.model.place import Device, Site, Zone
from gateway.model.plan import PlanRun, StepRun, StepState
from gateway.model.rule_pack import BY_FILE, Hidden, PackVersion, VersionState
from gateway.model.schedule import Count, PointState, Round, RoundPoint, Schedule
from gateway.model.work_order import (
    Deferral,
    LogEntry,
    OrderFile,
    OrderKind,
    OrderPause,
    OrderState,
    Outside,
    Part,
    Rating,
    Requester,
    Visit,
    WorkOrder,
)

__all__ = [
    "BY_FILE",
    "DIRECT",
    "SCOPES",
    "Action",
    "Actor",
    "Alert",
    "AlertState",
    "Attempt",
    "AuditEntry",
    "Call",
    "Catalogue",
    "Changes",
    "Child",
    "Cleared",
    "Command",
    "CommandResult",
    "CommandState",
    "Comment",
    "Count",
    "Cover",
    "Decision",
    "DecisionRecord",
    "Deferral",
    "Delivery",
    "Device",
    "DeviceList",
    "Escalation",
    "Event",
    "Evidence",
    "Fate",
    "Field",
    "Handover",
    "HandoverItem",
    "HandoverList",
    "Hidden",
    "Kind",
    "ListEntry",
    "LogEntry",
    "Misfit",
    "Notification",
    "NotificationState",
    "OrderFile",
    "OrderKind",
    "OrderPause",
    "OrderState",
    "Outage",
    "Outgoing",
    "Outside",
    "PackVersion",
    "Part",
    "Pass",
    "Person",
    "PlanRun",
    "PointState",
    "Question",
    "Raised",
    "Rating",
    "Recipient",
    "Requester",
    "Role",
    "Roster",
    "Round",
    "RoundPoint",
    "RuleChange",
    "Schedule",
    "Severity",
    "Shelving",
    "ShelvingAsk",
    "Shift",
    "ShiftState",
    "Site",
    "Slot",
    "StepRun",
    "StepState",
    "Told",
    "VersionState",
    "Visit",
    "Withheld",
    "WorkOrder",
    "Zone",
]
