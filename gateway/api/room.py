"""What every route may use, in one frozen bundle made by `create_app`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from gateway.api.backtest_runs import Runs
from gateway.api.hub import Hub
from gateway.api.limits import Limits
from gateway.api.present import Presenter
from gateway.api.questions import Questions
from gateway.api.remembered import Remembered
from gateway.api.rules_in_force import RulesInForce
from gateway.api.settings import ApiSettings, Definitions, Door
from gateway.api.sign_in import Gatekeeper
from gateway.history import History
from gateway.store.queries import Reader


class Room(NamedTuple):
    """What every route may use. `clock` is the wall clock, Unix seconds."""

    settings: ApiSettings
    reader: Reader
    door: Door
    history: History
    presenter: Presenter
    hub: Hub
    limits: Limits
    gatekeeper: Gatekeeper
    remembered: Remembered
    backtests: Runs
    rules: RulesInForce
    questions: Questions
    clock: Callable[[], float]
    started_at: float

    @property
    def definitions(self) -> Definitions:
        """What the gateway works by now."""
        live = self.settings.live
        return live() if live is not None else self.settings.definitions


async def room_of(request: Request) -> Room:
    """The room of the app that serves this request."""
    room: Room = request.app.state.room
    return room


InRoom = Annotated[Room, Depends(room_of)]
