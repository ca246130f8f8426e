"""Who is told of an alert, in which order, until somebody has seen it; and each message on its way."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A level of a chain that was reached: who was told, by which channels. None of them: the page alone.

    `missed` are those that no channel of the level reaches, `ids` the notifications. `note` is `off_duty` where nobody
    was on duty and the whole team was told, `everyone` where the team has nobody, `nobody` where there is nobody.
    """

    level: int
    told_at: float
    people: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    note: str = ""
    missed: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """Where an alert stands in its chain. `level` counts from 1, 0 before the first is due.

    `state` is `running`, `stopped` (by `stopped_by`: acknowledged, taken, shelved, suppressed, folded, returned,
    closed), or `exhausted`: the last level was told and the chain says nothing more.
    """

    chain: str
    levels: int
    level: int = 0
    state: str = "running"
    stopped_by: str = ""
    started_at: float = 0.0
    started_due: float = 0.0
    next_at: float | None = None
    next_due: float | None = None
    told: tuple[Call, ...] = ()


class NotificationState(StrEnum):
    """`pending` until a channel took it; `held` for a digest, `digested` inside one; `failed` when given up."""

    PENDING = "pending"
    HELD = "held"
    DIGESTED = "digested"
    SENT = "sent"
    FAILED = "failed"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A try that did not succeed."""

    number: int
    channel: str
    failed_at: float
    error: str


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One message to people or to a group, on its way through the first of `channels` that takes it.

    `kind` is `alert`, `digest`, `notice` or `test`. `key` is the same at each attempt, so that a receiver can tell a
    repetition. `flying` is true while an attempt has no outcome yet. `lines` are the titles that a digest carries.
    """

    id: str
    site: str
    kind: str
    title: dict[str, str]
    text: dict[str, str] = {}
    alert: str | None = None
    severity: str = ""
    chain: str = ""
    level: int = 0
    people: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    state: NotificationState = NotificationState.PENDING
    attempts: int = 0
    flying: bool = False
    tried: tuple[Attempt, ...] = ()
    sent_by: str = ""
    digest: str | None = None
    count: int = 1
    created_at: float = 0.0
    created_due: float = 0.0
    next_at: float | None = None
    next_due: float | None = None
    give_up_due: float = 0.0
    sent_at: float | None = None
    ended_at: float | None = None
    key: str = ""
    version: int = 1

    @property
    def channel(self) -> str:
        """The channel of the present attempt, or of the first."""
        return self.channels[(max(self.attempts, 1) - 1) % len(self.channels)] if self.channels else ""


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is to read a message, with the address the channel needs; empty for a group."""

    person: str
    name: str = ""
    address: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to be made after the commit: the message, its channel, and whom it reaches there."""

    notification: Notification
    channel: str
    to: tuple[Recipient, ...] = ()
