"""Answers to requests that carried an `Idempotency-Key`: the same key again gets the same answer and does nothing."""

from __future__ import annotations

import asyncio
import collections
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response

from gateway.errors import Conflict

_KEPT = 1000
_KEPT_FOR = 3600.0


class _Entry(NamedTuple):
    digest: bytes
    since: float
    answer: asyncio.Future[Response]


class Remembered:
    """The last answers by caller, route and key. Commands have theirs in the core, which outlives this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: collections.OrderedDict[tuple[str, str, str], _Entry] = collections.OrderedDict()

    async def once(
        self, actor: str, route: str, key: str | None, body: str, make: Callable[[], Awaitable[Response]]
    ) -> Response:
        """The answer `make` gives, or gave to the same key before. Raises `Conflict` where the body differs."""
        if key is None:
            return await make()
        place = (actor, route, key)
        digest = hashlib.sha256(body.encode()).digest()
        known = self._entries.get(place)
        if known is not None and self._clock() - known.since < _KEPT_FOR:
            if known.digest != digest:
                raise Conflict("this Idempotency-Key was used for another request: take a new one")
            return await asyncio.shield(known.answer)
        return await self._make(place, digest, make)

    async def _make(
        self, place: tuple[str, str, str], digest: bytes, make: Callable[[], Awaitable[Response]]
    ) -> Response:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._entries[place] = _Entry(digest, self._clock(), answer)
        if len(self._entries) > _KEPT:
            self._entries.popitem(last=False)
        try:
            made = await make()
        except BaseException as error:
            # What failed may be tried again under the same key; who waits for it now learns of the failure.
            self._entries.pop(place, None)
            if isinstance(error, Exception):
                answer.set_exception(error)
                answer.exception()
            else:
                answer.cancel()
            raise
        answer.set_result(made)
        return made
