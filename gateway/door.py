"""The door to the core: how the API and the command line hand over actions and learn that something changed.

One JSON object a line over a Unix socket in the gateway's home. A request is `{"id", "action"}`; its reply
`{"id", "result"}` or `{"id", "error": {"code", "status", "message", "facts"}}`. After `{"subscribe": true}` the core
sends `{"changes": n}` after each commit that changed something. The socket is readable by the gateway's user alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from gateway import errors
from gateway.model.changes import Action

#: The longest line either side reads: an HTTP push of 1 MiB in base64, and room for its envelope.
LINE_LIMIT = 2 * 1024 * 1024
#: How long a caller waits for the core's answer before it is told that the core is stuck.
REPLY_TIMEOUT = 15.0

_encode = msgspec.json.Encoder().encode


class Request(msgspec.Struct, omit_defaults=True):
    """What a caller sends. Exactly one of `action`, `health` and `subscribe` is meant."""

    id: int = 0
    action: Action | None = None
    health: bool = False
    subscribe: bool = False


class Failure(msgspec.Struct):
    """An error on its way over the door."""

    code: str
    status: int
    message: str
    facts: dict[str, Any] = {}


class Answer(msgspec.Struct, omit_defaults=True):
    """What the core sends: the reply to a request, or the number of the newest change."""

    id: int = 0
    result: Any = None
    error: Failure | None = None
    changes: int | None = None


request_decoder = msgspec.json.Decoder(Request)
answer_decoder = msgspec.json.Decoder(Answer)


def socket_path(home: Path) -> Path:
    """Where the core of `home` listens."""
    return home / "run" / "core.sock"


def failure_of(error: errors.GatehouseError) -> Failure:
    """`error` as it goes over the door; facts that JSON cannot say become their text."""
    facts = msgspec.to_builtins(error.facts, enc_hook=str)
    return Failure(error.code, error.status, error.message, facts)


def error_of(failure: Failure) -> errors.GatehouseError:
    """The error that `failure` tells of, of the same class where this process knows its code."""
    kind = next((cls for cls in _subclasses(errors.GatehouseError) if cls.code == failure.code), errors.GatehouseError)
    error = kind.__new__(kind)
    errors.GatehouseError.__init__(error, failure.message, **failure.facts)
    for name, fact in failure.facts.items():
        with contextlib.suppress(AttributeError):
            setattr(error, name, fact)
    return error


def _subclasses(kind: type[errors.GatehouseError]) -> list[type[errors.GatehouseError]]:
    found = [kind]
    for child in kind.__subclasses__():
        found += _subclasses(child)
    return found


def _away(path: Path) -> errors.Unavailable:
    return errors.Unavailable(
        f"the core is not running (nothing answers at {path}): start it with 'gatehouse run' or 'gatehouse core'",
        path=str(path),
    )


class Door:
    """The asynchronous side, for the API. One connection carries all requests; it reconnects by itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def act(self, action: Action) -> dict[str, Any]:
        """The outcome of `action`. Raises the core's error, or `Unavailable` while the core is away."""
        return await self._ask(Request(action=action))

    async def health(self) -> dict[str, Any]:
        """What the core says of itself: position, links, queue lengths."""
        return await self._ask(Request(health=True))

    async def changes(self) -> AsyncIterator[int]:
        """The number of the newest change, each time there is one. Ends never; waits while the core is away."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self.path), limit=LINE_LIMIT)
            except OSError:
                await asyncio.sleep(0.5)
                continue
            try:
                writer.write(_encode(Request(subscribe=True)) + b"\n")
                while line := await reader.readline():
                    answer = answer_decoder.decode(line)
                    if answer.changes is not None:
                        yield answer.changes
            except (OSError, msgspec.DecodeError):
                pass
            finally:
                writer.close()
            await asyncio.sleep(0.2)

    async def close(self) -> None:
        """Ends the connection; whoever still waits gets `Unavailable`."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        self._hang_up()

    async def _ask(self, request: Request) -> dict[str, Any]:
        async with self._connecting:
            if self._writer is None:
                await self._connect()
            writer = self._writer
        if writer is None:
            raise _away(self.path)
        request.id = next(self._ids)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        try:
            writer.write(_encode(request) + b"\n")
            answer = await asyncio.wait_for(future, REPLY_TIMEOUT)
        except TimeoutError:
            raise errors.Unavailable("the core did not answer in time: see its log") from None
        finally:
            self._waiting.pop(request.id, None)
        if answer.error is not None:
            raise error_of(answer.error)
        return answer.result if isinstance(answer.result, dict) else {"result": answer.result}

    async def _connect(self) -> None:
        try:
            reader, self._writer = await asyncio.open_unix_connection(str(self.path), limit=LINE_LIMIT)
        except OSError:
            raise _away(self.path) from None
        self._reader = asyncio.create_task(self._listen(reader), name="door-answers")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                answer = answer_decoder.decode(line)
                future = self._waiting.get(answer.id)
                if future is not None and not future.done():
                    future.set_result(answer)
        except (OSError, ValueError, msgspec.DecodeError):
            pass
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_away(self.path))


class DoorClient:
    """The blocking side, for the command line: a connection a call."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def act(self, action: Action) -> dict[str, Any]:
        """As `Door.act`."""
        return self._ask(Request(id=1, action=action))

    def health(self) -> dict[str, Any]:
        """As `Door.health`."""
        return self._ask(Request(id=1, health=True))

    def _ask(self, request: Request) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(REPLY_TIMEOUT)
            try:
                connection.connect(str(self.path))
                connection.sendall(_encode(request) + b"\n")
                line = connection.makefile("rb").readline(LINE_LIMIT)
            except OSError:
                raise _away(self.path) from None
        if not line:
            raise _away(self.path)
        answer = answer_decoder.decode(line)
        if answer.error is not None:
            raise error_of(answer.error)
        return answer.result if isinstance(answer.result, dict) else {"result": answer.result}
