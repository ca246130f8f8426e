"""The adapter that a mapping file makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.mapping.coercion import CODECS, as_text, shown
from adapters.mapping.commands import CommandMaker, read_commands
from adapters.mapping.conditions import text_or_none
from adapters.mapping.document import Part, read_document
from adapters.mapping.messages import Device as DevicePaths
from adapters.mapping.messages import Message, Shared, read_device, read_topics, write_json
from adapters.mapping.paths import compile_path
from adapters.mapping.profiles import Profiles, Tables, read_profiles
from adapters.mapping.scope import MISSING, Scope
from adapters.mapping.shadow import merged
from adapters.mapping.topics import TopicFilter
from adapters.mapping.values import Codec
from adapters.strict_json import read_json
from gateway.contract import Context, Decoded, Manifest, Packet, Reading, Reply
from gateway.errors import Ignored, Invalid, Undecodable
from gateway.model.command import Command
from gateway.model.place import Device

_WORDS = (
    *("adapter", "title", "aliases", "publish", "subscribe", "payload", "strip", "topics", "device", "profiles"),
    *("shared", "messages", "otherwise", "commands", "http"),
)
_HTTP_WORDS = ("type", "body", "allowed", "refused")
_NEEDED = ("adapter", "title", "messages")


def load_mapping(
    text: str, file: str, codecs: Mapping[str, Codec] | None = None, profiles: Mapping[str, Tables] | None = None
) -> MappingAdapter:
    """The adapter that the mapping `text` describes; `file` is its name in errors. Raises `MappingError`.

    `codecs` are decoders that the mapping may name besides the built-in ones, `profiles` those from files of their own.
    """
    root = read_document(text, file)
    try:
        return MappingAdapter(root, {**CODECS, **(codecs or {})}, profiles or {})
    except RecursionError:
        raise root.wrong("an anchor contains itself") from None


class MappingAdapter:
    """One wire format described in YAML. Without state: what it reads depends on topic, payload and context alone."""

    def __init__(self, root: Part, codecs: Mapping[str, Codec], profiles: Mapping[str, Tables]) -> None:
        words = root.words(_WORDS, "a mapping")
        for needed in _NEEDED:
            if needed not in words:
                raise root.wrong(f"a mapping needs `{needed}`")
        self._profiles: Profiles | None = read_profiles(words["profiles"], profiles) if "profiles" in words else None
        shared = Shared(
            topics=read_topics(words["topics"]) if "topics" in words else [],
            device=read_device(words["device"]) if "device" in words else [],
            payload=words["payload"].choice("payload", ("json", "text")) if "payload" in words else "json",
            codecs=codecs,
            tables=self._profiles.tables if self._profiles else frozenset(),
        )
        self._strip = words["strip"].text("strip").encode() if "strip" in words else b""
        self._messages = [Message(item, shared) for item in words["messages"].items()]
        self._filters = _grouped(self._messages)
        otherwise = words["otherwise"].choice("otherwise", ("refuse", "ignore")) if "otherwise" in words else "refuse"
        self._ignore_rest = otherwise == "ignore"
        self._commands: Mapping[str, CommandMaker] = read_commands(words["commands"]) if "commands" in words else {}
        self._http = _read_http(words["http"]) if "http" in words else ("application/json", {}, {}, {})
        self._manifest = self._read_manifest(words)

    def _read_manifest(self, words: Mapping[str, Part]) -> Manifest:
        kinds = dict.fromkeys(kind for message in self._messages for kind in message.kinds)
        filters = [f for f, _ in self._filters if not f.text.startswith("ingest/")]
        # A broker may send a message once for every filter it fits, so none may be part of another.
        wide = [f for f in filters if not any(o.mqtt != f.mqtt and o.covers(f) for o in filters)]
        topics = dict.fromkeys(f.mqtt for f in wide)
        return Manifest(
            name=words["adapter"].text("adapter"),
            title=words["title"].titles("title"),
            aliases=words["aliases"].texts("aliases") if "aliases" in words else (),
            topics=tuple(topics),
            kinds=tuple(kinds),
            publish=words["publish"].texts("publish") if "publish" in words else (),
            subscribe=words["subscribe"].texts("subscribe") if "subscribe" in words else (),
            commands=tuple(self._commands),
        )

    @property
    def manifest(self) -> Manifest:
        """What the core must know before the first message."""
        return self._manifest

    def decode(self, topic: str, payload: bytes, context: Context) -> Decoded:
        """The first message of the mapping that topic and conditions fit, read."""
        levels = topic.split("/")
        candidates = [(found, messages) for f, messages in self._filters if (found := f.match(levels)) is not None]
        if not candidates:
            raise Undecodable("topic", f"{topic[:120]!r} is none of this format's topics")
        documents: dict[str, Any] = {}
        tried: list[tuple[Message, Scope]] = []
        for captures, messages in candidates:
            captures[""] = topic
            for message in messages:
                if message.payload not in documents:
                    documents[message.payload] = self._read(payload, message.payload)
                scope = Scope(documents[message.payload], captures, context)
                if message.when is None or message.when(scope):
                    return self._decoded(message, scope, context)
                tried.append((message, scope))
        return self._nothing_fits(tried)

    def _read(self, payload: bytes, form: str) -> Any:
        if self._strip:
            payload = payload.strip(self._strip)
        if form == "json":
            return read_json(payload)
        try:
            return payload.decode()
        except UnicodeDecodeError as error:
            raise Undecodable(f"byte {error.start}", f"not UTF-8 (0x{payload[error.start]:02X})") from None

    def _decoded(self, message: Message, scope: Scope, context: Context) -> Decoded:
        if message.ignore:
            raise Ignored(message.ignore)
        external_id = _external_id(message.device, scope) if message.device else ""
        scope.speak_for(external_id)
        if self._profiles is not None:
            scope.tables = self._profiles.choose(scope)
        decoded = Decoded(external_id)
        if message.within is not None:
            scope.place, inner = message.within
            scope.item = inner(scope)
        if message.merge is not None:
            part = message.merge(scope)
            scope.shadow = merged(context.shadow(external_id), part if isinstance(part, dict) else {})
            decoded.shadow = scope.shadow
        if message.alive and not context.retain:
            decoded.availability = True
        readings: list[Reading] = []
        if message.availability is not None:
            online = message.availability(scope)
            if online is not None:
                decoded.availability = bool(online)
                readings.append(Reading("device.availability", {"online": bool(online)}))
        for event in message.events:
            readings.extend(event.make(scope))
        decoded.events = readings
        if not external_id:
            decoded.device = _first_speaker(readings)
        if message.result is not None:
            decoded.results = (message.result(scope),)
        if message.question is not None:
            decoded.question = message.question(scope)
        if message.replies:
            made = (reply(scope) for reply in message.replies)
            decoded.replies = tuple(reply for reply in made if isinstance(reply, Reply))
        return decoded

    def _nothing_fits(self, tried: list[tuple[Message, Scope]]) -> Decoded:
        """Says which value of the message is none that the mapping knows."""
        scope = tried[0][1]
        paths = dict.fromkeys(path for message, _ in tried for path in message.when_paths)
        for path in paths:
            value = compile_path(path)(scope)
            text = text_or_none(value)
            reason = "missing" if text is None else f"{shown(value)} is no message this format knows"
            if self._ignore_rest and text is not None:
                raise Ignored(f"{path}: {reason}")
            if text is not None or len(paths) == 1:
                raise Undecodable(path, reason)
        raise Undecodable(next(iter(paths), "$"), "missing")

    def encode(self, command: Command, device: Device) -> tuple[Packet, ...]:
        """The message that carries `command`. Raises `Invalid` for a word or an argument the format lacks."""
        maker = self._commands.get(command.name)
        if maker is None:
            known = ", ".join(self._commands) or "none"
            raise Invalid("command", f"{self._manifest.name} has no command {command.name!r}; it has {known}")
        return maker.packets(command, device)

    def http_reply(self, decoded: Decoded, allowed: bool | None) -> tuple[str, bytes]:
        """The body that the format wants for a push, by whether the answer is yes, no or nothing was asked."""
        kind, body, yes, no = self._http
        return kind, write_json(body if allowed is None else yes if allowed else no)


def _first_speaker(readings: list[Reading]) -> str:
    """For messages that name their devices event by event: the first of them stands for the message."""
    if not readings:
        raise Ignored("no device says anything in it")
    first = readings[0].device
    for reading in readings:
        if reading.device == first:
            reading.device = ""
    return first


def _external_id(paths: DevicePaths, scope: Scope) -> str:
    """The device's serial: the first path that leads to one."""
    for path, get in paths:
        value = get(scope)
        if value is MISSING or value is None or value == "":
            continue
        try:
            text = as_text(value)
        except ValueError as error:
            raise Undecodable(path, str(error)) from None
        if text:
            return text[:200]
    raise Undecodable(paths[0][0], "missing; it names the device")


def _grouped(messages: list[Message]) -> list[tuple[TopicFilter, list[Message]]]:
    """The messages by topic filter, in the order of the file, so that each filter is matched once."""
    groups: dict[str, tuple[TopicFilter, list[Message]]] = {}
    for message in messages:
        for topic in message.topics:
            groups.setdefault(topic.text, (topic, []))[1].append(message)
    return list(groups.values())


def _read_http(part: Part) -> tuple[str, Any, Any, Any]:
    words = part.words(_HTTP_WORDS, "http")
    kind = words["type"].text("type") if "type" in words else "application/json"
    body = words["body"].value() if "body" in words else {}
    allowed = words["allowed"].value() if "allowed" in words else body
    return kind, body, allowed, words["refused"].value() if "refused" in words else body
