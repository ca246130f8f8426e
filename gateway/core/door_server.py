"""The core's side of the door: a Unix socket, served by a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from gateway.door import LINE_LIMIT, Answer, Request, failure_of, request_decoder
from gateway.errors import ConfigError, GatehouseError, Invalid
from gateway.model import Action

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder(enc_hook=str).encode

#: Longest path of a Unix socket, of which the kernel's limit is 108 bytes with the final zero.
LONGEST_PATH = 107

#: Hands an action to the core's thread; the reporter is called there with the result or the error.
Submit = Callable[[Action, Callable[[Any, GatehouseError | None], None]], None]


class DoorServer:
    """Accepts callers and hands their actions to the core's thread. `announce` tells the subscribers."""

    def __init__(self, path: Path, submit: Submit, health: Callable[[], dict[str, Any]]) -> None:
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise ConfigError("home", str(path.parent.parent), f"a shorter path: '{path}' is too long for a socket")
        self._path = path
        self._submit = submit
        self._health = health
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._subscribers: set[asyncio.StreamWriter] = set()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="door", daemon=True)

    def start(self) -> None:
        """Listens when this returns."""
        self._path.unlink(missing_ok=True)
        self._thread.start()
        self._ready.wait(5)

    def stop(self) -> None:
        """Closes the socket and all connections."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join(5)
        self._path.unlink(missing_ok=True)

    def announce(self, last: int) -> None:
        """Tells every subscriber that there are changes up to `last`. From any thread."""
        if self._subscribers:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell, _encode(Answer(changes=last)) + b"\n")

    def _end(self) -> None:
        if self._stop is not None:
            self._stop.set()

    def _tell(self, line: bytes) -> None:
        for writer in list(self._subscribers):
            # A follower that does not read has only missed numbers: it asks the table, not this line, for the changes.
            if not writer.is_closing() and writer.transport.get_write_buffer_size() < 65_536:
                writer.write(line)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except Exception:
            _log.exception("the door's thread has failed")
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        old = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._talk, str(self._path), limit=LINE_LIMIT)
        finally:
            os.umask(old)
        self._ready.set()
        async with server:
            await self._stop.wait()
        talks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self._answer(line, writer)
                await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            self._subscribers.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()

    def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            request = request_decoder.decode(line)
        except msgspec.DecodeError as error:
            self._send(writer, Answer(error=failure_of(Invalid("request", str(error)))))
            return
        if request.subscribe:
            self._subscribers.add(writer)
        elif request.health:
            self._send(writer, Answer(id=request.id, result=self._health()))
        elif request.action is not None:
            self._pass_on(request, request.action, writer)

    def _pass_on(self, request: Request, action: Action, writer: asyncio.StreamWriter) -> None:
        def report(result: Any, error: GatehouseError | None) -> None:
            answer = Answer(id=request.id, result=result, error=failure_of(error) if error else None)
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._send, writer, answer)

        self._submit(action, report)

    @staticmethod
    def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
        if not writer.is_closing():
            writer.write(_encode(answer) + b"\n")
