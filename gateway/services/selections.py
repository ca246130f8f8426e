"""Commands that were selected and not yet confirmed: select, look, confirm (FAULTS 77). They end with the process."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from gateway.errors import Conflict

_MOST = 1000


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What was selected, by whom, in which session, and until when (steady) it may be confirmed."""

    by: str
    session: str
    device: str
    name: str
    args: dict[str, Any]
    until_due: float


class Selections:
    """Selections by the hash of their token. Each confirms once, its own session's own command, in time."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Selection] = OrderedDict()

    def clear(self) -> None:
        """Forgets all."""
        self._open.clear()

    def put(self, token: str, selection: Selection) -> None:
        """Takes a selection."""
        self._open[token] = selection
        while len(self._open) > _MOST:
            self._open.popitem(last=False)

    def take(self, token: str, asked: Selection, now: float) -> None:
        """Uses the selection up for what is asked now. Raises `Conflict`, and says what differs."""
        known = self._open.get(token)
        if known is None:
            raise Conflict("this confirmation is not known, or was used: select the command again")
        if (known.by, known.session) != (asked.by, asked.session):
            raise Conflict("the command was selected by somebody else, or in another session: select it yourself")
        del self._open[token]
        if now > known.until_due:
            raise Conflict("the time to confirm has passed: select the command again")
        differing = [name for name in ("device", "name", "args") if getattr(known, name) != getattr(asked, name)]
        if differing:
            raise Conflict(
                f"{' and '.join(differing)} differ from what was selected: select again what you mean",
                differing=differing,
            )
