"""Passes against a slow and obvious model: windows, zones, hours, quotas, anti-passback, codes, restarts, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from gateway.model import Actor, Pass, Role
from tests.services.story import START, Story

PLACES = {"door-1": {"b1-lobby", "b1"}, "door-9": {"b2"}, "barrier-1": {"gate"}}
VALUES = ("A1", "A2", "A3")
HOURS = (("", ""), ("mon-fri", ""), ("", "08:00-18:00"), ("sat", "22:00-06:00"))
DOORS = st.sampled_from(sorted(PLACES))
WAYS = st.sampled_from(("in", "in", "in", "out", ""))
ADMIN = Actor("user:ada", Role.ADMIN)
Fields = dict[str, Any]


def local(wall: float) -> datetime:
    return datetime.fromtimestamp(wall, UTC) + timedelta(hours=8)


def in_hours(one: Fields, wall: float) -> bool:
    """Each of the four kinds of hours, by hand."""
    now = local(wall)
    pair = (one["days"], one["hours"])
    if pair == ("mon-fri", ""):
        return now.weekday() < 5
    if pair == ("", "08:00-18:00"):
        return 8 <= now.hour < 18
    if pair == ("sat", "22:00-06:00"):
        return (now.weekday() == 5 and now.hour >= 22) or (now.weekday() == 6 and now.hour < 6)
    return True


class Book:
    """All passes in one list, looked through from end to end for each question."""

    def __init__(self) -> None:
        self.passes: list[Fields] = []
        self.void: set[str] = set()

    def find(self, ident: str) -> Fields | None:
        return next((one for one in self.passes if one["id"] == ident), None)

    def misfit(self, one: Fields, device: str, wall: float) -> str | None:
        if one["zones"] and not PLACES[device] & set(one["zones"]):
            return "wrong_zone"
        begun = one["from_at"] is None or wall >= one["from_at"]
        over = one["until_at"] is not None and wall >= one["until_at"]
        if not begun or over:
            return "outside_window"
        return None if in_hours(one, wall) else "outside_hours"

    def spent(self, one: Fields, way: str) -> bool:
        return one["entries"] is not None and one["used"] >= one["entries"] and way != "out"

    def full(self, one: Fields, way: str) -> str | None:
        if way != "in":
            return None
        if one["anti_passback"] and one["inside"]:
            return "already_inside"
        home = [other for other in self.passes if one["household"] and other["household"] == one["household"]]
        spaces = [other["spaces"] for other in home if other["spaces"] is not None]
        taken = len([other for other in home if other["inside"] and other is not one])
        return "no_space" if spaces and taken >= max(spaces) else None

    def decide(self, value: str, device: str, way: str, wall: float) -> tuple[str, Fields | None]:
        here = sorted((one for one in self.passes if one["value"] == value), key=lambda one: str(one["id"]))
        if any(one["blocked"] and self.misfit(one, device, wall) is None for one in here):
            return "blocked", None
        good = [one for one in here if self.misfit(one, device, wall) is None and not self.spent(one, way)]
        if good:
            return self.full(good[0], way) or "pass", good[0]
        reason = "no_pass"
        for one in here:
            if not one["blocked"] and reason not in ("outside_window", "outside_hours", "used_up"):
                reason = self.misfit(one, device, wall) or "used_up"
        return reason, None

    def scan(self, code: Fields, device: str, way: str, wall: float) -> tuple[str, Fields | None]:
        if code["text"] in self.void:
            return "bad_code", None
        one = self.find(code["id"])
        if one is None or one["issue"] != code["issue"]:
            return "void_code", None
        if one["blocked"]:
            return "blocked", None
        if wall >= code["until"]:
            return "code_over", None
        misfit = self.misfit(one, device, wall)
        if misfit is not None:
            return misfit, None
        if self.spent(one, way):
            return "used_up", None
        if way != "out" and one["used_at"] is not None and wall - one["used_at"] < 5:
            return "just_used", None
        return self.full(one, way) or "pass", one

    def went(self, one: Fields, way: str, wall: float, command: str) -> None:
        counts = way != "out" and (one["entries"] is not None or one["kind"] == "qr")
        moves = way in ("in", "out") and (one["anti_passback"] or one["household"])
        if counts or moves:
            one["undo"] = (command, one["inside"], counts)
        if moves:
            one["inside"] = way == "in"
        if counts:
            one["used"] += 1
            one["used_at"] = wall

    def refused(self, command: str) -> None:
        for one in self.passes:
            if one["undo"] is not None and one["undo"][0] == command:
                _, one["inside"], counted = one["undo"]
                one["used"] -= counted
                one["used_at"], one["undo"] = None, None


class PassMachine(RuleBasedStateMachine):
    codes = Bundle("codes")
    commands = Bundle("commands")

    @initialize(
        first=st.tuples(st.booleans(), st.sampled_from((None, 1, 2))), spaces=st.sampled_from((0, 1, 2)),
        entries=st.sampled_from((1, 1, 2)),
    )  # fmt: skip
    def begin(self, first: tuple[bool, int | None], spaces: int, entries: int) -> None:
        """A household of two cars, a car of its own, and a visitor."""
        self.story = Story()
        self.book = Book()
        self.given: set[str] = set()
        blank: Fields = {"zones": [], "hours": HOURS[0], "starts": None, "ends": None, "blocked": False, "edits": 9}
        home = {"household": "3-501", "spaces": spaces, "entries": None}
        self.put(**blank, **home, value="A1", once=first[0])
        self.put(**blank, **home, value="A2", once=False)
        self.put(**blank, value="A3", once=first[0], household="", spaces=None, entries=first[1])
        self.put(**blank, value="", once=False, household="", spaces=None, entries=entries)

    @rule(at_once=st.sampled_from((False, False, True)))
    def rotate(self, at_once: bool) -> None:
        self.story.act("pass.rotate_keys", ADMIN, at_once=at_once)
        if at_once:
            self.book.void |= self.given

    @rule(
        value=st.sampled_from((*VALUES, "")), zones=st.sampled_from(([], [], ["b1"], ["gate", "b2"])),
        starts=st.sampled_from((None, None, -60, 30)), ends=st.sampled_from((None, None, 20, 86_400)),
        hours=st.sampled_from((HOURS[0], *HOURS)), blocked=st.sampled_from((False, False, False, True)),
        once=st.booleans(),
        household=st.sampled_from(("", "3-501")), spaces=st.sampled_from((None, 0, 1, 2)),
        entries=st.sampled_from((None, None, 1, 2)), edits=st.integers(0, 5),
    )  # fmt: skip
    def put(self, value: str, zones: list[str], starts: Any, ends: Any, hours: Any, edits: int, **more: Any) -> None:
        wall = self.story.wall
        fields: Fields = {
            "value": value, "zones": zones, "days": hours[0], "hours": hours[1], "blocked": more["blocked"],
            "anti_passback": more["once"], "household": more["household"], "spaces": more["spaces"],
            "entries": more["entries"], "from_at": None if starts is None else wall + starts,
            "until_at": None if ends is None else wall + ends,
        }  # fmt: skip
        if fields["from_at"] is not None and fields["until_at"] is not None and fields["from_at"] >= fields["until_at"]:
            fields["until_at"] = None
        kind = "plate" if value else "qr"
        old = next((one for one in self.book.passes[edits : edits + 1] if one["kind"] == kind), None)
        given = {name: what for name, what in fields.items() if what not in (None, "")}
        if old is not None:
            given["id"] = old["id"]
        made = self.story.act("pass.put", site="garden", kind=kind, **given)
        fields["value"] = made.value
        if old is not None:
            old.update(fields)
        else:
            fresh = {"used": 0, "used_at": None, "inside": False, "issue": 1, "undo": None}
            self.book.passes.append({"id": made.id, "kind": kind, **fresh, **fields})

    @rule(target=codes, which=st.integers(0, 5))
    def code(self, which: int) -> Any:
        visitors = [one for one in self.book.passes if one["kind"] == "qr"]
        if not visitors:
            return multiple()
        one = visitors[which % len(visitors)]
        if one["until_at"] is not None and one["until_at"] <= self.story.wall:
            return multiple()
        told = self.story.act("pass.code", id=one["id"])
        self.given.add(told["code"])
        return {"id": one["id"], "issue": one["issue"], "text": told["code"], "until": int(told["until_at"])}

    @rule(target=commands, value=st.sampled_from(VALUES), device=DOORS, way=WAYS)
    def ask(self, value: str, device: str, way: str) -> Any:
        wanted, one = self.book.decide(value, device, way, self.story.wall)
        return self.compare(wanted, one, self.story.asks(value, device, direction=way, command="open"), way)

    @rule(target=commands, value=st.sampled_from(VALUES[:2]))
    def comes_home(self, value: str) -> Any:
        return self.ask(value, "barrier-1", "in")

    @rule(target=commands, code=codes, device=DOORS, way=WAYS)
    def scan(self, code: Fields, device: str, way: str) -> Any:
        wanted, one = self.book.scan(code, device, way, self.story.wall)
        told = self.story.asks(code["text"], device, kind="qr", direction=way, command="open")
        return self.compare(wanted, one, told, way)

    @rule(target=commands, code=codes, seconds=st.sampled_from((1, 5, 10)))
    def comes_again(self, code: Fields, seconds: int) -> Any:
        self.story.after(seconds)
        return self.scan(code, "door-1", "in")

    def compare(self, wanted: str, one: Fields | None, told: Any, way: str) -> Any:
        assert told.reason == wanted, f"the model says {wanted}, the desk {told}"
        assert told.allowed is (wanted == "pass")
        command = self.story.decisions[-1].command
        if wanted != "pass" or one is None:
            assert command is None, "who is refused gets nothing opened"
            return multiple()
        assert command is not None and told.pass_id == one["id"]
        self.book.went(one, way, self.story.wall, command)
        return (command, next(sent.device for sent in self.story.sent if sent.id == command))

    @rule(command=consumes(commands), status=st.sampled_from(("done", "failed", "rejected")))
    def answer(self, command: tuple[str, str], status: str) -> None:
        state = self.story.desk.commands.get(command[0]).state
        self.story.answers(command[1], command[0], status)
        if state == "sent" and status != "done":
            self.book.refused(command[0])

    @rule(which=st.integers(0, 5), what=st.sampled_from(("pass.remove", "pass.outside", "pass.renew")))
    def change(self, which: int, what: str) -> None:
        if not self.book.passes:
            return
        one = self.book.passes[which % len(self.book.passes)]
        if what == "pass.renew" and one["kind"] != "qr":
            return
        self.story.act(what, id=one["id"])
        if what == "pass.remove":
            self.book.passes.remove(one)
        elif what == "pass.outside":
            one["inside"], one["undo"] = False, None
        else:
            one["issue"] += 1

    @rule()
    def renew(self) -> None:
        one = next((one for one in self.book.passes if one["kind"] == "qr"), None)
        if one is not None:
            self.story.act("pass.renew", id=one["id"])
            one["issue"] += 1

    @rule(seconds=st.sampled_from((1, 5, 30, 5 * 3600, 86_400)))
    def wait(self, seconds: int) -> None:
        self.story.after(seconds)

    @rule()
    def restart(self) -> None:
        self.story.restart()

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "story"):
            return
        stored = {one.id: one for one in self.story.records(Pass)}
        assert set(stored) == {one["id"] for one in self.book.passes}
        for one in self.book.passes:
            kept = stored[one["id"]]
            assert (kept.inside, kept.used, kept.issue) == (one["inside"], one["used"], one["issue"]), kept
            assert kept.used >= 0


PassMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestPassMachine = PassMachine.TestCase


def test_the_model_knows_hours_by_hand() -> None:
    night = {"days": "sat", "hours": "22:00-06:00"}
    sunday_three = START + ((6 - local(START).weekday()) % 7) * 86_400
    sunday_three += 3 * 3600 - (local(START).hour * 3600 + local(START).minute * 60 + local(START).second)
    assert in_hours(night, sunday_three) and not in_hours(night, sunday_three + 4 * 3600)
