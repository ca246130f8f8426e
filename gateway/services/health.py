"""Which channels deliver: told as an event of the gateway when that changes, so that a rule can raise an alert."""

from __future__ import annotations

from typing import Any

from gateway.model import Notification, NotificationState

Said = tuple[str, dict[str, Any]]


class ChannelHealth:
    """The last outcome of each channel. It fails from its first failed attempt until its next delivery."""

    def __init__(self) -> None:
        self._failing: dict[str, str] = {}
        self._last: dict[str, float] = {}

    @property
    def failing(self) -> dict[str, str]:
        """The channels that fail, with the last reason."""
        return dict(self._failing)

    def clear(self) -> None:
        """Forgets all."""
        self._failing.clear()
        self._last.clear()

    def learn(self, one: Notification) -> None:
        """Takes the outcomes of a stored message into account."""
        for attempt in one.tried:
            if attempt.channel and attempt.failed_at >= self._last.get(attempt.channel, 0.0):
                self._last[attempt.channel] = attempt.failed_at
                self._failing[attempt.channel] = attempt.error
        sent_at = one.sent_at if one.state is NotificationState.SENT else None
        if sent_at is not None and sent_at >= self._last.get(one.sent_by, 0.0):
            self._last[one.sent_by] = sent_at
            self._failing.pop(one.sent_by, None)

    def report(self) -> list[Said]:
        """How each channel is of which an outcome is known."""
        return [_said(channel, self._failing.get(channel)) for channel in sorted(self._last)]

    def fails(self, channel: str, error: str) -> Said | None:
        """The channel failed; what is to be said, if that is news."""
        before = self._failing.get(channel)
        self._failing[channel] = error
        self._last.setdefault(channel, 0.0)
        return None if before == error else _said(channel, error)

    def works(self, channel: str) -> Said | None:
        """The channel delivered; what is to be said, if that is news."""
        self._last.setdefault(channel, 0.0)
        return None if self._failing.pop(channel, None) is None else _said(channel, None)


def _said(channel: str, error: str | None) -> Said:
    return "gateway.notification", {"channel": channel, "failing": error is not None, "detail": error or ""}
