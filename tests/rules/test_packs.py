"""The shipped packs: their own timelines, and what every rule of theirs owes the person on shift."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from gateway.app.definitions import shipped_plans
from gateway.catalogue import load_catalogue
from gateway.model import Severity
from rules import load_packs, shipped_packs, testing
from rules.language import Rule
from rules.loading import read_packs
from rules.timeline import Timeline

CATALOGUE = load_catalogue()
PACKS = read_packs(shipped_packs(), CATALOGUE)
RULES = [rule for pack in PACKS for rule in pack.rules]
TIMELINES = [timeline for pack in PACKS for timeline in pack.timelines]


@pytest.mark.parametrize("timeline", TIMELINES, ids=lambda one: f"{one.rule.id}: {one.name}")
def test_timeline(timeline: Timeline) -> None:
    result = testing.run_timeline(timeline, CATALOGUE)
    assert result.passed, "\n".join(result.story)


@pytest.mark.parametrize("timeline", TIMELINES, ids=lambda one: f"{one.rule.id}: {one.name}")
def test_timeline_is_the_same_when_the_engine_dies_after_every_event(timeline: Timeline) -> None:
    one, other = testing.play(timeline, CATALOGUE), testing.play(timeline, CATALOGUE, restart=True)
    assert msgspec.json.encode(one) == msgspec.json.encode(other)


def test_the_packs_load() -> None:
    assert len(load_packs(shipped_packs(), CATALOGUE)) == len(RULES) >= 90


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.id)
def test_a_rule_says_what_and_why_and_what_to_do_in_both_languages(rule: Rule) -> None:
    for text in (rule.title, rule.reason, rule.advice):
        assert set(text) == {"en", "zh"} and all(text.values())
    assert len(rule.advice["en"]) > 40, "a guard at 3 a.m. has to know what to do without phoning"


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.id)
def test_a_rule_has_a_test_that_fires_and_a_near_miss_that_does_not(rule: Rule) -> None:
    tests = [timeline for timeline in TIMELINES if timeline.rule.id == rule.id]
    assert any(timeline.wanted for timeline in tests), "no test in which it fires"
    assert any(not timeline.wanted for timeline in tests), "no near miss"


def test_priorities_are_about_five_fifteen_eighty() -> None:
    by = Counter(rule.severity for rule in RULES)
    assert by[Severity.CRITICAL] <= len(RULES) * 0.06
    assert by[Severity.HIGH] <= len(RULES) * 0.2


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.severity in (Severity.CRITICAL, Severity.HIGH)], ids=lambda one: one.id
)
def test_what_cannot_wait_says_what_happens_otherwise(rule: Rule) -> None:
    assert set(rule.consequence) == {"en", "zh"} and all(rule.consequence.values())


def test_duress_and_fire_are_latched_and_plans_are_started() -> None:
    by = {rule.id: rule for rule in RULES}
    assert by["access.duress"].latched and by["fire.alarm"].latched
    assert by["fire.alarm"].then.plan == "fire"
    entrapment = by["elevator.entrapment"].then
    assert entrapment.plan == "elevator-entrapment" and entrapment.work_order is not None
    assert (entrapment.work_order.respond_within, entrapment.work_order.resolve_within) == (180, 1800)


def test_what_concerns_lives_stands_alone_and_everything_critical_does_but_the_gateways_own() -> None:
    by = {rule.id: rule for rule in RULES}
    for name in ("fire.alarm", "fire.two-points", "fire.two-detectors", "access.duress", "elevator.entrapment"):
        assert by[name].stands_alone, name
    critical = {rule.id for rule in RULES if rule.severity == Severity.CRITICAL and not rule.stands_alone}
    assert critical == {"gateway.storage-failing"}


def test_causes_are_rules_that_exist_and_weigh_at_least_as_much_as_what_they_explain() -> None:
    order = [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
    by = {rule.id: rule for rule in RULES}
    for rule in RULES:
        for cause in rule.inhibited_by.rules if rule.inhibited_by else ():
            heavier = order.index(by[cause].severity) >= order.index(rule.severity)
            assert heavier, f"{cause} would hide {rule.id}, which is worse"


def test_every_plan_that_a_rule_starts_is_shipped() -> None:
    plans = shipped_plans()
    assert [rule.id for rule in RULES if rule.then.plan is not None and plans.get(rule.then.plan) is None] == []


def test_every_kind_of_the_catalogue_that_can_go_wrong_has_a_rule() -> None:
    heard = {kind for rule in RULES for kind in rule.kinds} | {"patrol.checkin"}
    quiet = {"access.requested", "access.visitor", "parking.input"}
    assert set(CATALOGUE.kinds) - heard == quiet, "what is daily life, and nothing else, is in no rule"


def test_every_system_of_a_compound_has_rules() -> None:
    domains = Counter(rule.id.split(".")[0] for rule in RULES)
    systems = {kind.split(".")[0] for kind in CATALOGUE.kinds} - {"device"}
    assert systems <= set(domains)
    assert min(domains.values()) >= 3, domains
