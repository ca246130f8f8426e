"""The few MQTT 3.1.1 packets a load generator needs, as bytes. OASIS MQTT 3.1.1, sections 3.1 to 3.4."""

from __future__ import annotations

CONNECT, PUBLISH_QOS1, DISCONNECT, PINGREQ = 0x10, 0x32, b"\xe0\x00", b"\xc0\x00"
PUBACK_HEAD = 0x4002
CONNACK_LENGTH = 4
REFUSALS = {
    1: "unacceptable protocol version",
    2: "client id rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorised",
}


def text(value: str) -> bytes:
    """A UTF-8 string with its two-byte length."""
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def remaining(length: int) -> bytes:
    """A remaining length, seven bits a byte."""
    out = bytearray()
    while True:
        length, low = divmod(length, 128)
        out.append(low | (0x80 if length else 0))
        if not length:
            return bytes(out)


def connect(client: str, username: str | None, password: str | None, keepalive: int = 60) -> bytes:
    """CONNECT with a clean session."""
    flags = 0x02 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    body = text("MQTT") + bytes((4, flags)) + keepalive.to_bytes(2, "big") + text(client)
    if username is not None:
        body += text(username)
    if password is not None:
        body += text(password)
    return bytes((CONNECT,)) + remaining(len(body)) + body


def publish_head(topic: str, payload_length: int) -> bytes:
    """Everything of a QoS-1 PUBLISH before its packet identifier."""
    name = text(topic)
    return bytes((PUBLISH_QOS1,)) + remaining(len(name) + 2 + payload_length) + name
