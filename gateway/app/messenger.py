"""Tells an outside maintenance system of work orders: at least once, in order, until it has taken the newest state.

Each message carries the order whole, under the order's own id: the other side keeps one order a name, whatever comes
twice. What was taken is written down through the core's door, so that a crash between the two tells it once more and
loses nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from gateway.api.present import Presenter, rfc3339
from gateway.catalogue import load_catalogue
from gateway.errors import GatehouseError
from gateway.model import Action, Actor, Outside, Role, WorkOrder
from gateway.store.queries import Reader

_log = logging.getLogger(__name__)

MESSENGER = Actor("system", Role.ADMIN)
#: How often the database is looked at for news, and how long the other side may take to answer, in seconds.
LOOK_EVERY, ANSWER_WITHIN = 1.0, 10.0
#: After a failure the next try waits twice as long as the last, from and to so many seconds.
RETRY_FIRST, RETRY_MOST = 2.0, 300.0

Act = Callable[[Action], Any]


class Messenger:
    """One thread. `step` does one round, for whoever has a clock of his own."""

    def __init__(self, reader: Reader, act: Act, url: str, secret: bytes = b"") -> None:
        self._reader = reader
        self._act = act
        self._url = url
        self._secret = secret
        self._presenter = Presenter(load_catalogue())
        self._not_before: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance-messenger", daemon=True)
        self._opener = urllib.request.build_opener(_NoRedirect)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the message under way."""
        self._stop.set()
        self._thread.join(ANSWER_WITHIN + 1)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                self.step(time.monotonic())
            except (SQLAlchemyError, GatehouseError) as error:
                _log.warning("the maintenance system could not be told, trying again: %s", error)

    def step(self, now: float) -> int:
        """Tells what is to be told and may be tried at `now` (monotonic). How many were taken."""
        taken = 0
        waiting = self._reader.untold_orders()
        states = {state_of(order) for order in waiting}
        self._not_before = {state: at for state, at in self._not_before.items() if state in states}
        for order in waiting:
            if self._stop.is_set():
                break
            if now < self._not_before.get(state_of(order), 0.0):
                continue
            known = order.outside or Outside()
            ident, problem = self._tell(order, known)
            args: dict[str, Any] = {"order": order.id, "wanted": known.wanted}
            if problem:
                wait = min(RETRY_FIRST * 2 ** min(known.attempts, 10), RETRY_MOST)
                self._not_before[state_of(order)] = now + wait
                args["problem"] = problem
            else:
                # Until the core has written it down; should that be lost, it is told again.
                self._not_before[state_of(order)] = now + RETRY_MOST
                args["id"] = ident
                taken += 1
            self._act(Action(name="work_order.told", args=args, actor=MESSENGER))
        return taken

    def _tell(self, order: WorkOrder, known: Outside) -> tuple[str, str]:
        """What the other side calls the order, and what went wrong, one of them empty."""
        body = msgspec.json.encode(self.message(order, known))
        headers = {"Content-Type": "application/cloudevents+json", "Idempotency-Key": state_of(order)}
        if self._secret:
            headers["X-Gatehouse-Signature"] = f"sha256={hmac.new(self._secret, body, hashlib.sha256).hexdigest()}"
        request = urllib.request.Request(self._url, body, headers, method="POST")  # noqa: S310 - checked to be http(s)
        try:
            with self._opener.open(request, timeout=ANSWER_WITHIN) as answer:
                return _ident_of(answer.read(65_536), order), ""
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(65_536)
            if error.code == 409:
                # It has this state already: an answer of its was lost on the way.
                return _ident_of(said, order), ""
            return "", f"HTTP {error.code}"
        except (urllib.error.URLError, OSError, HTTPException, ValueError) as error:
            return "", f"{getattr(error, 'reason', error)}"[:200] or type(error).__name__

    def message(self, order: WorkOrder, known: Outside) -> Mapping[str, Any]:
        """The CloudEvent: the order as the API shows it, personal data masked."""
        shown = self._presenter.work_order(order)
        newest = order.log[-1].entry_at if order.log else order.opened_at
        return {
            "specversion": "1.0",
            "id": state_of(order),
            "source": f"/gatehouse/{order.site}",
            "type": "gatehouse.work_order",
            "subject": order.number,
            "time": rfc3339(newest),
            "data": {**shown, "outside": {"id": known.id}},
        }


def state_of(order: WorkOrder) -> str:
    """The name of the state that is to be told: another one as soon as the order changes."""
    return f"{order.id}-{(order.outside or Outside()).wanted}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is for one address goes to no other."""

    def redirect_request(self, *args: Any, **named: Any) -> None:
        """Never."""
        return


def _ident_of(body: bytes, order: WorkOrder) -> str:
    """The name that the other side gives the order in its answer; our number where it gives none."""
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        told = None
    ident = told.get("id") if isinstance(told, dict) else None
    return str(ident)[:128] if isinstance(ident, str | int) and str(ident).strip() else order.number


def secret_of(file: str) -> bytes:
    """The secret in that file; none where no file is named."""
    return Path(file).read_bytes().strip() if file else b""
