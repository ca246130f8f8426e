"""What the routes have in common: words of a request, things looked up, actions handed to the core."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ParamSpec, TypeVar

from fastapi import Header, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, Strict, StringConstraints
from starlette.concurrency import run_in_threadpool

from gateway.api.room import Room
from gateway.errors import Forbidden, NotFound
from gateway.model import Action, Actor, Role

Found = TypeVar("Found")
Params = ParamSpec("Params")

NO_NUL = r"^[^\x00]*$"
#: An identifier in a path: whatever was stored, but no control character that a database refuses.
Id = Annotated[str, Path(min_length=1, max_length=128, pattern=NO_NUL)]
Word = Annotated[str | None, Query(min_length=1, max_length=128, pattern=NO_NUL)]
From = Annotated[AwareDatetime | None, Query(alias="from", description="RFC 3339 with its offset; included.")]
To = Annotated[AwareDatetime | None, Query(description="RFC 3339 with its offset; not included.")]
Reveal = Annotated[
    str | None,
    Query(min_length=3, max_length=200, pattern=NO_NUL, description="Why personal data must be seen; it is audited."),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=56,
        pattern=r"^[\x21-\x7e]+$",
        description="The caller's own key: the same one again answers again and does nothing.",
    ),
]

NewId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Short = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_NUL)]
Long = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)]
Named = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$")], Short],
    Field(min_length=1, max_length=8),
]
Flag = Annotated[bool, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Whole = Annotated[int, Strict()]


class Body(BaseModel):
    """Base of all request bodies: nothing but what is named is taken."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """The members that were sent, times as Unix seconds."""
        return {name: _plain(getattr(self, name)) for name in sorted(self.model_fields_set)}


def _plain(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value


def seconds(moment: datetime | None) -> float | None:
    """A moment as Unix seconds."""
    return moment.timestamp() if moment is not None else None


def found(thing: Found | None, what: str, key: object) -> Found:
    """The thing, or `NotFound`: what an actor may not see does not exist for it."""
    if thing is None:
        raise NotFound(what, key)
    return thing


async def read(query: Callable[Params, Found], *args: Params.args, **named: Params.kwargs) -> Found:
    """A query's answer, off the loop."""
    return await run_in_threadpool(query, *args, **named)


async def act(room: Room, actor: Actor, action: str, /, **args: Any) -> dict[str, Any]:
    """The outcome of an action. Arguments that are None are left out. Raises the core's error."""
    return await act_with(room, actor, action, {name: value for name, value in args.items() if value is not None})


async def act_with(room: Room, actor: Actor, action: str, args: dict[str, Any]) -> dict[str, Any]:
    """As `act`, with arguments as they are: None clears a member."""
    return await room.door.act(Action(name=action, args=args, actor=actor, id=secrets.token_hex(12)))


def require_unscoped(actor: Actor) -> None:
    """Raises `Forbidden` for whoever may see some sites only: accounts and the audit are of all."""
    if actor.sites:
        raise Forbidden("this concerns all sites, and you may see some of them only")


def require_site(actor: Actor, site: str) -> None:
    """Raises `NotFound` for a site the actor may not see."""
    if not actor.may_see(site):
        raise NotFound("site", site)


async def revealed(room: Room, actor: Actor, target: str, reason: str | None) -> bool:
    """Whether personal data is shown: with a reason, to an operator, and only once the audit has it."""
    if reason is None:
        return False
    if not actor.role.includes(Role.OPERATOR):
        raise Forbidden("personal data is shown to operators and above", role=str(Role.OPERATOR))
    await act(room, actor, "audit.note", action="personal.reveal", target=target, detail={"reason": reason})
    return True
