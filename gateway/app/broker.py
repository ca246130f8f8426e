"""The broker process: the embedded server with the credentials that the core writes down."""

from __future__ import annotations

import logging
import signal
import threading

from gateway.app.credentials import (
    CORE_USER,
    core_secret,
    loaded_file,
    probe_users,
    read_users,
    session_file,
    users_file,
)
from gateway.app.memory import settle
from gateway.broker import BrokerSettings, BrokerUser, EmbeddedBroker
from gateway.config import Home, Settings
from gateway.errors import GatehouseError

_log = logging.getLogger(__name__)
#: How often the list of credentials is looked at, in seconds.
LOOK_EVERY = 0.1
#: In place of the list's time: no list was taken over, as the core was never here.
_NOT_YET = -1


def broker_settings(settings: Settings) -> BrokerSettings:
    """The embedded broker's own settings."""
    mqtt = settings.mqtt
    return BrokerSettings(
        host=mqtt.host,
        port=mqtt.port,
        max_payload=mqtt.max_payload,
        max_ack_pending=mqtt.window,
        sync=mqtt.sync,
        tls_cert=mqtt.tls_cert,
        tls_key=mqtt.tls_key,
        tls_ca=mqtt.tls_ca,
        websocket_port=mqtt.websocket_port,
    )


def run_broker(home: Home, settings: Settings) -> int:
    """The broker process, until SIGTERM or SIGINT, or until the server ends. The exit code."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    core = BrokerUser(name=CORE_USER, password_bcrypt=core_secret(home).bcrypt, publish=("#",), subscribe=("#",))
    broker = EmbeddedBroker(home.path, broker_settings(settings))
    # Until the core has subscribed for the first time, what a device sent would be acknowledged and reach nobody.
    users, stamp = read_users(home) if session_file(home).exists() else ([], _NOT_YET)
    loaded_file(home).unlink(missing_ok=True)
    broker.start(core, [*users, *probe_users(home)])
    if stamp != _NOT_YET:
        loaded_file(home).write_text(str(stamp))
    _log.info("listening on %s:%d for %d devices", settings.mqtt.host, settings.mqtt.port, len(users))
    users.clear()
    settle()
    try:
        while not stopping.wait(LOOK_EVERY):
            code = broker.poll()
            if code is not None:
                _log.error("the broker has ended with code %s", code)
                return 1
            stamp = _reload_if_changed(home, broker, stamp)
    finally:
        broker.stop()
        loaded_file(home).unlink(missing_ok=True)
    return 0


def _reload_if_changed(home: Home, broker: EmbeddedBroker, stamp: int) -> int:
    if stamp == _NOT_YET and not session_file(home).exists():
        return stamp
    try:
        if users_file(home).stat().st_mtime_ns == stamp:
            return stamp
    except FileNotFoundError:
        return stamp
    users, stamp = read_users(home)
    try:
        broker.reload([*users, *probe_users(home)])
    except GatehouseError as error:
        _log.error("the new list of credentials was refused, the old one stays: %s", error.message)
        return stamp
    loaded_file(home).write_text(str(stamp))
    _log.info("%d device credentials", len(users))
    users.clear()
    settle()
    return stamp
