"""From a node of a pack to a `Rule`: word by word, every mistake noted with its place and a suggestion."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import TypeVar

from gateway.model.alert import Severity
from gateway.model.catalogue import Catalogue
from rules.document import Node
from rules.language import (
    CommandRequest,
    Count,
    DeviceFilter,
    Expect,
    Rule,
    Silent,
    Step,
    Text,
    Then,
    WorkOrderRequest,
)

T = TypeVar("T")
WORDS = (
    *("id", "title", "reason", "advice", "consequence", "severity", "latched", "on", "devices", "scope", "late"),
    *(
        "when",
        "for",
        "at_once",
        "count",
        "expect",
        "sequence",
        "within",
        "silent",
        "clear",
        "clear_after",
        "then",
        "tests",
    ),
)
LANGUAGES = ("en", "zh")
PLACES = ("device", "zone", "building", "site")
_ID = re.compile(r"[a-z][a-z0-9_]*([.-][a-z0-9_]+)*")
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
        count=read("count", _count),
        expect=read("expect", lambda found: _expect(found, catalogue)),
        sequence=read("sequence", lambda found: _sequence(found, catalogue)) or (),
        within=read("within", lambda found: found.duration("within")),
        silent=read("silent", _silent),
        clear=read("clear", lambda found: found.text("clear")),
        clear_after=read("clear_after", lambda found: found.duration("clear_after")),
        late=read("late", lambda found: found.one_of(("include", "ignore"), "late")) == "include",
        then=read("then", _then) or Then(),
        pack=pack,
        line=node.line,
    )


_NEEDED = {
    "id": "write one like `id: meter.leak`",
    "title": "write `title: {en: …, zh: …}`",
    "severity": f"write `severity:` and one of {', '.join(Severity)}",
}


def read_text(node: Node) -> Text | None:
    """A sentence by language; one without a language serves for all."""
    if not node.is_mapping:
        text = node.text("the sentence")
        return None if text is None else dict.fromkeys(LANGUAGES, text)
    found = node.words(LANGUAGES, "a sentence in several languages")
    return {language: text for language, part in found.items() if (text := part.text("the sentence")) is not None}


def read_kinds(node: Node, catalogue: Catalogue) -> tuple[str, ...]:
    """One kind of the catalogue, or a list of them."""
    for item in node.items():
        name = item.text("a kind")
        if name is not None and catalogue.get(name) is None:
            close = catalogue.suggest(name)
            item.problem(f"the catalogue has no kind '{name}'", f"did you mean '{close}'?" if close else "")
    return tuple(dict.fromkeys(node.texts("a kind")))


def _id(node: Node) -> str | None:
    text = node.text("id")
    if text is not None and (not _ID.fullmatch(text) or len(text) > 80):
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


def _count(node: Node) -> Count | None:
    found = node.words(("at_least", "within", "distinct", "in_a_row"), "count")
    at_least = found["at_least"].whole("at_least", 2, 100) if "at_least" in found else None
    within = found["within"].duration("within") if "within" in found else None
    if node.is_mapping and not {"at_least", "within"} <= found.keys():
        node.problem("count needs at_least and within", "write `count: {at_least: 3, within: 2m}`")
    if at_least is None or within is None:
        return None
    distinct = found["distinct"].text("distinct") if "distinct" in found else None
    in_a_row = found["in_a_row"].boolean("in_a_row") if "in_a_row" in found else None
    return Count(at_least=at_least, within=within, distinct=distinct, in_a_row=in_a_row or False)


def _expect(node: Node, catalogue: Catalogue) -> Expect | None:
    found = node.words(("on", "when", "within"), "expect")
    if node.is_mapping and not {"on", "within"} <= found.keys():
        node.problem("expect needs on and within", "write `expect: {on: access.door, within: 10s}`")
        return None
    kinds = read_kinds(found["on"], catalogue) if "on" in found else ()
    within = found["within"].duration("within") if "within" in found else None
    if within is None:
        return None
    return Expect(on=kinds, within=within, when=found["when"].text("when") if "when" in found else None)


def _sequence(node: Node, catalogue: Catalogue) -> tuple[Step, ...]:
    steps: list[Step] = []
    for item in node.items():
        found = item.words(("on", "when"), "a step")
        if item.is_mapping and "on" not in found:
            item.problem("the step has no kind", "write `{on: access.denied}`")
        elif found:
            when = found["when"].text("when") if "when" in found else None
            steps.append(Step(on=read_kinds(found["on"], catalogue), when=when))
    if not 2 <= len(node.items()) <= 10:
        node.problem("a sequence has 2 to 10 steps", "for a single event, `on` and `when` do")
    return tuple(steps)


def _silent(node: Node) -> Silent | None:
    if not node.is_mapping:
        seconds = node.duration("silent")
        return None if seconds is None else Silent(seconds=seconds)
    found = node.words(("intervals",), "silent")
    intervals = found["intervals"].number("intervals", 1, 1000) if "intervals" in found else None
    if not found:
        node.problem("silent needs a length", "write `silent: 10m` or `silent: {intervals: 3}`")
    return None if intervals is None else Silent(intervals=intervals)


def _then(node: Node) -> Then:
    found = node.words(("plan", "work_order", "command"), "then")
    return Then(
        plan=found["plan"].text("plan") if "plan" in found else None,
        work_order=_work_order(found["work_order"]) if "work_order" in found else None,
        command=_command(found["command"]) if "command" in found else None,
    )


def _work_order(node: Node) -> WorkOrderRequest | None:
    found = node.words(("team", "respond_within", "resolve_within", "needs_proof", "title"), "work_order")
    if "team" not in found:
        if node.is_mapping:
            node.problem("the work order has no team", "write `work_order: {team: elevator, respond_within: 3m}`")
        return None
    return WorkOrderRequest(
        team=found["team"].text("team") or "",
        respond_within=found["respond_within"].duration("respond_within") if "respond_within" in found else None,
        resolve_within=found["resolve_within"].duration("resolve_within") if "resolve_within" in found else None,
        needs_proof=(found["needs_proof"].boolean("needs_proof") if "needs_proof" in found else None) or False,
        title=(read_text(found["title"]) if "title" in found else None) or {},
    )


def _command(node: Node) -> CommandRequest | None:
    found = node.words(("name", "device", "args"), "command")
    if "name" not in found:
        if node.is_mapping:
            node.problem("the command has no name", "write `command: {name: valve_close}`")
        return None
    args: dict[str, str | int | float | bool] = {}
    for key, value in found["args"].pairs("args") if "args" in found else ():
        plain = value.plain()
        if isinstance(plain, str | int | float | bool):
            args[key.shown] = plain
        else:
            value.problem("an argument is a text, a number, true or false")
    return CommandRequest(
        name=found["name"].text("name") or "",
        device=(found["device"].text("device") if "device" in found else None) or "self",
        args=args,
    )


def nearest(name: str, names: tuple[str, ...] | list[str]) -> str:
    """A suggestion out of `names`, or the list of them."""
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"there are {', '.join(names)}"
