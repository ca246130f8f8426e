"""Values as devices write them (numbers as texts, flags as 1 and "ON") turned into values of one type."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from gateway.model.visitor import shown_code

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_LONGEST_NUMBER = 40
_LARGEST = 2**63
_FLAGS = {
    **dict.fromkeys(("true", "1", "on", "yes"), True),
    **dict.fromkeys(("false", "0", "off", "no"), False),
}
_INFINITE = float("inf")


def shown(value: Any) -> str:
    """A value as it stands in an error: short."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def as_text(value: Any) -> str:
    """The text of a scalar, without blanks around it. Raises `ValueError` for lists and objects."""
    kind = type(value)
    if kind is str:
        return str(value.strip())
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return str(int(value)) if value.is_integer() and abs(value) < _LARGEST else repr(value)
    raise ValueError(f"expected a text, got {shown(value)}")


def as_number(value: Any) -> int | float:
    """A number, or a text that is one. Not-a-number and infinity are refused."""
    kind = type(value)
    if kind is int or kind is float:
        if -_INFINITE < value < _INFINITE and abs(value) < _LARGEST:
            return value  # type: ignore[no-any-return]
    elif kind is str:
        text = value.strip()
        if len(text) <= _LONGEST_NUMBER:
            if _INTEGER.fullmatch(text):
                return int(text)
            if _NUMBER.fullmatch(text) and abs(float(text)) < _LARGEST:
                return float(text)
    raise ValueError(f"expected a number, got {shown(value)}")


def as_integer(value: Any) -> int:
    """A whole number, or a text that is one; 3.0 is."""
    try:
        number = as_number(value)
    except ValueError:
        number = 0.5
    if number != int(number):
        raise ValueError(f"expected a whole number, got {shown(value)}")
    return int(number)


def as_boolean(value: Any) -> bool:
    """A flag: true, 1, "1", "on", "yes" and their opposites, in any case."""
    if type(value) is bool:
        return value
    flag = _FLAGS.get(as_text(value).lower()) if type(value) in (str, int, float) else None
    if flag is None:
        raise ValueError(f"expected true or false, got {shown(value)}")
    return flag


def as_scalar(value: Any) -> Any:
    """The value as it is. Raises `ValueError` for lists and objects."""
    if isinstance(value, list | dict | tuple):
        raise ValueError(f"expected a single value, got {'an object' if isinstance(value, dict) else 'a list'}")
    return value


def base64_text(value: Any) -> str:
    """UTF-8 text in base64."""
    try:
        return base64.b64decode(as_text(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ValueError(f"expected UTF-8 text in base64, got {shown(value)}") from None


def scanned_code(value: Any) -> str | None:
    """What may be kept of a scanned QR code; nothing where there is none."""
    text = as_text(value).strip()
    return shown_code(text) if text else None


COERCIONS: dict[str, Callable[[Any], Any]] = {
    "text": as_text,
    "number": as_number,
    "integer": as_integer,
    "boolean": as_boolean,
}
"""The words after `as:`."""

CODECS: dict[str, Callable[[Any], Any]] = {"base64": base64_text, "scanned_code": scanned_code}
"""The codecs every mapping may name. Each takes the raw value, gives a value or None for "nothing", or ValueError."""
