"""Commands to devices: at most once, or not at all, and it is always said which."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class CommandState(StrEnum):
    """`sent` is written before the bytes leave, so a crash never sends twice; a restart makes it `unknown`."""

    PENDING = "pending"
    SENT = "sent"
    DONE = "done"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to the command."""
        return self not in (CommandState.PENDING, CommandState.SENT)


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command. `name` is a word of the domain (`open`, `raise`, `recall`), `expires` when it loses its force.

    `needs_second` ones wait, `pending`, until another person has confirmed them (`second_by`); from then on they have
    their force for `expires_in` seconds. `observation` is `waiting`, `observed` or `missing` where the device's own
    state should prove what it answered, else empty.
    """

    id: str
    site: str
    device: str
    name: str
    args: dict[str, Any] = {}
    state: CommandState = CommandState.PENDING
    by: str = ""
    reason: str = ""
    requested_at: float = 0.0
    requested_due: float = 0.0
    sent_at: float | None = None
    finished_at: float | None = None
    expires: float = 0.0
    expires_due: float = 0.0
    detail: str = ""
    idempotency_key: str | None = None
    alert: str | None = None
    plan_run: str | None = None
    version: int = 1
    expires_in: float = 0.0
    needs_second: bool = False
    second_by: str | None = None
    observation: str = ""
    observe_due: float | None = None
    observed_at: float | None = None

    @property
    def waits_for_second(self) -> bool:
        """Whether it must not be sent before another person has confirmed it."""
        return self.needs_second and self.second_by is None


class CommandResult(msgspec.Struct, frozen=True):
    """What a device said of a command. `status` is `done`, `rejected` or `failed`."""

    command: str
    status: str
    detail: str = ""
