"""`time`: when the device says it happened, in Unix seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.mapping.coercion import as_number, as_text, shown
from adapters.mapping.document import Part
from adapters.mapping.paths import compile_path
from adapters.mapping.scope import MISSING, Scope
from gateway.errors import Undecodable

FORMATS = ("local", "rfc3339", "seconds", "milliseconds")
_WORDS = ("from", "format", "plus", "scale", "nothing", "bad", "standing")
_DEFAULT_NOTHING = ("", "0000-00-00 00:00:00")
_LARGEST_EPOCH = 253402300800.0
"""The year 10000."""

Timer = Callable[[Scope], float | None]


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def compile_time(part: Part) -> Timer:
    """`from` and `format` are needed; `plus` and `scale` add a second number, such as microseconds.

    `standing: 60` is for times at which a state began that still stands: where one is more than so many seconds old at
    receipt, the event has no time of its own, as what it says is true now and must not pass for old news.

    Texts in `nothing` (by default the empty one and all zeros) mean that the device says no time; `bad: skip` treats
    an unreadable time likewise instead of refusing the message.
    """
    words = part.words(_WORDS, "time")
    if "from" not in words or "format" not in words:
        raise part.wrong(f"time: needs `from` and `format` ({', '.join(FORMATS)} or a pattern with %)")
    getters = [(item.text("from"), item.compiled(compile_path, "from")) for item in words["from"].items()]
    plus = words["plus"].compiled(compile_path, "plus") if "plus" in words else None
    scale = words["scale"].number("scale") if "scale" in words else 1.0
    nothing = frozenset(str(item.value()) for item in words["nothing"].items()) if "nothing" in words else None
    nothing = frozenset(_DEFAULT_NOTHING) if nothing is None else nothing
    skip = "bad" in words and words["bad"].choice("bad", ("skip", "refuse")) == "skip"
    standing = words["standing"].number("standing") if "standing" in words else None
    read = _reader(words["format"])

    def time(scope: Scope) -> float | None:
        for path, get in getters:
            value = get(scope)
            if value is MISSING or value is None or (isinstance(value, str) and value.strip() in nothing):
                continue
            try:
                moment = read(value, scope)
                if plus is not None:
                    extra = plus(scope)
                    moment += 0.0 if extra is MISSING or extra is None else as_number(extra) * scale
                return None if standing is not None and scope.received() - moment > standing else moment
            except (ValueError, OverflowError, OSError) as error:
                if skip:
                    return None
                raise Undecodable(scope.locate(path), _reason(error, value)) from None
        return None

    return time


def _reason(error: Exception, value: object) -> str:
    text = str(error)
    return text if text.startswith(("expected", "no time zone")) else f"expected a time, got {shown(value)}"


def _reader(part: Part) -> Callable[[object, Scope], float]:
    form = part.text("format")
    if form == "local":
        return _local
    if form == "rfc3339":
        return _rfc3339
    if form in ("seconds", "milliseconds"):
        divisor = 1000.0 if form == "milliseconds" else 1.0
        return lambda value, scope: _epoch(value, divisor)
    if "%" not in form:
        raise part.wrong(f"format: {form!r} is not one of {', '.join(FORMATS)}, nor a pattern with %")
    return lambda value, scope: _placed(datetime.strptime(as_text(value), form), scope)


def _epoch(value: object, divisor: float) -> float:
    seconds = as_number(value) / divisor
    if abs(seconds) >= _LARGEST_EPOCH:
        raise ValueError(f"expected a time before the year 10000, got {shown(value)}")
    return seconds


def _local(value: object, scope: Scope) -> float:
    """`2026-04-10 09:42:25` or with a `T`, meant in the device's zone; with an offset, the offset counts."""
    return _placed(datetime.fromisoformat(as_text(value)), scope)


def _rfc3339(value: object, scope: Scope) -> float:
    moment = datetime.fromisoformat(as_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with its offset, got {shown(value)}")
    return _seconds(moment)


def _placed(moment: datetime, scope: Scope) -> float:
    if moment.tzinfo is None:
        name = scope.timezone()
        try:
            moment = moment.replace(tzinfo=_zone(name))
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no time zone {name!r}") from None
        # When the clocks go back an hour is told twice; the one nearer to the receipt is meant.
        return min(_seconds(moment), _seconds(moment.replace(fold=1)), key=lambda at: abs(at - scope.received()))
    return _seconds(moment)


def _seconds(moment: datetime) -> float:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
