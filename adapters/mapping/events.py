"""One entry of `events`: a kind, when it is meant, and its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapters.mapping.coercion import as_boolean
from adapters.mapping.conditions import Condition, compile_when, text_or_none
from adapters.mapping.document import Part
from adapters.mapping.paths import Items, compile_each
from adapters.mapping.scope import Scope
from adapters.mapping.times import Timer, compile_time
from adapters.mapping.values import Codec, Value, compile_value
from gateway.contract import Reading
from gateway.errors import Undecodable

_WORDS = ("kind", "each", "when", "device", "time", "id", "replay", "sequence", "boot", "needs", "fields")
_LARGEST_SEQUENCE = 2**63 - 1


class EventMaker:
    """A compiled entry: makes no, one or (with `each`) several readings of a message."""

    def __init__(self, kind: str, fields: dict[str, Value]) -> None:
        self.kind = kind
        self._fields = tuple(fields.items())
        self.each: Callable[[Scope], Items] | None = None
        self.when: Condition | None = None
        self.time: Timer | None = None
        self.needs: tuple[str, ...] = ()
        self.device: Value | None = None
        self.id: Value | None = None
        self.replay: Condition | None = None
        self.sequence: Value | None = None
        self.boot: Value | None = None

    def make(self, scope: Scope) -> Iterator[Reading]:
        """The readings, in the order of the items."""
        if self.each is None:
            reading = self._one(scope)
            if reading is not None:
                yield reading
            return
        before = scope.item, scope.place, scope.keys
        for item, place, keys in self.each(scope):
            scope.item, scope.place, scope.keys = item, place, keys
            reading = self._one(scope)
            if reading is not None:
                yield reading
        scope.item, scope.place, scope.keys = before

    def _one(self, scope: Scope) -> Reading | None:
        speaker = ""
        if self.device is not None:
            speaker = str(self.device(scope) or "")
            if not speaker:
                raise Undecodable(scope.locate("item"), "missing; it names the device")
            scope.speak_for(speaker)
        if self.when is not None and not self.when(scope):
            return None
        data: dict[str, Any] = {}
        for name, value in self._fields:
            found = value(scope)
            if found is not None:
                data[name] = found
        for name in self.needs:
            if name not in data:
                return None
        reading = Reading(self.kind, data, device=speaker)
        if self.time is not None:
            reading.time = self.time(scope)
        if self.id is not None:
            reading.id = str(self.id(scope) or "")
        if self.replay is not None:
            reading.replay = self.replay(scope)
        if self.boot is not None:
            reading.boot = str(self.boot(scope) or "")
        if self.sequence is not None:
            number = self.sequence(scope)
            if number is not None and not (type(number) is int and 0 <= number <= _LARGEST_SEQUENCE):
                raise Undecodable("sequence", f"expected a whole number, got {str(number)[:40]!r}")
            reading.sequence = number
        return reading


def compile_event(part: Part, codecs: Mapping[str, Codec], tables: frozenset[str]) -> EventMaker:
    """The maker for one entry. Raises `MappingError`."""
    words = part.words(_WORDS, "an event")
    if "kind" not in words:
        raise part.wrong("an event needs a `kind`")
    fields: dict[str, Value] = {}
    if "fields" in words:
        fields = {name: compile_value(inner, codecs, tables) for name, _, inner in words["fields"].pairs()}
    maker = EventMaker(words["kind"].text("kind"), fields)
    if "each" in words:
        maker.each = words["each"].compiled(compile_each, "each")
    if "when" in words:
        maker.when = compile_when(words["when"])
    if "time" in words:
        maker.time = compile_time(words["time"])
    if "needs" in words:
        maker.needs = words["needs"].texts("needs")
        unknown = [name for name in maker.needs if name not in fields]
        if unknown:
            raise words["needs"].wrong(f"needs: there is no field {unknown[0]!r} in this event")
    if "replay" in words:
        maker.replay = _condition(words["replay"])
    for word in ("device", "id", "sequence", "boot"):
        if word in words:
            setattr(maker, word, compile_value(words[word], codecs, tables))
    return maker


def _condition(part: Part) -> Condition:
    """`replay` is a condition, or a path to a flag."""
    if part.is_mapping or part.is_list:
        return compile_when(part)
    value = compile_value(part, {})

    def flag(scope: Scope) -> bool:
        found = value(scope)
        if found is None:
            return False
        try:
            return as_boolean(found)
        except ValueError:
            raise Undecodable("replay", f"expected true or false, got {text_or_none(found)!r}") from None

    return flag
