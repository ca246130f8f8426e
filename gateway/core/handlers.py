"""How a room of actions is built: a table of least roles, and a method for each name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from gateway.errors import Forbidden
from gateway.model import Action, Role


class Handlers:
    """Base of the rooms that carry out actions: `device.add` is the method `_device_add(args, action, wall)`."""

    ROLES: ClassVar[Mapping[str, Role]] = {}

    def carry_out(self, action: Action, wall: float) -> dict[str, Any]:
        """Does one of the actions of `ROLES`. Raises the error a person should read; then nothing has changed."""
        least = self.ROLES[action.name]
        if not action.actor.role.includes(least):
            raise Forbidden(f"'{action.name}' needs the role {least}; {action.actor.name} has {action.actor.role}")
        handler: Callable[..., dict[str, Any]] = getattr(self, "_" + action.name.replace(".", "_"))
        return handler(dict(action.args), action, wall)
