"""Templates: texts with `{path}` in them, and whole payloads made of such texts.

`{a|b}` takes the first of several paths that leads somewhere. A text that is nothing but one `{path}` keeps the type
of what stands there, so that a number stays a number in the JSON that is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapters.mapping.conditions import text_or_none
from adapters.mapping.document import Part
from adapters.mapping.paths import Getter, compile_path
from adapters.mapping.scope import MISSING, Scope

_HOLE = re.compile(r"\{([^{}]*)\}")

Template = Callable[[Scope], Any]


def compile_text(text: str) -> Callable[[Scope], Any]:
    """A function giving the filled text, or MISSING where a part of it is missing. Raises `ValueError`."""
    pieces = _pieces(text)
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return lambda scope: text

    def fill(scope: Scope) -> Any:
        out: list[str] = []
        for piece in pieces:
            if isinstance(piece, str):
                out.append(piece)
                continue
            value = text_or_none(piece(scope))
            if value is None:
                return MISSING
            out.append(value)
        return "".join(out)

    return fill


def _pieces(text: str) -> list[str | Getter]:
    pieces: list[str | Getter] = []
    position = 0
    for hole in _HOLE.finditer(text):
        if hole.start() > position:
            pieces.append(text[position : hole.start()])
        pieces.append(_any_of(hole.group(1)))
        position = hole.end()
    rest = text[position:]
    if rest or not pieces:
        pieces.append(rest)
    if any(isinstance(piece, str) and ("{" in piece or "}" in piece) for piece in pieces):
        raise ValueError(f"{text!r}: a brace stands alone")
    return pieces


def _any_of(text: str) -> Getter:
    getters = [compile_path(path.strip()) for path in text.split("|")]
    if len(getters) == 1:
        return getters[0]

    def first(scope: Scope) -> Any:
        for get in getters:
            value = get(scope)
            if value is not MISSING and value is not None and value != "":
                return value
        return MISSING

    return first


def compile_body(part: Part) -> Template:
    """A payload: mappings, lists, numbers and flags as they stand, texts as templates. MISSING if a part is."""
    if part.is_mapping:
        members = [(name, compile_body(inner)) for name, _, inner in part.pairs()]

        def mapping(scope: Scope) -> Any:
            body = {name: build(scope) for name, build in members}
            return MISSING if MISSING in body.values() else body

        return mapping
    if part.is_list:
        entries = [compile_body(item) for item in part.items()]

        def listing(scope: Scope) -> Any:
            body = [build(scope) for build in entries]
            return MISSING if MISSING in body else body

        return listing
    constant = part.value()
    if not isinstance(constant, str):
        return lambda scope: constant
    whole = _HOLE.fullmatch(constant)
    try:
        return _any_of(whole.group(1)) if whole else compile_text(constant)
    except ValueError as error:
        raise part.wrong(str(error)) from None
