"""Apprise: e-mail, Feishu, and every other service that it knows. The only importer; loaded when first used."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote, urlencode

from gateway.model import Delivery
from gateway.notify.channels import Channel, SendFailed

#: Seconds for connecting and for an answer.
_TIMEOUT = "8.0"
#: Apprise's own schemes for any URL: those are webhooks, and go through the guard.
GENERIC = (
    "json",
    "jsons",
    "xml",
    "xmls",
    "form",
    "forms",
    "syslog",
    "windows",
    "dbus",
    "macosx",
    "gnome",
    "glib",
    "qt",
)


#: The header of an e-mail that is the same at each attempt, as `webhook-id` is for webhooks.
KEY_HEADER = "X-Gatehouse-Message"


def apprise_url(channel: Channel, addresses: list[str], key: str = "") -> str:
    """The channel as one of Apprise's URLs. An e-mail carries `key`, by which a repetition is told."""
    options = channel.options
    if channel.type == "feishu":
        return f"feishu://{quote(str(options['token']), safe='')}/?cto={_TIMEOUT}&rto={_TIMEOUT}"
    if channel.type == "apprise":
        return str(options["url"])
    tls = str(options.get("tls") or "starttls")
    port = int(options.get("port") or {"ssl": 465, "starttls": 587}.get(tls, 25))
    user = quote(str(options.get("user") or ""), safe="")
    password = quote(str(options.get("password") or ""), safe="")
    login = f"{user}:{password}@" if user else ""
    asked = {
        "from": str(options["sender"]), "to": ",".join(addresses), "cto": _TIMEOUT, "rto": _TIMEOUT,
        "mode": {"ssl": "ssl", "starttls": "starttls"}.get(tls, "insecure"), "format": "text",
    }  # fmt: skip
    if key:
        asked[f"+{KEY_HEADER}"] = key
    scheme = "mailto" if tls == "none" else "mailtos"
    return f"{scheme}://{login}{options['host']}:{port}/?{urlencode(asked)}"


def is_known(url: str) -> bool:
    """Whether Apprise knows what to do with the URL."""
    import apprise

    return apprise.Apprise.instantiate(url) is not None


def notify(channel: Channel, delivery: Delivery) -> None:
    """Sends through Apprise. Raises `SendFailed` with what Apprise logged."""
    import apprise

    said = _Said()
    logger = logging.getLogger("apprise")
    logger.addHandler(said)
    try:
        addresses = [to.address for to in delivery.to if to.address]
        url = apprise_url(channel, addresses, delivery.notification.key)
        service: Any = apprise.Apprise.instantiate(url)
        if service is None:
            raise SendFailed(f"channel '{channel.id}' cannot be used as it is described")
        one = delivery.notification
        taken = service.notify(title=channel.say(one.title), body=channel.say(one.text) or channel.say(one.title))
    finally:
        logger.removeHandler(said)
    if not taken:
        raise SendFailed(channel.scrub(said.text or "it was refused"))


class _Said(logging.Handler):
    """Apprise tells why only in its log: the first warning of this thread is the reason."""

    def __init__(self) -> None:
        import threading

        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the first warning."""
        if record.thread == self._thread and not self.text:
            self.text = " ".join(record.getMessage().split())[:300]
