"""Passes: who and what may go through which door or barrier, and when."""

from __future__ import annotations

import msgspec


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """One permission. `kind` is `plate`, `card` or `person`; `value` is personal data. No `zones`: the whole site.

    `from_at` and `until_at` bound it in time (None: open); `blocked` turns it into a refusal.
    """

    id: str
    site: str
    kind: str
    value: str
    name: str = ""
    zones: tuple[str, ...] = ()
    from_at: float | None = None
    until_at: float | None = None
    blocked: bool = False
    visitor: bool = False
    note: str = ""
    created_at: float = 0.0
    created_by: str = ""
    version: int = 1


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A device asks whether something may pass. `deadline` is in seconds from the receipt of the question.

    `command` is what opens the way (`raise`, `open`), with `args`, sent when the answer is yes.
    """

    kind: str
    value: str
    direction: str = ""
    deadline: float = 0.3
    command: str = "raise"
    args: dict[str, object] = {}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, with a named reason.

    `pass`, `no_pass`, `outside_window`, `wrong_zone`, `blocked`, `unread`,
    `late`, `replay`.
    """

    allowed: bool
    reason: str
    pass_id: str | None = None


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with its question, as it is told to the outside and kept. `value` is personal data, unmasked here."""

    site: str
    device: str
    kind: str
    value: str
    direction: str = ""
    allowed: bool
    reason: str
    pass_id: str | None = None
    command: str | None = None
    time: float
