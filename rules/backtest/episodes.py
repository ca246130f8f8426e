"""What rules said over a time, as episodes: an alert came, came again, went."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.model.judgement import Cleared, Raised, RuleChange


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

        What is withheld under a cause is no alert of its own, and one that comes out from under it again no new one.
        """
        for change in changes:
            key = (change.rule, change.scope)
            wall = change.at - lag
            if isinstance(change, Cleared):
                ended = self._open.pop(key, None)
                if ended is not None:
                    ended.ended_at = wall
            elif isinstance(change, Raised) and change.again:
                standing = self._open.get(key)
                if standing is not None and wall >= self._since:
                    standing.again += 1
            elif isinstance(change, Raised) and key not in self._open:
                self._begin(change, wall)

    def _begin(self, change: Raised, wall: float) -> None:
        episode = Episode(
            rule=change.rule,
            scope=change.scope,
            site=change.site,
            device=change.device,
            severity=self._severities.get(change.rule, "medium"),
            raised_at=wall,
            momentary=change.momentary,
        )
        if not change.momentary:
            self._open[change.rule, change.scope] = episode
        if wall >= self._since:
            self.all.append(episode)
