"""What a visitor's QR code looks like from outside: told from others, and made harmless before it is kept anywhere."""

from __future__ import annotations

import hashlib
import re

#: Every code of ours begins so. The number is the version of what follows.
MARK = "GHV1."
_MARK = MARK.encode()
#: The mark, what the code says, and the signature, which alone makes it open anything.
_CODE = re.compile(r"(GHV1\.\.?[A-Za-z0-9_-]{4,400})\.[A-Za-z0-9_-]{20,100}")
_CODE_BYTES = re.compile(_CODE.pattern.encode())


def redacted(text: str) -> str:
    """The text with the signature of each code in it left out: what is left opens nothing."""
    return _CODE.sub(r"\1", text) if MARK in text else text


def redacted_bytes(payload: bytes) -> bytes:
    """As `redacted`, for a message as it came."""
    return _CODE_BYTES.sub(rb"\1", payload) if _MARK in payload else payload


def shown_code(text: str) -> str:
    """What is kept of a scanned code: of ours all but the signature, of any other a digest, as it is none of ours."""
    text = text.strip()
    if text.startswith(MARK):
        return redacted(text)[:128]
    return f"sha256:{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"
