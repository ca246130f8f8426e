"""Who may act: checked here too, whatever the API has checked before."""

from __future__ import annotations

from gateway.errors import Forbidden, NotFound, StaleVersion
from gateway.model import Actor, Role


def demand(actor: Actor, role: Role, what: str) -> None:
    """Raises `Forbidden` where the actor lacks the role."""
    if not actor.role.includes(role):
        raise Forbidden(
            f"{what} needs the role '{role}'; {actor.name} is '{actor.role}'", needs=str(role), has=str(actor.role)
        )


def demand_sight(actor: Actor, site: str, what: str, key: str) -> None:
    """Raises `NotFound` where the thing belongs to a site that the actor may not know of (FAULTS 86)."""
    if not actor.may_see(site):
        raise NotFound(what, key)


def demand_fresh(what: str, key: str, have: int, want: int | None, oldest: int | None = None) -> None:
    """Raises `StaleVersion` where `want` is given and is neither `have` nor a version since `oldest`."""
    if want is not None and not (have if oldest is None else oldest) <= want <= have:
        raise StaleVersion(what, key, have, want)
