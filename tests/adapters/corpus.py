"""Malformed payloads, built here rather than stored: each must be refused with a reason that names the part."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import msgspec

from tests.adapters.cases import cases, payload

DEEP = 10_000
MEGABYTE = 1_000_000


def json_case(name: str) -> dict[str, Any]:
    """The first fixture of an adapter that is decoded from JSON, or its first one where none is."""
    found = cases(name)
    return next((case for case in found if "json" in case), found[0])


def malformed(name: str) -> Iterator[tuple[str, bytes]]:
    """Name and payload of everything that no adapter of a JSON or binary format may take for a message."""
    case = json_case(name)
    good = payload(case)
    yield "empty", b""
    yield "a zero byte", b"\0"
    if "json" in case:  # a frame is found amid noise, a document is not
        yield "a byte-order mark", b"\xef\xbb\xbf" + good
    for part in (1, len(good) // 3, len(good) // 2, len(good) - 1):
        yield f"cut off after {part} bytes", good[:part]
    yield "something after the end", good[:-1] + b"\x00\x00\x00"
    yield "bad UTF-8", good[: len(good) // 2] + b"\xff\xfe" + good[len(good) // 2 + 2 :]
    yield "10,000 lists deep", b"[" * DEEP + b"]" * DEEP
    yield "10,000 objects deep", b'{"a":' * DEEP + b"1" + b"}" * DEEP
    yield "10,000 deep and never closed", b"[" * DEEP
    yield "400 deep", b'{"a":' * 400 + b"1" + b"}" * 400
    yield "not a number", b'{"a":NaN}'
    yield "infinity", b'{"a":-Infinity}'
    yield "1e400", b'{"a":1e400}'
    yield "a number of 5,000 digits", b'{"a":1' + b"0" * 5000 + b"}"
    yield "a key twice", b'{"a":1,"b":2,"a":3}'
    yield "a key twice, deep within", b'{"a":{"b":[{"c":1,"c":2}]}}'
    yield "a lone surrogate", b'{"a":"\\ud800"}'
    yield "a control character in a text", b'{"a":"\x01"}'
    yield "a zip bomb", gzip.compress(b"0" * MEGABYTE)
    yield "XML", b"<a>1</a>"
    yield "a bare number", b"12"
    yield "a bare text", b'"text"'
    yield "null", b"null"
    yield "an empty object", b"{}"


def large() -> Iterator[tuple[str, bytes]]:
    """A megabyte of several sorts."""
    yield "1 MB of zero bytes", bytes(MEGABYTE)
    yield "1 MB of one text", b'"' + b"a" * MEGABYTE + b'"'
    yield "1 MB of numbers", b"[" + b"1," * (MEGABYTE // 2) + b"1]"
    yield "1 MB of opening brackets", b"[" * MEGABYTE
    yield "1 MB of frame starts", b"\x68" * MEGABYTE
    yield "1 MB of keys", b"{" + b",".join(b'"%d":1' % number for number in range(90_000)) + b"}"
    yield "1 MB of one key again and again", b"{" + b",".join([b'"a":1'] * 160_000) + b"}"


STRANGE: tuple[Any, ...] = (None, True, 7, -1.5, 1e300, 2**70, "", "x", "9" * 400, [], ["x"], {}, {"x": 1})


def wrong_types(document: Any) -> Iterator[tuple[str, bytes]]:
    """Every value within `document` replaced by every strange one, one at a time."""
    for place, changed in _replaced(document, "$"):
        try:
            yield place, msgspec.json.encode(changed)
        except OverflowError:
            continue


def _replaced(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    for strange in STRANGE:
        yield f"{place} = {str(strange)[:20]!r}", strange
    if isinstance(value, dict):
        for key, inner in value.items():
            for where, changed in _replaced(inner, f"{place}.{key}"):
                yield where, {**value, key: changed}
            yield f"{place} without {key}", {name: kept for name, kept in value.items() if name != key}
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            for where, changed in _replaced(inner, f"{place}[{index}]"):
                yield where, [*value[:index], changed, *value[index + 1 :]]
