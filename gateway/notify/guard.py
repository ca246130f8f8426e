"""Where a webhook may lead: never to this machine or the networks behind it, unless the site says so (FAULTS 90).

The name is resolved once, all its addresses are checked, and the connection is made to the address that was checked:
a name that answers differently the second time leads nowhere. Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway.notify.channels import SendFailed

Resolve = Callable[[str, int], list[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Goal(NamedTuple):
    """A URL that may be posted to: `address` is where to connect, `host` whom to ask for."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as texts. Raises `SendFailed`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SendFailed(f"the name '{host}' cannot be resolved: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard:
    """Checks URLs. `allowed` are hosts, addresses and networks to which webhooks may lead all the same."""

    def __init__(self, allowed: Iterable[str] = (), resolver: Resolve = resolve) -> None:
        self._names = {entry.lower() for entry in allowed}
        self._networks = [network for entry in allowed if (network := _network(entry)) is not None]
        self._resolve = resolver

    def check(self, url: str) -> Goal:
        """Where the URL leads. Raises `SendFailed` where it may not lead."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise SendFailed("the URL cannot be read") from error
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
            raise SendFailed("a webhook is an http or https URL without a user in it")
        port = port or (443 if parts.scheme == "https" else 80)
        addresses = self._resolve(host, port)
        if not addresses:
            raise SendFailed(f"the name '{host}' has no address")
        if host.lower() not in self._names:
            for address in addresses:
                self._require_public(host, address)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Goal(parts.scheme, host, port, path, addresses[0])

    def _require_public(self, host: str, text: str) -> None:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
        inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        for one in (address, inner) if inner is not None else (address,):
            if any(one.version == network.version and one in network for network in self._networks):
                return
        if not (inner or address).is_global or (inner or address).is_multicast:
            raise SendFailed(
                f"'{host}' leads to {text}, an address of this machine or of an inner network; "
                "if that is meant, name it in notify.allow"
            )


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None
