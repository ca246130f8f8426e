"""How plates are written: plain, in base64, and the words that mean "there was none"."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from adapters.mapping.coercion import as_text, shown

NO_PLATE = frozenset(("", "_无_", "无", "无牌车", "无车牌", "未识别", "unknown", "null"))
_LONGEST = 32


def plate(value: Any) -> str | None:
    """The plate in capitals and without blanks; None where the camera says that there is none."""
    text = as_text(value).replace("\0", "").strip()
    if text.lower() in NO_PLATE:
        return None
    if len(text) > _LONGEST:
        raise ValueError(f"expected a plate of at most {_LONGEST} letters, got {shown(text)}")
    return text.replace(" ", "").upper()


def plate_base64(value: Any) -> str | None:
    """A plate in base64 of UTF-8. Some firmware sends Chinese plates plain: what is not ASCII cannot be base64."""
    text = as_text(value).replace("\0", "")
    if not text.isascii() or text.lower() in NO_PLATE:
        return plate(text)
    try:
        return plate(base64.b64decode(text, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError(f"expected a plate in base64 of UTF-8, got {shown(value)}") from None
