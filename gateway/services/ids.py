"""Ids that a replay of the journal makes again: journal position and a running number."""

from __future__ import annotations

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class JournalIds:
    """Ids such as `al-0000003f2-01`: sortable, unique as long as each journal position is begun once."""

    def __init__(self, position: int = 0) -> None:
        self._position = _base32(position, 9)
        self._count = 0

    def begin(self, position: int) -> None:
        """From now on ids belong to the journal entry `position`; the core calls it before each batch.

        Beginning the same position again, after a batch that was not journaled, goes on counting.
        """
        begun = _base32(position, 9)
        if begun != self._position:
            self._position, self._count = begun, 0

    def next(self, prefix: str) -> str:
        """A new id that starts with `prefix`."""
        self._count += 1
        return f"{prefix}-{self._position}-{_base32(self._count, 2)}"


def _base32(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = _ALPHABET[digit] + digits
    return digits.rjust(width, "0")
