"""The configuration of the embedded broker, as a pure function from settings and users to text.

The broker is nats-server. It speaks MQTT 3.1.1 outside and knows NATS subjects inside, so the permissions of an
MQTT credential have to be written as subjects: `topic_to_subject` translates exactly as the server does. A
translation that differs by one character is a hole, which is why the tests compare it with a running server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from gateway.errors import ConfigError, GatehouseError, Invalid

MAX_TOPIC_BYTES: Final = 65_535
MAX_IDENTIFIERS: Final = 65_535
"""MQTT has this many message identifiers in a session; the server divides them among the subscriptions."""

_DELIVERY: Final = "$MQTT.sub.>"
"""Where the server hands QoS-1 messages to a session. It refuses MQTT subscriptions to it by itself."""

_INTERNAL: Final = ("$JS.>", "$SYS.>", "$MQTT.>")
"""The server's own subjects that no client has business with."""

_DURATION_UNITS: Final = ("ms", "s", "m", "h")
_SYNC: Final = {"interval": "1s", "always": "always"}
_LEAST_PAYLOAD: Final = 1_024
_MOST_PAYLOAD: Final = 64 * 1024 * 1024
_MOST_PORT: Final = 65_535
_ORDINARY: Final = re.compile(r"[A-Za-z0-9_:-]{1,64}(?:/[A-Za-z0-9_:-]{1,64}){0,15}")
"""Topics of which only the slashes change: nearly all of them, and ten thousand devices have forty thousand."""


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the embedded broker listens and stores. Sizes in bytes, ports 1 to 65535.

    `sync` is `always` (every message is on the disk before its PUBACK, about a twentieth of the rate), or `interval`:
    flushed every second, which is what a power cut can lose. A killed process loses nothing either way.
    `host` is where devices reach it; `websocket_port` 0 leaves WebSocket out. With `tls_ca` devices need certificates.
    `max_ack_pending` is the window of unacknowledged messages of one subscription; the server allows 65,535 of them
    in a session, and a filter that ends in `#` counts twice. `ack_wait` is after how long the server sends again what
    is not acknowledged: also the time until a restarted core gets back what its predecessor held.
    """

    host: str = "0.0.0.0"  # noqa: S104 - devices are elsewhere; the broker knows no anonymous client
    port: int = 1883
    max_payload: int = 256 * 1024
    max_ack_pending: int = 2_000
    ack_wait: str = "3s"
    sync: str = "interval"
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    websocket_port: int = 0
    store_dir: str = ""


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
    if _ORDINARY.fullmatch(topic):
        return topic.replace("/", ".")
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
    settings: BrokerSettings,
    core_user: BrokerUser,
    devices: Iterable[BrokerUser],
    *,
    store_dir: Path | None = None,
    refused: dict[str, str] | None = None,
) -> str:
    """The whole nats-server configuration as text. Raises `ConfigError` or `Invalid` before anything is written.

    `store_dir` is where the sessions and messages lie when the settings do not say. With `refused`, a device whose
    credential cannot be written is left out and noted there with the reason, instead of keeping all others out.
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
        f"  sync_interval: {_quoted(_SYNC[settings.sync])}",
        "}",
        *_listener("mqtt", settings, settings.port),
        *(_listener("websocket", settings, settings.websocket_port) if settings.websocket_port else []),
        "accounts {",
        "  GATEHOUSE {",
        "    jetstream: enabled",
        "    users: [",
    ]
    lines.append(_user(core_user))
    seen = {core_user.name}
    for user in devices:
        try:
            if user.name in seen:
                raise ConfigError(f"broker user {user.name}", user.name, "a name that no other credential has")
            lines.append(_user(user))
        except GatehouseError as error:
            if refused is None:
                raise
            refused[user.name] = error.message
        seen.add(user.name)
    lines += ["    ]", "  }", "}", ""]
    return "\n".join(lines)


def check_settings(settings: BrokerSettings) -> None:
    """Refuses settings that the server would not understand, or would understand differently."""
    if not 1 <= settings.port <= _MOST_PORT:
        raise ConfigError("mqtt.port", settings.port, "a port from 1 to 65535")
    if not 0 <= settings.websocket_port <= _MOST_PORT:
        raise ConfigError("mqtt.websocket_port", settings.websocket_port, "a port from 1 to 65535, or 0 for none")
    if not _LEAST_PAYLOAD <= settings.max_payload <= _MOST_PAYLOAD:
        raise ConfigError("mqtt.max_payload", settings.max_payload, f"{_LEAST_PAYLOAD} to {_MOST_PAYLOAD} bytes")
    if not 1 <= settings.max_ack_pending <= MAX_IDENTIFIERS:
        raise ConfigError("mqtt.max_ack_pending", settings.max_ack_pending, f"1 to {MAX_IDENTIFIERS} messages")
    if settings.sync not in _SYNC:
        raise ConfigError("mqtt.sync", settings.sync, "'interval' or 'always'")
    if not _is_duration(settings.ack_wait):
        raise ConfigError("mqtt.ack_wait", settings.ack_wait, "a time such as '5m'")
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise ConfigError("mqtt.tls_cert", settings.tls_cert, "a certificate and its key together, or neither")
    if settings.tls_ca and not settings.tls_cert:
        raise ConfigError("mqtt.tls_ca", settings.tls_ca, "tls_cert and tls_key beside it")


def _is_duration(text: str) -> bool:
    for unit in _DURATION_UNITS:
        if text.endswith(unit) and text.removesuffix(unit).isdigit():
            return int(text.removesuffix(unit)) > 0
    return False


def _listener(kind: str, settings: BrokerSettings, port: int) -> list[str]:
    lines = [f"{kind} {{", f"  host: {_quoted(settings.host)}", f"  port: {port}"]
    if kind == "mqtt":
        lines += [f"  max_ack_pending: {settings.max_ack_pending}", f"  ack_wait: {_quoted(settings.ack_wait)}"]
    if settings.tls_cert:
        lines += [
            "  tls {",
            f"    cert_file: {_quoted(settings.tls_cert)}",
            f"    key_file: {_quoted(settings.tls_key)}",
        ]
        if settings.tls_ca:
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
    publish = [subject for topic in user.publish for subject in _allowed(user, topic)]
    subscribe = [subject for topic in user.subscribe for subject in _allowed(user, topic)]
    if subscribe:
        subscribe.insert(0, _DELIVERY)
    may_publish = _permission(publish, publishing=True)
    may_subscribe = _permission(subscribe, publishing=False)
    return (
        f"      {{user: {_quoted(user.name)}, password: {_quoted(_bcrypt_2a(user.password_bcrypt))}, "
        f'allowed_connection_types: ["MQTT", "MQTT_WS"], '
        f"permissions: {{publish: {may_publish}, subscribe: {may_subscribe}}}}}"
    )


def _allowed(user: BrokerUser, topic: str) -> list[str]:
    if topic.startswith("$"):
        raise ConfigError(
            f"broker user {user.name}", topic, "a topic that does not begin with '$': those are the server's"
        )
    subject = topic_to_subject(topic)
    # In MQTT 'a/#' is 'a' as well; in NATS 'a.>' is not 'a', and the server subscribes to both.
    return [subject, subject.removesuffix(".>")] if subject.endswith(".>") else [subject]


def _permission(subjects: list[str], *, publishing: bool) -> str:
    # An empty list of what is allowed means "everything" to the server, so nothing has to be said as a refusal.
    if not subjects:
        return '{deny: [">"]}'
    allow = f"allow: [{', '.join(map(_quoted, subjects))}]"
    if publishing and any(subject.startswith((">", "*")) for subject in subjects):
        # An MQTT wildcard never means the server's own topics, a NATS wildcard does: with them a client could delete
        # the streams that hold everybody's sessions. (Refusals on the subscribing side would stop deliveries.)
        return f"{{{allow}, deny: [{', '.join(map(_quoted, _INTERNAL))}]}}"
    return f"{{{allow}}}"


def _bcrypt_2a(hashed: str) -> str:
    # The server recognises a hash by this prefix; the three variants are the same function.
    return "$2a$" + hashed[4:]


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise ConfigError("broker configuration", text, "text without control characters")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
