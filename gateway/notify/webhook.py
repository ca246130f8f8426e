"""A generic webhook: a CloudEvents 1.0 event, signed after Standard Webhooks.

`webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; the secret is base64 after
`whsec_`.
The receiver refuses an old timestamp, and knows a repetition by `webhook-id`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime

import msgspec

from gateway.model import Delivery
from gateway.notify.channels import Channel

#: The event's type by the message's kind.
EVENT_TYPE = "gatehouse.notification.{kind}"


def key_of(secret: str) -> bytes:
    """The bytes of a secret: base64 after `whsec_`, or the text itself. Raises `ValueError` for a short one."""
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret[6:], validate=True)
        except binascii.Error as error:
            raise ValueError("what follows whsec_ is not base64") from error
    if len(key) < 24:
        raise ValueError("a signing secret has 24 bytes at least")
    return key


def signature(key: bytes, ident: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    signed = f"{ident}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def event_of(delivery: Delivery) -> bytes:
    """The message as a structured CloudEvent. Its id is the same at each attempt."""
    one = delivery.notification
    moment = datetime.fromtimestamp(one.created_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = {
        "specversion": "1.0",
        "id": one.key,
        "source": f"/gatehouse/{one.site}",
        "type": EVENT_TYPE.format(kind=one.kind),
        "time": moment,
        "subject": one.alert or one.id,
        "datacontenttype": "application/json",
        "data": {
            "notification": one.id, "site": one.site, "alert": one.alert, "severity": one.severity, "title": one.title,
            "text": one.text, "chain": one.chain, "level": one.level, "people": list(one.people), "count": one.count,
        },
    }  # fmt: skip
    return msgspec.json.encode(event)


def signed_headers(channel: Channel, ident: str, now: float, body: bytes) -> dict[str, str]:
    """The headers of a webhook. `now` is the wall clock."""
    timestamp = int(now)
    return {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": ident,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(key_of(str(channel.options["secret"])), ident, timestamp, body),
        "Idempotency-Key": ident,
        "User-Agent": "Gatehouse",
    }
