"""`Engine.set_rules`: an edit of one rule changes nothing of the others, at whatever moment it comes."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalogue import load_catalogue
from gateway.model import Cleared, Device, Event, RuleChange
from rules import Engine, RuleSet, load_packs

CATALOGUE = load_catalogue()
KEPT = """
- {id: k.hold, title: t, severity: low, on: access.door, when: state == 'open', for: 6s, clear: state == 'closed'}
- {id: k.count, title: t, severity: low, on: access.denied, count: {at_least: 3, within: 20s}}
- id: k.sequence
  title: t
  severity: low
  sequence: [{on: access.denied}, {on: access.door, when: forced}]
  within: 15s
- {id: k.expect, title: t, severity: low, on: access.denied, expect: {on: access.door, within: 5s}}
- {id: k.silent, title: t, severity: low, silent: 12s}
- {id: k.past, title: t, severity: low, on: access.door, when: changed(state) and state == 'open', clear_after: 4s}
"""
OTHERS = (
    "- {id: o.hold, title: t, severity: low, on: access.door, when: state == 'open', for: 3s}\n",
    "- {id: o.hold, title: t, severity: low, on: access.door, when: previous(forced) or state == 'open', for: 9s}\n",
    "- {id: o.silent, title: t, severity: low, silent: 5s}\n",
    "- {id: o.silent, title: u, severity: high, silent: {intervals: 2}, devices: {type: door}}\n",
    "- {id: o.past, title: t, severity: low, on: access.door, when: previous(state) == 'open'}\n",
    "",
)
SETS = [load_packs({"kept": KEPT, "other": other}, CATALOGUE) for other in OTHERS]
DEVICES = {name: Device(id=name, site="s", adapter="a", external_id=name, type="door", name={}, report_interval=4.0)
           for name in ("d1", "d2")}  # fmt: skip
SAID: list[tuple[str, dict[str, Any]]] = [
    ("access.door", {"state": "open", "forced": False}),
    ("access.door", {"state": "open", "forced": True}),
    ("access.door", {"state": "closed", "forced": False}),
    ("access.denied", {"card": "c"}),
    ("device.availability", {"online": False}),
    ("device.availability", {"online": True}),
]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(sorted(DEVICES)), st.integers(0, len(SAID) - 1)),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.5, 1.0, 3.0, 7.0]), st.none()),
        st.tuples(st.just("edit"), st.integers(0, len(SETS) - 1), st.none()),
    ),
    max_size=40,
)


class Run:
    """An engine that is told the steps; `edits` says whether its rules are changed on the way."""

    def __init__(self, edits: bool) -> None:
        self.edits = edits
        self.engine = Engine(SETS[0], CATALOGUE, {})
        self.engine.set_topology(DEVICES.values(), 0.0)
        self.said: list[RuleChange] = []
        self.at, self._seq = 0.0, count(1)

    def play(self, steps: list[tuple[Any, ...]]) -> list[bytes]:
        for step in steps:
            self.play_one(step)
        self.said += self.engine.advance(self.at + 60)
        return sorted(msgspec.json.encode(change) for change in self.said if change.rule.startswith("k."))

    def play_one(self, step: tuple[Any, ...]) -> None:
        what, first, second = step
        if what == "wait":
            self.at += first
            self.said += self.engine.advance(self.at)
        elif what == "say":
            kind, data = SAID[second]
            at = self.at
            self.said += self.engine.process(
                Event(first, kind, at, at, at, dict(data), b"", "", "s", False, False, next(self._seq))
            )
        elif self.edits:
            self.said += self.engine.set_rules(SETS[first], self.at)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_an_edit_of_other_rules_at_any_moment_changes_nothing_of_these(steps: list[tuple[Any, ...]]) -> None:
    assert Run(edits=True).play(steps) == Run(edits=False).play(steps)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 40))
def test_an_engine_that_is_restored_after_edits_goes_on_as_if_never_stopped(
    steps: list[tuple[Any, ...]], cut: int
) -> None:
    whole, broken = Run(edits=True), Run(edits=True)
    for one in steps[:cut]:
        whole.play_one(one)
        broken.play_one(one)
    again = Engine(broken.engine.rules, CATALOGUE, DEVICES)
    again.restore(broken.engine.snapshot())
    broken.engine = again
    for one in steps[cut:]:
        whole.play_one(one)
        broken.play_one(one)
    assert msgspec.json.encode(whole.said) == msgspec.json.encode(broken.said)


@pytest.mark.parametrize(("rules", "reason"), [(SETS[1], "rule_changed"), (RuleSet(), "rule_removed")])
def test_what_stood_open_under_a_changed_or_removed_rule_ends_and_says_why(rules: RuleSet, reason: str) -> None:
    run = Run(edits=True)
    run.play_one(("say", "d1", 0))
    run.play_one(("wait", 4.0, None))
    assert [change.rule for change in run.said] == ["o.hold"]
    ended = [change for change in run.engine.set_rules(rules, 4.0) if isinstance(change, Cleared)]
    assert [(change.rule, change.scope, change.reason) for change in ended] == [("o.hold", "d1", reason)]
