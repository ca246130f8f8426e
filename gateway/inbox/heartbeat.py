"""Proof of life: a message sent through the broker that came back. A flag that says "connected" proves nothing."""

from __future__ import annotations

import secrets


class Heartbeat:
    """Sends a numbered beat every `interval` seconds; alive while the last echo is younger than `limit`.

    All times are monotonic seconds.
    """

    def __init__(self, interval: float = 5.0, limit: float = 15.0) -> None:
        self.interval = interval
        self.limit = limit
        self._token = secrets.token_hex(4)
        self._count = 0
        self._sent: float | None = None
        self._echoed: float | None = None
        self._since: float | None = None

    def restart(self, now: float) -> None:
        """A connection begins: the first beat is due at once, and the link has `limit` seconds to prove itself."""
        self._sent = None
        self._since = now

    def due(self, now: float) -> bytes | None:
        """The beat to send now, if one is due."""
        if self._sent is not None and now - self._sent < self.interval:
            return None
        return self.beat(now)

    def beat(self, now: float) -> bytes:
        """A beat to send now, due or not."""
        self._sent = now
        self._count += 1
        return f"{self._token} {self._count}".encode()

    def echo(self, payload: bytes, now: float) -> None:
        """A beat came in; only our own counts."""
        if payload.startswith(self._token.encode()):
            self._echoed = now

    def alive(self, now: float) -> bool:
        """Whether a beat of ours came back within the limit."""
        return self._echoed is not None and now - self._echoed <= self.limit

    def overdue(self, now: float) -> bool:
        """Whether this connection has had its time and no beat came back in it."""
        if self._since is None or now - self._since <= self.limit:
            return False
        return self._echoed is None or now - self._echoed > self.limit
