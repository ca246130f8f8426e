"""Limits at the edge: sizes of headers and bodies, time for a body, requests a second."""

from __future__ import annotations

import asyncio
import collections
import logging
import time
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import problem
from gateway.errors import TooMany

#: Where files are uploaded to.
_ORDERS, _UPLOAD = "/api/v1/work-orders/", "/files"
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
#: So many callers are remembered at once; the one not seen for longest is forgotten first.
_REMEMBERED = 10_000

log = logging.getLogger("gatehouse.api")


class Buckets:
    """A token bucket a key: `burst` at once, `rate` a second from then on."""

    def __init__(self, what: str, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._rate, self._burst, self._clock = what, rate, burst, clock
        self._levels: collections.OrderedDict[str, tuple[float, float]] = collections.OrderedDict()

    def take(self, key: str) -> None:
        """Takes one. Raises `TooMany` with the time to wait when there is none."""
        now = self._clock()
        level, seen = self._levels.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - seen) * self._rate)
        if level < 1.0:
            self._levels[key] = (level, now)
            raise TooMany(self._what, max(1.0, (1.0 - level) / self._rate))
        self._levels[key] = (level - 1.0, now)
        if len(self._levels) > _REMEMBERED:
            self._levels.popitem(last=False)


class Limits:
    """The rates of one API."""

    def __init__(self, requests: Buckets, commands: Buckets, forms: Buckets | None = None) -> None:
        self.requests, self.commands = requests, commands
        #: The public form: so many an hour from one address, and not more than a desk can take from all together.
        self.forms = forms or Buckets("requests from this address", 12 / 3600, 12)
        self.all_forms = Buckets("requests at this time", 0.5, 120)
        self.look_ups = Buckets("look-ups", 0.5, 30)
        #: (method, status) -> how many answers.
        self.answers: collections.Counter[tuple[str, int]] = collections.Counter()


class EdgeLimits:
    """Middleware: refuses what is too large or too slow, counts answers, and turns a crash into a problem."""

    def __init__(self, app: ASGIApp, limits: Limits, max_body: int, body_timeout: float, max_file: int = 0) -> None:
        self.app, self.limits = app, limits
        self.max_body, self.body_timeout = max_body, body_timeout
        self.max_file = max(max_file, max_body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def counted(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self.limits.answers[scope["method"], message["status"]] += 1
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, counted)
            return
        try:
            await self.app(scope, self._bounded(receive, self._most(scope)), counted)
        except Exception as error:
            if started:
                raise
            log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
            answer = problem(500, "internal", "this is a fault of the gateway, see its log")
            await answer(scope, receive, counted)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = scope["headers"]
        size = sum(len(name) + len(value) for name, value in headers)
        if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
            return problem(
                431, "headers_too_large", f"at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes in all", _CLOSE
            )
        told = next((value for name, value in headers if name == b"content-length"), b"0")
        most = self._most(scope)
        if not told.isdigit() or int(told) > most:
            return problem(413, "too_large", f"a body holds at most {most} bytes", _CLOSE)
        return None

    def _most(self, scope: Scope) -> int:
        """How large a body may be here: a file may be larger than what is read into memory elsewhere."""
        path = scope["path"]
        return self.max_file if path.startswith(_ORDERS) and path.endswith(_UPLOAD) else self.max_body

    def _bounded(self, receive: Receive, most: int) -> Receive:
        """`receive` that gives up on a body that grows past the limit or takes too long."""
        taken = 0
        complete = False
        deadline = asyncio.get_running_loop().time() + self.body_timeout

        async def bounded() -> Message:
            nonlocal taken, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"the body took longer than {self.body_timeout:.0f} s", _CLOSE) from None
            if message["type"] != "http.request":
                return message
            taken += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if taken > most:
                raise HTTPException(413, f"a body holds at most {most} bytes", _CLOSE)
            return message

        return bounded


_CLOSE = {"Connection": "close"}
