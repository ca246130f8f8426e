"""Value specifications: where a value comes from and what becomes of it.

A specification is a path (`$.info.name`), a number or a flag meant as it stands, a mapping with the words below, or a
list of specifications, of which the first that gives a value counts.

    from: path or list of paths    the first that leads somewhere
    value: constant                instead of `from`
    text: "{path}-{path}"          instead of `from`: a template; no value where one of its parts is missing
    codec: name                    decode the raw value first (`base64`, or one that the adapter brings)
    nothing: [literals]            texts that mean "no value" (the empty text always does)
    as: text|number|integer|boolean|present
    words: {1: face, 2: card}      translate; `table: name` takes the table of the device's profile
    otherwise: value               where `words` or `table` has no entry; without it the message is refused
    scale: 0.001                   multiply; `offset` is added afterwards
    when: condition                no value where it does not hold
    required: true                 refuse the message where there is no value
    bad: skip                      no value where it cannot be read, instead of refusing the message
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.mapping.coercion import COERCIONS, as_number, as_scalar, shown
from adapters.mapping.conditions import Condition, compile_when, text_or_none
from adapters.mapping.document import Part
from adapters.mapping.paths import Getter, compile_path
from adapters.mapping.scope import MISSING, Scope
from adapters.mapping.templates import compile_text
from gateway.errors import Undecodable

Value = Callable[[Scope], Any]
"""Gives a plain value, or None for "no value". Raises `Undecodable` with the path."""
Codec = Callable[[Any], Any]

_WORDS = (
    *("from", "value", "text", "codec", "nothing", "as", "words", "table", "otherwise"),
    *("scale", "offset", "when", "required", "bad"),
)
_DIGITS = 9
"""Decimal places kept after scaling, so that 0.605 MPa become 605 kPa and not 604.9999999999999."""


def compile_value(part: Part, codecs: Mapping[str, Codec], tables: frozenset[str] = frozenset()) -> Value:
    """The function for one specification. Raises `MappingError` for what is none."""
    if part.is_list:
        options = [compile_value(item, codecs, tables) for item in part.items()]
        return _first(options)
    if not part.is_mapping:
        constant = part.value()
        if isinstance(constant, bool | int | float):
            return lambda scope: constant
        return _Spec([(part.text("a value"), part.compiled(compile_path, "a value"))]).build()
    words = part.words(_WORDS, "a value")
    sources = [word for word in ("from", "value", "text") if word in words]
    if len(sources) != 1:
        raise part.wrong("a value needs exactly one of `from`, `value` and `text`")
    spec = _source(words, sources[0])
    if "nothing" in words:
        spec.nothing = frozenset(("", *(str(item.value()) for item in words["nothing"].items())))
    if "codec" in words:
        spec.codec = codecs[words["codec"].choice("codec", sorted(codecs))]
    if "as" in words:
        form = words["as"].choice("as", (*COERCIONS, "present"))
        spec.present = form == "present"
        spec.coerce = None if spec.present else COERCIONS[form]
    _translation(spec, words, tables, part)
    spec.scale = words["scale"].number("scale") if "scale" in words else None
    spec.offset = words["offset"].number("offset") if "offset" in words else None
    spec.required = "required" in words and words["required"].flag("required")
    spec.skip = "bad" in words and words["bad"].choice("bad", ("skip", "refuse")) == "skip"
    built = spec.build()
    return _conditional(compile_when(words["when"]), built) if "when" in words else built


def _source(words: Mapping[str, Part], source: str) -> _Spec:
    part = words[source]
    if source == "from":
        return _Spec([(item.text("from"), item.compiled(compile_path, "from")) for item in part.items()])
    if source == "text":
        return _Spec([(part.text("text"), part.compiled(compile_text, "text"))])
    constant = part.value()
    if isinstance(constant, dict | list):
        raise part.wrong("value: expected a single value")
    return _Spec([("value", lambda scope: constant)])


def _translation(spec: _Spec, words: Mapping[str, Part], tables: frozenset[str], part: Part) -> None:
    if "words" in words and "table" in words:
        raise part.wrong("a value is translated by `words` or by a `table`, not by both")
    if "words" in words:
        spec.words = {word: inner.value() for word, _, inner in words["words"].pairs()}
    if "table" in words:
        spec.table = words["table"].choice("table", sorted(tables))
    if "otherwise" in words:
        if spec.words is None and spec.table is None:
            raise words["otherwise"].wrong("`otherwise` goes with `words` or `table`")
        spec.otherwise = words["otherwise"].value()


def _first(options: list[Value]) -> Value:
    def value(scope: Scope) -> Any:
        for option in options:
            found = option(scope)
            if found is not None:
                return found
        return None

    return value


def _conditional(condition: Condition, inner: Value) -> Value:
    return lambda scope: inner(scope) if condition(scope) else None


class _Spec:
    """One specification, read; `build` makes the function."""

    def __init__(self, getters: list[tuple[str, Getter]]) -> None:
        self.getters = getters
        self.nothing: frozenset[str] = frozenset(("",))
        self.codec: Codec | None = None
        self.coerce: Codec | None = None
        self.present = False
        self.words: dict[str, Any] | None = None
        self.table: str | None = None
        self.otherwise: Any = MISSING
        self.scale: float | None = None
        self.offset: float | None = None
        self.required = False
        self.skip = False

    def build(self) -> Value:
        """The function from a scope to the value."""

        def value(scope: Scope) -> Any:
            for path, get in self.getters:
                raw = get(scope)
                if raw is MISSING or raw is None or (type(raw) is str and raw.strip() in self.nothing):
                    continue
                try:
                    found = self._made(raw, scope)
                except ValueError as error:
                    if self.skip:
                        continue
                    raise Undecodable(scope.locate(path), str(error)) from None
                if found is not None:
                    return found
            if self.present:
                return False
            if self.required:
                raise Undecodable(scope.locate(self.getters[0][0]), "missing")
            return None

        return value

    def _made(self, raw: Any, scope: Scope) -> Any:
        """The raw value through codec, translation, type and scale. Raises `ValueError`."""
        if self.codec is not None:
            raw = self.codec(raw)
            if raw is None or (type(raw) is str and raw in self.nothing):
                return None
        if self.present:
            return True
        if self.words is not None:
            raw = self._translated(raw, self.words)
        elif self.table is not None:
            raw = self._translated(raw, scope.tables.get(self.table, {}))
        if raw is None:
            return None
        raw = self.coerce(raw) if self.coerce is not None else as_scalar(raw)
        if self.scale is not None or self.offset is not None:
            raw = round(as_number(raw) * (1 if self.scale is None else self.scale) + (self.offset or 0), _DIGITS)
        return raw

    def _translated(self, raw: Any, table: Mapping[str, Any]) -> Any:
        text = text_or_none(raw)
        text = text.strip() if text is not None else None
        if text is not None and text in table:
            return table[text]
        if self.otherwise is not MISSING and text is not None:
            return self.otherwise
        known = ", ".join(list(table)[:20])
        raise ValueError(f"{shown(raw)} is not one of {known}")
