"""The API's door onto a lab: the real core, without a process or a socket between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from gateway.model import Action
from tests.support.lab import Lab


class LabDoor:
    """Satisfies `gateway.api.settings.Door`."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    async def act(self, action: Action) -> dict[str, Any]:
        """The core's own outcome, or its error."""
        return self._lab.act(action.name, actor=action.actor, **action.args)

    async def health(self) -> dict[str, Any]:
        return self._lab.core.health()

    async def changes(self) -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 0
