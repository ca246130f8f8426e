"""Pages of lists: opaque cursors, and a limit that cannot be talked up."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import Query
from starlette.responses import Response

from gateway.api.reply import reply
from gateway.errors import Invalid
from gateway.store.queries import Page, Place

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before.")]


def cursor_of(place: Place | None) -> str | None:
    """A place in a list as the text a client hands back."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(list(place))).decode().rstrip("=")


def place_of(cursor: str | None, *kinds: type) -> Place | None:
    """The place a cursor stands for, its parts checked to be of `kinds`. Raises `Invalid` for any other text."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = msgspec.msgpack.decode(raw)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        parts = None
    if not isinstance(parts, list) or len(parts) != len(kinds):
        raise Invalid("cursor", "not a cursor of this list: start without one")
    if not all(_fits(part, kind) for part, kind in zip(parts, kinds, strict=True)):
        raise Invalid("cursor", "not a cursor of this list: start without one")
    return tuple(parts)


def _fits(part: Any, kind: type) -> bool:
    if kind is float:
        return type(part) in (int, float) and abs(part) < 1e15
    if kind is int:
        return type(part) is int and abs(part) < 2**63
    return isinstance(part, str) and "\x00" not in part


def listing(page: Page, show: Callable[[Any], Any]) -> Response:
    """The answer that carries a page."""
    return reply({"items": [show(item) for item in page.items], "next": cursor_of(page.next)})
