"""How a command of the command line gets its action done: by the running core, or by one of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from gateway.app.credentials import loaded_file, users_file
from gateway.config import Home, Settings
from gateway.door import DoorClient, socket_path
from gateway.errors import Unavailable
from gateway.model import Action, Actor, Role

#: Who acts at the command line: whoever may read the home's files owns the gateway.
COMMAND_LINE = Actor("cli", Role.ADMIN)


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
        try:
            client.health()
        except Unavailable:
            from gateway.app.core import offline_core

            home.prepare()
            carry_out = stack.enter_context(offline_core(home, settings))

        def act(action: str, /, **args: Any) -> dict[str, Any]:
            return carry_out(Action(name=action, args=args, actor=COMMAND_LINE))

        yield act


def wait_for_broker(home: Home, within: float = 5.0) -> bool:
    """Whether the running broker has taken over the newest list of credentials; True where none runs."""
    deadline = time.monotonic() + within
    marker = loaded_file(home)
    while marker.exists() and users_file(home).exists():
        if marker.read_text() == str(users_file(home).stat().st_mtime_ns):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
