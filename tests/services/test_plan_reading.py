"""Plan files, right and wrong."""

from __future__ import annotations

import pytest

from gateway.services import PlanBookError, read_plans
from gateway.services.command_words import WORDS
from rules.plans import plan_texts

GOOD = """
id: flood
title: {en: Flood, zh: 水浸}
scope: site
steps:
  - {id: look, title: {en: Look, zh: 看}, role: guard, within: 90s, advice: {en: Boots., zh: 穿雨靴。}}
  - {id: pump, title: {en: Pump, zh: 泵}, after: look, command: {name: start, to: {type: pump, scope: zone}}}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PlanBookError) as info:
        read_plans({"p.yaml": text})
    return [str(problem) for problem in info.value.problems]


def test_the_shipped_plans_are_sound_complete_and_speak_both_languages() -> None:
    book = read_plans(plan_texts())
    assert set(book.plans) == {
        "elevator-entrapment", "fire", "gas-leak", "power-outage", "public-health", "security-incident",
        "severe-weather", "system-failure", "vehicle-barrier", "water-burst", "water-outage",
    }  # fmt: skip
    assert sum(any(step.command is not None for step in plan.steps) for plan in book) >= 8
    for plan in book:
        assert sum(step.command is None for step in plan.steps) >= 6
        assert plan.escalate and plan.drill is not None and plan.drill.watch
        assert len({step.id for step in plan.steps if step.ask}) >= (plan.id != "elevator-entrapment")
        for step in plan.steps:
            assert set(step.title) == {"en", "zh"}
            assert step.command is None or step.command.name in WORDS
    entrapment = {step.id: step for step in book.get("elevator-entrapment").steps}
    assert entrapment["send-guard"].within == 180, "somebody is on the way within three minutes"
    assert entrapment["release"].within == 1800


def test_a_plan_reads_as_it_is_written() -> None:
    plan = read_plans({"p.yaml": GOOD}).get("flood")
    look, pump = plan.steps
    assert (plan.scope, look.within, look.role, look.command) == ("site", 90.0, "guard", None)
    assert pump.after == ("look",)
    assert pump.command is not None and (pump.command.to.type, pump.command.to.scope) == ("pump", "zone")


def test_a_file_may_hold_several_plans() -> None:
    several = (
        "- " + GOOD.strip().replace("\n", "\n  ") + "\n- " + GOOD.strip().replace("flood", "x").replace("\n", "\n  ")
    )
    assert set(read_plans({"p.yaml": several}).plans) == {"flood", "x"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("scope: site", "scop: site", "p.yaml:4:1: 'scop' is not a word here; did you mean 'scope'?"),
        (
            "scope: site",
            "scope: sight",
            "p.yaml:4:1: 'sight' is none of device, building, zone, site; did you mean 'site'?",
        ),
        ("id: flood", "id: Flood!", "p.yaml:2:1: 'Flood!' is no id"),
        ("zh: 水浸", "de: Flut", "p.yaml:3:1: expected title in both languages"),
        ("within: 90s", "within: 90", "write 90s for seconds"),
        (", within: 90s", "", "p.yaml:6:5: a manual step needs 'within'"),
        ("role: guard, ", "", "p.yaml:6:5: a manual step needs 'role'"),
        ("after: look", "after: lok", "there is no step 'lok'; did you mean 'look'?"),
        ("after: look", "after: {a: b}", "expected a step's id, or a list of them"),
        ("role: guard", "role: guard, after: pump", "steps wait for each other: look, pump"),
        ("id: pump", "id: look", "two steps are called 'look'"),
        ("name: start", "name: strat", "'strat' is no command word; did you mean 'start'?"),
        ("type: pump", "device: self, type: pump", "expected either 'device'"),
        ("scope: zone", "scope: moon", "'moon' is none of building, zone, site"),
        ("to: {type: pump, scope: zone}", "to: all", "expected device, type, scope, got 'all'"),
        ("role: guard", "role: [1]", "Expected `str`"),
        ("role: guard", "role: guard, role: boss", "'role' stands here twice"),
        ("title: {en: Flood, zh: 水浸}\n", "", "'title' is missing"),
        ("id: flood", "id: [flood", "this is not YAML"),
        (
            "id: flood",
            "id: !!python/object/apply:os.system [ls]",
            "p.yaml:2:5: the tag 'tag:yaml.org,2002:python/object/apply:os.system' means nothing here",
        ),
    ],
)
def test_every_mistake_is_named_with_its_line_and_what_was_perhaps_meant(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    told = problems(GOOD.replace(old, new, 1))
    assert any(expected in one for one in told), told


def test_all_mistakes_of_all_files_come_together() -> None:
    with pytest.raises(PlanBookError) as info:
        read_plans({"a.yaml": GOOD.replace("scope", "scop", 1), "b.yaml": "- 7", "c.yaml": GOOD, "d.yaml": GOOD})
    assert [(one.file, one.line) for one in info.value.problems] == [
        ("a.yaml", 4),
        ("b.yaml", 1),
        ("c.yaml", 2),
        ("d.yaml", 2),
    ]
    assert "4 problems" in info.value.message


def test_fault_088_a_bomb_of_aliases_or_depth_is_refused() -> None:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert "more than 20000 parts" in problems(laughs)[0]
    assert "nested too deeply" in problems("[" * 3000 + "]" * 3000)[0]
