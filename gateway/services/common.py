"""What all services share."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.services.ports import IdSource
from gateway.services.settings import DeskSettings
from gateway.services.timers import Timers
from gateway.services.world import World


@dataclass(frozen=True)
class Common:
    """The source of ids, the settings, the timers and the world, handed to each service."""

    ids: IdSource
    settings: DeskSettings = field(default_factory=DeskSettings)
    timers: Timers = field(default_factory=Timers)
    world: World = field(default_factory=World)
