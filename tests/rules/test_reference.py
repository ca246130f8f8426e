"""The engine against the reference, whatever is said, however time is told, wherever it is killed and restored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.model import Event, RuleChange
from rules import Engine
from tests.rules.reference import Came, Figure, Inhibited, Reference, Said, Together, World
from tests.rules.support import CATALOGUE, device, outcome, rules

DEVICES = {
    one.id: one
    for one in (
        device("a", report_interval=4, zone="z", type="door"),
        device("b", report_interval=10, zone="z"),
        device("c", zone="y", type="door"),
    )
}


def high(data: Any) -> bool | None:
    return None if data.get("x") is None else data["x"] > 5


def low(data: Any) -> bool | None:
    return None if data.get("x") is None else data["x"] < 3


def on(data: Any) -> bool | None:
    value: bool | None = data.get("on")
    return value


def off(data: Any) -> bool | None:
    return None if data.get("on") is None else not data["on"]


def always(_data: Any) -> bool | None:
    return True


def is_x(number: int) -> Any:
    return lambda data: None if data.get("x") is None else data["x"] == number


PAIRS: list[tuple[str, Reference]] = [
    ("on: t.happening\nwhen: x > 5", Reference("r01", "moment", ("t.happening",), high, states=False)),
    ("on: t.state\nwhen: on", Reference("r02", "moment", ("t.state",), on)),
    (
        "on: t.report\nwhen: x > 5\nclear: x < 3",
        Reference("r03", "moment", ("t.report",), high, singly=False, clear=low),
    ),
    ("on: t.report\nwhen: x > 5\nfor: 12s", Reference("r04", "hold", ("t.report",), high, length=12, own=True)),
    (
        "on: t.state\nwhen: on\nfor: 15s\nclear_after: 7s",
        Reference("r05", "hold", ("t.state",), on, length=15, clear_after=7),
    ),
    (
        "on: t.report\nwhen: x > 5\nfor: 8s\nclear: x < 3\nclear_after: 5s",
        Reference("r06", "hold", ("t.report",), high, length=8, own=True, clear=low, clear_after=5),
    ),
    (
        "on: t.happening\nwhen: x > 5\ncount: {at_least: 3, within: 12s}",
        Reference("r07", "count", ("t.happening",), high, states=False, at_least=3, length=12),
    ),
    (
        "on: t.happening\ncount: {at_least: 2, within: 9s, distinct: tag}",
        Reference("r08", "count", ("t.happening",), always, states=False, at_least=2, length=9, distinct="tag"),
    ),
    (
        "on: t.report\nwhen: x > 5\ncount: {at_least: 2, within: 40s, in_a_row: true}",
        Reference("r09", "count", ("t.report",), high, at_least=2, length=40, in_a_row=True),
    ),
    (
        "on: t.happening\nwhen: x > 5\nclear_after: 6s",
        Reference("r10", "moment", ("t.happening",), high, states=False, clear_after=6),
    ),
    (
        "on: t.happening\nwhen: x > 5\nexpect: {on: t.state, when: not on, within: 7s}",
        Reference("r11", "expect", ("t.happening",), high, states=False, length=7, expected=(("t.state",), off)),
    ),
    (
        "on: t.state\nwhen: on\nexpect: {on: [t.state, t.report], within: 5s}\nscope: zone",
        Reference(
            "r12",
            "expect",
            ("t.state",),
            on,
            length=5,
            expected=(("t.state", "t.report"), always),
            scope_of=lambda one: one.zone or one.id,
        ),
    ),
    ("silent: 11s", Reference("r13", "silent", (), always, silence=lambda _device: 11)),
    (
        "on: t.report\nsilent: {intervals: 2}",
        Reference("r14", "silent", ("t.report",), always, silence=lambda one: int(2 * one.report_interval)),
    ),
    (
        "within: 10s\nsequence:\n  - {on: t.happening, when: x == 1}\n  - {on: t.state, when: on}\n"
        "  - {on: t.happening, when: x == 1}",
        Reference(
            "r15",
            "sequence",
            (),
            always,
            length=10,
            steps=(("t.happening", is_x(1)), ("t.state", on), ("t.happening", is_x(1))),
        ),
    ),
    (
        "on: t.report\nwhen: x > 5\nfor: 6s\nscope: zone",
        Reference("r16", "hold", ("t.report",), high, length=6, own=True, scope_of=lambda one: one.zone or one.id),
    ),
    # The wall clock begins at 08:00 in the time zone of the site.
    (
        "on: t.state\nwhen: on\nduring: {hours: 08:01-08:02}",
        Reference("r17", "moment", ("t.state",), on, during=(60, 120)),
    ),
    (
        "on: t.report\nwhen: x > 5\nfor: 9s\nclear_after: 4s\nduring: {hours: 08:00-08:01}",
        Reference("r18", "hold", ("t.report",), high, length=9, own=True, clear_after=4, during=(0, 60)),
    ),
    (
        "on: t.happening\nwhen: x > 5\ncount: {at_least: 2, within: 20s}\nduring: {hours: 08:01-08:02}",
        Reference("r19", "count", ("t.happening",), high, states=False, at_least=2, length=20, during=(60, 120)),
    ),
    (
        "on: t.happening\naggregate: {field: x, function: sum, over: 15s, at_least: 15}",
        Reference(
            "r20",
            "moment",
            ("t.happening",),
            always,
            singly=False,
            figure=Figure(15, 1, lambda values: sum(values) >= 15, empty=False),
        ),
    ),
    (
        "on: t.report\nwhen: x > 1\naggregate: {field: x, function: avg, over: 12s, above: 5}\nfor: 6s",
        Reference(
            "r21",
            "hold",
            ("t.report",),
            lambda data: None if data.get("x") is None else data["x"] > 1,
            length=6,
            own=True,
            figure=Figure(12, 2, lambda values: sum(values) / len(values) > 5),
        ),
    ),
    (
        "on: t.state\nwhen: on\ntogether: {scope: zone, at_least: 2, within: 8s}",
        Reference("r22", "moment", ("t.state",), on),
    ),
    (
        "on: t.happening\nwhen: x > 5\ntogether: {scope: site, at_least: 2, within: 6s}\ninhibited_by: r22",
        Reference("r23", "moment", ("t.happening",), high, states=False),
    ),
    (
        "on: t.state\nwhen: on\ninhibited_by: [r16, r03]",
        Reference("r24", "moment", ("t.state",), on),
    ),
    (
        "on: t.happening\nwhen: x > 5\ninhibited_by: r03",
        Reference("r25", "moment", ("t.happening",), high, states=False),
    ),
]
PLACES = {
    "r22": ((lambda one: one.zone or one.id), 2, 8),
    "r23": ((lambda one: one.site), 2, 6),
}
#: Where a cause has to stand to explain a scope. What is of the site hangs on nothing in it.
CAUSES: dict[str, list[tuple[str, Callable[[str], str]]]] = {
    "r24": [("r16", lambda scope: DEVICES[scope].zone or scope), ("r03", lambda scope: scope)],
    "r25": [("r03", lambda scope: scope)],
}  # fmt: skip
RULES = rules(*(f"id: {reference.rule}\n{text}" for text, reference in PAIRS))
DATA = st.fixed_dictionaries(
    {},
    optional={
        "x": st.sampled_from([1, 1, 4, 7, 8]),
        "on": st.booleans(),
        "tag": st.sampled_from(["p", "q"]),
    },
)
KINDS = st.sampled_from(["t.state", "t.report", "t.happening", "t.other", "gateway.remark"])


class EngineAgainstReference(RuleBasedStateMachine):
    """`plain` is told the time only when something is said; `tortured` often, and it is killed and restored."""

    @initialize()
    def begin(self) -> None:
        self.now = 0
        self.seq = 0
        self.world = World(DEVICES)
        self.places = {name: Together(name, *words) for name, words in PLACES.items()}
        self.inhibited = Inhibited(CAUSES)
        self.references = [
            Reference(**{**{name: getattr(one, name) for name in one.__dataclass_fields__}, "scopes": {}})
            for _, one in PAIRS
        ]
        self.plain = Engine(RULES, CATALOGUE, DEVICES)
        self.tortured = Engine(RULES, CATALOGUE, DEVICES)
        self.expected: Came = []
        self.from_plain: list[RuleChange] = self.plain.advance(0.0)
        self.from_tortured: list[RuleChange] = self.tortured.advance(0.0)
        self.story: list[str] = []
        self._seconds(0)

    def _seconds(self, until: int) -> None:
        """The reference lives through every second."""
        while self.now <= until:
            for reference in self.references:
                if reference.rule in self.places:
                    self._outcome(self.places[reference.rule].second(self.now))
                self._came(reference.rule, reference.second(self.now, self.world))
            self.now += 1

    def _came(self, rule: str, came: Came) -> None:
        """What a rule says of its scopes goes through `together`, and then through `inhibited_by`."""
        places = self.places.get(rule)
        for one in came:
            self._outcome([one] if places is None else places.take(one, self.world))

    def _outcome(self, came: Came) -> None:
        for one in came:
            self.expected += self.inhibited.take(one)

    @rule(wait=st.integers(0, 9), name=st.sampled_from(["a", "a", "b", "c"]), kind=KINDS, data=DATA)
    def say(self, wait: int, name: str, kind: str, data: dict[str, Any]) -> None:
        self._say(wait, name, kind, data)

    @rule(wait=st.integers(0, 5), name=st.sampled_from(["a", "b"]), online=st.booleans())
    def tell_availability(self, wait: int, name: str, online: bool) -> None:
        self._say(wait, name, "device.availability", {"online": online})

    @rule(wait=st.integers(0, 5), name=st.sampled_from(["a", "b", "c"]), data=DATA)
    def burst(self, wait: int, name: str, data: dict[str, Any]) -> None:
        """A few true events in a row, so that holds and counts get full."""
        for step in range(4):
            self._say(wait if step == 0 else 3, name, "t.report", {**data, "x": 7})
            self._say(0, name, "t.happening", {**data, "x": 8})
            self._say(0, name, "t.state", {"on": True})

    def _say(self, wait: int, name: str, kind: str, data: dict[str, Any]) -> None:
        at = self.now - 1 + wait
        self._seconds(at)
        self.seq += 1
        said = Said(at, name, kind, data)
        self.story.append(f"{at}s {name} {kind} {data}")
        if not self.world.wall_known:
            self.world.wall_known = True
            for reference in self.references:
                turned: Came = []
                reference.turn(at, self.world, turned)
                self._came(reference.rule, turned)
        for reference in sorted(self.references, key=lambda one: one.silence is None):
            self._came(reference.rule, reference.event(said, self.world))
        if not kind.startswith("gateway.") and data.get("online") is not False:
            self.world.heard[name] = at
        event = Event(name, kind, float(at), float(at), float(at), data, site="s", seq=self.seq)
        self.from_plain += self.plain.process(event)
        self.from_tortured += self.tortured.process(event)

    @rule(steps=st.lists(st.sampled_from([0.25, 0.5, 1.0, 3.0]), max_size=4))
    def tell_the_time_in_small_steps(self, steps: list[float]) -> None:
        clock = float(self.now - 1)
        for step in steps:
            clock = min(clock + step, float(self.now - 1) + 4.0)
            self.from_tortured += self.tortured.advance(clock)
        self._seconds(int(clock))
        if clock > self.now - 1:
            self._seconds(self.now)
            self.from_tortured += self.tortured.advance(float(self.now - 1))

    @rule()
    def kill_and_restore(self) -> None:
        memory = self.tortured.snapshot()
        self.tortured = Engine(RULES, CATALOGUE, DEVICES)
        self.from_tortured += self.tortured.restore(memory)
        assert self.tortured.snapshot() == memory

    @invariant()
    def the_next_due_time_is_never_missed(self) -> None:
        due = self.tortured.next_due()
        assert due is None or due >= (self.tortured.now or 0.0)

    def teardown(self) -> None:
        self._seconds(self.now + 60)
        self.from_plain += self.plain.advance(float(self.now - 1))
        self.from_tortured += self.tortured.advance(float(self.now - 1))
        story = "\n".join(self.story)
        assert msgspec.json.encode(self.from_plain) == msgspec.json.encode(self.from_tortured), story
        # The reference goes second by second, and within each rule by rule, as the engine has to.
        came = [(int(change.at), change.rule, change.scope, outcome(change)) for change in self.from_plain]
        assert came == self.expected, story


EngineAgainstReference.TestCase.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_the_engine_does_what_the_reference_does = EngineAgainstReference.TestCase
