"""Where a look back gets its inputs from: the journal, an exported file, and the stored events before the journal."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from gateway.app.database import database_url
from gateway.app.definitions import LoadedDefinitions
from gateway.app.retrospect.stored import stored_inputs
from gateway.config import Home, Settings
from gateway.core.lookback import Lookback, Query
from gateway.errors import Invalid, Unavailable
from gateway.model import Site
from gateway.store.read_base import reading_engine
from rules.inputs import Head, Input, StreamError, read_stream, write_stream

Progress = Callable[[float], None]
"""Is told the wall time to which a source has been read."""
_BUFFER = 1 << 20


class Source(NamedTuple):
    """Inputs that can be read again and again. `notes` say what must be known of them, as (English, Chinese)."""

    since: float
    until: float
    state: bytes | None
    notes: tuple[tuple[str, str], ...]
    read: Callable[[Progress], Iterator[Input]]


def clock(time: float) -> str:
    """A wall time for people, in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


@contextmanager
def reading(home: Home, settings: Settings) -> Iterator[Database]:
    """The home's database, opened so that it cannot be written. Raises `Unavailable` where there is none to read."""
    url = database_url(home, settings)
    if url.startswith("sqlite") and not (home.data / "gatehouse.db").exists():
        raise Unavailable(f"{home.path} holds no gateway yet: start it with 'gatehouse run --home {home.path}'")
    database = reading_engine(url)
    try:
        yield database
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise Unavailable(f"the database cannot be read: {why}") from error
    finally:
        database.dispose()


def lookback(database: Database, settings: Settings, known: LoadedDefinitions) -> Lookback:
    """A look back over the journal, with the pace that the core itself has."""
    return Lookback(
        Query(database),
        adapters=known.adapters,
        catalogue=known.catalogue,
        default_site=Site(id="", timezone=settings.site.timezone, lateness=settings.site.lateness_s),
        remember_ids=settings.core.remember_ids,
        redelivery=settings.core.redelivery_s,
        max_payload=settings.mqtt.max_payload,
    )


def journal_source(
    database: Database,
    settings: Settings,
    known: LoadedDefinitions,
    since: float | None,
    until: float | None,
    *,
    warm_up: float = 0.0,
) -> Source:
    """The journal between two wall times, and what is stored of the time before it.

    It begins `warm_up` seconds before `since` where there is so much, so that what a rule waits for has begun.
    Raises `Unavailable` where nothing came in.
    """
    span = lookback(database, settings, known).span()
    if span is None:
        raise Unavailable("the journal is empty: nothing has come in yet")
    first, last = span
    since = first if since is None else since
    until = last if until is None else min(until, last)
    if since > until:
        raise Unavailable(f"the journal ends at {clock(last)}: nothing came in after 'since', {clock(since)}")
    begin = since - warm_up
    found = lookback(database, settings, known).beginning(begin)
    stored = begin < first and not found.whole
    notes = [_stored_note(first)] if stored else []
    if not stored and not found.whole and found.state is None:
        notes.append(_empty_note(found.time))

    def read(progress: Progress) -> Iterator[Input]:
        back = lookback(database, settings, known)
        beginning = back.beginning(begin)
        if stored:
            yield from stored_inputs(Query(database), back, beginning, begin, progress)
        yield from back.inputs(beginning, until, progress)

    return Source(since, until, None if stored else found.state, tuple(notes), read)


def file_source(path: Path, since: float | None, until: float | None) -> Source:
    """An exported file. Raises `Invalid` where it is none."""
    with _opened(path) as file:
        head, _ = _read(path, file)
    since = head.since if since is None else max(since, head.since)
    until = head.until if until is None else min(until, head.until)
    if since >= until:
        raise Invalid(str(path), f"it reaches from {clock(head.since)} to {clock(head.until)}: choose a span in it")

    def frames(progress: Progress) -> Iterator[list[Input]]:
        with _opened(path) as file:
            _, inputs = _read(path, file)
            try:
                for frame in inputs:
                    if frame:
                        progress(frame[0].wall)
                    yield frame
            except StreamError as error:
                raise Invalid(str(path), str(error)) from error
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise Invalid(str(path), f"it is damaged: {error}") from error

    # Ten million inputs pass here: they are handed on by the interpreter itself, without a frame of ours for each.
    return Source(since, until, head.state, head.notes, lambda progress: chain.from_iterable(frames(progress)))


def export(path: Path, source: Source, made_at: float, progress: Progress) -> int:
    """Writes the source into `path`, whole or not at all; how many inputs it has."""
    head = Head(since=source.since, until=source.until, made_at=made_at, state=source.state, notes=source.notes)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(half, "xb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed:
            count = write_stream(cast(BinaryIO, packed), head, source.read(progress))
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
    return count


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with gzip.open(path, "rb") as packed, io.BufferedReader(cast(Any, packed), _BUFFER) as file:
            yield cast(BinaryIO, file)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise Invalid(str(path), "it was not made by 'gatehouse journal export'") from error
        raise Invalid(str(path), f"cannot be read: {error.strerror or error}") from error


def _read(path: Path, file: BinaryIO) -> tuple[Head, Iterator[list[Input]]]:
    try:
        return read_stream(file)
    except StreamError as error:
        raise Invalid(str(path), str(error)) from error
    except (EOFError, zlib.error) as error:
        raise Invalid(str(path), f"it is damaged: {error}") from error


def _empty_note(time: float) -> tuple[str, str]:
    return (
        f"It begins at {clock(time)} with an engine that remembers nothing.",
        f"从 {clock(time)} 开始,引擎没有之前的记忆。",
    )


def _stored_note(first: float) -> tuple[str, str]:
    return (
        f"Before {clock(first)} there is no journal: only stored events are known, no heartbeats, no pauses of the "
        "gateway, and the devices as they are today.",
        f"{clock(first)} 之前没有日志:只有已存储的事件,没有心跳、网关停顿记录,设备资料以今天为准。",
    )
