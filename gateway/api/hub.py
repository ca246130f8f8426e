"""The hub of the event stream: one reader of `changes` a process, fanned out to bounded queues."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from gateway.api.frames import Frame, Framer, frame_bytes
from gateway.api.present import rfc3339
from gateway.api.settings import ApiSettings, Door
from gateway.errors import GatehouseError, Unavailable
from gateway.store.queries import Reader

log = logging.getLogger("gatehouse.api")

#: The reader looks by itself this often where the core does not poke it, seconds.
_FALLBACK = 0.5
_BEAT = 1.0
#: Every so many beats the core is asked how it is, and credentials of listeners are looked at again.
_ASK_EVERY, _CHECK_EVERY = 2, 5


class Listener:
    """One open stream: a bounded queue of bytes. Whoever does not read is dropped and may resume."""

    def __init__(self, sites: tuple[str, ...], still_valid: Callable[[], bool], size: int) -> None:
        self.sites, self.still_valid, self._size = sites, still_valid, size
        self._queue: list[bytes] = []
        self._waiting = 0
        self._news = asyncio.Event()
        self.dropped = asyncio.Event()
        self.ended = False

    def push(self, chunk: bytes, frames: int = 1) -> None:
        """Queues bytes that hold so many frames, or drops the listener whose queue is full."""
        if self._waiting >= self._size:
            self.drop()
        elif not self.dropped.is_set():
            self._queue.append(chunk)
            self._waiting += frames
            self._news.set()

    def drop(self) -> None:
        """Gives up on this listener at once; what was queued is forgotten."""
        self._queue.clear()
        self.dropped.set()

    def end(self) -> None:
        """Lets the listener go after what is queued."""
        self.ended = True
        self._news.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """What was queued, joined, as soon as there is some; ends after `end`."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self._queue:
                joined = self._queue[0] if len(self._queue) == 1 else b"".join(self._queue)
                taken = self._waiting
                self._queue.clear()
                yield joined
                # Only now: what the client has not taken still counts against it.
                self._waiting -= taken
            elif self.ended:
                return


class Hub:
    """Follows the changes while somebody listens; costs nothing while nobody does."""

    def __init__(
        self, reader: Reader, door: Door, framer: Framer, settings: ApiSettings, clock: Callable[[], float]
    ) -> None:
        self._reader, self._door, self._framer = reader, door, framer
        self._settings, self._clock = settings, clock
        self._listeners: set[Listener] = set()
        self._someone = asyncio.Event()
        self._poked = asyncio.Event()
        self._entrance = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._position = 0
        self._core = "unknown"
        self.closing = False

    @property
    def count(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @property
    def position(self) -> int:
        """The newest change that was fanned out."""
        return self._position

    def start(self) -> None:
        """Starts the reader, its ear at the core's door, and the heart."""
        jobs = (("changes", self._follow), ("pokes", self._listen_to_core), ("heart", self._beat))
        self._tasks = [asyncio.create_task(_kept_up(name, job), name=f"hub-{name}") for name, job in jobs]

    def end_streams(self) -> None:
        """Ends all streams, and refuses new ones: the process is about to stop."""
        self.closing = True
        for listener in list(self._listeners):
            listener.end()

    async def close(self) -> None:
        """Stops everything `start` started."""
        self.end_streams()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def join(self, sites: tuple[str, ...], still_valid: Callable[[], bool]) -> tuple[Listener, int]:
        """A new listener, and the change after which its queue starts. Raises `Unavailable` where there are enough."""
        async with self._entrance:
            if self.closing or self.count >= self._settings.max_streams:
                raise Unavailable("too many open streams: close another page, or try again", after=5)
            if not self._listeners:
                self._position = (await asyncio.to_thread(self._reader.change_span))[1]
            listener = Listener(sites, still_valid, self._settings.stream_queue)
            self._listeners.add(listener)
            self._someone.set()
            return listener, self._position

    def leave(self, listener: Listener) -> None:
        """Forgets a listener."""
        self._listeners.discard(listener)
        if not self._listeners:
            self._someone.clear()

    def hello(self, resumes_at: int, newest: int) -> bytes:
        """The first frame of every stream. Its id lets a client resume that lost the link before the first change."""
        return frame_bytes("hello", {**self._now(newest), "version": self._settings.version}, resumes_at)

    async def missed(self, since: int, until: int, sites: tuple[str, ...]) -> AsyncIterator[bytes]:
        """The frames past `since` up to `until`, or one `resync` where they are no longer all kept."""
        oldest, newest = await asyncio.to_thread(self._reader.change_span)
        if since > newest or (since + 1 < oldest) or until - since > self._settings.stream_catch_up:
            yield frame_bytes("resync", {**self._now(until), "oldest_id": oldest}, until)
            return
        while since < until:
            frames = await asyncio.to_thread(self._framer.after, since)
            wanted = b"".join(frame.told_to(sites) for frame in frames if frame.id <= until)
            if wanted:
                yield wanted
            if not frames:
                return
            since = frames[-1].id

    def resync(self, until: int) -> bytes:
        """The frame that tells a listener to load everything anew."""
        return frame_bytes("resync", {**self._now(until), "oldest_id": 0}, until)

    async def _follow(self) -> None:
        while True:
            await self._someone.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._poked.wait(), _FALLBACK)
            self._poked.clear()
            while True:
                frames = await asyncio.to_thread(self._framer.after, self._position)
                # While we read, the position may have moved on: nothing is told twice.
                fresh = [frame for frame in frames if frame.id > self._position]
                if not fresh:
                    break
                self._tell(fresh)

    def _tell(self, frames: list[Frame]) -> None:
        chunks: dict[tuple[str, ...], bytes] = {}
        for listener in list(self._listeners):
            if listener.sites not in chunks:
                chunks[listener.sites] = b"".join(frame.told_to(listener.sites) for frame in frames)
            if chunks[listener.sites]:
                listener.push(chunks[listener.sites], len(frames))
        self._position = frames[-1].id

    async def _listen_to_core(self) -> None:
        async for newest in self._door.changes():
            if newest > self._position:
                self._poked.set()

    async def _beat(self) -> None:
        beats = 0
        while True:
            await self._someone.wait()
            if beats % _ASK_EVERY == 0:
                self._core = await self._ask_core()
            if beats % _CHECK_EVERY == _CHECK_EVERY - 1:
                await asyncio.to_thread(self._check_credentials)
            beat = frame_bytes("heartbeat", self._now(self._position))
            for listener in list(self._listeners):
                listener.push(beat)
            beats += 1
            await asyncio.sleep(_BEAT)

    def _check_credentials(self) -> None:
        """Ends the streams of those who may no longer listen. In a thread: it reads the store."""
        loop = self._tasks[0].get_loop()
        for listener in list(self._listeners):
            try:
                valid = listener.still_valid()
            except SQLAlchemyError:
                # Not known now: it is asked again with the next round.
                continue
            if not valid:
                loop.call_soon_threadsafe(listener.end)

    async def _ask_core(self) -> str:
        try:
            async with asyncio.timeout(1.0):
                await self._door.health()
        except (GatehouseError, TimeoutError):
            return "down"
        return "up"

    def _now(self, last: int) -> dict[str, Any]:
        return {"server_time": rfc3339(self._clock()), "last_id": last, "core": self._core}


async def _kept_up(name: str, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a job for ever: what fails is told and begun again."""
    while True:
        try:
            await job()
        except asyncio.CancelledError:
            raise
        except SQLAlchemyError as error:
            log.warning("the stream's %s task cannot read the database: %s", name, error.__cause__ or error)
        except Exception:
            log.exception("the stream's %s task failed and begins again", name)
        await asyncio.sleep(_BEAT)
