"""The outside maintenance system: whatever it answers, there is one order in the end."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway.app.messenger import Messenger
from gateway.errors import Conflict, Invalid
from gateway.model import Action, Actor, Role
from gateway.services.settings import DeskSettings
from gateway.store.queries import Reader
from tests.support.lab import Lab

PROGRAM = Actor("token:mx", Role.OPERATOR)


class System:
    """A maintenance system that keeps an order a name, and fails as it is told to: it may keep and then answer 500."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.answers: list[int] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                system.requests.append((dict(self.headers), body))
                told = json.loads(body)["data"]
                known = told["id"] in system.orders
                system.orders[told["id"]] = told
                status = system.answers.pop(0) if system.answers else 409 if known else 201
                said = json.dumps({"id": f"MX-{list(system.orders).index(told['id']) + 1}"}).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/orders"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def system() -> Iterator[System]:
    one = System()
    yield one
    one.close()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr("tests.support.lab.DeskSettings", lambda: DeskSettings(outside_teams=("lifts",)))
    one = Lab(tmp_path, pack="[]")
    one.act("site.put", id="s1", name={"en": "Garden"})
    yield one
    one.close()


def telling(lab: Lab, system: System, *, dies: bool = False) -> int:
    """One round of the messenger; `dies` loses what it learned, as a crash between answer and commit does."""

    def act(action: Action) -> None:
        if not dies:
            lab.act(action.name, actor=action.actor, **action.args)

    reader = Reader(lab.url)
    try:
        return Messenger(reader, act, system.url, b"secret").step(0.0)
    finally:
        reader.close()


def test_fault_105_500_409_and_answers_that_are_lost_end_in_one_order(lab: Lab, system: System) -> None:
    order = lab.act("work_order.open", site="s1", title="Lift hums", team="lifts")
    lab.act("work_order.open", site="s1", title="Lamp", team="electrical")
    system.answers = [500, 503, 302]
    for attempt in (1, 2, 3):
        assert telling(lab, system) == 0
        outside = lab.work_orders()[0].outside
        assert outside is not None and (outside.attempts, outside.sent) == (attempt, 0)
    assert lab.work_orders()[0].outside.problem == "HTTP 302"  # type: ignore[union-attr]
    assert telling(lab, system, dies=True) == 1, "taken, and the gateway dies before it knows"
    lab.crash()
    assert telling(lab, system) == 1, "told again, answered 409"
    assert telling(lab, system) == 0, "nothing is left to tell"
    assert list(system.orders) == [order["id"]], "one order, and none of the other team"
    outside = lab.work_orders()[0].outside
    assert outside is not None and (outside.id, outside.sent, outside.problem) == ("MX-1", outside.wanted, "")
    lab.act("work_order.accept", order=order["id"])
    assert telling(lab, system) == 1
    assert system.orders[order["id"]]["state"] == "accepted" and len(system.orders) == 1
    headers, body = system.requests[-1]
    assert headers["X-Gatehouse-Signature"] == "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    keys = [headers["Idempotency-Key"] for headers, _ in system.requests]
    assert len(set(keys)) == 2, "one key for each state, however often it was told"


def test_fault_105_a_report_that_comes_twice_counts_once_and_opens_one_order(lab: Lab, system: System) -> None:
    def report(**more: Any) -> dict[str, Any]:
        return lab.act("work_order.outside", actor=PROGRAM, **{"event": "e1", "external": "MX-9", **more})

    with pytest.raises(Invalid, match="site"):
        report()
    opened = report(site="s1", title="Pump", state="accepted")
    assert (opened["source"], opened["state"]) == ("outside", "accepted")
    lab.crash()
    assert report(site="s1", title="Pump", state="accepted")["version"] == opened["version"]
    done = report(event="e2", state="done", text="new seal")
    late = report(event="e3", state="in_progress")
    assert (done["state"], late["state"]) == ("done", "done"), "what is said of the past changes nothing"
    assert len(lab.work_orders()) == 1
    with pytest.raises(Conflict, match="not 'MX-8'"):
        report(event="e4", external="MX-8", order=opened["id"])
    own = lab.act("work_order.open", site="s1", title="Lift", team="lifts")
    telling(lab, system)
    assert report(event="e5", external="MX-1", order=own["number"], state="in_progress")["state"] == "in_progress"
    assert telling(lab, system) == 0, "what the other system said is not told back to it"
