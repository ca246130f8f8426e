"""What the inbox hands over, and how it is told to connect."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from gateway.errors import ConfigError, Unavailable

HEARTBEAT_TOPIC: Final = "gatehouse/v1/_core/heartbeat"
MAX_WINDOW: Final = 65_535
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_VERSIONS: Final = ("3.1.1", "5")


class InboxFailed(Unavailable):
    """The connection to the broker cannot do what was asked of it."""

    code = "inbox_failed"


class InboxMessage(msgspec.Struct, gc=False):
    """One message as it came. `at_monotonic` and `wall` (Unix seconds) are when its bytes were read.

    `generation` is the connection that brought it; `mid` means something in that one only. `dup` is the broker's word
    that it may have come before.
    """

    topic: str
    payload: bytes
    at_monotonic: float
    wall: float
    mid: int
    qos: int
    dup: bool
    retain: bool
    generation: int


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the broker. `url` is `mqtt://host:port` or `mqtts://host:port`; `version` `3.1.1` or `5`.

    `client_id` names the session that keeps our messages while we are away. On a broker that does not bind it to the
    user (the embedded one does not) whoever knows it can take the session over, so it is a secret: see `client_id_of`.
    `window` is how many messages may be unacknowledged: Receive Maximum over MQTT 5, the broker's setting over 3.1.1.
    `session_expiry` is in seconds. `tls_pinned` is the very certificate that the broker must show, whatever name stands
    in it: for the embedded broker, whose file we have.
    """

    url: str
    client_id: str
    username: str = ""
    password: str = ""
    version: str = "3.1.1"
    window: int = 2_000
    keepalive: int = 30
    session_expiry: int = 14 * 86_400
    tls_ca: str = ""
    tls_pinned: str = ""
    tls_cert: str = ""
    tls_key: str = ""

    def address(self) -> tuple[str, int]:
        """Host and port. Raises `ConfigError` naming the setting that is wrong, whichever of them it is."""
        parts = urlsplit(self.url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in _PORTS or not parts.hostname or port == 0 or parts.path not in ("", "/"):
            raise ConfigError("mqtt.url", self.url, "mqtt://host:port or mqtts://host:port")
        if parts.username or parts.password:
            raise ConfigError("mqtt.url", f"{parts.scheme}://...@{parts.hostname}", "no credential in it: use username")
        if self.version not in _VERSIONS:
            raise ConfigError("mqtt.version", self.version, "'3.1.1' or '5'")
        if not 1 <= self.window <= MAX_WINDOW:
            raise ConfigError("mqtt.window", self.window, f"1 to {MAX_WINDOW} messages")
        if not self.client_id:
            raise ConfigError("mqtt.client_id", self.client_id, "a name that stays the same over restarts")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ConfigError("mqtt.tls_cert", self.tls_cert, "a certificate and its key together, or neither")
        return parts.hostname, port or _PORTS[parts.scheme]

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"


def client_id_of(secrets_folder: Path) -> str:
    """The core's client id on this machine: made once, not guessable, the same after every restart."""
    path = secrets_folder / "mqtt-client-id"
    try:
        known = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        known = ""
    if known:
        return known
    made = f"gatehouse-core-{secrets.token_hex(16)}"
    secrets_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(made + "\n", encoding="ascii")
    draft.replace(path)
    return made
