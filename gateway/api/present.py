"""From structs to JSON values: wall times in RFC 3339, steady times left out, personal data masked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.api.masking import Masking, mask, scrub, strike
from gateway.api.shape import parts_of
from gateway.model import (
    Alert,
    Catalogue,
    Child,
    Command,
    Device,
    DeviceList,
    ListEntry,
    Notification,
    Pass,
    Person,
    PlanRun,
    Roster,
    Shift,
    Site,
    WorkOrder,
    Zone,
)
from gateway.services.calendar import gaps
from gateway.services.decision_reasons import REASONS
from gateway.store.rows import (
    AuditRow,
    DeadLetter,
    DecisionRow,
    DeviceRow,
    EventRow,
    Standing,
    TokenRow,
    Unregistered,
    UserRow,
)

Json = dict[str, Any]

#: Years 1 to 9999: what RFC 3339 can say. Devices have claimed stranger times.
_EARLIEST, _LATEST = -62_135_596_800.0, 253_402_300_799.0


def rfc3339(seconds: float | None) -> str | None:
    """Unix seconds as `2026-11-22T03:04:05.678Z`."""
    if seconds is None or math.isnan(seconds):
        return None
    moment = datetime.fromtimestamp(min(max(seconds, _EARLIEST), _LATEST), UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def plain(struct: msgspec.Struct) -> Json:
    """A struct's shown fields, nothing masked."""
    shown: Json = {}
    for name, look, _, _ in parts_of(type(struct)):
        value = getattr(struct, name)
        if look == "time":
            value = rfc3339(value)
        elif look == "structs":
            value = [plain(item) for item in value]
        elif look == "struct" and value is not None:
            value = plain(value)
        shown[name] = value
    return shown


def times_told(value: Any) -> Any:
    """Plain values with every `*_at` in RFC 3339."""
    if isinstance(value, list):
        return [times_told(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: rfc3339(item) if name.endswith("_at") and isinstance(item, float | None) else times_told(item)
        for name, item in value.items()
    }


class Presenter:
    """Everything the API shows, as it shows it. `reveal=True` leaves personal data readable.

    `command_words` are what each adapter can be told, by its name.
    """

    def __init__(self, catalogue: Catalogue, command_words: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._words = command_words or {}
        self.masking = Masking(catalogue)

    def alert(self, alert: Alert, reveal: bool = False) -> Json:
        """An alert. What is personal in its values is struck from its texts too."""
        shown = plain(alert)
        if reveal:
            return shown
        secrets = self.masking.secrets("", alert.values)
        for evidence, item in zip(alert.evidence, shown["evidence"], strict=True):
            secrets |= self.masking.secrets(evidence.kind, evidence.data)
            item["data"] = self.masking.data(evidence.kind, evidence.data)
        shown["values"] = self.masking.named(alert.values)
        for name in ("title", "reason", "advice", "consequence"):
            shown[name] = strike(shown[name], secrets)
        shown["symptoms"] = [self.child(child) for child in alert.symptoms]
        return shown

    def child(self, child: Child, reveal: bool = False) -> Json:
        """What stands under an alert."""
        shown = plain(child)
        if not reveal:
            shown["title"] = strike(shown["title"], self.masking.secrets("", child.values))
            shown["values"] = self.masking.named(child.values)
        return shown

    def work_order(self, order: WorkOrder, reveal: bool = False) -> Json:
        """A work order."""
        shown = plain(order)
        if not reveal:
            shown["title"] = {language: scrub(text) for language, text in order.title.items()}
            shown["text"] = scrub(order.text)
            if order.requester is not None:
                asked = order.requester
                personal = {"name": mask(asked.name), "phone": mask(asked.phone), "address": mask(asked.address)}
                shown["requester"] = {**shown["requester"], **personal}
        return shown

    def plan_run(self, run: PlanRun) -> Json:
        """A plan's run with its steps."""
        return plain(run)

    def command(self, command: Command, reveal: bool = False) -> Json:
        """A command."""
        shown = plain(command)
        if not reveal:
            shown["args"] = self.masking.named(command.args)
        return shown

    def pass_(self, entry: Pass, reveal: bool = False) -> Json:
        """A pass."""
        shown = plain(entry)
        if not reveal:
            shown["value"], shown["name"] = mask(entry.value), mask(entry.name)
            shown["note"] = scrub(entry.note)
            shown["household"] = mask(entry.household)
            shown["host"] = mask(entry.host)
            shown["picture"] = mask(entry.picture)
        return shown

    def device_list(self, one: DeviceList) -> Json:
        """How a list at a device stands."""
        return plain(one)

    def list_entry(self, entry: ListEntry) -> Json:
        """One value on a device's list, always masked: the pass itself can be shown."""
        wanted = msgspec.json.decode(entry.wanted) if entry.wanted else {}
        return {
            "value": mask(entry.value),
            "state": entry.state,
            "wanted": bool(entry.wanted),
            "blocked": bool(wanted.get("blocked")),
            "attempts": entry.attempts,
            "reason": entry.reason,
        }

    def person(self, person: Person, reveal: bool = False) -> Json:
        """Somebody who can be on duty; how they are reached is personal."""
        shown = plain(person)
        if not reveal:
            shown["addresses"] = {kind: mask(address) for kind, address in person.addresses.items()}
        return shown

    def roster(self, roster: Roster) -> Json:
        """A roster, with the times at which nobody is on duty."""
        return {**plain(roster), "gaps": [gap.spoken(roster.cycle_weeks) for gap in gaps(roster)]}

    def shift(self, shift: Shift) -> Json:
        """A shift with its hand-over. Titles of alerts were made for everybody; plates in free texts are masked."""
        return plain(shift)

    def notification(self, notification: Notification) -> Json:
        """A message to people. Their addresses are not in it."""
        return plain(notification)

    def site(self, site: Site) -> Json:
        """A site."""
        return plain(site)

    def zone(self, zone: Zone) -> Json:
        """A zone."""
        return plain(zone)

    def device(self, row: DeviceRow, reveal: bool = False) -> Json:
        """A device with its version and what is known of it now."""
        return {**plain(row.device), **self._about(row), "state": self.state(row.standing, reveal)}

    def bare_device(self, device: Device, row: DeviceRow | None) -> Json:
        """A device as a change tells it, with what is known of it."""
        about = row or DeviceRow(device=device, created_at=0.0, version=0)
        return {**plain(device), **self._about(about), "state": self.state(about.standing)}

    def _about(self, row: DeviceRow) -> Json:
        return {
            "commands": list(self._words.get(row.device.adapter, ())),
            "version": row.version,
            "created_at": rfc3339(row.created_at),
            "online": row.standing.online,
            "last_at": rfc3339(row.standing.last_at),
            "skew": row.standing.skew,
            "messages": row.standing.messages,
        }

    def state(self, standing: Standing, reveal: bool = False) -> Json:
        """{kind: {"data", "received", "time"}} of the newest event of each kind."""
        return self.kinds(standing.kinds, reveal)

    def kinds(self, kinds: Mapping[str, Any], reveal: bool = False) -> Json:
        """The newest events by kind, times told and personal data masked."""
        return {
            kind: {
                "data": told.get("data", {}) if reveal else self.masking.data(kind, told.get("data", {})),
                "received": rfc3339(told.get("received")),
                "time": rfc3339(told.get("time")),
            }
            for kind, told in kinds.items()
        }

    def event(self, row: EventRow, reveal: bool = False) -> Json:
        """An event."""
        shown = plain(row)
        if not reveal:
            shown["data"] = self.masking.data(row.kind, row.data)
        return shown

    def decision(self, row: DecisionRow, reveal: bool = False) -> Json:
        """A decision at a door or barrier."""
        shown = plain(row)
        if not reveal:
            shown["value"] = mask(row.value)
        return {**shown, "text": dict(REASONS.get(row.reason, {}))}

    def dead_letter(self, letter: DeadLetter, reveal: bool = False) -> Json:
        """A message not accepted; its bytes, in base64, only when revealed."""
        shown = plain(letter)
        if not reveal:
            shown["payload"] = None
            shown["reason"] = scrub(letter.reason)
            shown["place"] = scrub(letter.place)
        return shown

    def unregistered(self, entry: Unregistered) -> Json:
        """A device in quarantine."""
        return plain(entry)

    def audit(self, row: AuditRow) -> Json:
        """A line of the audit."""
        shown = plain(row)
        also = frozenset(("value", "name")) if row.action.startswith("pass.") else frozenset[str]()
        shown["detail"] = self.masking.named(row.detail, also)
        return shown

    def user(self, user: UserRow) -> Json:
        """An account, without anything of its password but whether there is one."""
        shown = plain(user)
        shown["has_password"] = shown.pop("password_hash") is not None
        return shown

    def token(self, token: TokenRow) -> Json:
        """A program's token."""
        return plain(token)
