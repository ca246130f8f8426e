"""The versions of the site's rule packs: accepted, refused, or waiting for a second person."""

from __future__ import annotations

from enum import StrEnum

import msgspec

#: Who is named as the author of what was changed in the folder of the packs.
BY_FILE = "file"


class VersionState(StrEnum):
    """What became of a version."""

    ACCEPTED = "accepted"
    """It is in force, or was."""
    CHECKING = "checking"
    """Its effect on the critical alerts of the last days is being found out; the version before is in force."""
    WAITING = "waiting"
    """It would have hidden critical alerts: a second person has to confirm it; the version before is in force."""
    REFUSED = "refused"
    """The file cannot be read as rules; the version before is in force."""
    WITHDRAWN = "withdrawn"
    """It waited, and was taken back or overtaken by another."""


class Hidden(msgspec.Struct, frozen=True, kw_only=True):
    """A critical alert of the last days that a version would not have raised, or not as a critical one."""

    alert: str
    rule: str
    scope: str
    raised_at: float
    site: str = ""
    why: str = ""
    """`gone` (the rule), `lowered` (its severity), `not_raised`, or `unknown` where it could not be found out."""


class PackVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a pack. `hash` is the SHA-256 of its text, empty for a version without a pack: a deletion."""

    pack: str
    number: int
    created_at: float
    author: str
    reason: str
    hash: str
    state: VersionState
    rules: int = 0
    confirmed_at: float | None = None
    confirmed_by: str | None = None
    hidden: tuple[Hidden, ...] = ()
    problems: tuple[dict[str, str | int], ...] = ()
    """What is wrong with a refused one: `file`, `line`, `column`, `message`, `text`, `suggestion`."""
