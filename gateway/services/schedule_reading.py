"""Schedule files read with every mistake named: file, line, what is wrong, and what was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from gateway.errors import GatehouseError
from gateway.model import Severity
from gateway.services.schedule_book import Counting, Point, ScheduleBook, ScheduleDefinition, trigger_of
from gateway.services.team_reading import texts_of
from rules.document import Document, Node
from rules.errors import Problem

WORDS = (
    "id", "site", "title", "does", "at", "counts", "devices", "zone", "team", "skill", "text", "priority",
    "resolve_within", "plan", "ordered", "points",
)  # fmt: skip
COUNT_WORDS = ("kind", "field", "is", "times", "running")
POINT_WORDS = ("id", "title", "device", "from", "to")
DOES = ("maintenance", "patrol", "inspection", "drill")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class ScheduleBookError(GatehouseError):
    """Schedules were refused, all together. `problems` lists everything wrong."""

    code: ClassVar[str] = "schedules_refused"
    status: ClassVar[int] = 422
    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        listing = "\n".join(f"  {problem}" for problem in self.problems)
        noun = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(
            f"schedules refused, {len(self.problems)} {noun}:\n{listing}",
            problems=[msgspec.to_builtins(problem) for problem in self.problems],
        )


def read_schedules(texts: Mapping[str, str], hooked: Collection[str] = ()) -> ScheduleBook:
    """The schedules of all files, given as name and text. `hooked` are words of `does` that other rooms answer.

    Raises `ScheduleBookError` with every problem of every file.
    """
    found: dict[str, ScheduleDefinition] = {}
    problems: list[Problem] = []
    for file, text in texts.items():
        document = Document(file, text)
        root = document.root()
        listed = root.words(("schedules",), "a schedule file").get("schedules") if root is not None else None
        for node in listed.items() if listed is not None else []:
            one = _schedule(node, (*DOES, *hooked))
            if one is None:
                continue
            if one.id in found:
                node.problem(f"schedule '{one.id}' stands in these files twice", text=one.id)
            found[one.id] = one
        problems += document.problems
    if problems:
        raise ScheduleBookError(problems)
    return ScheduleBook(found.values())


def _schedule(node: Node, does: Collection[str]) -> ScheduleDefinition | None:
    words = node.words(WORDS, "a schedule")
    for word in ("id", "site", "title", "does"):
        if word not in words:
            node.problem(f"a schedule needs '{word}'")
    if not {"id", "site", "title", "does"} <= words.keys():
        return None
    ident = words["id"].text("a schedule's id") or ""
    if not _ID.fullmatch(ident):
        words["id"].problem("a schedule's id is small letters, digits, '-' and '_'")
    what = words["does"].one_of(does, "does") or ""
    at = _at(words["at"]) if "at" in words else ""
    counts = _counting(words["counts"]) if "counts" in words else None
    if ("at" in words) == ("counts" in words):
        node.problem("a schedule has either 'at' or 'counts'", "at: '0 9 1 * *' is nine o'clock on each first day")
    points = tuple(point for one in (words["points"].items() if "points" in words else []) if (point := _point(one)))
    if what == "patrol" and not points:
        node.problem("a patrol needs 'points'")
    if what == "drill" and "plan" not in words:
        node.problem("a drill needs 'plan', the id of an emergency plan")

    def text(word: str) -> str:
        return (words[word].text(word) if word in words else None) or ""

    return ScheduleDefinition(
        id=ident,
        site=words["site"].text("site") or "",
        title=texts_of(words["title"], "a title"),
        does=what,
        at=at,
        counts=counts,
        devices=words["devices"].texts("a device") if "devices" in words else (),
        zone=text("zone") or None,
        team=text("team"),
        skill=text("skill"),
        text=text("text"),
        priority=(words["priority"].one_of(list(Severity), "priority") if "priority" in words else None) or "low",
        resolve_within=words["resolve_within"].duration("resolve_within") if "resolve_within" in words else None,
        plan=text("plan"),
        ordered=bool(words["ordered"].boolean("ordered")) if "ordered" in words else False,
        points=points,
    )


def _at(node: Node) -> str:
    text = node.text("at") or ""
    try:
        trigger_of(text)
    except ValueError as error:
        node.problem(f"at is five words of cron (minute hour day month weekday): {error}")
        return ""
    if any(letter.isdigit() for letter in text.split()[4]):
        # Programs disagree whether 0 is Sunday or Monday.
        node.problem("weekdays are written as words", "mon, tue, wed, thu, fri, sat, sun, or mon-fri")
        return ""
    return text


def _counting(node: Node) -> Counting | None:
    words = node.words(COUNT_WORDS, "counts")
    for word in ("kind", "field", "is"):
        if word not in words:
            node.problem(f"counts needs '{word}'", "counts: {kind: access.door, field: state, is: open, times: 50000}")
    if ("times" in words) == ("running" in words):
        node.problem("counts has either 'times' or 'running'", "running: 500h")
        return None
    if not {"kind", "field", "is"} <= words.keys():
        return None
    every = words["times"].number("times", 1, 1e9) if "times" in words else words["running"].duration("running")
    return Counting(
        kind=words["kind"].text("kind") or "",
        field=words["field"].text("field") or "",
        value=words["is"].plain(),
        every=every or 1.0,
        running="running" in words,
    )


def _point(node: Node) -> Point | None:
    words = node.words(POINT_WORDS, "a point")
    ident = words["id"].text("a point's id") if "id" in words else None
    if ident is None or "to" not in words:
        node.problem("a point needs 'id' and 'to', until how long after the round began it is to be visited")
        return None
    start = words["from"].duration("from") if "from" in words else 0.0
    end = words["to"].duration("to")
    if start is None or end is None:
        return None
    if end <= start:
        node.problem("a point's window ends after it begins")
    return Point(
        id=ident,
        title=texts_of(words["title"], "a title") if "title" in words else {"en": ident, "zh": ident},
        start=start,
        end=end,
        device=(words["device"].text("device") if "device" in words else None) or None,
    )
