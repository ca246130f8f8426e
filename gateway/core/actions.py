"""What people and programs ask for: an action finds who carries it out, and its outcome goes back after the commit."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select, update

from gateway.contract import Adapter, Pushes
from gateway.core.accounts import Accounts
from gateway.core.editing.edits import Edits
from gateway.core.editing.files import Files
from gateway.core.inventory import Inventory
from gateway.core.journal import ActionEntry, MessageEntry
from gateway.core.pipeline import Pipeline
from gateway.core.rows import ChangeFeed, Statements
from gateway.core.sheet import Reporter, Sheet
from gateway.errors import Forbidden, GatehouseError, Invalid, NotFound
from gateway.model import Action, AuditEntry, Device, Role
from gateway.model.visitor import redacted
from gateway.store import tables
from gateway.store.writer import Writer

_log = logging.getLogger(__name__)


class Actions:
    """The one door's inner side. Owned by the core's thread."""

    def __init__(
        self,
        *,
        writer: Writer,
        pipeline: Pipeline,
        adapters: Mapping[str, Adapter],
        desk: Any,
        feed: ChangeFeed,
        statements: Statements,
        edits: Edits,
        files: Files,
        on_topology: Callable[[Sequence[Device], Sheet], None],
        on_devices: Callable[[], None],
    ) -> None:
        self._edits = edits
        self._files = files
        self._writer = writer
        self._pipeline = pipeline
        self._desk = desk
        self._feed = feed
        self._statements = statements
        self._on_topology = on_topology
        self._on_devices = on_devices
        self.inventory = Inventory(pipeline.registry, adapters, statements)
        self.accounts = Accounts(statements)

    def load(self) -> None:
        """Takes over the accounts of the database."""
        users = [
            dict(zip(tables.users.c.keys(), row, strict=True)) for row in self._writer.select(select(tables.users))
        ]
        tokens = self._writer.select(
            select(tables.tokens.c.id, tables.tokens.c.name).where(tables.tokens.c.revoked_at.is_(None))
        )
        sessions = tables.sessions
        links = self._writer.select(
            select(sessions.c.hash, sessions.c.user, sessions.c.expires_at).where(sessions.c.kind == "link")
        )
        self.accounts.load(users, dict(tokens), {row[0]: (row[1], row[2]) for row in links})

    def act(self, action: Action, report: Reporter, sheet: Sheet) -> None:
        """Carries out one action. `report` is told after the commit; a refused action changes nothing."""
        entry = ActionEntry(sheet.at, sheet.wall, action.name, _kept(action), action.actor.name)
        mark = len(self._statements.pending)
        try:
            result = self._carry_out(action, sheet)
        except GatehouseError as error:
            del self._statements.pending[mark:]
            entry.outcome = error.code
            sheet.reports.append((report, None, error))
        except Exception as error:
            _log.exception("action %s failed", action.name)
            del self._statements.pending[mark:]
            entry.outcome = "internal"
            sheet.reports.append((report, None, GatehouseError(f"'{action.name}' failed: {error}")))
        else:
            sheet.reports.append((report, result, None))
        sheet.entries.append(entry)

    def _carry_out(self, action: Action, sheet: Sheet) -> Any:
        if action.name in self.inventory.ROLES or action.name in self.accounts.ROLES:
            return self._administer(action, sheet)
        if action.name == "message.ingest":
            return self._ingest(action, sheet)
        if action.name in self._edits.action_names:
            return self._edits.carry_out(action, sheet)
        if action.name in self._files.action_names:
            return self._files.carry_out(action, sheet)
        if action.name in ("dead_letter.retry", "dead_letter.discard"):
            return self._dead_letter(action, sheet)
        if action.name == "audit.note":
            args = action.args
            sheet.changes.note(
                AuditEntry(
                    time=sheet.wall,
                    actor=action.actor.name,
                    action=str(args.get("action", "note"))[:64],
                    target=str(args.get("target", ""))[:256],
                    detail=dict(args.get("detail") or {}),
                )
            )
            return {}
        return msgspec.to_builtins(self._desk.act(action, sheet.at, sheet.wall, sheet.changes))

    def _administer(self, action: Action, sheet: Sheet) -> dict[str, Any]:
        room = self.inventory if action.name in self.inventory.ROLES else self.accounts
        result = room.carry_out(action, sheet.wall)
        if self.inventory.changed:
            changed, self.inventory.changed = self.inventory.changed, []
            self._on_topology(changed, sheet)
            for device in changed[:1000]:
                body = msgspec.json.encode(device)
                sheet.rows.changes.append(self._feed.row(sheet.wall, "device", device.id, device.site, body))
            sheet.reports.append((lambda _result, _error: self._on_devices(), None, None))
        elif action.name in ("site.put", "zone.put"):
            self._on_topology([], sheet)
        sheet.changes.note(_audit_of(action, result, sheet.wall))
        return result

    def _ingest(self, action: Action, sheet: Sheet) -> dict[str, Any]:
        """A message that came by HTTP: through the same door, answered after the commit."""
        name, device = str(action.args.get("adapter")), str(action.args.get("device"))
        adapter = self._pipeline.adapter(name)
        known = self._pipeline.registry.devices.get(device)
        if adapter is None or known is None or known.adapter != adapter.manifest.name:
            raise NotFound("device of that adapter", f"{name}/{device}")
        try:
            payload = base64.b64decode(str(action.args.get("payload") or ""), validate=True)
        except ValueError:
            raise Invalid("payload", "not base64") from None
        entry = MessageEntry(sheet.at, sheet.wall, f"ingest/{name}/{device}", payload, adapter=adapter.manifest.name)
        letters = len(sheet.rows.dead_letters)
        fate, decoded, allowed = self._pipeline.message(entry, sheet)
        reason = ""
        if len(sheet.rows.dead_letters) > letters:
            place, why = sheet.rows.dead_letters[-1][5:7]
            reason = f"{place}: {why}" if place else why
        content_type, body = "application/json", msgspec.json.encode({"fate": fate.value, "reason": reason})
        if decoded is not None and isinstance(adapter, Pushes):
            content_type, body = adapter.http_reply(decoded, allowed)
        return {
            "fate": fate.value,
            "reason": reason,
            "content_type": content_type,
            "body": base64.b64encode(body).decode(),
        }

    def _dead_letter(self, action: Action, sheet: Sheet) -> dict[str, Any]:
        if not action.actor.role.includes(Role.ENGINEER):
            raise Forbidden(f"'{action.name}' needs the role engineer; {action.actor.name} has {action.actor.role}")
        number = action.args.get("id")
        letters = tables.dead_letters
        rows = self._writer.select(
            select(letters.c.topic, letters.c.payload, letters.c.adapter, letters.c.size).where(letters.c.id == number)
        )
        if not rows:
            raise NotFound("dead letter", number)
        topic, payload, adapter, size = rows[0]
        state, fate = "discarded", ""
        if action.name == "dead_letter.retry":
            if size > len(payload):
                raise Invalid(
                    "id", f"only the first {len(payload)} of {size} bytes were kept: the device has to send it again"
                )
            self._pipeline.rejects.forget(topic, bytes(payload))
            named = adapter if topic.startswith("ingest/") else ""
            met, _, _ = self._pipeline.message(
                MessageEntry(sheet.at, sheet.wall, topic, bytes(payload), adapter=named), sheet
            )
            state, fate = "retried", met.value
        self._statements.add(update(letters).where(letters.c.id == number).values(state=state))
        sheet.changes.note(_audit_of(action, {"id": number, "fate": fate}, sheet.wall))
        return {"id": number, "state": state, "fate": fate}


def _kept(action: Action) -> dict[str, Any]:
    """The arguments as the journal keeps them: without signatures, and without a message, which has its own entry."""
    return {
        name: redacted(value) if isinstance(value, str) else value
        for name, value in action.args.items()
        if name != "payload" or action.name != "message.ingest"
    }


def _audit_of(action: Action, result: Mapping[str, Any], wall: float) -> AuditEntry:
    args = action.args
    target = result.get("id") or result.get("name") or args.get("id") or result.get("user") or ""
    hidden = {"secret_hash", "hash", "link_hash", "csrf", "password_hash", "devices"}
    return AuditEntry(
        time=wall,
        actor=action.actor.name,
        action=action.name,
        target=str(target)[:256],
        detail={name: value for name, value in args.items() if name not in hidden},
    )
