"""Encryption to the broker."""

from __future__ import annotations

import ssl

from gateway.inbox.messages import InboxFailed, MqttSettings


def tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """TLS 1.2 or better as the settings say. Raises `InboxFailed` naming the files that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca or None)
        if settings.tls_cert:
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except OSError as error:
        files = [name for name in (settings.tls_ca, settings.tls_cert, settings.tls_key) if name]
        raise InboxFailed(f"TLS to the broker cannot be set up from {', '.join(files)}: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
