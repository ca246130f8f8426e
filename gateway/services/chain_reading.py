"""`escalation.yaml` read with every mistake named: file, line, column, and what was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import ClassVar, Literal

import msgspec

from gateway.errors import GatehouseError
from gateway.model import Severity
from gateway.model.duty import DAYS
from gateway.services.calendar import minute_of
from gateway.services.chains import Chain, Hours, Level, Target
from rules.document import Document, Node
from rules.errors import Problem

CHAIN_WORDS = ("id", "title", "severity", "systems", "sites", "zones", "during", "levels", "repeat", "on_return")
LEVEL_WORDS = ("after", "tell", "by")
TARGET_WORDS = ("on_duty", "team", "role", "user")
PAGE = "page"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOURS = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")
_MOST_LEVELS = 20


class EscalationError(GatehouseError):
    """The chains were refused, all together. `problems` lists everything wrong, in the order of the file."""

    code: ClassVar[str] = "escalation_refused"
    status: ClassVar[int] = 422
    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Sequence[Problem], what: str = "escalation") -> None:
        self.problems = tuple(sorted(problems))
        noun = "problem" if len(self.problems) == 1 else "problems"
        listing = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"{what} refused, {len(self.problems)} {noun}; what runs stays:\n{listing}",
            problems=[msgspec.to_builtins(problem) for problem in self.problems],
        )


def read_chains(file: str, text: str, channels: Collection[str] = ()) -> tuple[Chain, ...]:
    """The chains of a file. `channels` are those there are. Raises `EscalationError` with everything wrong."""
    document = Document(file, text)
    root = document.root()
    chains: list[Chain] = []
    if root is not None:
        words = root.words(("chains",), "the file")
        node = words.get("chains")
        if node is None or not node.is_list:
            root.problem("the file is a list of chains", "write `chains:` and one `- id: ...` each")
        else:
            chains = [chain for item in node.items() if (chain := _chain(item, channels)) is not None]
            _unique(node.items(), document)
    elif not document.problems:
        document.note(1, 1, "the file is empty", suggestion="remove it to use the shipped chains")
    if document.problems:
        raise EscalationError(document.problems)
    return tuple(chains)


def _unique(items: list[Node], document: Document) -> None:
    seen: set[str] = set()
    for item in items:
        name = item.plain().get("id") if item.is_mapping else None
        if isinstance(name, str) and name in seen:
            item.problem(f"two chains are called '{name}'", text=name)
        seen.add(str(name))


def _chain(node: Node, channels: Collection[str]) -> Chain | None:
    before = len(node.document.problems)
    words = node.words(CHAIN_WORDS, "a chain")
    if not node.is_mapping:
        return None
    name = words["id"].text("id") if "id" in words else None
    if "id" not in words:
        node.problem("a chain has an 'id'")
    elif name is not None and not _ID.fullmatch(name):
        words["id"].problem("an id is letters, digits, '_' and '-'")
    severity = tuple(
        word for item in _items(words, "severity") if (word := item.one_of([*map(str, Severity)], "severity"))
    )
    levels: tuple[Level, ...] = ()
    if "levels" not in words:
        node.problem("a chain has 'levels'", "write at least one: `- {after: 0s, tell: [on_duty]}`")
    else:
        levels = _levels(words["levels"], channels)
    on_return: Literal["go_on", "stop"] = "go_on"
    if "on_return" in words and words["on_return"].one_of(("go_on", "stop"), "on_return") == "stop":
        on_return = "stop"
    chain = Chain(
        id=name or "?",
        title=_title(words.get("title")),
        severity=severity,
        systems=_texts(words, "systems"),
        sites=_texts(words, "sites"),
        zones=_texts(words, "zones"),
        during=_hours(words["during"]) if "during" in words else None,
        levels=levels,
        repeat=words["repeat"].duration("repeat") if "repeat" in words else None,
        on_return=on_return,
    )
    return chain if len(node.document.problems) == before else None


def _items(words: dict[str, Node], name: str) -> list[Node]:
    return words[name].items() if name in words else []


def _texts(words: dict[str, Node], name: str) -> tuple[str, ...]:
    return words[name].texts(name) if name in words else ()


def _title(node: Node | None) -> dict[str, str]:
    if node is None:
        return {}
    texts = {language: text for language, item in node.words(("en", "zh"), "a title").items()
             if (text := item.text("a title")) is not None}  # fmt: skip
    if node.is_mapping and set(texts) != {"en", "zh"}:
        node.problem("a title is in both languages: {en: ..., zh: ...}")
    return texts


def _hours(node: Node) -> Hours:
    words = node.words(("days", "hours"), "during")
    days: list[str] = []
    for item in _items(words, "days"):
        text = item.text("days") or ""
        first, _, last = text.partition("-")
        if first in DAYS and (not last or last in DAYS):
            count = (DAYS.index(last or first) - DAYS.index(first)) % 7
            days += [DAYS[(DAYS.index(first) + step) % 7] for step in range(count + 1)]
        elif text:
            item.problem(f"'{text}' is no day", f"write {', '.join(DAYS)}, or mon-fri")
    start, end = 0, 1440
    if "hours" in words:
        found = _HOURS.fullmatch(words["hours"].text("hours") or "")
        first_minute, last_minute = (minute_of(found[1]), minute_of(found[2])) if found else (None, None)
        if first_minute is not None and last_minute is not None:
            start, end = first_minute, last_minute
        else:
            words["hours"].problem("hours are like 08:00-18:00; past midnight 22:00-06:00")
    return Hours(days=tuple(days) or DAYS, start=start, end=end)


def _levels(node: Node, channels: Collection[str]) -> tuple[Level, ...]:
    items = node.items()
    if not 1 <= len(items) <= _MOST_LEVELS:
        node.problem(f"a chain has 1 to {_MOST_LEVELS} levels")
    levels: list[Level] = []
    for item in items:
        words = item.words(LEVEL_WORDS, "a level")
        for needed, why in (("after", "how long after the alert"), ("tell", "whom")):
            if item.is_mapping and needed not in words:
                item.problem(f"a level needs '{needed}': {why}")
        after = _after(words["after"]) if "after" in words else None
        if after is not None and levels and after <= levels[-1].after:
            words["after"].problem("levels come one after the other: this is not later than the one before")
        tell = tuple(target for one in _items(words, "tell") if (target := _target(one)) is not None)
        by = _channels(words["by"], channels) if "by" in words else None
        levels.append(Level(after=after or 0.0, tell=tell, by=by))
    return tuple(levels)


def _after(node: Node) -> float | None:
    return 0.0 if node.shown in ("0", "0s") else node.duration("after")


def _channels(node: Node, channels: Collection[str]) -> tuple[str, ...]:
    found = []
    for item in node.items():
        if item.shown == PAGE:
            continue
        name = item.one_of(channels, "a channel") if channels else item.text("a channel")
        if name is not None and not channels:
            item.problem(f"there is no channel '{name}'", "describe it in channels.yaml, or write page")
        elif name is not None:
            found.append(name)
    return tuple(found)


def _target(node: Node) -> Target | None:
    if not node.is_mapping:
        word = node.one_of(("on_duty", "everyone"), "whom to tell")
        if word is None:
            return None
        return Target(kind="on_duty") if word == "on_duty" else Target(kind="everyone")
    words = node.words(TARGET_WORDS, "whom to tell")
    if "user" in words:
        if len(words) > 1:
            node.problem("'user' is one person, and stands alone")
        return Target(kind="user", user=words["user"].text("user") or "")
    if "on_duty" in words:
        if len(words) > 1:
            node.problem("team and role stand under on_duty", "write `{on_duty: {team: security}}`")
        inner = words["on_duty"].words(("team", "role"), "on_duty")
        return Target(kind="on_duty", **{name: item.text(name) or "" for name, item in inner.items()})
    if not words:
        return None
    return Target(kind="team", **{name: item.text(name) or "" for name, item in words.items()})
