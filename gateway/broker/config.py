"""The configuration of the embedded broker, as a pure function from settings and users to text.

The broker is nats-server. It speaks MQTT 3.1.1 outside and knows NATS subjects inside, so the permissions of an
MQTT credential have to be written as subjects: `topic_to_subject` translates exactly as the server does. A
translation that differs by one character is a hole, which is why the tests compare it with a running server.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from gateway.errors import ConfigError, Invalid

MAX_TOPIC_BYTES: Final = 65_535
MAX_IDENTIFIERS: Final = 65_535
"""MQTT has this many message identifiers in a session; the server divides them among the subscriptions."""

_DELIVERY: Final = "$MQTT.sub.>"
"""Where the server hands QoS-1 messages to a session. It refuses MQTT subscriptions to it by itself."""

_DURATION_UNITS: Final = ("ms", "s", "m", "h")


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the embedded broker listens and stores. Sizes in bytes, ports 1 to 65535.

    `sync` is `always` (every message is on the disk before its PUBACK, about a twentieth of the rate) or how often
    the store is flushed, such as `1s`: what a power cut can lose. A killed process loses nothing either way.
    `max_ack_pending` is the window of unacknowledged messages of one subscription; the server allows 65,535 of them
    in a session, and a filter that ends in `#` counts twice.
    """

    host: str = "0.0.0.0"  # noqa: S104 - devices are elsewhere; the broker knows no anonymous client
    port: int = 1883
    max_payload: int = 256 * 1024
    max_ack_pending: int = 2_000
    ack_wait: str = "5m"
    sync: str = "1s"
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_ca: str | None = None
    websocket_port: int | None = None
    store_dir: str | None = None


class BrokerUser(msgspec.Struct, frozen=True, kw_only=True):
    """One credential: its name, the bcrypt hash of its password, and the MQTT filters that it may use."""

    name: str
    password_bcrypt: str
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


def topic_to_subject(topic: str) -> str:
    """The NATS subject of an MQTT topic or filter, exactly as nats-server makes it.

    `/` becomes `.`, an empty level becomes a lone `/`, a dot becomes `//`, `+` becomes `*` and `#` becomes `>`.
    Raises `Invalid` for what MQTT forbids, what the server cannot carry (white space), and for `*` and `>`: they
    are plain characters in MQTT and wildcards in NATS, so as a device's id they would open the topics of others.
    """
    _check_topic(topic)
    subject: list[str] = []
    last = len(topic) - 1
    for at, char in enumerate(topic):
        if char != "/":
            subject.append({"+": "*", "#": ">", ".": "//"}.get(char, char))
        elif at == 0 or subject[-1].endswith("."):
            subject.append("/.")
        elif at == last or topic[at + 1] == "/":
            subject.append("./")
        else:
            subject.append(".")
    if subject[-1].endswith("."):
        subject.append("/")
    return "".join(subject)


def _check_topic(topic: str) -> None:
    if not topic:
        raise Invalid("topic", "is empty; a topic has at least one character")
    if len(topic.encode("utf-8", "surrogatepass")) > MAX_TOPIC_BYTES:
        raise Invalid("topic", f"{topic[:40]}... is longer than {MAX_TOPIC_BYTES} bytes")
    for char in topic:
        if char in "*>" or char.isspace() or not char.isprintable():
            raise Invalid(
                "topic", f"{topic!r} contains {char!r}, which the embedded broker cannot carry; rename the topic"
            )
    levels = topic.split("/")
    for at, level in enumerate(levels):
        if "#" in level and (level != "#" or at != len(levels) - 1):
            raise Invalid("topic", f"{topic!r}: '#' stands alone and last, as in 'a/b/#'")
        if "+" in level and level != "+":
            raise Invalid("topic", f"{topic!r}: '+' stands for a whole level, as in 'a/+/b'")


def render_config(
    settings: BrokerSettings, core_user: BrokerUser, devices: Iterable[BrokerUser], *, store_dir: Path | None = None
) -> str:
    """The whole nats-server configuration as text. Raises `ConfigError` or `Invalid` before anything is written.

    `store_dir` is where the sessions and messages lie when the settings do not say.
    """
    check_settings(settings)
    store = settings.store_dir or (str(store_dir) if store_dir is not None else "broker")
    lines = [
        "# Written by gatehouse. Changes made by hand are lost; see docs/broker.md.",
        'server_name: "gatehouse"',
        "# NATS clients have no use here: loopback only, any free port, and no credential that may use it.",
        'listen: "127.0.0.1:-1"',
        f"max_payload: {settings.max_payload}",
        "max_pending: 256MB",
        "jetstream {",
        f"  store_dir: {_quoted(store)}",
        f"  sync_interval: {_quoted(settings.sync)}",
        "}",
        *_listener("mqtt", settings, settings.port),
        *([] if settings.websocket_port is None else _listener("websocket", settings, settings.websocket_port)),
        "accounts {",
        "  GATEHOUSE {",
        "    jetstream: enabled",
        "    users: [",
    ]
    seen: set[str] = set()
    for user in (core_user, *devices):
        if user.name in seen:
            raise ConfigError(f"broker user {user.name}", user.name, "a name that no other credential has")
        seen.add(user.name)
        lines.append(_user(user))
    lines += ["    ]", "  }", "}", ""]
    return "\n".join(lines)


def check_settings(settings: BrokerSettings) -> None:
    """Refuses settings that the server would not understand, or would understand differently."""
    for name, port in (("broker.port", settings.port), ("broker.websocket_port", settings.websocket_port)):
        if port is not None and not 1 <= port <= 65_535:
            raise ConfigError(name, port, "a port from 1 to 65535")
    if not 1_024 <= settings.max_payload <= 64 * 1024 * 1024:
        raise ConfigError("broker.max_payload", settings.max_payload, "1024 to 67108864 bytes")
    if not 1 <= settings.max_ack_pending <= MAX_IDENTIFIERS:
        raise ConfigError("broker.max_ack_pending", settings.max_ack_pending, f"1 to {MAX_IDENTIFIERS} messages")
    if settings.sync != "always" and not _is_duration(settings.sync):
        raise ConfigError("broker.sync", settings.sync, "'always' or a time such as '1s' or '2m'")
    if not _is_duration(settings.ack_wait):
        raise ConfigError("broker.ack_wait", settings.ack_wait, "a time such as '5m'")
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise ConfigError("broker.tls_cert", settings.tls_cert, "a certificate and its key together, or neither")
    if settings.tls_ca is not None and settings.tls_cert is None:
        raise ConfigError("broker.tls_ca", settings.tls_ca, "tls_cert and tls_key beside it")


def _is_duration(text: str) -> bool:
    for unit in _DURATION_UNITS:
        if text.endswith(unit) and text.removesuffix(unit).isdigit():
            return int(text.removesuffix(unit)) > 0
    return False


def _listener(kind: str, settings: BrokerSettings, port: int) -> list[str]:
    lines = [f"{kind} {{", f"  host: {_quoted(settings.host)}", f"  port: {port}"]
    if kind == "mqtt":
        lines += [f"  max_ack_pending: {settings.max_ack_pending}", f"  ack_wait: {_quoted(settings.ack_wait)}"]
    if settings.tls_cert is not None and settings.tls_key is not None:
        lines += [
            "  tls {",
            f"    cert_file: {_quoted(settings.tls_cert)}",
            f"    key_file: {_quoted(settings.tls_key)}",
        ]
        if settings.tls_ca is not None:
            lines += [f"    ca_file: {_quoted(settings.tls_ca)}", "    verify: true"]
        lines += ["  }"]
    elif kind == "websocket":
        lines += ["  no_tls: true"]
    return [*lines, "}"]


def _user(user: BrokerUser) -> str:
    if not user.name:
        raise ConfigError("broker user", user.name, "a name")
    if not user.password_bcrypt.startswith(("$2a$", "$2b$", "$2y$")):
        # Anything else would be taken for a password in clear.
        raise ConfigError(f"broker user {user.name}", "(hidden)", "the bcrypt hash of its password")
    publish = [topic_to_subject(topic) for topic in user.publish]
    subscribe = [_DELIVERY, *(topic_to_subject(topic) for topic in user.subscribe)] if user.subscribe else []
    return (
        f"      {{user: {_quoted(user.name)}, password: {_quoted(_bcrypt_2a(user.password_bcrypt))}, "
        f'allowed_connection_types: ["MQTT", "MQTT_WS"], '
        f"permissions: {{publish: {_subjects(publish)}, subscribe: {_subjects(subscribe)}}}}}"
    )


def _subjects(subjects: list[str]) -> str:
    # An empty list of what is allowed means "everything" to the server, so nothing has to be said as a refusal.
    if not subjects:
        return '{deny: [">"]}'
    return f"{{allow: [{', '.join(map(_quoted, subjects))}]}}"


def _bcrypt_2a(hashed: str) -> str:
    # The server recognises a hash by this prefix; the three variants are the same function.
    return "$2a$" + hashed[4:]


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise ConfigError("broker configuration", text, "text without control characters")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
