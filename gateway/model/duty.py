"""Who is on duty 值班: people and how they are reached, rosters, and the shifts of a desk with their hand-over."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gateway.model.alert import Comment

#: The days of a week as rosters name them, Monday first.
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can be on duty and be told. `id` is the name of the account; not everybody has one.

    `teams` and `roles` are words of the site (`security`, `supervisor`); `addresses` maps a kind of address
    (`email`, `phone`, ...) to the address, which is personal data. `sites` is empty for all sites.
    """

    id: str
    name: str = ""
    teams: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    addresses: dict[str, str] = {}
    sites: tuple[str, ...] = ()
    active: bool = True
    version: int = 1

    def serves(self, site: str) -> bool:
        """Whether the person works at that site now."""
        return self.active and (not self.sites or site in self.sites)


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A span of each named day: `start` and `end` are local `HH:MM`; an end not after its start is on the next day.

    `week` is the week of the roster's cycle, from 1; 0 is every week. `role` is what these people are during it.
    """

    days: tuple[str, ...]
    start: str
    end: str
    people: tuple[str, ...]
    role: str = ""
    week: int = 0


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands in: from `from_at` until `until_at` these people are on duty instead of those of the slots."""

    from_at: float
    until_at: float
    people: tuple[str, ...]
    note: str = ""


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """A team's week, in the site's time zone, or several weeks in turn (`cycle_weeks`, counted from `cycle_from`).

    `continuous` demands that somebody is on duty at every minute.
    """

    id: str
    site: str
    team: str
    title: dict[str, str] = {}
    slots: tuple[Slot, ...] = ()
    covers: tuple[Cover, ...] = ()
    cycle_weeks: int = 1
    cycle_from: str = ""
    continuous: bool = True
    version: int = 1


class ShiftState(StrEnum):
    """`open` while somebody has the desk, `handover` once they have signed, `closed` when the next one has."""

    OPEN = "open"
    HANDOVER = "handover"
    CLOSED = "closed"


class HandoverItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the next shift must know of: an alert, a step, a device. `ref` is its id."""

    ref: str
    title: dict[str, str]
    severity: str = ""
    state: str = ""
    who: str = ""
    note: str = ""
    since_at: float | None = None
    until_at: float | None = None


class HandoverList(msgspec.Struct, frozen=True, kw_only=True):
    """One chapter of a hand-over. `total` counts all of its things, also those beyond the longest list."""

    name: str
    total: int
    items: tuple[HandoverItem, ...] = ()


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """What one shift leaves to the next, as it stood when it was signed, and both signatures.

    `in_place_of` names who had the desk where an engineer signed for them, with `reason`. `since` are the alerts that
    were raised between the two signatures.
    """

    chapters: tuple[HandoverList, ...] = ()
    notes: str = ""
    signed_by: str = ""
    signed_at: float = 0.0
    in_place_of: str = ""
    reason: str = ""
    accepted_by: str | None = None
    accepted_at: float | None = None
    since: tuple[str, ...] = ()


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One person's time at a desk of a site. `before` and `after` are the shifts it took over from and went to."""

    id: str
    site: str
    desk: str = "main"
    operator: str = ""
    state: ShiftState = ShiftState.OPEN
    started_at: float = 0.0
    ended_at: float | None = None
    notes: tuple[Comment, ...] = ()
    handover: Handover | None = None
    before: str | None = None
    after: str | None = None
    version: int = 1
