"""Passes: who and what may go through which door or barrier, and when."""

from __future__ import annotations

import msgspec


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """One permission. `value` is personal data. No `zones`: the whole site.

    `kind` is `plate`, `card`, `person` or `qr`: a pass of the last is shown as a code that the core signs, its value is
    its own id, and `issue` counts its codes. `from_at` and `until_at` bound it in time (None: open); `blocked` turns it
    into a refusal. `days` (`mon-fri`) and `hours` (`08:00-18:00`) are its weekly hours in the site's time. With
    `anti_passback` it enters once until it has left. The passes of one `household` have `spaces` together. `inside` is
    where a pass of either kind was last let to. With `entries` it enters so often in all, `used` of them so far.
    `picture` is where a terminal that knows faces fetches the photograph. `went_by` is the command that let it through
    last, `went_before` whether it was inside before.
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
    days: str = ""
    hours: str = ""
    household: str = ""
    spaces: int | None = None
    anti_passback: bool = False
    inside: bool = False
    inside_at: float | None = None
    host: str = ""
    entries: int | None = None
    used: int = 0
    used_at: float | None = None
    issue: int = 1
    picture: str = ""
    went_by: str = ""
    went_before: bool = False


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A device asks whether something may pass. `deadline` is in seconds from the receipt of the question.

    `command` is what opens the way (`raise`, `open`), with `args`, sent when the answer is yes. The `value` of kind
    `qr` is the code as it was scanned: it opens doors, so it is never kept (`gateway.model.visitor`).
    """

    kind: str
    value: str
    direction: str = ""
    deadline: float = 0.3
    command: str = "raise"
    args: dict[str, object] = {}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, with a named reason.

    One of `gateway.services.decision_reasons`.
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
