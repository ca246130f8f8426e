"""Escalation chains as data: for which alerts, who is told after how long, by which channels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from gateway.model import Alert
from gateway.model.duty import DAYS

DutyKind = Literal["on_duty", "team", "user", "everyone"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a level tells. `team` and `role` narrow `on_duty` and `team` down; `user` is one person."""

    kind: DutyKind
    team: str = ""
    role: str = ""
    user: str = ""


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Part of the week in the site's time, in minutes of the day; an end not after the start is on the next day."""

    days: tuple[str, ...] = DAYS
    start: int = 0
    end: int = 1440

    def hold(self, wall: float, zone: str) -> bool:
        """Whether the moment lies in them."""
        local = datetime.fromtimestamp(wall, ZoneInfo(zone))
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.end > self.start:
            return DAYS[day] in self.days and self.start <= minute < self.end
        return (DAYS[day] in self.days and minute >= self.start) or (DAYS[day - 1] in self.days and minute < self.end)


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds after the alert came, whom to tell, and the channels in their order; None for all, none for the page."""

    after: float
    tell: tuple[Target, ...]
    by: tuple[str, ...] | None = None


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """One chain. Empty words of the match fit every alert; `repeat` is how often the last level is told again."""

    id: str
    levels: tuple[Level, ...]
    title: dict[str, str] = {}
    severity: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    during: Hours | None = None
    repeat: float | None = None
    on_return: Literal["go_on", "stop"] = "go_on"

    def fits(self, alert: Alert, systems: Collection[str], places: Collection[str], wall: float, zone: str) -> bool:
        """Whether the chain is for such an alert at that hour."""
        return (
            (not self.severity or str(alert.severity) in self.severity)
            and (not self.systems or not set(self.systems).isdisjoint(systems))
            and (not self.sites or alert.site in self.sites)
            and (not self.zones or not set(self.zones).isdisjoint(places))
            and (self.during is None or self.during.hold(wall, zone))
        )


class ChannelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk knows of a channel: the kind of address it needs, or none where it speaks to a group."""

    id: str
    needs: str = ""


class EscalationBook:
    """All chains in their order, and the channels there are. Immutable."""

    def __init__(self, chains: Iterable[Chain] = (), channels: Iterable[ChannelInfo] = ()) -> None:
        self.chains: Mapping[str, Chain] = {chain.id: chain for chain in chains}
        self.channels: Mapping[str, ChannelInfo] = {channel.id: channel for channel in channels}

    def choose(
        self, alert: Alert, systems: Collection[str], places: Collection[str], wall: float, zone: str
    ) -> Chain | None:
        """The first chain that is for such an alert; None where there is none."""
        for chain in self.chains.values():
            if chain.fits(alert, systems, places, wall, zone):
                return chain
        return None
