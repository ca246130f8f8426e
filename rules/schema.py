"""The language of rules as a JSON Schema (draft 2020-12), for editors: made from the language's own tables.

It completes words, kinds, fields and their values while a pack is written. It knows the form alone; what expressions
say and whether words make sense together is for `gatehouse rules check`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.model.alert import Severity
from gateway.model.catalogue import Catalogue, Field, Kind
from rules.coherence import MEASURES, SHAPES
from rules.conditions.aggregate import FUNCTIONS, MOST_SAMPLES
from rules.durations import WHOLE
from rules.language import DeviceFilter
from rules.overrides import CHANGE, DISABLE
from rules.reading.common import LANGUAGES, PLACES
from rules.reading.conditions import BOUNDS, DIRECTIONS
from rules.reading.rule import ID, WORDS
from rules.reading.schedule import DAYS, SPAN
from rules.schema_words import ABOUT
from rules.timeline import DEVICE, OUTCOMES, STEP, TEST

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DURATION: Schema = {"type": "string", "pattern": f"^{WHOLE.pattern}$", "examples": ["30s", "5m", "2h", "1d", "4w"]}
MOMENT: Schema = {"anyOf": [DURATION, {"enum": ["0s", "0", 0]}]}
EXPRESSION: Schema = {"type": ["string", "boolean"], "minLength": 1, "maxLength": 500}
FLAG: Schema = {"type": "boolean"}
WORD: Schema = {"type": ["string", "number", "boolean"]}
_JSON_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean", "string": "string", "time": "string"}


def schema(catalogue: Catalogue) -> Schema:
    """The schema of a pack over the kinds of `catalogue`."""
    kind: Schema = {"enum": list(catalogue.kinds), "description": "a kind of the catalogue"}
    kinds: Schema = {"anyOf": [{"$ref": "#/$defs/kind"}, _list_of({"$ref": "#/$defs/kind"})]}
    words = _words_of_a_rule(kinds)
    rule = _object(words, needed=("id", "title", "severity")) | {"allOf": _agreements()}
    return {
        "$schema": DIALECT,
        "title": "A pack of Gatehouse rules",
        "type": "array",
        "items": _one_by_word({DISABLE: "disable", CHANGE: "change"}, "rule"),
        "$defs": {
            "rule": rule,
            "change": _object({CHANGE: _about(CHANGE, words["id"]), **_without(words, "id")}, needed=(CHANGE,)),
            "disable": _object({DISABLE: _about(DISABLE, _one_or_many(words["id"]))}, needed=(DISABLE,)),
            "kind": kind,
            "text": _text(),
            "span": _span(),
            "test": _test(catalogue),
        },
    }


def _one_by_word(definitions: dict[str, str], other: str) -> Schema:
    """What has the word has to be as its definition says; what has none of them as `other` does."""
    found: Schema = {"$ref": f"#/$defs/{other}"}
    for word, name in reversed(definitions.items()):
        found = {"if": _has(word), "then": {"$ref": f"#/$defs/{name}"}, "else": found}
    return found


def _without(words: dict[str, Schema], word: str) -> dict[str, Schema]:
    return {name: value for name, value in words.items() if name != word}


def _about(word: str, value: Schema) -> Schema:
    return {**value, "description": ABOUT[word]}


def _words_of_a_rule(kinds: Schema) -> dict[str, Schema]:
    text: Schema = {"$ref": "#/$defs/text"}
    span: Schema = {"anyOf": [{"$ref": "#/$defs/span"}, _list_of({"$ref": "#/$defs/span"})]}
    values: dict[str, Schema] = {
        "id": {"type": "string", "pattern": f"^{ID.pattern}$", "maxLength": 80},
        **dict.fromkeys(("title", "reason", "advice", "consequence"), text),
        "severity": {"enum": [str(level.value) for level in Severity]},
        **dict.fromkeys(("latched", "stands_alone"), FLAG),
        "on": kinds,
        "devices": _object(dict.fromkeys(DeviceFilter.__struct_fields__, _one_or_many(WORD))),
        "scope": {"anyOf": [{"enum": list(PLACES)}, EXPRESSION, _list_of(EXPRESSION, 1, 2)]},
        **dict.fromkeys(("during", "except"), span),
        **dict.fromkeys(("when", "at_once", "clear"), EXPRESSION),
        **dict.fromkeys(("for", "within", "clear_after"), DURATION),
        "late": {"enum": ["include", "ignore"]},
        **_conditions(kinds),
        "then": _then(),
        "tests": _list_of({"$ref": "#/$defs/test"}),
    }
    return {word: _about(word, values[word]) for word in WORDS}


def _conditions(kinds: Schema) -> dict[str, Schema]:
    number: Schema = {"type": "number"}
    measure: dict[str, Schema] = {"field": {"type": "string"}, "function": {"enum": list(FUNCTIONS)}, "over": DURATION}
    measure["samples"] = _whole(1, MOST_SAMPLES)
    learned: dict[str, Schema] = {
        "field": {"type": "string"},
        "period": {"type": "string", "pattern": r"^(\d+[dw])+$"},
        "deviation": {"type": "number", "minimum": 1, "maximum": 100},
        "learn": _whole(2, 12),
        "direction": {"enum": list(DIRECTIONS)},
        "at_least": {"type": "number", "minimum": 0},
    }
    bounds = dict.fromkeys(BOUNDS, number)
    count: dict[str, Schema] = {"at_least": _whole(2, 100), "within": DURATION, "distinct": {"type": "string"}}
    places: Schema = {"enum": list(PLACES[1:])}
    one_bound: Schema = {"anyOf": [{"required": [bound]} for bound in BOUNDS]}
    causes = _one_or_many({"type": "string", "minLength": 1})
    return {
        "count": _object({**count, "in_a_row": FLAG}, needed=("at_least", "within")),
        "expect": _object({"on": kinds, "when": EXPRESSION, "within": DURATION}, needed=("on", "within")),
        "sequence": _list_of(_object({"on": kinds, "when": EXPRESSION}, needed=("on",)), 2, 10),
        "silent": {"anyOf": [DURATION, _object({"intervals": {"type": "number", "minimum": 1, "maximum": 1000}})]},
        "aggregate": _object({**measure, **bounds}, needed=("field", "function", "over")) | one_bound,
        "baseline": _object(learned, needed=("field",)),
        "together": _object(
            {"scope": places, "at_least": _whole(2, 1000), "within": DURATION}, needed=("scope", "at_least", "within")
        ),
        "inhibited_by": {"anyOf": [causes, _object({"rules": causes, "settle": DURATION}, needed=("rules",))]},
    }


def _agreements() -> list[Schema]:
    """What goes with what: one shape, one measure, a kind to listen to."""
    clashes = [(SHAPES, one) for one in SHAPES] + [(MEASURES, one) for one in MEASURES]
    rules: list[Schema] = [
        {"if": _has(one), "then": {"not": {"anyOf": [_has(other) for other in group if other != one]}}}
        for group, one in clashes
    ]
    alone: Schema = {"properties": {"stands_alone": {"const": True}}, "required": ["stands_alone"]}
    return [
        *rules,
        {"if": {"not": {"anyOf": [_has("silent"), _has("sequence")]}}, "then": _has("on")},
        {"if": _has("sequence"), "then": _has("within")},
        {"if": alone, "then": {"not": _has("inhibited_by")}},
    ]


def _then() -> Schema:
    order: dict[str, Schema] = {
        "team": {"type": "string", "minLength": 1},
        "respond_within": DURATION,
        "resolve_within": DURATION,
        "needs_proof": FLAG,
        "title": {"$ref": "#/$defs/text"},
    }
    args: Schema = {"type": "object", "additionalProperties": WORD}
    command: dict[str, Schema] = {"name": {"type": "string"}, "device": {"type": "string"}, "args": args}
    return _object(
        {
            "plan": {"type": "string"},
            "work_order": _object(order, needed=("team",)),
            "command": _object(command, needed=("name",)),
        }
    )


def _test(catalogue: Catalogue) -> Schema:
    device = _object({**dict.fromkeys(DEVICE, WORD), "report_interval": MOMENT})
    said: Schema = {
        "type": "object",
        "properties": {name: _said(kind) for name, kind in catalogue.kinds.items()},
        "additionalProperties": False,
    }
    step: dict[str, Schema] = {
        **dict.fromkeys(("at", "until"), MOMENT),
        "every": DURATION,
        "say": said,
        **dict.fromkeys(("from", "scope"), WORD),
        **dict.fromkeys(("late", "replay"), FLAG),
        "want": {"anyOf": [{"enum": list(OUTCOMES)}, _list_of({"enum": list(OUTCOMES)})]},
    }
    words: dict[str, Schema] = {
        "name": {"type": "string", "minLength": 1},
        "device": device,
        "devices": {"type": "object", "additionalProperties": device},
        "with": _one_or_many({"type": "string"}),
        "start": {"type": "string"},
        "timezone": {"type": "string"},
        "timeline": _list_of(_object({word: step[word] for word in STEP}, needed=("at",))),
    }
    return _object({word: words[word] for word in TEST}, needed=("name", "timeline"))


def _said(kind: Kind) -> Schema:
    """What a device may say of that kind: its fields, their types and words."""
    fields = _object({name: _value(field) for name, field in kind.fields.items()})
    return fields | {"description": f"{kind.title['en']} {kind.title['zh']}"}


def _value(field: Field) -> Schema:
    allowed: Schema = {"enum": list(field.values)} if field.values else {"type": _JSON_TYPES[field.type]}
    unit = f", {field.unit}" if field.unit else ""
    return {"anyOf": [allowed, {"type": "null"}], "description": f"{field.title['en']} {field.title['zh']}{unit}"}


def _text() -> Schema:
    sentence: Schema = {"type": "string", "minLength": 1}
    return {"anyOf": [sentence, _object(dict.fromkeys(LANGUAGES, sentence))]}


def _span() -> Schema:
    days = "|".join(DAYS)
    values: dict[str, Schema] = {
        "days": {"type": "string", "pattern": f"^({days})(-({days}))?$"},
        "hours": {"type": "string", "pattern": r"^\d{1,2}:\d{2}-\d{1,2}:\d{2}$"},
        "dates": {"type": "string", "pattern": r"^(\d{4}-)?\d{2}-\d{2}(\.\.(\d{4}-)?\d{2}-\d{2})?$"},
    }
    return _object({word: _one_or_many(values[word]) for word in SPAN}) | {"minProperties": 1}


def _object(properties: dict[str, Schema], needed: Iterable[str] = ()) -> Schema:
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(needed)} if needed else found


def _list_of(items: Schema, least: int = 0, most: int | None = None) -> Schema:
    bounds: Schema = {} if most is None else {"maxItems": most}
    return {"type": "array", "items": items, "minItems": least, **bounds}


def _one_or_many(one: Schema) -> Schema:
    return {"anyOf": [one, _list_of(one)]}


def _whole(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _has(word: str) -> Schema:
    return {"required": [word]}
