"""JSON as strangers send it, read strictly: what is doubtful is refused with the place of the doubt.

Besides what every parser refuses, this one refuses keys that appear twice (which of the two is meant?) and nesting
deeper than `MAXIMUM_DEPTH`. Both checks cost well under a microsecond on an ordinary message.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from gateway.errors import Undecodable

MAXIMUM_DEPTH = 32

_decode = msgspec.json.Decoder().decode
_PLACE = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_BYTE = re.compile(r"^JSON is malformed: (?P<reason>.*?) \(byte (?P<byte>\d+)\)$", re.DOTALL)
_ESCAPED_QUOTE = b'\\"'


class _Twice:
    """Stands in a parsed document where an object named `key` twice."""

    def __init__(self, key: str) -> None:
        self.key = key


def read_json(payload: bytes) -> Any:
    """The document in `payload`. Raises `Undecodable` naming a byte or a JSON path."""
    document = parse(payload)
    keys = count_keys(document)
    if not keys_are_unique(payload, keys):
        refuse_doubled_keys(payload)
    return document


def parse(payload: bytes) -> Any:
    """As `read_json`, without the checks for depth and doubled keys."""
    try:
        return _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise explain(payload, error) from None


def explain(payload: bytes, error: Exception) -> Undecodable:
    """The parser's complaint in words that name the offending part."""
    if isinstance(error, RecursionError):
        return Undecodable("$", f"nested deeper than {MAXIMUM_DEPTH} levels")
    if isinstance(error, UnicodeDecodeError):
        return _not_utf8(payload, error)
    text = str(error)
    malformed = _BYTE.match(text)
    if malformed:
        return Undecodable(f"byte {malformed['byte']}", f"not JSON: {malformed['reason']}")
    if "truncated" in text:
        return Undecodable(f"byte {len(payload)}", "the payload is empty" if not payload else "JSON ends early")
    place = _PLACE.match(text)
    if place is None:
        return Undecodable("$", text)
    return Undecodable(place["path"] or "$", place["reason"][:1].lower() + place["reason"][1:])


def _not_utf8(payload: bytes, error: UnicodeDecodeError) -> Undecodable:
    start = error.start
    try:
        payload.decode()
    except UnicodeDecodeError as whole:
        start = whole.start
    value = f" (0x{payload[start]:02X})" if start < len(payload) else ""
    return Undecodable(f"byte {start}", f"not UTF-8{value}")


def count_keys(value: Any, depth: int = 0, path: str = "$") -> int:
    """How many keys all objects within `value` have. Raises `Undecodable` below `MAXIMUM_DEPTH` levels."""
    if depth > MAXIMUM_DEPTH:
        raise Undecodable(path[:120], f"nested deeper than {MAXIMUM_DEPTH} levels")
    total = 0
    if type(value) is dict:
        total = len(value)
        for key, inner in value.items():
            if type(inner) is dict or type(inner) is list:
                total += count_keys(inner, depth + 1, f"{path}.{key}")
    elif type(value) is list:
        for index, inner in enumerate(value):
            if type(inner) is dict or type(inner) is list:
                total += count_keys(inner, depth + 1, f"{path}[{index}]")
    return total


def keys_are_unique(payload: bytes, keys: int) -> bool:
    r"""Whether `payload`, which parsed to `keys` keys in all, certainly has no key twice.

    Every key is followed by `":`. Inside a text a quote is always escaped, so without `\"` and without blanks before
    colons the number of `":` is the number of keys as written. False means "look closer", not "doubled".
    """
    return (
        payload.count(b'":') == keys
        # One byte is found much faster than two: most messages hold none of these at all.
        and (b"\\" not in payload or _ESCAPED_QUOTE not in payload)
        and (b" " not in payload or b" :" not in payload)
        and (b"\n" not in payload or b"\n:" not in payload)
        and (b"\t" not in payload or b"\t:" not in payload)
        and (b"\r" not in payload or b"\r:" not in payload)
    )


def refuse_doubled_keys(payload: bytes) -> None:
    """Raises `Undecodable` if an object in `payload`, which is known to be sound JSON, names a key twice."""
    path = _find_doubled(json.loads(payload, object_pairs_hook=_pairs), "$")
    if path is not None:
        raise Undecodable(path, "the key appears twice in one object")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Twice:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return _Twice(key)
        seen.add(key)
    return found


def _find_doubled(value: Any, path: str) -> str | None:
    if isinstance(value, _Twice):
        return f"{path}.{value.key}"
    children: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        children = [(f"{path}.{key}", inner) for key, inner in value.items()]
    elif isinstance(value, list):
        children = [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
    for place, inner in children:
        found = _find_doubled(inner, place)
        if found is not None:
            return found
    return None
