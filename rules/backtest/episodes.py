"""What rules said over a time, as episodes: an alert came, came again, went."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.model.judgement import Cleared, Raised, RuleChange, Withheld


class Episode(msgspec.Struct, kw_only=True):
    """One alert that would have come. Times are wall times; `ended_at` is None while it stands, and for occurrences.

    `again` is how often it came again; `withheld` names the rule under whose alert it would have been held back.
    """

    rule: str
    scope: str
    site: str = ""
    device: str | None = None
    severity: str = "medium"
    raised_at: float
    ended_at: float | None = None
    again: int = 0
    momentary: bool = False
    withheld: str = ""

    @property
    def end(self) -> float:
        """When it was over: the end of time while it stands."""
        return self.raised_at if self.momentary else float("inf") if self.ended_at is None else self.ended_at


class Episodes:
    """Collects what an engine says. What came before `since` is known as standing, and is no episode of the time."""

    def __init__(self, severities: dict[str, str], since: float) -> None:
        self.all: list[Episode] = []
        self._severities = severities
        self._since = since
        self._open: dict[tuple[str, str], Episode] = {}

    def note(self, changes: Iterable[RuleChange], lag: float) -> None:
        """Takes what was said; `lag` is how far the steady clock is ahead of the wall clock.

        What stood open before its cause came was an alert and stays one: when it comes out from under the cause again,
        it has come again, as the services count it.
        """
        for change in changes:
            key = (change.rule, change.scope)
            wall = change.at - lag
            standing = self._open.get(key)
            if isinstance(change, Cleared):
                if standing is not None:
                    standing.ended_at = wall
                    del self._open[key]
            elif isinstance(change, Raised) and standing is not None and not standing.withheld:
                standing.again += wall >= self._since
            elif isinstance(change, Withheld) and standing is not None:
                pass
            elif not (isinstance(change, Raised) and change.again):
                self._begin(change, wall)

    def _begin(self, change: Raised | Withheld, wall: float) -> None:
        episode = Episode(
            rule=change.rule,
            scope=change.scope,
            site=change.site,
            device=change.device,
            severity=self._severities.get(change.rule, "medium"),
            raised_at=wall,
            momentary=change.momentary,
            withheld=change.cause if isinstance(change, Withheld) else "",
        )
        before = self._open.get((change.rule, change.scope))
        if before is not None:
            before.ended_at = wall
        if not change.momentary:
            self._open[change.rule, change.scope] = episode
        if wall >= self._since:
            self.all.append(episode)
