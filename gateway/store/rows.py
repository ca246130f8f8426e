"""What the queries give that the model has no struct for."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.model import Device


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a device now. `kinds` maps a kind to {"data", "received", "time"} of its newest event."""

    online: bool | None = None
    last_at: float | None = None
    skew: float | None = None
    messages: int = 0
    kinds: dict[str, Any] = {}


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device with its version and what is known of it now."""

    device: Device
    created_at: float
    version: int
    standing: Standing = Standing()


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the store keeps it."""

    seq: int
    site: str
    device: str
    kind: str
    time: float
    received: float
    late: bool
    replay: bool
    data: dict[str, Any]


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A decision at a door or barrier. `value` is personal data."""

    id: int
    time: float
    site: str
    device: str
    kind: str
    value: str
    direction: str
    allowed: bool
    reason: str
    pass_id: str | None
    command: str | None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was not accepted. `payload` is None in lists."""

    id: int
    received: float
    fate: str
    adapter: str
    topic: str
    device: str
    place: str
    reason: str
    size: int
    state: str
    payload: bytes | None = None


class Unregistered(msgspec.Struct, frozen=True, kw_only=True):
    """A device that speaks and is not registered."""

    adapter: str
    external_id: str
    site: str
    first_at: float
    last_at: float
    messages: int
    topic: str


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit with its place in the chain."""

    id: int
    time: float
    actor: str
    action: str
    target: str
    outcome: str
    detail: dict[str, Any]
    hash: str


class ChangeRow(msgspec.Struct, frozen=True):
    """One line of `changes`. `body` is the JSON of what changed."""

    id: int
    time: float
    kind: str
    ref: str
    site: str
    body: str


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person's account. `password_hash` is None where they sign in by link alone."""

    name: str
    role: str
    sites: tuple[str, ...]
    language: str
    disabled: bool
    created_at: float
    version: int
    password_hash: str | None = None


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """A program's token, without its hash."""

    id: str
    name: str
    role: str
    sites: tuple[str, ...]
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    scopes: tuple[str, ...] = ()


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A browser's session, or a one-time link, with whose it is."""

    kind: str
    csrf: str
    expires_at: float
    user: UserRow


class PackRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `rule_packs`; see there. `number` 0 and an empty `hash`: no version is in force."""

    name: str
    number: int = 0
    hash: str = ""
    disk: str = ""
    unwritten: bool = False
    refused: int = 0


class DeviceSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to recognise a device that pushes over HTTP."""

    id: str
    site: str
    adapter: str
    enabled: bool
    secret_hash: str | None
