"""One POST to a checked address: bounded in time and size, no redirect followed, no proxy, no cookie."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from gateway.notify.channels import SendFailed
from gateway.notify.guard import Goal, Guard

#: Seconds for connecting, and for each piece of the answer.
TIMEOUT = 8.0
#: Bytes of an answer that are looked at.
LONGEST_ANSWER = 65_536


class Answer(NamedTuple):
    """What the other side said."""

    status: int
    body: bytes


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, for the host that was asked for."""

    def __init__(self, goal: Goal, context: ssl.SSLContext | None) -> None:
        super().__init__(goal.host, goal.port, timeout=TIMEOUT)
        self._goal = goal
        self._context = context

    def connect(self) -> None:
        """Connects to the address, and asks for the host's certificate."""
        self.sock = socket.create_connection((self._goal.address, self._goal.port), TIMEOUT)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self._goal.host)


def post(
    guard: Guard, url: str, body: bytes, headers: Mapping[str, str], context: ssl.SSLContext | None = None
) -> Answer:
    """The answer to a POST. Raises `SendFailed` where there is none. `context` replaces the system's authorities."""
    goal = guard.check(url)
    secure = (context or ssl.create_default_context()) if goal.scheme == "https" else None
    connection = _Pinned(goal, secure)
    try:
        connection.request("POST", goal.path, body, {**headers, "Connection": "close"})
        reply = connection.getresponse()
        return Answer(reply.status, reply.read(LONGEST_ANSWER))
    except (OSError, http.client.HTTPException) as error:
        what = "it ended without an answer" if isinstance(error, http.client.RemoteDisconnected) else str(error)
        raise SendFailed(f"{goal.host}:{goal.port}: {what or type(error).__name__}") from error
    finally:
        connection.close()


def require_taken(answer: Answer) -> None:
    """Raises `SendFailed` where the status is not one of success: a redirect is none."""
    if not 200 <= answer.status < 300:
        raise SendFailed(f"the answer was {answer.status}")
