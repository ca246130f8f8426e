"""The one tree of errors.

Every error composes its own message from facts (what, where, what to do), keeps the facts as attributes,
and knows its HTTP status, its stable code and whether the same call may succeed later. One handler at the
API's edge renders them as RFC 9457 problem details; the command line prints `message` and exits with `exit_code`.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class GatehouseError(Exception):
    """Base of all errors that a user may read. `facts` are kept for logs and problem details."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retry: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class ConfigError(GatehouseError):
    """A setting is wrong: names its place, its value and what was expected."""

    code = "config"
    exit_code = 2

    def __init__(self, where: str, value: object, expected: str) -> None:
        super().__init__(f"{where}: {value!r} is not valid; expected {expected}", where=where, expected=expected)


class UsageError(GatehouseError):
    """A command was called with arguments that make no sense."""

    code = "usage"
    status = 422
    exit_code = 2


class NotFound(GatehouseError):
    """The named thing does not exist, or the caller may not know that it does."""

    code = "not_found"
    status = 404

    def __init__(self, what: str, key: object, known: Iterable[str] = ()) -> None:
        """`known` are the names that there are, as far as the caller may know them: the nearest is offered."""
        close = get_close_matches(str(key), list(known), n=1, cutoff=0.5)
        hint = f": did you mean '{close[0]}'?" if close else ""
        super().__init__(f"no {what} '{key}'{hint}", what=what, key=str(key))


class Conflict(GatehouseError):
    """The state does not admit the change: someone else was first, or the thing is no longer in that state."""

    code = "conflict"
    status = 409


class StaleVersion(GatehouseError):
    """`If-Match` names a version that is no longer the current one."""

    code = "stale_version"
    status = 412

    def __init__(self, what: str, key: object, have: int, want: int) -> None:
        super().__init__(
            f"{what} '{key}' was changed by someone else (version {have}, you had {want}): reload and try again",
            have=have,
            want=want,
        )


class Invalid(GatehouseError):
    """A value from outside is not acceptable. `field` names it."""

    code = "invalid"
    status = 422

    def __init__(self, field: str, message: str, **facts: object) -> None:
        super().__init__(f"{field}: {message}", field=field, **facts)
        self.field = field


class SheetRefused(GatehouseError):
    """A sheet was refused whole: `lines` tells each wrong line and why."""

    code = "sheet_refused"
    status = 422

    def __init__(self, lines: list[tuple[int, str]]) -> None:
        told = "; ".join(f"line {line}: {why}" for line, why in lines[:20])
        more = f"; and {len(lines) - 20} more" if len(lines) > 20 else ""
        super().__init__(
            f"nothing was imported, {len(lines)} lines are wrong: {told}{more}",
            lines=[{"line": line, "reason": why} for line, why in lines[:1000]],
        )


class Forbidden(GatehouseError):
    """The caller is known but lacks the role."""

    code = "forbidden"
    status = 403


class Unauthorized(GatehouseError):
    """The caller is not known: no credential, a wrong one, or an expired one."""

    code = "unauthorized"
    status = 401


class TooMany(GatehouseError):
    """A rate limit was reached. `after` is how many seconds to wait."""

    code = "rate_limited"
    status = 429
    retry = True

    def __init__(self, what: str, after: float) -> None:
        super().__init__(f"too many {what}: try again in {after:.0f} s", after=after)
        self.after = after


class Unavailable(GatehouseError):
    """Something the call needs is not there now: the core, the broker, the database. Try again."""

    code = "unavailable"
    status = 503
    retry = True


class StorageFailed(GatehouseError):
    """The database refused a write. Nothing was acknowledged; the messages stay with the broker."""

    code = "storage_failed"
    status = 503
    retry = True


class Undecodable(GatehouseError):
    """A message that its adapter cannot read. `where` names the offending part: a JSON path, a field, a byte offset."""

    code = "undecodable"
    status = 422

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}" if where else reason, where=where, reason=reason)
        self.where = where
        self.reason = reason


class Ignored(GatehouseError):
    """A message that is well formed and carries nothing to keep, such as a device's own acknowledgement."""

    code = "ignored"
    status = 202
