"""The world behind the stand-in: a compound at some moment of its day, and what happens to it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gateway.catalogue import load_catalogue
from tests.page import compound, duty, figures, packs

Json = dict[str, Any]


class Refused(Exception):
    """The API says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def rfc3339(seconds: float) -> str:
    """Unix seconds as the API tells them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class World:
    """Everything the API would know. `now` may be shifted against the browser's clock by `offset` seconds."""

    def __init__(self, offset: float = 0.0, role: str = "engineer", furnished: bool = True) -> None:
        self.offset = offset
        self.role = role
        self.last_id = 0
        self.oldest_id = 1
        self.changes: list[tuple[int, str, str, Any]] = []
        self.packs = packs.first()
        self.tables: dict[str, dict[str, Json]] = {
            name: {}
            for name in ("alerts", "work-orders", "plan-runs", "commands", "passes", "devices", "zones", "sites")
        }
        self.lists: dict[str, list[Json]] = {
            "plans": compound.plans(), "dead-letters": [], "quarantine": [],
            "schedules": compound.schedules(self), "rounds": compound.rounds(self),
            "shifts": duty.shifts(self.time, compound.SITE), "notifications": duty.messages(self.time),
            "rosters": duty.on_duty(self.time), "channels": duty.CHANNELS,
        }  # fmt: skip
        self.ledger = {"accepted": 0, "duplicate": 0, "late": 0, "unknown_device": 0, "undecodable": 0, "ignored": 0}
        self._news = threading.Condition()
        self._numbers = 0
        if furnished:
            compound.furnish(self)

    # --- time ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The server's wall clock."""
        return time.time() + self.offset

    def time(self, ago: float = 0.0) -> str:
        """RFC 3339, `ago` seconds back."""
        return rfc3339(self.now() - ago)

    def times(self) -> Json:
        """What hello and heartbeat carry."""
        return {"server_time": self.time(), "last_id": self.last_id}

    # --- changes ------------------------------------------------------------------------------------------------

    def put(self, table: str, record: Json) -> Json:
        """Keeps a record and tells the stream."""
        kind = {"alerts": "alert", "work-orders": "work_order", "plan-runs": "plan_run", "passes": "pass"}
        self.tables[table][record["id"]] = record
        self.tell(kind.get(table, table.rstrip("s")), record["id"], record)
        return record

    def tell(self, kind: str, ref: str, body: Any) -> None:
        """Tells the stream."""
        with self._news:
            self.last_id += 1
            self.changes.append((self.last_id, kind, ref, body))
            self._news.notify_all()

    def after(self, position: int) -> list[tuple[int, str, str, Any]]:
        """What changed past `position`."""
        return self.changes[position:] if position < self.last_id else []

    def wait(self, seconds: float) -> None:
        """Until something changes, or for that long."""
        with self._news:
            self._news.wait(seconds)

    def number(self, prefix: str) -> str:
        """A new id."""
        self._numbers += 1
        return f"{prefix}-{self._numbers:04d}"

    def alert(self, text: str, severity: str = "high", ago: float = 0.0, **more: Any) -> Json:
        """Raises an alert `ago` seconds ago."""
        texts = {name: {"en": "", "zh": ""} for name in ("reason", "advice", "consequence")}
        nothing = dict.fromkeys(("device", "zone", "building", "returned_at", "acknowledged_at", "acknowledged_by",
            "closed_at",
                                 "closed_by", "shelving", "work_order", "plan_run", "parent"))  # fmt: skip
        given = {"id": self.number("AL"), "site": "greenlake", "rule": "test.rule", "scope": "x", "severity": severity}
        record = {
            **given, **texts, **nothing, "state": "unacknowledged", "title": {"en": text, "zh": text},
            "raised_at": self.time(ago), "last_at": self.time(ago), "active": True, "latched": False,
            "momentary": False,
            "count": 1, "chattering": False, "values": {}, "evidence": [], "comments": [], "children": 0,
            "version": 1, **more,
        }  # fmt: skip
        return self.put("alerts", record)

    # --- the API ------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: Json, body: Json, version: int | None) -> tuple[int, Any]:
        """Status and body. Raises `Refused`."""
        parts = path.strip("/").split("/")
        if method == "GET":
            return 200, self._get(parts, query)
        if parts[0] == "rules":
            return 200, packs.changed(self.packs, parts[2:], body)
        if method == "DELETE":
            self.tables[parts[0]].pop(parts[1], None)
            self.tell("pass", parts[1], None)
            return 204, None
        act: Callable[..., Any] | None = getattr(self, f"_post_{parts[0].replace('-', '_')}", None)
        if act is None:
            raise Refused(404, f"no {path}")
        return 201, act(parts[1:], body, version)

    def _get(self, parts: list[str], query: Json) -> Any:
        single = {"status": self._status, "ledger": self._ledger, "catalogue": _catalogue}
        if parts[0] in single:
            return single[parts[0]]()
        if parts[0] == "reports":
            return figures.report(parts[1], self.time)
        if parts[0] == "history":
            return self._history(query)
        if parts[:2] == ["rules", "backtest"]:
            return {"items": [], "next": None}
        if parts[0] == "rules":
            return packs.asked(self.packs, parts[2:])
        if parts[0] == "devices" and len(parts) == 3:
            return {"items": compound.events_of(self, parts[1]) if parts[2] == "events" else [], "next": None}
        if parts[0] == "alerts" and len(parts) == 3 and parts[2] == "children":
            found = self.lists.get(f"children/{parts[1]}", [])
            return {"items": found[: int(query.get("limit", 100))], "next": None}
        if parts[0] == "shifts" and parts[-1] == "handover":
            return duty.handover(self.time)
        if parts == ["rosters", "on-duty"]:
            return {"items": self.lists["rosters"], "next": None}
        table = self.tables.get(parts[0])
        if len(parts) > 1:
            if table is None or parts[1] not in table:
                raise Refused(404, f"no {parts[0]} '{parts[1]}'")
            return table[parts[1]]
        items = list(table.values()) if table is not None else self.lists.get(parts[0], [])
        if parts[0] == "alerts" and query.get("state") == "open":
            items = [item for item in items if item["state"] != "closed"]
        if parts[0] == "work-orders":
            wanted = query.get("state", "all")
            items = [one for one in items if wanted in ("all", one["state"]) or _unfinished(one, wanted)]
            items = [one for one in items if "visit_due" not in query or one.get("visit_wanted")]
        start, limit = int(query.get("cursor", 0)), int(query.get("limit", 100))
        more = str(start + limit) if start + limit < len(items) else None
        return {"items": items[start : start + limit], "next": more}

    def _status(self) -> Json:
        counts = {"devices": len(self.tables["devices"]), "alerts_open": len(self.tables["alerts"]), "dead_letters": 2}
        links = {"core": "up", "broker": "up", "store": "up"}
        return {"version": "0.1.0", "server_time": self.time(), "uptime_seconds": 93_784.0, "links": links,
            "counts": counts, "core": {"rules": packs.health(self.packs)},
                "last_change": self.last_id, "streams": 2}  # fmt: skip

    def _ledger(self) -> Json:
        return {"received": sum(self.ledger.values()), "fates": self.ledger}

    def _history(self, query: Json) -> Json:
        end, points = self.now(), 120
        start = end - 7200
        step = (end - start) / points
        wave = [
            (rfc3339(start + n * step), None if 48 < n < 60 else round(24 + 6 * math.sin(n / 9) + (n * 7 % 5) / 4, 2))
            for n in range(points)
        ]
        return {"device": query["device"], "field": query["field"], "unit": "", "points": wave}

    def _post_alerts(self, parts: list[str], body: Json, version: int | None) -> Json:
        if parts == ["acknowledge"]:
            for id in body["alerts"]:
                self._post_alerts([id, "acknowledge"], {}, None)
            return {"done": True, "result": {}}
        alert = self.tables["alerts"].get(parts[0])
        if alert is None:
            raise Refused(404, f"no alert '{parts[0]}'")
        if version is not None and version != alert["version"]:
            raise Refused(412, f"alert '{parts[0]}' was changed by someone else: reload and try again")
        verb = parts[1]
        change: Json = {"version": alert["version"] + 1}
        if verb == "acknowledge":
            change |= {
                "state": "acknowledged" if alert["active"] else "closed",
                "acknowledged_by": "user:anna",
                "acknowledged_at": self.time(),
            }
        elif verb == "shelve":
            until = self.time(-60.0 * body["minutes"])
            shelving = {
                "by": "user:anna",
                "reason": body["reason"],
                "from_at": self.time(),
                "until_at": until,
                "kind": "shelved",
            }
            change |= {"shelving": shelving}
        elif verb == "unshelve":
            change |= {"shelving": None}
        elif verb in ("take", "assign", "release"):
            if body.get("before") not in (None, alert.get("owner") or ""):
                raise Refused(409, f"alert '{parts[0]}' was taken by {alert.get('owner')}")
            owner = {"take": "user:anna", "release": None, "assign": f"user:{body.get('to')}"}[verb]
            change |= {"owner": owner, "owner_at": self.time()}
        elif verb == "comment":
            change |= {
                "comments": [*alert["comments"], {"by": "user:anna", "written_at": self.time(), "text": body["text"]}]
            }
        elif verb == "work-order":
            order = self.put("work-orders", compound.order(self, alert["title"], alert["device"], alert=alert["id"]))
            self.put("alerts", {**alert, **change, "work_order": order["id"]})
            return order
        return self.put("alerts", {**alert, **change})

    def _post_out_of_service(self, parts: list[str], body: Json, version: int | None) -> Json:
        if parts:
            self.lists["out-of-service"] = []
            return {}
        window = {**body, "id": "oo-1", "by": "user:anna", "state": "active", "hidden": 0, "from_at": self.time()}
        self.lists["out-of-service"] = [{**window, "until_at": self.time(-60.0 * body["minutes"])}]
        return window

    def _post_work_orders(self, parts: list[str], body: Json, version: int | None) -> Json:
        order = self.tables["work-orders"][parts[0]]
        state = {
            "assign": "assigned",
            "accept": "accepted",
            "start": "in_progress",
            "done": "done",
            "verify": "verified",
            "close": "closed",
        }
        log = [
            *order["log"],
            {"by": "user:anna", "entry_at": self.time(), "action": parts[1], "text": body.get("text", "")},
        ]
        change = {"state": state.get(parts[1], order["state"]), "log": log, "version": order["version"] + 1}
        return self.put("work-orders", {**order, **change, "assignee": body.get("assignee", order["assignee"])})

    def _post_plan_runs(self, parts: list[str], body: Json, version: int | None) -> Json:
        run = self.tables["plan-runs"][parts[0]]
        if parts[1] == "stop":
            return self.put(
                "plan-runs", {**run, "state": "stopped", "finished_at": self.time(), "version": run["version"] + 1}
            )
        done = {
            "state": body["state"],
            "note": body.get("note", ""),
            "done_by": "user:anna",
            "finished_at": self.time(),
        }
        steps = [{**step, **done} if step["id"] == parts[2] else step for step in run["steps"]]
        return self.put("plan-runs", {**run, "steps": steps, "version": run["version"] + 1})

    def _post_plans(self, parts: list[str], body: Json, version: int | None) -> Json:
        return self.put("plan-runs", compound.run(self, parts[0], device=body.get("device"), drill=body["drill"]))

    def _post_devices(self, parts: list[str], body: Json, version: int | None) -> Json:
        if parts[-1] == "select":
            second, blocked = body["name"] == "unlock", body["name"] == "lower"
            reason = {"en": "a vehicle stands under the arm", "zh": "道闸杆下有车辆"}
            return {
                "confirm": None if blocked else "token", "confirm_within": 10.0, "needs_reason": False,
                "needs_second": second, "blocked": [{"id": "vehicle-under-arm", "reason": reason}] if blocked else [],
            }  # fmt: skip
        assert body["confirm"] == "token"
        if body["name"] == "unlock":
            return self.put("commands", compound.command(self, parts[0], "unlock") | {"needs_second": True})
        command = compound.command(self, parts[0], body["name"])
        self.put("commands", {**command, "state": "sent"})
        done = {"state": "done", "observation": "observed", "finished_at": self.time(), "version": 2}
        return self.put("commands", {**command, **done})

    def _post_commands(self, parts: list[str], body: Json, version: int | None) -> Json:
        command = self.tables["commands"][parts[0]]
        state = {"state": "sent", "second_by": "user:anna"} if parts[1] == "approve" else {"state": "rejected"}
        return self.put("commands", {**command, **state, "version": command["version"] + 1})

    def _post_passes(self, parts: list[str], body: Json, version: int | None) -> Json:
        made = compound.a_pass(self, body["value"], body.get("name", ""))
        return self.put("passes", {**made, **body, "value": "沪A****8"})

    def _post_dead_letters(self, parts: list[str], body: Json, version: int | None) -> Json:
        self.lists["dead-letters"] = [letter for letter in self.lists["dead-letters"] if str(letter["id"]) != parts[0]]
        return {"done": True, "result": {}}

    def _post_quarantine(self, parts: list[str], body: Json, version: int | None) -> Json:
        self.lists["quarantine"] = []
        return {"id": body["id"], "credential": {"username": body["id"], "password": "shown-once"}}


def _catalogue() -> Json:
    import msgspec

    return {"items": [msgspec.to_builtins(kind) for kind in load_catalogue().kinds.values()], "next": None}


def _unfinished(order: Json, wanted: str) -> bool:
    return wanted == "unfinished" and order["state"] != "closed"
