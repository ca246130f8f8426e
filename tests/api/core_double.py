"""A stand-in for the core: keeps every action it is handed, and applies those the API tests lean on to a database."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from sqlalchemy import create_engine, delete, event, func, insert, select, update

from gateway.errors import Conflict, GatehouseError, NotFound, StaleVersion, Unavailable
from gateway.model import (
    Action,
    Alert,
    AlertState,
    Command,
    CommandState,
    Comment,
    Device,
    DeviceList,
    LogEntry,
    Notification,
    OrderState,
    Outage,
    PackVersion,
    Pass,
    PlanRun,
    Roster,
    Shelving,
    Shift,
    StepRun,
    StepState,
    VersionState,
    WorkOrder,
)
from gateway.store import tables as t
from rules import PackError, Problem


def encoded(struct: Any) -> str:
    return msgspec.json.encode(struct).decode()


def _quick(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")


class CoreDouble:
    """Satisfies `gateway.api.settings.Door` over a database of its own writing."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        if url.startswith("sqlite"):
            event.listen(self.engine, "connect", _quick)
        self.actions: list[Action] = []
        self.away = False
        self.broker_up = True
        self.fails_with: GatehouseError | None = None
        self.ingest_answer: dict[str, Any] = {"fate": "accepted", "reason": "", "content_type": "", "body": ""}
        self.numbers = 0
        self._poke = asyncio.Event()

    def of(self, name: str) -> list[Action]:
        return [action for action in self.actions if action.name == name]

    async def health(self) -> dict[str, Any]:
        if self.away:
            raise Unavailable("the core is not running")
        return {"journal": 1, "broker": {"up": self.broker_up}, "store": {"up": True}}

    async def changes(self) -> AsyncIterator[int]:
        while True:
            await self._poke.wait()
            self._poke.clear()
            yield 1 << 60

    def poke(self) -> None:
        self._poke.set()

    async def act(self, action: Action) -> dict[str, Any]:
        if self.away:
            raise Unavailable("the core is not running")
        self.actions.append(action)
        if self.fails_with is not None:
            raise self.fails_with
        method = getattr(self, "_" + action.name.replace(".", "_"), None)
        return (method(action, **action.args) if method else None) or {}

    # -- writing, as the core would

    def run(self, *statements: Any) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)

    def id(self, prefix: str) -> str:
        self.numbers += 1
        return f"{prefix}-{self.numbers}"

    def put_alert(self, alert: Alert) -> Alert:
        row = {name: getattr(alert, name) for name in ("id", "site", "rule", "scope", "device", "raised_at", "version")}
        row |= {"state": str(alert.state), "severity": str(alert.severity), "body": encoded(alert)}
        row |= {"aside": alert.shelving.kind if alert.shelving and alert.state != "closed" else None}
        self._replace(t.alerts, row)
        self.change("alert", alert.id, alert.site, row["body"])
        return alert

    def put_order(self, order: WorkOrder) -> WorkOrder:
        names = ("id", "number", "site", "team", "device", "alert", "opened_at", "version")
        row = {name: getattr(order, name) for name in names} | {"state": str(order.state), "body": encoded(order)}
        self._replace(t.work_orders, row)
        self.change("work_order", order.id, order.site, row["body"])
        return order

    def put_run(self, run: PlanRun) -> PlanRun:
        names = ("id", "plan", "site", "state", "started_at", "version")
        self._replace(t.plan_runs, {name: getattr(run, name) for name in names} | {"body": encoded(run)})
        return run

    def put_command(self, command: Command) -> Command:
        names = ("id", "site", "device", "requested_at", "idempotency_key", "version")
        row = {name: getattr(command, name) for name in names}
        self._replace(t.commands, row | {"state": str(command.state), "body": encoded(command)})
        return command

    def put_pass(self, entry: Pass) -> Pass:
        names = ("id", "site", "kind", "value", "version")
        self._replace(t.passes, {name: getattr(entry, name) for name in names} | {"body": encoded(entry)})
        self.change("pass", entry.id, entry.site, encoded(entry))
        return entry

    def put_outage(self, one: Outage) -> None:
        row = {name: getattr(one, name) for name in ("id", "site", "state", "from_at", "version")}
        self._replace(t.outages, row | {"body": encoded(one)})

    def _outage_begin(
        self, action: Action, site: str, scope: str, target: str, reason: str, **_: Any
    ) -> dict[str, Any]:
        one = Outage(id=self.id("oo"), site=site, scope=scope, target=target, by="user:e", reason=reason)
        self.put_outage(one)
        return {"id": one.id}

    def put_device_list(self, one: DeviceList) -> None:
        row = {name: getattr(one, name) for name in ("id", "site", "version")}
        self._replace(t.device_lists, row | {"body": encoded(one)})

    def put_roster(self, roster: Roster) -> None:
        row = {name: getattr(roster, name) for name in ("id", "site", "version")}
        self._replace(t.rosters, row | {"body": encoded(roster)})

    def put_shift(self, shift: Shift) -> None:
        row = {name: getattr(shift, name) for name in ("id", "site", "desk", "started_at", "version")}
        self._replace(t.shifts, row | {"state": str(shift.state), "body": encoded(shift)})

    def put_notification(self, one: Notification) -> None:
        row = {name: getattr(one, name) for name in ("id", "site", "alert", "key", "attempts", "created_at", "version")}
        self._replace(t.notifications, row | {"state": str(one.state), "next_at": None, "body": encoded(one)})

    def put_device(self, device: Device, secret_hash: str | None = None, version: int = 1) -> Device:
        row = msgspec.to_builtins(device) | {"secret_hash": secret_hash, "created_at": 1.0, "version": version}
        self._replace(t.devices, row)
        return device

    def change(self, kind: str, ref: str, site: str, body: str, id: int | None = None) -> int:
        with self.engine.begin() as connection:
            newest = connection.scalar(select(func.max(t.changes.c.id))) or 0
            number = id or newest + 1
            row = {"id": number, "time": 1_700_000_000.5, "kind": kind, "ref": ref, "site": site, "body": body}
            connection.execute(insert(t.changes).values(row))
        return number

    def add_token(self, name: str, role: str, hash: str, sites: list[str], **more: Any) -> None:
        row = {"id": f"tk-{name}", "name": name, "role": role, "hash": hash, "sites": sites, "created_at": 1.0}
        self.run(insert(t.tokens).values(row | {"expires_at": None, "revoked_at": None} | more))

    def add_user(self, name: str, role: str, sites: list[str], password_hash: str | None = None) -> None:
        row = {"name": name, "role": role, "sites": sites, "password_hash": password_hash, "language": "en"}
        self.run(insert(t.users).values(row | {"disabled": False, "created_at": 1.0, "version": 1}))

    def _replace(self, table: Any, row: dict[str, Any]) -> None:
        self.run(delete(table).where(table.c.id == row["id"]), insert(table).values(row))

    def _body(self, table: Any, struct: type, id: str) -> Any:
        with self.engine.begin() as connection:
            body = connection.scalar(select(table.c.body).where(table.c.id == id))
        if body is None:
            raise NotFound(table.name, id)
        return msgspec.json.decode(body, type=struct)

    # -- actions

    def _alert(self, alert: str, **changed: Any) -> dict[str, Any]:
        before: Alert = self._body(t.alerts, Alert, alert)
        changed_alert: dict[str, Any] = msgspec.to_builtins(
            self.put_alert(msgspec.structs.replace(before, version=before.version + 1, **changed))
        )
        return changed_alert

    def _alert_acknowledge(self, action: Action, alert: str, version: int | None = None, comment: str = "") -> Any:
        before: Alert = self._body(t.alerts, Alert, alert)
        if version is not None and version != before.version:
            raise StaleVersion("alert", alert, before.version, version)
        return self._alert(
            alert, state=AlertState.ACKNOWLEDGED, acknowledged_by=action.actor.name, acknowledged_at=time.time()
        )

    def _alert_acknowledge_many(self, action: Action, alerts: list[str]) -> Any:
        for alert in alerts:
            self._alert(alert, state=AlertState.ACKNOWLEDGED)
        return {"acknowledged": alerts}

    def _alert_shelve(self, action: Action, alert: str, reason: str, minutes: float) -> Any:
        until = time.time() + minutes * 60
        shelving = Shelving(by=action.actor.name, reason=reason, from_at=time.time(), until_at=until, until_due=until)
        return self._alert(alert, shelving=shelving)

    def _alert_unshelve(self, action: Action, alert: str) -> Any:
        return self._alert(alert, shelving=None)

    def _alert_comment(self, action: Action, alert: str, text: str) -> Any:
        before: Alert = self._body(t.alerts, Alert, alert)
        return self._alert(alert, comments=(*before.comments, Comment(action.actor.name, time.time(), text)))

    def _alert_close(self, action: Action, alert: str, comment: str = "") -> Any:
        return self._alert(alert, state=AlertState.CLOSED, closed_at=time.time(), closed_by=action.actor.name)

    def _alert_work_order(self, action: Action, alert: str, team: str = "") -> Any:
        before: Alert = self._body(t.alerts, Alert, alert)
        order = self._new_order(site=before.site, title=before.title, alert=alert, team=team)
        self._alert(alert, work_order=order.id)
        return msgspec.to_builtins(order)

    def _new_order(self, **named: Any) -> WorkOrder:
        id = self.id("wo")
        return self.put_order(WorkOrder(id=id, number=f"WO-20261122-{self.numbers:04}", opened_at=time.time(), **named))

    def _work_order_open(self, action: Action, site: str, title: Any, **rest: Any) -> Any:
        titles = title if isinstance(title, dict) else {"en": title}
        return msgspec.to_builtins(self._new_order(site=site, title=titles, opened_by=action.actor.name, **rest))

    def _order(self, action: Action, order: str, state: OrderState | None = None, text: str = "", **more: Any) -> Any:
        before: WorkOrder = self._body(t.work_orders, WorkOrder, order)
        log = (*before.log, LogEntry(action.actor.name, time.time(), action.name, text))
        changed = msgspec.structs.replace(
            before, version=before.version + 1, log=log, state=state or before.state, **more
        )
        return msgspec.to_builtins(self.put_order(changed))

    def _work_order_assign(self, action: Action, order: str, assignee: str) -> Any:
        return self._order(action, order, OrderState.ASSIGNED, assignee=assignee)

    def _work_order_accept(self, action: Action, order: str) -> Any:
        return self._order(action, order, OrderState.ACCEPTED)

    def _work_order_start(self, action: Action, order: str) -> Any:
        return self._order(action, order, OrderState.IN_PROGRESS)

    def _work_order_done(self, action: Action, order: str, text: str = "") -> Any:
        return self._order(action, order, OrderState.DONE, text)

    def _work_order_verify(self, action: Action, order: str) -> Any:
        return self._order(action, order, OrderState.VERIFIED)

    def _work_order_close(self, action: Action, order: str) -> Any:
        return self._order(action, order, OrderState.CLOSED)

    def _work_order_comment(self, action: Action, order: str, text: str) -> Any:
        return self._order(action, order, None, text)

    def _plan_start(self, action: Action, plan: str, site: str, drill: bool = False, **where: Any) -> Any:
        step = StepRun(id="look", title={"en": "Look"}, state=StepState.ACTIVE, complete_by=time.time() + 60)
        run = PlanRun(
            id=self.id("run"), plan=plan, site=site, title={"en": plan}, drill=drill, started_at=time.time(),
            started_by=action.actor.name, steps=(step,), **where,
        )  # fmt: skip
        return msgspec.to_builtins(self.put_run(run))

    def _plan_step(self, action: Action, run: str, step: str, state: str, note: str = "") -> Any:
        before: PlanRun = self._body(t.plan_runs, PlanRun, run)
        steps = tuple(
            msgspec.structs.replace(entry, state=StepState(state), note=note) if entry.id == step else entry
            for entry in before.steps
        )
        return msgspec.to_builtins(self.put_run(msgspec.structs.replace(before, steps=steps)))

    def _plan_retry(self, action: Action, run: str, step: str) -> Any:
        return msgspec.to_builtins(self._body(t.plan_runs, PlanRun, run))

    def _plan_approve(self, action: Action, run: str) -> Any:
        before: PlanRun = self._body(t.plan_runs, PlanRun, run)
        return msgspec.to_builtins(self.put_run(msgspec.structs.replace(before, second_by=action.actor.name)))

    def _plan_stop(self, action: Action, run: str, reason: str) -> Any:
        before: PlanRun = self._body(t.plan_runs, PlanRun, run)
        return msgspec.to_builtins(self.put_run(msgspec.structs.replace(before, state="stopped")))

    def _command_select(self, action: Action, device: str, name: str, **rest: Any) -> Any:
        return {
            "device": device, "name": name, "args": rest.get("args", {}), "confirm_by": time.time() + 10,
            "confirm_within": 10.0, "blocked": [], "needs_reason": False, "needs_second": False, "online": True,
        }  # fmt: skip

    def _command_approve(self, action: Action, command: str, **_: Any) -> Any:
        before: Command = self._body(t.commands, Command, command)
        after = msgspec.structs.replace(before, second_by=action.actor.name, version=before.version + 1)
        return msgspec.to_builtins(self.put_command(after))

    def _command_withdraw(self, action: Action, command: str, **_: Any) -> Any:
        before: Command = self._body(t.commands, Command, command)
        after = msgspec.structs.replace(before, state=CommandState.REJECTED, version=before.version + 1)
        return msgspec.to_builtins(self.put_command(after))

    def _command_request(self, action: Action, device: str, name: str, **rest: Any) -> Any:
        key = rest.get("idempotency_key")
        with self.engine.begin() as connection:
            known = (
                connection.scalar(select(t.commands.c.id).where(t.commands.c.idempotency_key == key)) if key else None
            )
            site: Any = connection.scalar(select(t.devices.c.site).where(t.devices.c.id == device))
        if known:
            return {"id": known}
        command = Command(
            id=self.id("cmd"), site=site, device=device, name=name, args=rest.get("args", {}), by=action.actor.name,
            requested_at=time.time(), expires=time.time() + rest.get("expires_in", 5), idempotency_key=key,
        )  # fmt: skip
        return msgspec.to_builtins(self.put_command(command))

    def _pass_put(self, action: Action, id: str | None = None, **rest: Any) -> Any:
        rest["zones"] = tuple(rest.get("zones", ()))
        rest.pop("version", None)
        id = id or self.id("pass")
        return {"id": self.put_pass(Pass(**{"id": id, "value": id, "created_by": action.actor.name, **rest})).id}

    def _pass_check(self, action: Action, device: str, kind: str, value: str, direction: str = "") -> Any:
        return {"allowed": False, "reason": "no_pass", "pass_id": None, "text": {"en": "none", "zh": "无"}}

    def _pass_outside(self, action: Action, id: str) -> Any:
        return {"id": id}

    def _pass_renew(self, action: Action, id: str) -> Any:
        return {"id": id}

    def _pass_code(self, action: Action, id: str) -> Any:
        return {"code": "GHV1.x.y", "until_at": time.time() + 60, "issue": 1}

    def _pass_rotate_keys(self, action: Action, at_once: bool = False) -> Any:
        return {"keys": 2, "at_once": at_once}

    def _list_resync(self, action: Action, device: str, empty: bool = False) -> Any:
        return {"id": device}

    def _pass_import(self, action: Action, site: str, rows: list[Any]) -> Any:
        return {"imported": len(rows), "changed": 0}

    def _pass_remove(self, action: Action, id: str) -> Any:
        self.run(delete(t.passes).where(t.passes.c.id == id))

    def _device_add(self, action: Action, id: str, secret_hash: str, **rest: Any) -> Any:
        with self.engine.begin() as connection:
            if connection.scalar(select(t.devices.c.id).where(t.devices.c.id == id)):
                raise Conflict(f"there is a device '{id}' already")
        device = Device(id=id, **{"external_id": id} | rest)
        self.put_device(device, secret_hash)
        self.change("device", id, device.site, encoded(device))
        return {"id": id}

    def _device_adopt(self, action: Action, **rest: Any) -> Any:
        return self._device_add(action, **rest)

    def _device_update(self, action: Action, id: str, version: int | None = None, **rest: Any) -> Any:
        self.run(update(t.devices).where(t.devices.c.id == id).values(version=t.devices.c.version + 1, **rest))

    def _device_disable(self, action: Action, id: str) -> Any:
        self._device_update(action, id, enabled=False)

    def _device_enable(self, action: Action, id: str) -> Any:
        self._device_update(action, id, enabled=True)

    def _device_rotate(self, action: Action, id: str, secret_hash: str) -> Any:
        self._device_update(action, id, secret_hash=secret_hash)

    def _site_put(self, action: Action, **row: Any) -> Any:
        self._replace(t.sites, row)

    def _zone_put(self, action: Action, **row: Any) -> Any:
        self._replace(t.zones, row)

    def _user_add(self, action: Action, name: str, role: str, **rest: Any) -> Any:
        with self.engine.begin() as connection:
            if connection.scalar(select(t.users.c.name).where(t.users.c.name == name)):
                raise Conflict(f"there is a user '{name}' already")
        self.add_user(name, role, rest.get("sites", []), rest.get("password_hash"))

    def _user_update(self, action: Action, name: str, **rest: Any) -> Any:
        self.run(update(t.users).where(t.users.c.name == name).values(version=t.users.c.version + 1, **rest))

    def _token_create(self, action: Action, id: str, name: str, role: str, hash: str, **rest: Any) -> Any:
        self.add_token(name, role, hash, rest.get("sites", []), id=id, expires_at=rest.get("expires_at"))

    def _token_revoke(self, action: Action, id: str) -> Any:
        self.run(update(t.tokens).where(t.tokens.c.id == id).values(revoked_at=time.time()))

    def _session_open(self, action: Action, **row: Any) -> Any:
        self.run(insert(t.sessions).values(row | {"created_at": time.time()}))

    def _session_close(self, action: Action, hash: str) -> Any:
        self.run(delete(t.sessions).where(t.sessions.c.hash == hash))

    def _session_swap(self, action: Action, link_hash: str, hash: str, csrf: str, expires_at: float) -> Any:
        with self.engine.begin() as connection:
            user = connection.scalar(select(t.sessions.c.user).where(t.sessions.c.hash == link_hash))
        if user is None:
            raise NotFound("link", "that")
        self._session_close(action, link_hash)
        self._session_open(action, hash=hash, user=user, csrf=csrf, kind="session", expires_at=expires_at)

    def put_pack(self, pack: str, text: str | None, *, author: str = "user:anna", state: str = "accepted") -> Any:
        """A version of a pack, in force where its state says so."""
        with self.engine.begin() as connection:
            c = t.rule_versions.c
            before = connection.scalar(select(func.max(c.number)).where(c.pack == pack)) or 0
        hash = "" if text is None else hashlib.sha256(text.encode()).hexdigest()
        version = PackVersion(
            pack=pack, number=before + 1, created_at=1.0, author=author, reason="r", hash=hash,
            state=VersionState(state),
        )  # fmt: skip
        body = {"pack": pack, "number": version.number, "created_at": 1.0, "state": state, "hash": hash}
        self.run(insert(t.rule_versions).values(**body, body=encoded(version)))
        if text is not None:
            self.run(
                delete(t.rule_texts).where(t.rule_texts.c.hash == hash),
                insert(t.rule_texts).values(hash=hash, text=text),
            )
        if state == "accepted":
            row = {"name": pack, "number": version.number, "hash": hash, "disk": hash, "unwritten": False, "refused": 0}
            self.run(delete(t.rule_packs).where(t.rule_packs.c.name == pack), insert(t.rule_packs).values(**row))
        return msgspec.to_builtins(version)

    def _rules_put(self, action: Action, pack: str, text: str, reason: str, version: int | None = None) -> Any:
        if text == "broken":
            problem = Problem(file="rules/own.yaml", line=3, column=7, message="no", text="x", suggestion="y")
            raise PackError([problem])
        return self.put_pack(pack, text, state="waiting" if text == "hides" else "accepted")

    def _rules_delete(self, action: Action, pack: str, reason: str, version: int | None = None) -> Any:
        return self.put_pack(pack, None)

    def _rules_restore(self, action: Action, pack: str, number: int, reason: str, version: int | None = None) -> Any:
        return self.put_pack(pack, "[]")

    def _rules_confirm(self, action: Action, pack: str, number: int | None = None) -> Any:
        return self.put_pack(pack, "hides")

    def _rules_withdraw(self, action: Action, pack: str) -> Any:
        self.run(delete(t.rule_versions).where(t.rule_versions.c.state == "waiting"))

    def _message_ingest(self, action: Action, **rest: Any) -> Any:
        return self.ingest_answer
