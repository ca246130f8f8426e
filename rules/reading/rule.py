"""From the words of one rule to the rule; what makes no sense is noted as a problem at its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from gateway.model.alert import Severity
from gateway.model.catalogue import Catalogue
from rules.document import Node
from rules.language import DeviceFilter, Rule, Then
from rules.reading.actions import read_then
from rules.reading.common import PLACES, read_kinds, read_text
from rules.reading.conditions import (
    read_aggregate,
    read_baseline,
    read_count,
    read_expect,
    read_inhibition,
    read_sequence,
    read_silent,
    read_together,
)
from rules.reading.schedule import read_schedule

T = TypeVar("T")
WORDS = (
    *("id", "title", "reason", "advice", "consequence", "severity", "latched", "stands_alone"),
    *("on", "devices", "scope", "during", "except", "late", "aggregate", "baseline", "together", "inhibited_by"),
    *("when", "for", "at_once", "count", "expect", "sequence", "within", "silent", "clear", "clear_after"),
    *("then", "tests"),
)
ID = re.compile(r"[a-z][a-z0-9_]*([.-][a-z0-9_]+)*")
_FILTER = ("id", "type", "zone", "building", "site")


def read_rule(words: dict[str, Node], node: Node, catalogue: Catalogue, pack: str) -> Rule:
    """The rule that `words` spell out. What could not be read has its default; the problems tell."""

    def read(word: str, reader: Callable[[Node], T | None]) -> T | None:
        found = words.get(word)
        return reader(found) if found is not None else None

    scope, scope_by = read("scope", _scope) or ("device", None)
    for needed in ("id", "title", "severity"):
        if needed not in words:
            node.problem(f"the rule has no {needed}", _NEEDED[needed])
    return Rule(
        id=read("id", _id) or "",
        title=read("title", read_text) or {},
        reason=read("reason", read_text) or {},
        advice=read("advice", read_text) or {},
        consequence=read("consequence", read_text) or {},
        severity=Severity(read("severity", lambda found: found.one_of(list(Severity), "severity")) or "medium"),
        latched=read("latched", lambda found: found.boolean("latched")) or False,
        on=read("on", lambda found: read_kinds(found, catalogue)) or (),
        devices=read("devices", _devices) or DeviceFilter(),
        scope=scope,
        scope_by=scope_by,
        when=read("when", lambda found: found.text("when")),
        for_=read("for", lambda found: found.duration("for")),
        at_once=read("at_once", lambda found: found.text("at_once")),
        count=read("count", read_count),
        expect=read("expect", lambda found: read_expect(found, catalogue)),
        sequence=read("sequence", lambda found: read_sequence(found, catalogue)) or (),
        within=read("within", lambda found: found.duration("within")),
        silent=read("silent", read_silent),
        clear=read("clear", lambda found: found.text("clear")),
        clear_after=read("clear_after", lambda found: found.duration("clear_after")),
        late=read("late", lambda found: found.one_of(("include", "ignore"), "late")) == "include",
        schedule=read_schedule(words),
        aggregate=read("aggregate", read_aggregate),
        baseline=read("baseline", read_baseline),
        together=read("together", read_together),
        inhibited_by=read("inhibited_by", read_inhibition),
        stands_alone=read("stands_alone", lambda found: found.boolean("stands_alone")) or False,
        then=read("then", read_then) or Then(),
        pack=pack,
        line=node.line,
    )


_NEEDED = {
    "id": "write one like `id: meter.leak`",
    "title": "write `title: {en: …, zh: …}`",
    "severity": f"write `severity:` and one of {', '.join(Severity)}",
}


def _id(node: Node) -> str | None:
    text = node.text("id")
    if text is not None and (not ID.fullmatch(text) or len(text) > 80):
        hint = "small letters, digits, '.', '-' and '_', at most 80: `meter.night-leak`"
        node.problem(f"'{text}' is not an id", hint)
    return text


def _scope(node: Node) -> tuple[str, str | None]:
    """A place; or a place and what divides it; or an expression alone, which divides the site."""
    words = node.texts("scope")
    if len(words) == 1:
        return (words[0], None) if words[0] in PLACES else ("site", words[0])
    if len(words) != 2 or words[0] not in PLACES:
        node.problem(
            "a scope is a place, or a place and an expression", "write `scope: device` or `scope: [device, fault]`"
        )
        return "device", None
    return words[0], words[1]


def _devices(node: Node) -> DeviceFilter:
    found = node.words(_FILTER, "devices")
    return DeviceFilter(**{word: value.texts(f"devices.{word}") for word, value in found.items()})
