"""The throw-away devices that a probe speaks as. No MQTT client is needed to name them."""

from __future__ import annotations

import msgspec


class ProbeDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A throw-away device credential: a topic that it may publish to and one that it may read (and not write)."""

    username: str
    password: str
    publish: str
    subscribe: str


def probe_device(username: str, password: str) -> ProbeDevice:
    """A device that has topics for nothing but the probe, which the core does not listen to."""
    base = f"gatehouse/v1/_probe/{username}"
    return ProbeDevice(username=username, password=password, publish=f"{base}/out", subscribe=f"{base}/in")
