"""RFC 3339 times, to and from Unix seconds."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.errors import Undecodable


def epoch(text: object, where: str) -> float:
    """Unix seconds of an RFC 3339 time. Raises `Undecodable` naming `where`."""
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]
        if (
            moment.tzinfo is not None
            # ISO 8601 allows much that RFC 3339 does not: week dates, no seconds, no separators.
            and text[16] == ":" == text[13]  # type: ignore[index]
            and text[10] == "T"  # type: ignore[index]
            and text[7] == "-"  # type: ignore[index]
        ):
            return moment.timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        pass
    return _unusual(text, where)


def _unusual(text: object, where: str) -> float:
    """Small letters and leap seconds, which RFC 3339 allows and the fast way does not know."""
    if not isinstance(text, str):
        raise Undecodable(where, f"expected an RFC 3339 time in quotes, got {str(text)[:40]!r}")
    plain = text.upper().replace(" ", "T", 1)
    leap = plain[17:19] == "60"
    if plain != text or leap:
        usual = f"{plain[:17]}59{plain[19:]}" if leap else plain
        try:
            return epoch(usual, where) + leap
        except Undecodable:
            pass
    raise Undecodable(where, f"{text[:40]!r} is not an RFC 3339 time such as 2026-11-22T11:05:49Z")


def rfc3339(seconds: float) -> str:
    """Unix seconds as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
