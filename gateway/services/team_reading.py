"""Team files read with every mistake named: file, line, what is wrong, and what was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from gateway.errors import GatehouseError
from gateway.services.teams import Member, Team, TeamBook
from gateway.services.working_time import ROUND_THE_CLOCK, Hours
from rules.document import Document, Node
from rules.errors import Problem

_TEAM_WORDS = ("id", "title", "hours", "dispatch", "categories", "members")
_MEMBER_WORDS = ("id", "name", "skills", "zones")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")


class TeamBookError(GatehouseError):
    """Team files were refused, all together. `problems` lists everything wrong."""

    code: ClassVar[str] = "teams_refused"
    status: ClassVar[int] = 422
    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        listing = "\n".join(f"  {problem}" for problem in self.problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(
            f"teams refused, {len(self.problems)} {noun}:\n{listing}",
            problems=[msgspec.to_builtins(problem) for problem in self.problems],
        )


def read_teams(texts: Mapping[str, str]) -> TeamBook:
    """The teams of all files, given as name and text; a later file replaces teams of the same id.

    Raises `TeamBookError` with every problem of every file.
    """
    teams: dict[str, Team] = {}
    problems: list[Problem] = []
    for file, text in texts.items():
        document = Document(file, text)
        root = document.root()
        listed = root.words(("teams",), "a team file").get("teams") if root is not None else None
        seen: set[str] = set()
        for node in listed.items() if listed is not None else []:
            team = _team(node)
            if team is None:
                continue
            if team.id in seen:
                node.problem(f"team '{team.id}' stands here twice", text=team.id)
            seen.add(team.id)
            teams[team.id] = team
        problems += document.problems
    if problems:
        raise TeamBookError(problems)
    return TeamBook(teams.values())


def _team(node: Node) -> Team | None:
    words = node.words(_TEAM_WORDS, "a team")
    ident = _ident(words.get("id"), node, "a team's id", _ID)
    if ident is None:
        return None
    title, hours, dispatch = words.get("title"), words.get("hours"), words.get("dispatch")
    members = words.get("members")
    return Team(
        id=ident,
        title=texts_of(title, "a title") if title is not None else {"en": ident, "zh": ident},
        hours=_hours(hours) if hours is not None else ROUND_THE_CLOCK,
        dispatch=(dispatch.one_of(("auto", "manual"), "dispatch") if dispatch is not None else None) or "manual",
        categories=words["categories"].texts("a category") if "categories" in words else (),
        members=tuple(member for one in (members.items() if members else []) if (member := _member(one)) is not None),
    )


def _member(node: Node) -> Member | None:
    words = node.words(_MEMBER_WORDS, "a member")
    ident = _ident(words.get("id"), node, "a member's id", _PERSON)
    if ident is None:
        return None
    name = words["name"].text("a name") if "name" in words else None
    return Member(
        id=ident,
        name=name or ident,
        skills=words["skills"].texts("a skill") if "skills" in words else (),
        zones=words["zones"].texts("a zone") if "zones" in words else (),
    )


def _hours(node: Node) -> Hours:
    words = node.words(("from", "to"), "working hours")
    start = _clock(words.get("from"), node, "from")
    end = _clock(words.get("to"), node, "to")
    if start is None or end is None:
        return ROUND_THE_CLOCK
    if end <= start:
        node.problem("working hours end after they begin", "a team that works over midnight works round the clock")
        return ROUND_THE_CLOCK
    return Hours(start=start, end=end, round_the_clock=False)


def _clock(node: Node | None, around: Node, word: str) -> float | None:
    if node is None:
        around.problem(f"working hours need '{word}'", 'write hours: {from: "08:30", to: "17:30"}')
        return None
    text = node.text(word)
    seconds = clock_of(text or "")
    if seconds is None and text is not None:
        node.problem(f"{word} is a time such as 08:30", text=text)
    return seconds


def clock_of(text: str) -> float | None:
    """`08:30` as seconds after midnight, up to 24:00; None for any other text."""
    found = _CLOCK.fullmatch(text)
    seconds = int(found[1]) * 3600.0 + int(found[2]) * 60.0 if found is not None else None
    return None if seconds is None or seconds > 86_400.0 else seconds


def texts_of(node: Node, what: str) -> dict[str, str]:
    """A text in both languages; one text alone is taken for both."""
    if not node.is_mapping:
        text = node.text(what) or ""
        return {"en": text, "zh": text}
    words = node.words(("en", "zh"), what)
    found = {language: value.text(what) or "" for language, value in words.items()}
    for language in ("en", "zh"):
        if language not in found:
            node.problem(f"{what} lacks the language '{language}'")
    return found


def _ident(node: Node | None, around: Node, what: str, pattern: re.Pattern[str]) -> str | None:
    if node is None:
        around.problem(f"{what} is missing")
        return None
    text = node.text(what)
    if text is not None and not pattern.fullmatch(text):
        node.problem(f"{what} is letters, digits, '-' and '_'", text=text)
        return None
    return text
