"""The small parts: texts, timers, ids, arguments, the world."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import UsageError
from gateway.model import Action, Changes, Device, Raised, Zone
from gateway.services import JournalIds
from gateway.services.templates import Templates, masked, plain, shown
from gateway.services.timers import Timers
from gateway.services.world import World
from tests.services.story import ANNA, CATALOGUE, DEVICES, SITES, ZONES, Story


def rendered(text: str, device: str | None = "door-1", scope: str = "door-1", **values: Any) -> dict[str, str]:
    world = World()
    world.set_topology(DEVICES, ZONES, SITES)
    raised = Raised(rule="r", scope=scope, at=0, site="garden", device=device, values=values)
    place = DEVICES[device] if device is not None else None
    return Templates(world, CATALOGUE).title({"en": text, "zh": text}, raised, place)


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("{device.name} in {zone.name}", "Door-1 in Lobby", "door-1 in 大堂"),
        (
            "{building}, {site.name}, {device.id}, {scope}",
            "Building 1, Garden, door-1, Door-1",
            "1号楼, 花园, door-1, door-1",
        ),
        ("{voltage_v} V, {power_w} W, {share}", "253.71 V, 1200 W, -0.5", "253.71 V, 1200 W, -0.5"),
        ("{forced} {locked} {missing_value}", "yes no -", "是 否 -"),
        (
            "{unknown} {device.secret} {0} {} {a!r} {__class__}",
            *["{unknown} {device.secret} {0} {} {a!r} {__class__}"] * 2,
        ),
        ("{evil}", "{device.name} %s", "{device.name} %s"),
        ("{plate} was seen", "京A***45 was seen", "京A***45 was seen"),
    ],
)
def test_titles_are_filled_with_plain_values(text: str, en: str, zh: str) -> None:
    values: dict[str, Any] = {
        "voltage_v": 253.7123,
        "power_w": 1200.0,
        "share": -0.5,
        "forced": True,
        "locked": False,
        "missing_value": None,
        "evil": "{device.name} %s",
        "plate": "京A12345",
    }
    assert rendered(text, **values) == {"en": en, "zh": zh}


def test_a_scope_that_is_personal_is_masked_too() -> None:
    assert rendered("{scope}: {n}", None, "京A12345", plate="京A12345", n=3)["en"] == "京A***45: 3"


def test_fault_091_values_are_text_on_one_line_and_bounded() -> None:
    told = rendered("{a}|{b}|{c}", a="<img onerror=x>", b="x\u202egnp\n\x00y", c="z" * 5000)["en"]
    assert told.startswith("<img onerror=x>|x gnp y|zzz")
    assert len(told) < 130
    assert len(rendered("{a}" * 60, a="y" * 80)["en"]) == 300


@given(
    st.text(max_size=200), st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists)
)
@settings(max_examples=60)
def test_no_template_and_no_value_breaks_a_title(text: str, value: Any) -> None:
    told = rendered(text + "{a}", a=value, plate=value)
    assert all("\n" not in one and len(one) <= 300 for one in told.values())


def test_advice_is_not_cut_like_a_title_and_keeps_its_lines() -> None:
    world = World()
    world.set_topology(DEVICES, ZONES, SITES)
    advice = "Look at {device.name}.\n" * 30
    raised = Raised(rule="r", scope="door-1", at=0, site="garden", device="door-1")
    told = Templates(world, CATALOGUE).render({"en": advice}, raised, DEVICES["door-1"])
    assert told == {"en": "Look at Door-1.\n" * 30}


def test_masks_leave_enough_to_recognise_and_too_little_to_know() -> None:
    assert [masked(one) for one in ("", "ab", "abcd", "京A12345")] == ["", "**", "a***d", "京A***45"]
    assert shown(10**400, "en") == "1e+300"
    assert shown(1e300, "en") == "1e+300"
    assert plain("a" * 90)[-1] == "…"


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.integers(0, 20)), max_size=200))
@settings(max_examples=100)
def test_timers_fire_in_order_at_their_newest_time_and_once(steps: list[tuple[str, int | None]]) -> None:
    timers, model = Timers(), dict[str, int]()
    for name, due in steps:
        timers.set("t", name, due)
        model.pop(name, None)
        if due is not None:
            model[name] = due
    assert timers.next_due() == min(model.values(), default=None)
    fired = []
    while (key := timers.pop(10)) is not None:
        fired.append(key[1])
    assert fired == [name for due, name in sorted((due, name) for name, due in model.items()) if due <= 10]


def test_ids_are_made_again_by_a_replay_and_sort_by_their_age() -> None:
    def made() -> list[str]:
        ids = JournalIds()
        names = []
        for position in (1, 2, 31, 32, 33, 10_000_000):
            ids.begin(position)
            names += [ids.next("al") for _ in range(40)]
        return names

    assert made() == made() == sorted(set(made()))
    ids = JournalIds()
    ids.begin(7)
    first = ids.next("cm")
    ids.begin(7)
    assert ids.next("cm") != first, "a batch that was not journaled has taken the first"


def test_zones_that_go_round_in_a_circle_end() -> None:
    world = World()
    zones = [Zone(id="a", site="s", parent="b"), Zone(id="b", site="s", parent="a")]
    place = Device(id="d", site="s", adapter="x", external_id="d", zone="a", building="c")
    world.set_topology([place], zones, [])
    assert world.places(place) == ("a", "b", "c")


def test_an_action_that_is_not_known_is_refused_by_name() -> None:
    story = Story()
    with pytest.raises(UsageError, match=r"no action 'alert\.explode'"):
        story.desk.act(Action(name="alert.explode", actor=ANNA), story.now, story.wall, Changes())
    assert {"alert.acknowledge", "command.request", "pass.put", "plan.step"} < story.desk.action_names
