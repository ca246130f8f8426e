"""How a thread that watches files hands an action to the core: it waits for the outcome until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from gateway.core.sheet import Reporter
from gateway.errors import GatehouseError
from gateway.model import Action, Actor, Role

_log = logging.getLogger(__name__)
#: The gateway itself, which takes what somebody who may write there has saved.
ITSELF = Actor("system", Role.ADMIN)
#: How often a waiting thread looks whether it is stopped, in seconds.
_LOOK_EVERY = 0.5


class Door(Protocol):
    """The core, as far as actions are handed to it."""

    def submit(self, action: Action, report: Reporter) -> None:
        """Takes the action; `report` is told its outcome once it is committed or refused."""


def ask(door: Door, name: str, args: dict[str, Any], stopped: Callable[[], bool]) -> bool:
    """Whether the action was carried out; a refusal is logged."""
    finished = threading.Event()
    failed: list[GatehouseError] = []

    def report(_result: Any, error: GatehouseError | None) -> None:
        if error is not None:
            failed.append(error)
        finished.set()

    door.submit(Action(name=name, args=args, actor=ITSELF), report)
    while not finished.wait(_LOOK_EVERY):
        if stopped():
            return False
    if failed:
        _log.error("%s of %s: %s", name, args.get("pack") or args.get("part"), failed[0].message)
    return not failed
