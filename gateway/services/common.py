"""What all services share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from gateway.services.ports import IdSource
from gateway.services.promises import Promises
from gateway.services.settings import DeskSettings
from gateway.services.teams import TeamBook
from gateway.services.timers import Timers
from gateway.services.working_time import Workdays, weekdays
from gateway.services.world import World


@dataclass(frozen=True)
class Common:
    """The source of ids, the settings, the timers, the world and the teams, handed to each service."""

    ids: IdSource
    settings: DeskSettings = field(default_factory=DeskSettings)
    timers: Timers = field(default_factory=Timers)
    world: World = field(default_factory=World)
    teams: TeamBook = field(default_factory=TeamBook)
    workdays: Workdays = weekdays

    @cached_property
    def promises(self) -> Promises:
        """Deadlines in the teams' working time."""
        return Promises(self.world, self.teams, self.workdays)
