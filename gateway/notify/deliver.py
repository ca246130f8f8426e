"""One attempt: a message through one channel, taken or `SendFailed`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable

from gateway.model import Delivery
from gateway.notify.channels import Channel, SendFailed
from gateway.notify.guard import Guard
from gateway.notify.outside import notify
from gateway.notify.post import post, require_taken
from gateway.notify.profiles import requests_of, require_success
from gateway.notify.webhook import event_of, signed_headers


class Deliverer:
    """Knows the channels. `clock` is the wall clock; `context` replaces the authorities of the system."""

    def __init__(
        self, channels: Iterable[Channel], guard: Guard, clock: Callable[[], float],
        context: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.channels = {channel.id: channel for channel in channels}
        self._guard = guard
        self._clock = clock
        self._context = context

    def deliver(self, delivery: Delivery) -> None:
        """Sends the message once. Raises `SendFailed`; its reason holds no secret of the channel."""
        channel = self.channels.get(delivery.channel)
        if channel is None:
            raise SendFailed(f"there is no channel '{delivery.channel}' any more")
        if channel.needs and not delivery.to:
            raise SendFailed(f"nobody of {', '.join(delivery.notification.people)} has an address for '{channel.id}'")
        try:
            self._deliver(channel, delivery)
        except SendFailed as error:
            raise SendFailed(channel.scrub(error.message)) from None
        except Exception as error:
            # Whatever a service's library does, it costs this attempt.
            raise SendFailed(channel.scrub(f"{type(error).__name__}: {error}"[:300])) from None

    def _deliver(self, channel: Channel, delivery: Delivery) -> None:
        if channel.type == "webhook":
            body = event_of(delivery)
            headers = signed_headers(channel, delivery.notification.key, self._clock(), body)
            require_taken(post(self._guard, str(channel.options["url"]), body, headers, self._context))
        elif channel.type in ("sms", "wecom", "dingtalk"):
            for request in requests_of(channel, delivery, self._clock()):
                answer = post(self._guard, request.url, request.body, request.headers, self._context)
                require_success(request, answer)
        else:
            notify(channel, delivery)
