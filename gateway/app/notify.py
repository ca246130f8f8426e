"""What the command line does with messages to people: reads the log, tests the channels with a gateway or without."""

from __future__ import annotations

import secrets
import time
from typing import Any

import msgspec

from gateway.app.acting import COMMAND_LINE
from gateway.app.channels import Alarms, load_alarms
from gateway.app.duty import reading
from gateway.config import Home, Settings
from gateway.door import DoorClient, socket_path
from gateway.errors import Invalid, NotFound, Unavailable, UsageError
from gateway.model import Action, Delivery, Notification, NotificationState, Person, Recipient
from gateway.notify import SendFailed

_LOOK_EVERY = 0.1
_TITLE = {"en": "[TEST] Gatehouse: a test of this channel", "zh": "[测试] Gatehouse：通道测试"}


def messages(home: Home, settings: Settings, *, unsent: bool, limit: int) -> list[dict[str, Any]]:
    """The newest messages."""
    with reading(home, settings) as reader:
        page = reader.notifications(state="unsent" if unsent else None, limit=limit)
        return [msgspec.to_builtins(one) for one in page.items]


def test_channels(
    home: Home, settings: Settings, *, to: str | None, channel: str | None, within: float
) -> list[dict[str, Any]]:
    """One outcome a channel: `channel`, `ok` and `error`. Waits `within` seconds for a running gateway to tell."""
    alarms = load_alarms(home)
    if not alarms.channels:
        raise UsageError(f"there are no channels: describe them in {home.channels}")
    client = DoorClient(socket_path(home.path))
    try:
        client.health()
    except Unavailable:
        return _directly(home, settings, alarms, to, channel)
    args = {name: value for name, value in (("to", to), ("channel", channel)) if value}
    asked = client.act(Action(name="notification.test", args=args, actor=COMMAND_LINE))
    return _await(home, settings, list(asked["notifications"]), within)


def _await(home: Home, settings: Settings, ids: list[str], within: float) -> list[dict[str, Any]]:
    until = time.monotonic() + within
    with reading(home, settings) as reader:
        while True:
            found = [one for ident in ids if (one := reader.notification(ident)) is not None]
            # One that failed is tried again later; the person at the keyboard wants to know now.
            done = [one for one in found if one.state is not NotificationState.PENDING or one.tried]
            if len(done) == len(ids) or time.monotonic() > until:
                return [_outcome(one) for one in found]
            time.sleep(_LOOK_EVERY)


def _outcome(one: Notification) -> dict[str, Any]:
    ok = one.state is NotificationState.SENT
    error = "" if ok else one.tried[-1].error if one.tried else "no answer yet: see 'gatehouse notify list'"
    return {"channel": one.sent_by or ",".join(one.channels), "ok": ok, "error": error}


def _directly(
    home: Home, settings: Settings, alarms: Alarms, to: str | None, channel: str | None
) -> list[dict[str, Any]]:
    """Without a gateway: the same message, sent here."""
    if channel is not None and all(one.id != channel for one in alarms.channels):
        raise NotFound("channel", channel)
    person = _person(home, settings, to) if to else None
    deliverer = alarms.deliverer(settings, time.time)
    outcomes = []
    for one in alarms.channels:
        address = person.addresses.get(one.needs, "") if person is not None else ""
        if channel not in (None, one.id) or (one.needs and not address and channel is None):
            continue
        if one.needs and not address:
            raise Invalid("to", f"channel '{one.id}' needs the {one.needs} of a person: say whose")
        ident = f"test-{secrets.token_hex(8)}"
        message = Notification(
            id=ident, key=ident, site="gatehouse", kind="test", title=_TITLE, created_at=time.time(), attempts=1,
            people=(person.id,) if person is not None else (), channels=(one.id,),
        )  # fmt: skip
        recipients = (Recipient(person=person.id, name=person.name, address=address),) if person is not None else ()
        try:
            deliverer.deliver(Delivery(notification=message, channel=one.id, to=recipients))
            outcomes.append({"channel": one.id, "ok": True, "error": ""})
        except SendFailed as error:
            outcomes.append({"channel": one.id, "ok": False, "error": error.message})
    return outcomes


def _person(home: Home, settings: Settings, name: str) -> Person:
    with reading(home, settings) as reader:
        person = reader.person(name)
    if person is None:
        raise NotFound("person", name)
    return person
