"""Channels as data: which types there are, which words each takes, and which of them are secret."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.errors import GatehouseError


class SendFailed(GatehouseError):
    """A message was not taken. The reason is for people, and holds no secret."""

    code = "send_failed"
    status = 503
    retry = True


class ChannelType(msgspec.Struct, frozen=True, kw_only=True):
    """What a type of channel takes: needed and further words, which are secret, and the address it needs."""

    needed: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    address: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """All words, the needed ones first."""
        return (*self.needed, *self.further)


#: Every type of channel. `language` and `id` are taken by all.
TYPES: dict[str, ChannelType] = {
    "email": ChannelType(
        needed=("host", "sender"), further=("port", "tls", "user", "password"), secret=("password",), address="email"
    ),
    "sms": ChannelType(
        needed=("url", "body"), further=("headers", "encoding", "success"), secret=("url", "headers"), address="phone"
    ),
    "webhook": ChannelType(needed=("url", "secret"), secret=("url", "secret")),
    "wecom": ChannelType(needed=("key",), further=("url",), secret=("key", "url")),
    "dingtalk": ChannelType(needed=("token",), further=("secret", "url"), secret=("token", "secret", "url")),
    "feishu": ChannelType(needed=("token",), secret=("token",)),
    "apprise": ChannelType(needed=("url",), secret=("url",)),
}

MASK = "***"
LANGUAGES = ("zh", "en", "both")


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One channel. `options` are the words of its type, secrets read."""

    id: str
    type: str
    language: str = "zh"
    options: dict[str, Any] = {}

    @property
    def needs(self) -> str:
        """The kind of address it needs; empty where it speaks to a group."""
        return TYPES[self.type].address

    def masked(self) -> dict[str, Any]:
        """The channel as it may be shown."""
        secret = TYPES[self.type].secret
        shown = {name: MASK if name in secret else value for name, value in self.options.items()}
        return {"id": self.id, "type": self.type, "language": self.language, "needs": self.needs, **shown}

    def scrub(self, text: str) -> str:
        """A text without the channel's secrets, for a reason that people read."""
        for name in TYPES[self.type].secret:
            for value in _strings(self.options.get(name)):
                text = text.replace(value, MASK)
        return text

    def say(self, texts: dict[str, str]) -> str:
        """A text in the channel's language; both, Chinese first, where it speaks both."""
        if self.language == "both":
            return "\n".join(dict.fromkeys(texts[one] for one in ("zh", "en") if texts.get(one)))
        return texts.get(self.language) or next(iter(texts.values()), "")


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    return [value] if isinstance(value, str) and len(value) > 3 else []
