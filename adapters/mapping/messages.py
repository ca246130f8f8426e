"""One entry of `messages`: which messages it means, and what it reads from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from adapters.mapping.conditions import Condition, compile_when
from adapters.mapping.document import Part
from adapters.mapping.events import EventMaker, compile_event
from adapters.mapping.paths import Getter, compile_path
from adapters.mapping.scope import MISSING, Scope
from adapters.mapping.templates import Template, compile_body, compile_text
from adapters.mapping.topics import TopicFilter
from adapters.mapping.values import Codec, Value, compile_value
from gateway.contract import Reply
from gateway.errors import Ignored
from gateway.model.command import CommandResult
from gateway.model.passes import Question

WORDS = (
    *("name", "topic", "payload", "when", "device", "within", "merge", "availability", "alive", "events"),
    *("replies", "result", "question", "ignore"),
)
_REPLY_WORDS = ("when", "topic", "payload")
_RESULT_WORDS = ("command", "status", "detail")
_QUESTION_WORDS = ("when", "kind", "value", "direction", "command", "deadline")
_STATUSES = ("done", "rejected", "failed")

Device = list[tuple[str, Getter]]
write_json = msgspec.json.Encoder().encode


class Shared(NamedTuple):
    """What all messages of a mapping have in common."""

    topics: list[TopicFilter]
    device: Device
    payload: str
    codecs: Mapping[str, Codec]
    tables: frozenset[str]
    device_of_item: Value | None = None


class Message:
    """A compiled entry. The engine asks its parts in the order in which they stand here."""

    def __init__(self, part: Part, shared: Shared) -> None:
        words = part.words(WORDS, "a message")
        self.name = words["name"].text("name") if "name" in words else ""
        self.topics = read_topics(words["topic"]) if "topic" in words else shared.topics
        if not self.topics:
            raise part.wrong("a message needs a `topic`, here or for all messages")
        self.payload = words["payload"].choice("payload", ("json", "text")) if "payload" in words else shared.payload
        self.when: Condition | None = compile_when(words["when"]) if "when" in words else None
        conditions = words["when"].items() if "when" in words else []
        self.when_paths = tuple(path for condition in conditions for path, _, _ in condition.pairs())
        self.ignore = words["ignore"].text("ignore") if "ignore" in words else ""
        self.device = read_device(words["device"]) if "device" in words else shared.device
        self.within: tuple[str, Getter] | None = None
        if "within" in words:
            self.within = words["within"].text("within"), words["within"].compiled(compile_path, "within")
        self.merge = words["merge"].compiled(compile_path, "merge") if "merge" in words else None
        self.alive = "alive" in words and words["alive"].flag("alive")
        codecs, tables = shared.codecs, shared.tables
        self.availability = compile_value(words["availability"], codecs, tables) if "availability" in words else None
        self.events: list[EventMaker] = []
        if "events" in words:
            self.events = [compile_event(item, codecs, tables) for item in words["events"].items()]
        named = self.events and all(event.device is not None for event in self.events) and "replies" not in words
        if not self.device and not self.ignore and not named:
            raise part.wrong("a message needs a `device`: here, for all messages, or in each of its events")
        self.replies = [_reply(item) for item in words["replies"].items()] if "replies" in words else []
        self.result = _result(words["result"], codecs, tables) if "result" in words else None
        self.question = _question(words["question"], codecs, tables) if "question" in words else None
        if self.ignore and len(words.keys() - {"name", "topic", "payload", "when", "device", "ignore"}):
            raise words["ignore"].wrong("a message that is ignored has no events, replies or results")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds this entry can make."""
        own = tuple(event.kind for event in self.events)
        return (*own, "device.availability") if self.availability is not None else own


def read_topics(part: Part) -> list[TopicFilter]:
    """The topic filters that `part` lists."""
    return [item.compiled(TopicFilter, "topic") for item in part.items()]


def read_device(part: Part) -> Device:
    """The paths at which the device's serial may stand, in order."""
    return [(item.text("device"), item.compiled(compile_path, "device")) for item in part.items()]


def _reply(part: Part) -> Callable[[Scope], Reply | None]:
    words = part.words(_REPLY_WORDS, "a reply")
    for needed in ("topic", "payload"):
        if needed not in words:
            raise part.wrong(f"a reply needs a `{needed}`")
    when = compile_when(words["when"]) if "when" in words else None
    topic = words["topic"].compiled(compile_text, "topic")
    body = compile_body(words["payload"])

    def reply(scope: Scope) -> Reply | None:
        if when is not None and not when(scope):
            return None
        place, filled = topic(scope), body(scope)
        return None if place is MISSING or filled is MISSING else Reply(place, to_bytes(filled))

    return reply


def to_bytes(body: Any) -> bytes:
    """A filled template as it goes over the wire: a text as it is, all else as JSON."""
    return body.encode() if isinstance(body, str) else write_json(body)


def _result(part: Part, codecs: Mapping[str, Codec], tables: frozenset[str]) -> Callable[[Scope], CommandResult]:
    words = part.words(_RESULT_WORDS, "a result")
    for needed in ("command", "status"):
        if needed not in words:
            raise part.wrong(f"a result needs `{needed}`")
    command = compile_value(words["command"], codecs, tables)
    status = compile_value(words["status"], codecs, tables)
    detail = compile_value(words["detail"], codecs, tables) if "detail" in words else None

    def result(scope: Scope) -> CommandResult:
        identifier = command(scope)
        if identifier is None:
            raise Ignored("an answer to a command that carries no id")
        state = status(scope)
        text = detail(scope) if detail is not None else None
        return CommandResult(
            str(identifier), state if state in _STATUSES else "failed", "" if text is None else str(text)[:500]
        )

    return result


def _question(part: Part, codecs: Mapping[str, Codec], tables: frozenset[str]) -> Callable[[Scope], Question | None]:
    words = part.words(_QUESTION_WORDS, "a question")
    for needed in ("kind", "value", "command"):
        if needed not in words:
            raise part.wrong(f"a question needs `{needed}`")
    when = compile_when(words["when"]) if "when" in words else None
    kind = words["kind"].choice("kind", ("plate", "card", "person", "qr"))
    value = compile_value(words["value"], codecs, tables)
    direction = compile_value(words["direction"], codecs, tables) if "direction" in words else None
    command = words["command"].text("command")
    deadline = words["deadline"].number("deadline") if "deadline" in words else 0.3

    def question(scope: Scope) -> Question | None:
        if when is not None and not when(scope):
            return None
        asked = value(scope)
        way = direction(scope) if direction is not None else None
        return Question(
            kind=kind,
            value="" if asked is None else str(asked),
            direction="" if way is None else str(way),
            command=command,
            deadline=deadline,
        )

    return question


__all__ = ["Message", "Shared", "Template", "read_device", "read_topics", "to_bytes", "write_json"]
