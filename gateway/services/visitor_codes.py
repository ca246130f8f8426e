"""The visitors' QR codes: a signed name of a pass, and until when. Made and read in the core alone.

A code holds no personal data. It says which pass, which issue of its code, and an end; the signature is by a key that
never leaves the core's secrets. Keys are rotated: the newest signs, the older ones still read what they have signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from gateway.model.visitor import MARK

#: A code lasts no longer than this, in seconds; so no key need be kept longer after it was replaced.
LONGEST = 31 * 86_400.0
#: A code that was shown a moment ago is not taken again: it is still being held before the reader.
REPEAT = 5.0
_LONGEST_TEXT = 600
_SALT = "gatehouse.visitor"


class KeyRing(Protocol):
    """Where the keys are kept."""

    def keys(self) -> Sequence[str]:
        """All that are good, the oldest first; the last one signs."""

    def rotate(self, wall: float, *, at_once: bool) -> None:
        """Makes a new key, on the disk before this returns. `at_once` forgets the others: their codes are void."""


class Code(msgspec.Struct, frozen=True, array_like=True):
    """What a code says. `issue` counts the codes of one pass: a newer one makes the older void."""

    pass_id: str
    issue: int
    until: int


class Unreadable(Exception):
    """It is no code of ours, or its signature is by none of our keys."""


def sign(code: Code, keys: Sequence[str]) -> str:
    """The text of the QR code."""
    signed = _serializer(keys).dumps([code.pass_id, code.issue, code.until])
    return MARK + (signed if isinstance(signed, str) else signed.decode())


def read(text: str, keys: Sequence[str]) -> Code:
    """What the code says. Raises `Unreadable` where it was not signed by us, whatever it is."""
    text = text.strip()
    if not text.startswith(MARK) or len(text) > _LONGEST_TEXT or not text.isascii():
        raise Unreadable
    try:
        return msgspec.convert(_serializer(keys).loads(text[len(MARK) :]), Code)
    except (BadData, msgspec.ValidationError):
        raise Unreadable from None


def _serializer(keys: Sequence[str]) -> URLSafeSerializer:
    return URLSafeSerializer(list(keys), salt=_SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256})
