"""How a command of the command line gets its action done: by the running core, or by one of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from gateway.app.credentials import loaded_file, users_file
from gateway.config import Home, Settings
from gateway.core.lock import HomeLock
from gateway.door import Door, DoorClient, socket_path
from gateway.errors import Conflict, Unavailable
from gateway.model import Action, Actor, Role

#: Who acts at the command line: whoever may read the home's files owns the gateway.
COMMAND_LINE = Actor("cli", Role.ADMIN)

#: After these the broker has another list of credentials than before.
CREDENTIAL_ACTIONS = frozenset(
    ("device.add", "device.adopt", "device.update", "device.rotate", "device.disable", "device.enable")
)
#: How often the broker's note is looked at, and how long an answer of the API waits for it, in seconds.
LOOK_EVERY, SETTLE_WITHIN = 0.02, 2.0
#: How long a gateway that is starting is waited for, in seconds.
START_WITHIN = 30.0


class Act(Protocol):
    """Does an action and returns its outcome; raises the core's error."""

    def __call__(self, action: str, /, **args: Any) -> dict[str, Any]:
        """`action` is its name, `args` its arguments."""


@contextmanager
def acting(home: Home, settings: Settings) -> Iterator[Act]:
    """An `Act` through the running core's door, or through a core made for the purpose."""
    client = DoorClient(socket_path(home.path))
    with ExitStack() as stack:
        carry_out: Callable[[Action], dict[str, Any]] = client.act
        deadline = time.monotonic() + START_WITHIN
        while not _answers(home, client, deadline):
            from gateway.app.core import offline_core

            home.prepare()
            try:
                carry_out = stack.enter_context(offline_core(home, settings))
                break
            except Conflict as error:
                # A core has taken the home in this moment and does not answer yet.
                if "process" not in error.facts or time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_EVERY)

        def act(action: str, /, **args: Any) -> dict[str, Any]:
            return carry_out(Action(name=action, args=args, actor=COMMAND_LINE))

        yield act


def run_lock(home: Home) -> HomeLock:
    """Held by `gatehouse run` as long as it lives."""
    return HomeLock(home.run / "run.lock")


def _answers(home: Home, client: DoorClient, deadline: float) -> bool:
    """Whether a core answers; one that `gatehouse run` is just starting is waited for."""
    while True:
        try:
            client.health()
            return True
        except Unavailable:
            if time.monotonic() > deadline or not run_lock(home).held():
                return False
            time.sleep(LOOK_EVERY)


def wait_for_broker(home: Home, settings: Settings, within: float = 10.0) -> bool:
    """Whether the running broker has taken over the newest list of credentials; True where none of ours runs."""
    if settings.mqtt.url:
        return True
    deadline = time.monotonic() + within
    while not _taken_over(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True


def _taken_over(home: Home) -> bool:
    """Whether the broker runs with the list that is on the disk. It takes its note away when it ends."""
    try:
        wanted = str(users_file(home).stat().st_mtime_ns)
    except FileNotFoundError:
        return True
    try:
        return loaded_file(home).read_text() == wanted
    except FileNotFoundError:
        return not run_lock(home).held()


class SettledDoor(Door):
    """The API's door on a machine with the embedded broker: what changes credentials is answered once they hold there.

    So a device may connect the moment its credential is read, and a disabled one is out. A broker that is away or slow
    delays the answer by `SETTLE_WITHIN` at most; the action itself is done all the same.
    """

    def __init__(self, home: Home) -> None:
        super().__init__(socket_path(home.path))
        self._home = home

    async def act(self, action: Action) -> dict[str, Any]:
        """The outcome of `action`. Raises the core's error, or `Unavailable` while the core is away."""
        outcome = await super().act(action)
        if action.name in CREDENTIAL_ACTIONS:
            deadline = time.monotonic() + SETTLE_WITHIN
            while not _taken_over(self._home) and time.monotonic() < deadline:
                await asyncio.sleep(LOOK_EVERY)
        return outcome
