"""`channels.yaml` and `escalation.yaml` of a home: read with every mistake named, secrets taken from their files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.config import Home, Settings
from gateway.errors import ConfigError
from gateway.notify import Channel, Deliverer, Guard
from gateway.notify.channels import LANGUAGES, TYPES
from gateway.notify.outside import GENERIC
from gateway.notify.profiles import PLACEHOLDERS
from gateway.notify.webhook import key_of
from gateway.services.chain_reading import PAGE, EscalationError, read_chains
from gateway.services.chains import ChannelInfo, EscalationBook
from rules.document import Document, Node
from rules.escalation import shipped_chains

_COMMON = ("id", "type", "language")
_CHOICES = {"tls": ("starttls", "ssl", "none"), "encoding": ("json", "form")}


class Alarms(msgspec.Struct, frozen=True):
    """How people are told: the chains, and the channels with their secrets."""

    book: EscalationBook
    channels: tuple[Channel, ...] = ()

    def deliverer(self, settings: Settings, clock: Any) -> Deliverer:
        """What sends through the channels."""
        return Deliverer(self.channels, Guard(settings.notify.allowed), clock)


def load_alarms(home: Home) -> Alarms:
    """Both files, or what ships with the product. Raises `EscalationError` with all that is wrong, or `ConfigError`."""
    return read_alarms(home, {str(file): _text(file) for file in (home.channels, home.escalation) if file.exists()})


def read_alarms(home: Home, texts: Mapping[str, str]) -> Alarms:
    """The same out of the texts of the files by path; secrets that they name are read from the home."""
    channels = _channels(home, texts.get(str(home.channels)))
    names = [channel.id for channel in channels]
    own = texts.get(str(home.escalation))
    file, text = ("escalation.yaml", shipped_chains()) if own is None else (str(home.escalation), own)
    chains = read_chains(file, text, names)
    return Alarms(
        EscalationBook(chains, [ChannelInfo(id=channel.id, needs=channel.needs) for channel in channels]), channels
    )


def read_channels(home: Home) -> tuple[Channel, ...]:
    """The channels of the home; none where it has no `channels.yaml`."""
    return _channels(home, _text(home.channels) if home.channels.exists() else None)


def _channels(home: Home, text: str | None) -> tuple[Channel, ...]:
    if text is None:
        return ()
    document = Document(str(home.channels), text)
    root = document.root()
    found: list[Channel] = []
    if root is not None:
        words = root.words(("channels",), "the file")
        if "channels" not in words or not words["channels"].is_list:
            root.problem("the file is a list of channels", "write `channels:` and one `- id: ...` each")
        else:
            for item in words["channels"].items():
                channel = _channel(item, home)
                if channel is not None and any(one.id == channel.id for one in found):
                    item.problem(f"two channels are called '{channel.id}'", text=channel.id)
                elif channel is not None:
                    found.append(channel)
    if document.problems:
        raise EscalationError(document.problems, "channels")
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), str(error), "a readable UTF-8 file") from error


def _channel(node: Node, home: Home) -> Channel | None:
    before = len(node.document.problems)
    known = {name for kind in TYPES.values() for name in kind.words}
    raw = node.plain() if node.is_mapping else {}
    kind = TYPES.get(str(raw.get("type")))
    words = node.words((*_COMMON, *(kind.words if kind is not None else sorted(known))), "a channel")
    for name in ("id", "type", *(kind.needed if kind is not None else ())):
        if node.is_mapping and name not in words:
            node.problem(f"a channel of type {raw.get('type', '?')} needs '{name}'")
    if "type" in words and kind is None:
        words["type"].one_of(TYPES, "a type of channel")
    ident = words["id"].text("id") if "id" in words else None
    if ident == PAGE:
        words["id"].problem(f"'{PAGE}' is the control room itself: choose another id")
    language = words["language"].one_of(LANGUAGES, "language") if "language" in words else "zh"
    options = {name: _option(name, item, home) for name, item in words.items() if name not in _COMMON}
    if len(node.document.problems) == before and kind is not None and ident is not None:
        _check(str(raw["type"]), options, words)
    if len(node.document.problems) > before:
        return None
    return Channel(id=ident or "", type=str(raw["type"]), language=language or "zh", options=options)


def _option(name: str, node: Node, home: Home) -> Any:
    """A word's value. `{file: NAME}` is the content of that file under `secrets/`, without its last line break."""
    value = node.plain()
    if name in _CHOICES:
        return node.one_of(_CHOICES[name], name)
    if name == "port":
        return node.whole("port", 1, 65535)
    if not isinstance(value, dict) or set(value) != {"file"}:
        return value
    place = home.secrets / str(value["file"])
    try:
        if place.parent != home.secrets:
            raise OSError("it lies outside of secrets/")
        return place.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        node.problem(f"the secret cannot be read: {error}", text=str(value["file"]))
        return None


def _check(kind: str, options: dict[str, Any], words: dict[str, Node]) -> None:
    """What the words of a type must be, besides being there."""
    url = options.get("url")
    if "url" in words and not isinstance(url, str):
        words["url"].problem("url is a text")
    elif kind == "apprise" and str(url).partition("://")[0].lower() in GENERIC:
        words["url"].problem("this scheme posts to any URL", "use the type webhook, which is signed and checked")
    elif url is not None and kind != "apprise" and not str(url).startswith(("http://", "https://")):
        words["url"].problem("a URL begins with https:// or http://")
    if kind == "webhook":
        try:
            key_of(str(options["secret"]))
        except ValueError as error:
            words["secret"].problem(str(error))
    if kind == "sms":
        if not isinstance(options["body"], dict):
            words["body"].problem("body is names with values")
        shown = str(options["body"])
        if "{phone}" not in shown or not ("{text}" in shown or "{title}" in shown):
            words["body"].problem(
                f"the body names {{phone}}, and {{title}} or {{text}}; it knows {', '.join(PLACEHOLDERS)}"
            )
    for name in ("key", "token", "host", "sender"):
        if name in options and not (isinstance(options[name], str) and options[name]):
            words[name].problem(f"{name} is a text")
