"""Runs the timeline tests of packs on a virtual clock, and tells the story of each that failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from gateway.catalogue import load_catalogue
from gateway.model.catalogue import Catalogue
from gateway.model.event import Event
from gateway.model.judgement import Raised, RuleChange, Withheld
from rules.durations import spoken_duration
from rules.engine import Engine
from rules.errors import PackError, Problem
from rules.language import Rule, RuleSet
from rules.loading import load_packs, read_packs, shipped_packs
from rules.timeline import Said, Timeline, Wanted


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How one test went. `story` tells what was said, wanted and came, line by line; empty where it passed."""

    rule: str
    name: str
    file: str
    line: int
    passed: bool
    story: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How all tests went. `untested` are rules without a test, `problems` what keeps packs from being loaded at all."""

    results: tuple[Result, ...]
    untested: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every pack could be read and every test passed."""
        return not self.problems and all(result.passed for result in self.results)

    def text(self) -> str:
        """For people: failures with their stories, then the sum."""
        lines = [str(problem) for problem in self.problems]
        for result in self.results:
            if not result.passed:
                lines.append(f"FAILED {result.rule}: {result.name} ({result.file}:{result.line})")
                lines += [f"    {line}" for line in result.story]
        failed = sum(not result.passed for result in self.results)
        lines += [f"no tests: {rule}" for rule in self.untested]
        lines.append(f"{len(self.results) - failed} passed, {failed} failed, {len(self.problems)} problems in packs")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For programs: JSON-able."""
        return {"passed": self.passed, **msgspec.to_builtins(self)}


def run(sources: Mapping[str, str] | Iterable[Path | str], catalogue: Catalogue | None = None) -> Report:
    """Runs every test of the packs at these paths, or of these texts by name. A pack with problems is not run."""
    known = catalogue or load_catalogue()
    packs = read_packs(sources, known)
    timelines = [timeline for pack in packs for timeline in pack.timelines if not pack.problems]
    tested = {timeline.rule.id for timeline in timelines}
    rules = RuleSet(rule for pack in packs for rule in pack.rules)
    return Report(
        results=tuple(run_timeline(timeline, known, rules) for timeline in timelines),
        untested=tuple(rule.id for pack in packs for rule in pack.rules if not pack.problems and rule.id not in tested),
        problems=tuple(problem for pack in packs for problem in pack.problems),
    )


def run_timelines(
    sources: Mapping[str, str] | Iterable[Path | str], catalogue: Catalogue | None = None
) -> tuple[Result, ...]:
    """The results alone. Raises `PackError` where a pack cannot be read."""
    report = run(sources, catalogue)
    if report.problems:
        raise PackError(report.problems)
    return report.results


def run_timeline(timeline: Timeline, catalogue: Catalogue, others: RuleSet | None = None) -> Result:
    """Plays one test through an engine that knows its rule, and of `others` or the shipped rules those it names."""
    try:
        came = play(timeline, catalogue, others)
        story = _story(timeline, came)
    except LookupError as error:
        story = (str(error.args[0]),)
    return Result(
        rule=timeline.rule.id,
        name=timeline.name,
        file=timeline.file,
        line=timeline.line,
        passed=not story,
        story=story,
    )


def play(
    timeline: Timeline, catalogue: Catalogue, others: RuleSet | None = None, restart: bool = False
) -> list[RuleChange]:
    """All changes of the rule in a test. Raises `LookupError` where `with` names no rule.

    With `restart` the engine is snapshotted, thrown away and restored after every event.
    """
    rules = RuleSet([timeline.rule, *(_other(name, others) for name in timeline.with_rules)])
    devices = {device.id: device for device in timeline.devices}
    zones = {device.site: timeline.timezone for device in timeline.devices}
    engine = Engine(rules, catalogue, devices, zones)
    changes = engine.advance(timeline.start)
    for number, said in enumerate(timeline.said, start=1):
        changes += engine.process(_event(said, number, timeline.start, devices[said.device].site))
        if restart:
            memory = engine.snapshot()
            engine = Engine(rules, catalogue, devices, zones)
            changes += engine.restore(memory)
    changes += engine.advance(timeline.start + timeline.length)
    return [change for change in changes if change.rule == timeline.rule.id]


def _other(name: str, others: RuleSet | None) -> Rule:
    rule = (others.get(name) if others is not None else None) or _shipped().get(name)
    if rule is None:
        raise LookupError(f"the test wants the rule '{name}', which is in none of these packs and does not ship")
    return rule


@cache
def _shipped() -> RuleSet:
    return load_packs(shipped_packs())


def _event(said: Said, number: int, start: float, site: str) -> Event:
    at = start + said.at
    return Event(
        device=said.device,
        kind=said.kind,
        time=at,
        received=at,
        at=at,
        data=said.data,
        site=site,
        late=said.late,
        replay=said.replay,
        seq=number,
    )


def _story(timeline: Timeline, came: list[RuleChange]) -> tuple[str, ...]:
    """What happened, with what was missing and what was too much; empty where all came as wanted."""
    left = list(timeline.wanted)
    lines: list[tuple[float, int, str]] = []
    wrong = False
    for change in came:
        at, outcome = round(change.at - timeline.start, 6), _outcome(change)
        match = next((wanted for wanted in left if _fits(wanted, at, outcome, change.scope)), None)
        if match is not None:
            left.remove(match)
        wrong = wrong or match is None
        lines.append((at, 1, f"{outcome} for {change.scope}: {'as wanted' if match else 'NOT WANTED'}"))
    for wanted in left:
        wrong = True
        whom = f" for {wanted.scope}" if wanted.scope else ""
        lines.append((wanted.at, 2, f"{wanted.outcome}{whom}: WANTED, DID NOT COME"))
    if not wrong:
        return ()
    for said in timeline.said:
        told = " ".join(f"{name}={value!r}" for name, value in said.data.items())
        marks = (" (late)" if said.late else "") + (" (replay)" if said.replay else "")
        lines.append((said.at, 0, f"{said.device} says {said.kind} {told}{marks}"))
    return tuple(f"{spoken_duration(at):>8}  {text}" for at, _, text in sorted(lines, key=lambda line: line[:2]))


def _fits(wanted: Wanted, at: float, outcome: str, scope: str) -> bool:
    return wanted.at == at and wanted.outcome == outcome and wanted.scope in (None, scope)


def _outcome(change: RuleChange) -> str:
    if isinstance(change, Raised):
        return "again" if change.again else "raised"
    return "withheld" if isinstance(change, Withheld) else "cleared"
