"""Secrets in files of mode 0600: the core's own password, and the broker's list of device credentials."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from gateway.broker import BrokerUser, hash_password
from gateway.broker.server import write_private
from gateway.config import Home
from gateway.contract import Adapter
from gateway.errors import ConfigError
from gateway.inbox.probe_device import ProbeDevice, probe_device
from gateway.model import Device

_log = logging.getLogger(__name__)
CORE_USER = "gatehouse-core"
PROBE_USERS = ("gatehouse-probe-1", "gatehouse-probe-2")


class CoreSecret(msgspec.Struct):
    """A credential of ours at the embedded broker."""

    password: str
    bcrypt: str


def new_password() -> str:
    """A device's password: 192 random bits in 32 characters that survive every shell and form."""
    return secrets.token_urlsafe(24)


def core_secret(home: Home) -> CoreSecret:
    """The core's credential, made at the first call."""
    return _secret(home.secrets / "core-mqtt.json")


def probe_devices(home: Home) -> list[ProbeDevice]:
    """Two credentials of the embedded broker for `gatehouse broker probe`, made at the first call."""
    return [probe_device(name, _secret(home.secrets / f"{name}.json").password) for name in PROBE_USERS]


def probe_users(home: Home) -> list[BrokerUser]:
    """The same as the broker takes them."""
    hashes = [_secret(home.secrets / f"{name}.json").bcrypt for name in PROBE_USERS]
    return [
        BrokerUser(
            name=device.username, password_bcrypt=bcrypt, publish=(device.publish,), subscribe=(device.subscribe,)
        )
        for device, bcrypt in zip(probe_devices(home), hashes, strict=True)
    ]


def _secret(path: Path) -> CoreSecret:
    try:
        return msgspec.json.decode(path.read_bytes(), type=CoreSecret)
    except FileNotFoundError:
        password = secrets.token_urlsafe(32)
        made = CoreSecret(password, hash_password(password))
        write_private(path, msgspec.json.encode(made).decode())
        return made
    except msgspec.DecodeError as error:
        raise ConfigError(
            str(path), str(error), "a secret as the gateway wrote it; delete the file, and a new secret is made"
        ) from error


def users_file(home: Home) -> Path:
    """Where the core tells the broker which credentials there are."""
    return home.broker / "users.json"


def loaded_file(home: Home) -> Path:
    """Where the broker tells which list it has taken over: the list's modification time, as text."""
    return home.run / "broker-users"


def session_file(home: Home) -> Path:
    """There once the core's subscriptions stand at a broker; the broker's address is in it."""
    return home.data / "mqtt-session"


def topics_of(device: Device, adapter: Adapter) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The filters a device's credential may publish to and subscribe to, by its adapter's manifest."""
    facts = {"device": device.id, "site": device.site, "external_id": device.external_id}

    def fill(patterns: Iterable[str]) -> tuple[str, ...]:
        filled = []
        for pattern in patterns:
            for name, value in facts.items():
                pattern = pattern.replace("{" + name + "}", value)  # noqa: PLW2901 - built up by name
            filled.append(pattern)
        return tuple(filled)

    publish = (*fill(adapter.manifest.publish), *fill(_extra(device, "publish")))
    subscribe = (*fill(adapter.manifest.subscribe), *fill(_extra(device, "subscribe")))
    native = f"gatehouse/v1/{device.site}/{device.id}/availability"
    return tuple(dict.fromkeys((*publish, native))), tuple(dict.fromkeys(subscribe))


def _extra(device: Device, way: str) -> list[str]:
    """Topics of the device's own record. What is none is left out: one wrong record must not keep the rest out."""
    topics = device.settings.get("topics")
    filters = topics.get(way) if isinstance(topics, dict) else None
    return [text for text in filters if isinstance(text, str)] if isinstance(filters, list) else []


def credentials_of(
    devices: Mapping[str, Device], adapters: Mapping[str, Adapter], secrets: Mapping[str, str]
) -> list[BrokerUser]:
    """The broker's users: a device with its own topics, and those of the devices that are connected through it.

    A concentrator has one connection for all its meters, so its credential speaks for them; theirs do not speak for it.
    """
    publish: dict[str, dict[str, None]] = {name: {} for name in secrets}
    subscribe: dict[str, dict[str, None]] = {name: {} for name in secrets}
    for device in devices.values():
        adapter = adapters.get(device.adapter)
        if adapter is None or not device.enabled:
            continue
        own_publish, own_subscribe = topics_of(device, adapter)
        for speaker in (device.id, device.connected_via):
            if speaker in publish:
                publish[speaker].update(dict.fromkeys(own_publish))
                subscribe[speaker].update(dict.fromkeys(own_subscribe))
    return [
        BrokerUser(name=name, password_bcrypt=secret, publish=tuple(publish[name]), subscribe=tuple(subscribe[name]))
        for name, secret in secrets.items()
    ]


def write_users(home: Home, users: Iterable[BrokerUser]) -> int:
    """Replaces the broker's list. Its modification time in nanoseconds: what `loaded_file` will say.

    A list that is the same is left as it is: taking one over costs the broker a second and twice its memory, and
    every start of the core would ask for it.
    """
    path = users_file(home)
    text = msgspec.json.encode(sorted(users, key=lambda user: user.name))
    if not path.exists() or path.read_bytes() != text:
        write_private(path, text.decode())
    return path.stat().st_mtime_ns


def read_users(home: Home) -> tuple[list[BrokerUser], int]:
    """The broker's list and its modification time; none before the core wrote one."""
    path = users_file(home)
    try:
        stamp = path.stat().st_mtime_ns
        return msgspec.json.decode(path.read_bytes(), type=list[BrokerUser]), stamp
    except FileNotFoundError:
        return [], 0
    except msgspec.DecodeError as error:
        _log.error("%s: %s; no device is let in until the core writes it again", path, error)
        return [], stamp
