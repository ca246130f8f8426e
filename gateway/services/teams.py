"""Teams 班组: who does which work, when they work, and who of them is on duty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from gateway.services.working_time import ROUND_THE_CLOCK, Hours


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One of a team. `id` is what orders are assigned to; `zones` where they work, empty for everywhere."""

    id: str
    name: str = ""
    skills: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A team. `dispatch` is `auto` where new orders are given out at once, `manual` where somebody gives or grabs them.

    `categories` are the words of the public form whose requests come here.
    """

    id: str
    title: dict[str, str] = {}
    hours: Hours = ROUND_THE_CLOCK
    dispatch: str = "manual"
    categories: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()


class DutyList(Protocol):
    """Who is there."""

    def who_is_on_duty(self, team: str, site: str, at: float) -> Iterable[Member]:
        """The team's people on duty at the site at that wall time, in a stable order."""


class TeamBook:
    """All teams by id; by itself a duty list in which everybody is always there."""

    def __init__(self, teams: Iterable[Team] = ()) -> None:
        self._teams: Mapping[str, Team] = {team.id: team for team in teams}

    def __iter__(self) -> Iterator[Team]:
        return iter(self._teams.values())

    def __len__(self) -> int:
        return len(self._teams)

    def become(self, other: TeamBook) -> None:
        """Describes the teams of `other` from now on, to everybody who holds this book."""
        self._teams = dict(other._teams)

    def get(self, team: str) -> Team | None:
        """The team, or None where nobody described it."""
        return self._teams.get(team)

    def hours(self, team: str) -> Hours:
        """When the team works: round the clock where nothing is known of it."""
        known = self._teams.get(team)
        return known.hours if known is not None else ROUND_THE_CLOCK

    def for_category(self, category: str) -> Team | None:
        """The team that requests of that category come to."""
        return next((team for team in self if category in team.categories), None)

    def categories(self) -> tuple[str, ...]:
        """Every category of the public form, once, in the order of the teams."""
        return tuple(dict.fromkeys(one for team in self for one in team.categories))

    def who_is_on_duty(self, team: str, site: str, at: float) -> tuple[Member, ...]:
        """Everybody of the team, at whatever site and hour."""
        known = self._teams.get(team)
        return known.members if known is not None else ()
