"""`together` and `inhibited_by`: what several conditions make of one another."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.model import Device, Raised, Withheld
from tests.rules.support import Play, device, rules

TOGETHER = "on: t.state\nwhen: on\ntogether: {scope: building, at_least: 3, within: 10s}"


def houses(count: int = 5) -> list[Device]:
    return [device(f"d{number}", building="b1") for number in range(count)] + [device("e", building="b2"), device("d")]


def test_many_of_a_place_are_one_alert_and_each_further_one_counts() -> None:
    play = Play(TOGETHER, devices=houses())
    for number, at in enumerate((0, 4, 9)):
        told = play.say(at, "t.state", by=f"d{number}", on=True)
    assert told == ["raised r1 b1@9"]
    assert [one.device for one in play.changes[-1].evidence] == ["d0", "d1", "d2"]
    assert play.changes[-1].values["count"] == 3  # type: ignore[union-attr]
    assert play.say(300, "t.state", by="d3", on=True) == ["again r1 b1@300"]
    assert play.restart() == []
    assert play.say(301, "t.state", by="d0", on=False) == []
    assert play.say(302, "t.state", by="d1", on=False) == ["cleared r1 b1@302"]


def test_devices_of_another_place_or_too_far_apart_are_not_together() -> None:
    play = Play(TOGETHER, devices=houses())
    play.say(0, "t.state", by="d0", on=True)
    play.say(1, "t.state", by="e", on=True)
    play.say(2, "t.state", by="d1", on=True)
    assert play.say(10, "t.state", by="d2", on=True) == []
    assert play.say(11, "t.state", by="d3", on=True) == ["raised r1 b1@11"]


def test_the_same_device_again_is_not_one_more() -> None:
    play = Play(TOGETHER, devices=houses())
    for at in range(5):
        assert play.say(at, "t.state", by="d0", on=True, x=at) == []


def test_moments_hold_for_the_time_within_which_they_are_together() -> None:
    play = Play("on: t.happening\ntogether: {scope: site, at_least: 2, within: 10s}", devices=houses())
    play.say(0, "t.happening", by="d0")
    assert play.say(3, "t.happening", by="d1") == ["raised r1 s@3"]
    assert play.say(5, "t.happening", by="d0") == ["again r1 s@5"]
    assert play.wait(100) == ["cleared r1 s@13"]
    assert not play.engine._compiled["r1"].places


def test_holds_and_silences_can_be_together() -> None:
    play = Play(
        "on: t.state\nwhen: on\nfor: 5s\ntogether: {scope: building, at_least: 2, within: 10s}",
        "silent: 1m\ntogether: {scope: building, at_least: 5, within: 10s}",
        devices=houses(),
    )
    play.say(0, "t.state", by="d0", on=True)
    play.say(3, "t.state", by="d1", on=True)
    assert play.wait(63) == ["raised r1 b1@8", "raised r2 b1@63"]


def test_a_disabled_device_is_no_longer_one_of_them() -> None:
    play = Play(TOGETHER, devices=houses())
    for number in range(3):
        play.say(number, "t.state", by=f"d{number}", on=True)
    play.engine.set_topology([msgspec.structs.replace(houses()[0], enabled=False)], 5.0)
    assert play.wait(6) == ["device_disabled r1 b1@5"]


# Causes.

CAUSE = "id: out\non: t.happening\nwhen: x > 5\nscope: building\nclear: x < 3"
CHILD = "id: lost\non: t.state\nwhen: on\ninhibited_by: out"


def test_what_comes_under_a_cause_is_withheld_and_raised_when_the_cause_ends() -> None:
    play = Play(CAUSE, CHILD, devices=houses())
    assert play.say(0, "t.happening", by="d0", x=9) == ["raised out b1@0"]
    assert play.say(1, "t.state", by="d1", on=True, tag="t") == ["withheld(out b1) lost d1@1"]
    assert play.say(2, "t.state", by="e", on=True) == ["raised lost e@2"]
    assert play.say(3, "t.state", by="d2", on=True) == ["withheld(out b1) lost d2@3"]
    assert play.restart() == []
    assert play.say(4, "t.state", by="d2", on=False) == ["cleared lost d2@4"]
    assert play.say(9, "t.happening", by="d0", x=1) == ["cleared out b1@9", "raised lost d1@9"]
    last = play.changes[-1]
    assert isinstance(last, Raised) and not last.again
    assert [event.data for event in last.evidence] == [{"on": True, "tag": "t"}]


def test_what_stands_when_the_cause_comes_is_withheld_then() -> None:
    play = Play(CAUSE, CHILD, devices=houses())
    assert play.say(0, "t.state", by="d1", on=True) == ["raised lost d1@0"]
    assert play.say(1, "t.happening", by="d0", x=9) == ["raised out b1@1", "withheld(out b1) lost d1@1"]
    assert play.say(2, "t.state", by="d1", on=True, x=4) == []
    assert play.say(5, "t.happening", by="d0", x=1) == ["cleared out b1@5", "raised lost d1@5"]


def test_what_is_settled_in_time_is_never_raised() -> None:
    play = Play(CAUSE, CHILD.replace("out", "{rules: out, settle: 1m}"), devices=houses())
    play.say(0, "t.happening", by="d0", x=9)
    play.say(1, "t.state", by="d1", on=True)
    play.say(1, "t.state", by="d2", on=True)
    play.say(1, "t.state", by="d3", on=True)
    assert play.say(10, "t.happening", by="d0", x=1) == ["cleared out b1@10"]
    assert play.say(20, "t.state", by="d1", on=False) == ["cleared lost d1@20"]
    assert play.restart() == []
    assert play.wait(69) == []
    assert play.wait(70) == ["raised lost d2@70", "raised lost d3@70"]


def test_a_cause_that_is_back_in_time_goes_on_withholding() -> None:
    play = Play(CAUSE, CHILD.replace("out", "{rules: out, settle: 1m}"), devices=houses())
    play.say(0, "t.happening", by="d0", x=9)
    play.say(1, "t.state", by="d1", on=True)
    play.say(10, "t.happening", by="d0", x=1)
    assert play.say(30, "t.happening", by="d0", x=9) == ["raised out b1@30", "withheld(out b1) lost d1@30"]
    assert play.wait(300) == []


def chain(*links: tuple[str, dict[str, Any]]) -> list[Device]:
    return [device(name, building="b1", **facts) for name, facts in links] + [device("d")]


def test_causes_follow_the_wires_and_the_power_however_far() -> None:
    lost = "id: lost\non: t.state\nwhen: on\ninhibited_by: lost"
    wires = chain(("hub", {}), ("switch", {"powered_by": "hub"}), ("door", {"connected_via": "switch"}), ("far", {}))
    play = Play(lost, devices=wires)
    assert play.say(0, "t.state", by="hub", on=True) == ["raised lost hub@0"]
    assert play.say(1, "t.state", by="door", on=True) == ["withheld(lost hub) lost door@1"]
    assert play.say(2, "t.state", by="far", on=True) == ["raised lost far@2"]
    assert play.say(3, "t.state", by="switch", on=True) == ["withheld(lost hub) lost switch@3"]
    assert play.say(4, "t.state", by="hub", on=False) == [
        "cleared lost hub@4",
        "raised lost switch@4",
        "withheld(lost switch) lost door@4",
    ]


def test_the_cause_that_is_told_is_the_one_at_the_top() -> None:
    lost = "id: lost\non: t.state\nwhen: on\ninhibited_by: [lost, out]"
    wires = chain(("hub", {}), ("door", {"connected_via": "hub"}))
    play = Play(CAUSE, lost, devices=wires)
    play.say(0, "t.happening", by="hub", x=9)
    assert play.say(1, "t.state", by="hub", on=True) == ["withheld(out b1) lost hub@1"]
    assert play.say(2, "t.state", by="door", on=True) == ["withheld(out b1) lost door@2"]


def test_devices_that_hang_on_each_other_do_not_hide_each_other_both() -> None:
    lost = "id: lost\non: t.state\nwhen: on\ninhibited_by: lost"
    ring = chain(("a", {"connected_via": "b"}), ("b", {"connected_via": "a"}))
    play = Play(lost, devices=ring)
    assert play.say(0, "t.state", by="a", on=True) == ["raised lost a@0"]
    assert play.say(1, "t.state", by="b", on=True) == ["withheld(lost a) lost b@1"]
    assert play.say(2, "t.state", by="a", on=False) == ["cleared lost a@2", "raised lost b@2"]


def test_a_ring_under_a_cause_comes_out_when_the_cause_ends() -> None:
    lost = "id: lost\non: t.state\nwhen: on\ninhibited_by: [out, lost]"
    ring = chain(("a", {"connected_via": "b"}), ("b", {"connected_via": "a"}))
    play = Play(CAUSE, lost, devices=ring)
    play.say(0, "t.happening", by="a", x=9)
    play.say(1, "t.state", by="a", on=True)
    play.say(2, "t.state", by="b", on=True)
    told = play.say(3, "t.happening", by="a", x=1)
    assert told == ["cleared out b1@3", "raised lost b@3", "withheld(lost b) lost a@3"]


def test_another_rule_of_the_same_device_can_be_the_cause() -> None:
    play = Play(
        "id: trapped\non: t.report\nwhen: x > 5", "id: call\non: t.happening\ninhibited_by: trap*", devices=houses()
    )
    play.say(0, "t.report", by="d0", x=9)
    assert play.say(1, "t.happening", by="d0") == ["withheld(trapped d0) call d0@1"]
    assert isinstance(play.changes[-1], Withheld) and play.changes[-1].momentary
    assert play.say(1, "t.happening", by="d1") == ["momentary call d1@1"]
    assert play.say(9, "t.report", by="d0", x=1) == ["cleared trapped d0@9"]


def test_a_place_is_explained_by_a_larger_one() -> None:
    site = "id: site.out\non: t.report\nwhen: x > 5\nscope: site"
    play = Play(site, TOGETHER.replace("on: t.state", "id: many\non: t.state") + "\ninhibited_by: site.out",
                devices=houses())  # fmt: skip
    play.say(0, "t.report", by="e", x=9)
    play.say(1, "t.state", by="d0", on=True)
    play.say(1, "t.state", by="d1", on=True)
    assert play.say(2, "t.state", by="d2", on=True) == ["withheld(site.out s) many b1@2"]
    assert play.say(5, "t.report", by="e", x=1) == ["cleared site.out s@5", "raised many b1@5"]


def test_when_the_cause_goes_with_its_rule_its_children_come_out() -> None:
    play = Play(CAUSE, CHILD, devices=houses())
    play.say(0, "t.happening", by="d0", x=9)
    play.say(1, "t.state", by="d1", on=True)
    other = rules(CAUSE.replace("x > 5", "x > 6"), CHILD)
    assert play.told(play.engine.set_rules(other, 5.0)) == ["rule_changed out b1@5", "raised lost d1@5"]


@pytest.mark.parametrize("devices", [500])
def test_fault_051_a_storm_is_one_cause_and_its_symptoms_whichever_comes_first(devices: int) -> None:
    lost = "id: lost\non: device.availability\nwhen: not online\ninhibited_by: [out, lost]"
    fire = "id: fire\non: t.state\nwhen: on\nstands_alone: true"
    house = [device(f"d{number}", building="b1") for number in range(devices)] + [device("d")]
    play = Play(CAUSE, lost, fire, devices=house)
    for number in range(100):
        play.say(number / 100, "device.availability", by=f"d{number}", online=False)
    play.say(1, "t.happening", by="d0", x=9)
    for number in range(100, devices):
        play.say(1 + number / 100, "device.availability", by=f"d{number}", online=False)
    assert play.say(6, "t.state", by="d7", on=True) == ["raised fire d7@6"]
    under = {change.scope for change in play.changes if isinstance(change, Withheld)}
    assert len(under) == devices
    assert all(change.rule != "fire" for change in play.changes if isinstance(change, Withheld))
