"""What is done to a socket before it carries MQTT: encryption, and no waiting."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from gateway.inbox.messages import InboxFailed, MqttSettings


def tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """TLS 1.2 or better as the settings say. Raises `InboxFailed` naming the files that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=settings.tls_pinned or settings.tls_ca or None)
        if settings.tls_cert:
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except OSError as error:
        named = (settings.tls_pinned, settings.tls_ca, settings.tls_cert, settings.tls_key)
        files = ", ".join(name for name in named if name)
        raise InboxFailed(f"TLS to the broker cannot be set up from {files}: {error}") from error
    if settings.tls_pinned:
        # This certificate and no other, so its name and its issuer do not matter.
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def no_delay(_client: object, _userdata: object, sock: Any) -> None:
    """For paho's `on_socket_open`. Without it a small packet waits 40 ms for the acknowledgement of the one before."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
