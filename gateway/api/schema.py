"""Schemas of the answers for OpenAPI, made from the model's structs so that they cannot drift apart."""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field, create_model

from gateway.api.shape import may_be_none, parts_of, schema_type
from gateway.model import (
    Alert,
    Child,
    Command,
    DeviceList,
    HandoverList,
    Notification,
    Outage,
    PackVersion,
    Pass,
    Person,
    PlanRun,
    Roster,
    Round,
    Shift,
    Site,
    WorkOrder,
    Zone,
)
from gateway.store.rows import AuditRow, DeadLetter, DecisionRow, EventRow, TokenRow, Unregistered

Item = TypeVar("Item")
Text = dict[str, str]


class Shown(BaseModel):
    """Base of all answers: nothing more than what is named."""

    model_config = ConfigDict(extra="forbid")


class Listing(Shown, Generic[Item]):
    """A page of a list. `next` is the cursor of the next page, null at the end."""

    items: list[Item]
    next: str | None


@functools.cache
def shown(struct: type[msgspec.Struct]) -> type[BaseModel]:
    """The schema of a struct as `present.plain` shows it."""
    fields: dict[str, Any] = {}
    for part in parts_of(struct):
        kind: Any
        if part.look == "time":
            kind = datetime
        elif part.struct is not None:
            kind = list[shown(part.struct)] if part.look == "structs" else shown(part.struct)  # type: ignore[misc]
        else:
            kind = schema_type(part.type)
        fields[part.name] = (kind | None if may_be_none(part.type) else kind, ...)
    doc = (struct.__doc__ or "").split("\n")[0]
    return create_model(struct.__name__, __base__=Shown, __doc__=doc, **fields)


AlertOut = shown(Alert)
ChildOut = shown(Child)
WorkOrderOut = shown(WorkOrder)
PlanRunOut = shown(PlanRun)
CommandOut = shown(Command)
PassOut = shown(Pass)
PersonOut = shown(Person)
NotificationOut = shown(Notification)
ShiftOut = shown(Shift)
HandoverListOut = shown(HandoverList)
SiteOut = shown(Site)
ZoneOut = shown(Zone)
EventOut = shown(EventRow)
DeadLetterOut = shown(DeadLetter)
UnregisteredOut = shown(Unregistered)
AuditOut = shown(AuditRow)
TokenOut = shown(TokenRow)
DeviceListOut = shown(DeviceList)
RoundOut = shown(Round)
OutageOut = shown(Outage)


class OutagesOut(Shown):
    """What is out of service."""

    items: list[OutageOut]  # type: ignore[valid-type]


class DecisionOut(shown(DecisionRow)):  # type: ignore[misc]
    """A decision at a door or barrier. `text` says its reason in words, by language."""

    text: Text


class DeviceListsOut(Shown):
    """All lists at devices."""

    items: list[DeviceListOut]  # type: ignore[valid-type]


class ListEntryOut(Shown):
    """One value on a device's list. `wanted` says whether it shall be there."""

    value: str
    state: str
    wanted: bool
    blocked: bool
    attempts: int
    reason: str


class ListEntriesOut(Shown):
    """A list at a device, and some of its entries."""

    summary: DeviceListOut  # type: ignore[valid-type]
    items: list[ListEntryOut]


class RosterOut(shown(Roster)):  # type: ignore[misc]
    """A roster. `gaps` are the times of its cycle at which nobody is on duty."""

    gaps: list[str]


class DutyOut(Shown):
    """Somebody on duty now."""

    person: str
    name: str
    role: str
    team: str
    roster: str
    site: str
    until_at: datetime


class ChannelOut(BaseModel):
    """A channel to people, with the words of its type; secrets are masked. `failing` holds the last reason."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    language: str
    needs: str
    failing: str | None


class HandoverOut(Shown):
    """What a shift leaves to the next. `signed` is false while it is only a preview of what stands open now.

    `blocking` are the critical alerts that nobody has acknowledged: with them nothing is signed.
    """

    shift: str
    site: str
    signed: bool
    chapters: list[HandoverListOut]  # type: ignore[valid-type]
    notes: str
    signed_by: str | None
    signed_at: datetime | None
    in_place_of: str
    reason: str
    accepted_by: str | None
    accepted_at: datetime | None
    since: list[str]
    blocking: list[str]


class RequestSite(Shown):
    """A site that offers the form."""

    id: str
    name: Text


class RequestFormOut(Shown):
    """What the residents' form offers; no sites means that there is no form."""

    sites: list[RequestSite]
    kinds: list[str]
    categories: list[str]
    language: str


class RequestMadeOut(Shown):
    """A request just made. `respond_by` is until when somebody takes it."""

    tracking: str
    number: str
    respond_by: datetime | None


class RequestStep(Shown):
    """One thing that happened. `text` is an answer to the resident."""

    action: str
    time: datetime | None
    text: str


class RequestStateOut(Shown):
    """How far a request is, as its resident may know it."""

    tracking: str
    number: str
    kind: str
    state: str
    outcome: str
    opened_at: datetime | None
    respond_by: datetime | None
    resolve_by: datetime | None
    taken: bool
    paused: bool
    founded: bool | None
    score: int | None
    may_rate: bool
    may_reopen: bool
    steps: list[RequestStep]


class ScheduleOut(Shown):
    """A schedule, where it stands, and its next times. `totals` are cycles, or seconds of running, by device."""

    id: str
    site: str
    title: Text
    does: str
    at: str
    counts: dict[str, Any] | None
    devices: list[str]
    team: str
    plan: str
    points: int
    next_times: list[datetime]
    last_at: datetime | None
    ran: int
    missed: int
    paused: str
    problem: str
    result: str
    totals: dict[str, float]


PackVersionOut = shown(PackVersion)


class PackOut(Shown):
    """A rule pack. `version` is the one in force, 0 for none and for the product's; `waiting` and `refused` are others.

    `written` is whether the file of the pack holds it.
    """

    name: str
    shipped: bool
    deleted: bool
    version: int
    hash: str
    rules: int
    author: str | None
    reason: str | None
    created_at: datetime | None
    confirmed_by: str | None
    written: bool
    waiting: PackVersionOut | None  # type: ignore[valid-type]
    refused: PackVersionOut | None  # type: ignore[valid-type]


class PackTextOut(PackOut):
    """A rule pack with its text; null where none is in force."""

    text: str | None


class PackVersionTextOut(PackVersionOut):  # type: ignore[valid-type,misc]
    """A version with its text."""

    text: str | None


class KindState(Shown):
    """The newest event of one kind."""

    data: dict[str, Any]
    received: datetime | None
    time: datetime | None


class DeviceOut(Shown):
    """One piece of equipment and what is known of it now."""

    id: str
    site: str
    adapter: str
    external_id: str
    type: str
    name: Text
    zone: str | None
    building: str | None
    connected_via: str | None
    powered_by: str | None
    timezone: str | None
    report_interval: float
    enabled: bool
    settings: dict[str, Any]
    commands: list[str]
    version: int
    created_at: datetime
    online: bool | None
    last_at: datetime | None
    skew: float | None
    messages: int
    state: dict[str, KindState]


class Credential(Shown):
    """A device's credential, shown once. `username` is the device's id."""

    username: str
    password: str


class Blocked(Shown):
    """What forbids a command now."""

    id: str
    reason: Text


class SelectionOut(Shown):
    """A command that was selected. `confirm` is null where something forbids it; else it confirms it in time, once."""

    device: str
    name: str
    args: dict[str, Any]
    confirm: str | None
    confirm_by: datetime | None
    confirm_within: float
    blocked: list[Blocked]
    needs_reason: bool
    needs_second: bool
    online: bool | None
    last_at: datetime | None
    state: dict[str, KindState]


class NewDeviceOut(DeviceOut):
    """A device just registered, with its credential."""

    credential: Credential


class CredentialOut(Shown):
    """A device's new credential."""

    device: str
    credential: Credential


class UserOut(Shown):
    """An account."""

    name: str
    role: str
    sites: list[str]
    language: str
    disabled: bool
    created_at: datetime
    version: int
    has_password: bool


class NewTokenOut(TokenOut):  # type: ignore[valid-type,misc]
    """A token just made. `token` is shown once."""

    token: str


class SessionOut(Shown):
    """Who is signed in. `csrf` goes into the header X-CSRF-Token of everything that is not a GET."""

    user: str
    role: str
    sites: list[str]
    language: str
    csrf: str
    expires_at: datetime | None


class Outcome(Shown):
    """The outcome of an action that has no record of its own."""

    done: bool
    result: dict[str, Any]


class WhyOut(Shown):
    """Why an alert was raised. `definition` is null where the rule is no longer loaded.

    `answer` is the condition clause by clause as it was then; null where it cannot be told, as `answer_problem` says.
    """

    rule: str
    title: Text
    values: dict[str, Any]
    evidence: list[dict[str, Any]]
    definition: dict[str, Any] | None
    answer: dict[str, Any] | None
    answer_problem: str | None


class LedgerOut(Shown):
    """What came in and what became of it: `received` equals the sum of `fates`."""

    received: int
    fates: dict[str, int]


class HistoryOut(Shown):
    """A series. Each point is a time, RFC 3339 or milliseconds since 1970, and a value, null in a gap."""

    device: str
    field: str
    unit: str
    points: list[Annotated[list[str | float | None], Field(min_length=2, max_length=2)]]


class StatusOut(Shown):
    """How the gateway is. A link is `up`, `down` or `unknown`."""

    version: str
    server_time: datetime
    uptime_seconds: float
    links: dict[str, str]
    counts: dict[str, int]
    alerts: dict[str, dict[str, int]]
    last_change: int
    streams: int
    core: dict[str, Any]


class HealthOut(Shown):
    """One word."""

    status: str
