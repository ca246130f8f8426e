"""Photos and documents in the home, each under the hash of its bytes: kept once, never changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from gateway.errors import NotFound, StorageFailed

_DIGEST = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """A folder of files. What is put is durable before it is named to anybody; no name comes from outside."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, body: bytes) -> str:
        """Keeps the bytes; the SHA-256 by which they are found. Raises `StorageFailed`; nothing half-written stays."""
        digest = hashlib.sha256(body).hexdigest()
        path = self._path(digest)
        if path.exists():
            return digest
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                raise
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageFailed(
                f"the file could not be kept: {error.strerror}; try again", reason=error.strerror
            ) from error
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with that hash. Raises `NotFound`, also where the disk no longer holds what was put."""
        if not _DIGEST.fullmatch(digest):
            raise NotFound("file", digest)
        try:
            body = self._path(digest).read_bytes()
        except OSError as error:
            raise NotFound("file", digest) from error
        if hashlib.sha256(body).hexdigest() != digest:
            raise NotFound("undamaged file", digest)
        return body

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def type_of(body: bytes) -> str | None:
    """The type that the first bytes show, of those that are kept: JPEG, PNG, WebP, PDF; None for any other."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body.startswith(b"%PDF-"):
        return "application/pdf"
    return None
