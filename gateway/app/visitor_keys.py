"""The keys of the visitors' QR codes, in a file of mode 0600 under `secrets/`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway.errors import StorageFailed
from gateway.services.visitor_codes import LONGEST


class _Key(msgspec.Struct, frozen=True):
    key: str
    made_at: float
    replaced_at: float | None = None


class FileKeys:
    """A `KeyRing`. The file is made when the first key is needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: tuple[_Key, ...] | None = None

    def keys(self) -> Sequence[str]:
        """All that are good, the oldest first. Raises `StorageFailed` where the file cannot be read or made."""
        if self._keys is None:
            self._keys = self._load()
        if not self._keys:
            self._write((_Key(_new(), 0.0),))
        return [one.key for one in self._keys or ()]

    def rotate(self, wall: float, *, at_once: bool) -> None:
        """Makes a new key; an older one is kept until no code that it has signed can be in force."""
        self.keys()
        old = [one if one.replaced_at is not None else _replaced(one, wall) for one in self._keys or ()]
        kept = [] if at_once else [one for one in old if (one.replaced_at or wall) + LONGEST > wall]
        self._write((*kept, _Key(_new(), wall)))

    def _load(self) -> tuple[_Key, ...]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=tuple[_Key, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            raise StorageFailed(
                f"the keys of the visitors' codes in {self._path} cannot be read: {error}; restore the file, or move "
                "it away: then all codes that were given out are void"
            ) from error

    def _write(self, keys: tuple[_Key, ...]) -> None:
        """Whole or not at all, and on the disk before it returns."""
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(keys))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageFailed(f"the keys of the visitors' codes could not be written: {error}") from error
        self._keys = keys


def _new() -> str:
    return secrets.token_urlsafe(32)


def _replaced(one: _Key, wall: float) -> _Key:
    return msgspec.structs.replace(one, replaced_at=wall)
