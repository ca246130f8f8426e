"""Dispatch 派单: who of a team gets an order, by roster, skill, zone and load, with the reason."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from gateway.errors import Conflict
from gateway.model import OrderState, WorkOrder
from gateway.services.common import Common
from gateway.services.people import People
from gateway.services.teams import DutyList, Member, TeamBook
from gateway.services.work_orders import WorkOrders

_BUSY = (OrderState.ASSIGNED, OrderState.ACCEPTED, OrderState.IN_PROGRESS)


class Choice(NamedTuple):
    """Who gets it, and the reason in a few words."""

    member: Member
    reason: str


class RosteredTeams:
    """Who is on duty by the rosters; for a team that no roster of the site names, everybody of the table of teams."""

    def __init__(self, people: People, teams: TeamBook) -> None:
        self._people = people
        self._teams = teams

    def who_is_on_duty(self, team: str, site: str, at: float) -> list[Member]:
        """The team's people on duty at the site, by name, with the zones that the table of teams gives them."""
        described = {member.id: member for member in self._teams.who_is_on_duty(team, site, at)}
        if all(roster.team != team for roster in self._people.rosters.values() if roster.site == site):
            return list(described.values())
        there = sorted({duty.person for duty in self._people.on_duty(site, at) if duty.team == team})
        found = []
        for ident in there:
            person, known = self._people.all[ident], described.get(ident, Member(id=ident))
            skills = tuple(dict.fromkeys((*person.skills, *known.skills)))
            found.append(Member(id=ident, name=person.name, skills=skills, zones=known.zones))
        return found


class Dispatch:
    """Chooses. `duty` says who is there."""

    def __init__(self, orders: WorkOrders, common: Common, duty: DutyList) -> None:
        self._orders = orders
        self._common = common
        self._duty = duty

    def choose(self, order: WorkOrder, at: float) -> Choice:
        """The least busy of those on duty who can do it and work there. Raises `Conflict` where there is nobody."""
        team = order.team
        on_duty = list(self._duty.who_is_on_duty(team, order.site, at))
        if not on_duty:
            raise Conflict(f"nobody of the team '{team}' is on duty: assign work order {order.number} to a person")
        able = [one for one in on_duty if not order.skill or order.skill in one.skills]
        if not able:
            raise Conflict(f"nobody on duty of the team '{team}' has the skill '{order.skill}'")
        places = self._places(order)
        near = [one for one in able if places & set(one.zones)]
        anywhere = [one for one in able if not one.zones]
        candidates = near or anywhere or able
        load = Counter(one.assignee for one in self._orders.open.values() if one.state in _BUSY)
        chosen = min(candidates, key=lambda one: (load[one.id], one.id))
        where = "works there" if near else "works everywhere" if anywhere else "nobody works there"
        return Choice(chosen, f"on duty, {where}, {load[chosen.id]} orders in hand")

    def _places(self, order: WorkOrder) -> set[str]:
        world = self._common.world
        device = world.devices.get(order.device) if order.device is not None else None
        found = set(world.places(device)) if device is not None else set()
        zone = order.zone
        while zone is not None and zone not in found:
            found.add(zone)
            around = world.zones.get(zone)
            zone = around.parent if around is not None else None
        return found
