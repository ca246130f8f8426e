"""A desk with clocks of its own and a store that keeps what was committed: tests read as a story told in seconds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from gateway.catalogue import load_catalogue
from gateway.errors import GatehouseError
from gateway.model import (
    DIRECT,
    Action,
    Actor,
    Alert,
    AuditEntry,
    Changes,
    Child,
    Cleared,
    Command,
    CommandResult,
    Decision,
    DecisionRecord,
    Device,
    DeviceList,
    Event,
    Evidence,
    ListEntry,
    Notification,
    Outage,
    Outgoing,
    Pass,
    Person,
    PlanRun,
    Question,
    Raised,
    Role,
    Roster,
    Round,
    RuleChange,
    Schedule,
    Severity,
    Shift,
    Site,
    Told,
    WorkOrder,
    Zone,
)
from gateway.services import Desk, DeskSettings, JournalIds, PlanBook, Safety, read_plans, read_safety
from gateway.services.chains import EscalationBook
from gateway.services.schedule_book import ScheduleBook
from gateway.services.teams import TeamBook
from gateway.services.working_time import Workdays, weekdays
from rules.commands import safety_texts
from rules.language import CommandRequest, Rule, RuleSet, Then, WorkOrderRequest
from rules.plans import plan_texts
from tests.support.keys import Keys

#: These may command in one step, as a program with the scope for it may: most stories are not about the two steps.
ANNA = Actor("user:anna", Role.OPERATOR, scopes=(DIRECT,))
BEN = Actor("user:ben", Role.OPERATOR, scopes=(DIRECT,))
ERIKA = Actor("user:erika", Role.ENGINEER, scopes=(DIRECT,))
VERA = Actor("user:vera", Role.VIEWER)
STRANGER = Actor("user:stranger", Role.ADMIN, ("elsewhere",), (DIRECT,))

START = 1_795_000_000.0
"""A steady second; the wall clock starts ten seconds ahead of it."""

CATALOGUE = load_catalogue()
PLANS = read_plans(plan_texts())
SAFETY = read_safety(safety_texts(), CATALOGUE)


def rule(ident: str, severity: Severity = Severity.HIGH, **more: Any) -> Rule:
    """A rule with little in it."""
    more.setdefault("title", {"en": "{device.name}: " + ident, "zh": "{device.name}:" + ident})
    return Rule(id=ident, severity=severity, **more)


RULES = RuleSet(
    (
        rule("access.forced", then=Then(work_order=WorkOrderRequest(team="security", respond_within=180.0))),
        rule("access.held", Severity.MEDIUM),
        rule("access.denied_often", Severity.LOW),
        rule("access.duress", Severity.CRITICAL, latched=True),
        rule("fire.alarm", Severity.CRITICAL, latched=True, then=Then(plan="fire")),
        rule(
            "elevator.entrapment",
            Severity.CRITICAL,
            then=Then(
                plan="elevator-entrapment",
                work_order=WorkOrderRequest(
                    team="elevator", respond_within=180.0, resolve_within=1800.0, needs_proof=True
                ),
            ),
        ),
        rule("parking.stuck", then=Then(command=CommandRequest(name="raise"))),
        rule("meter.leak", Severity.MEDIUM, latched=True),
        rule("site.own", Severity.LOW, then=Then(plan="no-such-plan")),
    )
)


def device(ident: str, kind: str, **more: Any) -> Device:
    """A device of the site `garden`."""
    more.setdefault("site", "garden")
    more.setdefault("name", {"en": ident.title(), "zh": ident})
    more.setdefault("adapter", "native")
    return Device(id=ident, external_id=ident, type=kind, **more)


DEVICES = {
    one.id: one
    for one in (
        device("door-1", "door", zone="b1-lobby", building="b1"),
        device("door-2", "door", zone="b1-lobby", building="b1"),
        device("door-9", "door", zone="b2", building="b2"),
        device("lift-1", "elevator", zone="b1", building="b1"),
        device("smoke-1", "fire_panel", zone="b1-lobby", building="b1"),
        device("barrier-1", "barrier", zone="gate"),
        device("meter-1", "meter", building="b1"),
        device("far-1", "door", site="elsewhere"),
    )
}
ZONES = {
    one.id: one
    for one in (
        Zone(id="b1", site="garden", name={"en": "Building 1", "zh": "1号楼"}, kind="building"),
        Zone(id="b1-lobby", site="garden", name={"en": "Lobby", "zh": "大堂"}, parent="b1"),
        Zone(id="b2", site="garden", kind="building"),
        Zone(id="gate", site="garden", name={"en": "Main gate", "zh": "正门"}),
    )
}
SITES = {one.id: one for one in (Site(id="garden", name={"en": "Garden", "zh": "花园"}), Site(id="elsewhere"))}


class Story:
    """One desk, told what happens. `restart` builds a new one from what was committed."""

    def __init__(
        self,
        rules: RuleSet = RULES,
        plans: PlanBook = PLANS,
        settings: DeskSettings | None = None,
        words: Mapping[str, Collection[str]] | None = None,
        safety: Safety | None = SAFETY,
        teams: TeamBook | None = None,
        workdays: Workdays = weekdays,
        schedules: ScheduleBook | None = None,
        escalation: EscalationBook | None = None,
    ) -> None:
        self.schedules = schedules
        self.teams = teams
        self.workdays = workdays
        self.escalation_book = escalation
        self.now = START
        self.wall = START + 10
        self.rules = rules
        self.plans = plans
        self.settings = settings
        self.words = words
        self.safety = safety
        self.position = 0
        self.seq = 0
        self.stored: dict[tuple[type, str], bytes] = {}
        self.audit: list[AuditEntry] = []
        self.sent: list[Command] = []
        self.told: list[Outgoing] = []
        self.found: list[Told] = []
        self.decisions: list[DecisionRecord] = []
        self.keys = Keys()
        self.states: dict[str, dict[str, dict[str, Any]]] = {}
        self.desk = self._build()

    def _build(self) -> Desk:
        self.ids = JournalIds()
        desk = Desk(
            self.rules,
            self.plans,
            CATALOGUE,
            self.ids,
            self.settings,
            self.words,
            self.safety,
            teams=self.teams,
            schedules=self.schedules,
            workdays=self.workdays,
            escalation=self.escalation_book,
            keys=self.keys,
        )
        desk.restore(
            alerts=self.records(Alert),
            children=[child for child in self.records(Child) if child.ended_at is None],
            work_orders=self.records(WorkOrder),
            plan_runs=self.records(PlanRun),
            commands=[*self.records(Command), *self.records(Command)],
            passes=self.records(Pass),
            people=self.records(Person),
            rosters=self.records(Roster),
            shifts=self.records(Shift),
            schedules=self.records(Schedule),
            rounds=self.records(Round),
            notifications=self.records(Notification),
            device_lists=self.records(DeviceList),
            list_entries=self.records(ListEntry),
            outages=self.records(Outage),
            devices=DEVICES,
            zones=ZONES,
            sites=SITES,
            states=self.states,
        )
        return desk

    # The store

    def records(self, kind: type[Any]) -> list[Any]:
        """All stored records of a type, through JSON as in the database."""
        return [msgspec.json.decode(body, type=kind) for (one, _), body in self.stored.items() if one is kind]

    def record(self, kind: type[Any], ident: str) -> Any:
        """One stored record."""
        return msgspec.json.decode(self.stored[kind, ident], type=kind)

    def _commit(self, out: Changes) -> None:
        for key, record in out.records.items():
            self.stored[key] = msgspec.json.encode(record)
        for key in out.removed:
            self.stored.pop(key, None)
        self.audit += out.audit
        self.told += out.outgoing
        self.found += out.take_told()
        self.decisions += out.decisions
        for command in out.commands:
            assert all(one.id != command.id for one in self.sent), f"{command.id} was sent twice"
            self.sent.append(command)

    def _batch(self) -> Changes:
        self.position += 1
        self.ids.begin(self.position)
        return Changes()

    # Time

    def after(self, seconds: float, wall_step: float = 0.0) -> Story:
        """Time passes; the wall clock may also jump."""
        self.now += seconds
        self.wall += seconds + wall_step
        out = self._batch()
        self.desk.advance(self.now, self.wall, out)
        self._commit(out)
        return self

    def restart(self) -> Story:
        """The process dies and a new one takes over from the store."""
        self.desk = self._build()
        out = self._batch()
        self.desk.recover(self.now, self.wall, out)
        self._commit(out)
        return self

    # What happens

    def raised(self, name: str, scope: str = "door-1", kind: str = "access.door", **more: Any) -> Alert | None:
        """The engine says that a condition holds. Answers with the condition's open alert."""
        self.seq += 1
        place = DEVICES.get(scope)
        evidence = (Evidence(self.seq, scope, kind, self.wall, {"state": "open"}),)
        change = Raised(
            rule=name,
            scope=scope,
            at=more.pop("at", self.now),
            site=place.site if place is not None else "garden",
            device=more.pop("device", scope if place is not None else None),
            evidence=more.pop("evidence", evidence),
            **more,
        )
        return self.judged(change)

    def cleared(self, name: str, scope: str = "door-1", **more: Any) -> Alert | None:
        """The engine says that it has ended."""
        return self.judged(Cleared(rule=name, scope=scope, at=self.now, **more))

    def judged(self, change: RuleChange) -> Alert | None:
        """Any change of a rule."""
        out = self._batch()
        self.desk.apply([change], self.now, self.wall, out)
        self._commit(out)
        return self.desk.alerts.of(change.rule, change.scope)

    def alert(self, name: str, scope: str = "door-1") -> Alert:
        """The newest stored alert of that condition."""
        found = [one for one in self.records(Alert) if (one.rule, one.scope) == (name, scope)]
        assert found, f"no alert of {name} at {scope}; the audit: {self.tale()}"
        newest = max(found, key=lambda one: one.id)
        assert isinstance(newest, Alert)
        return newest

    def act(self, name: str, actor: Actor = ANNA, /, **args: Any) -> Any:
        """A person asks for something."""
        out = self._batch()
        try:
            return self.desk.act(Action(name=name, args=args, actor=actor), self.now, self.wall, out)
        except GatehouseError:
            assert not out.records, f"{name} was refused and changed {list(out.records)}"
            assert not out.commands, f"{name} was refused and sent {out.commands}"
            raise
        finally:
            self._commit(out)

    def says(self, ident: str, kind: str, **data: Any) -> None:
        """A device tells something."""
        self.says_event(self.event(ident, kind, **data))

    def says_event(self, event: Event) -> None:
        """A device tells something, late or not."""
        if not event.late and not event.replay:
            self.states.setdefault(event.device, {})[event.kind] = event.data
        out = self._batch()
        self.desk.observe(event, self.now, self.wall, out)
        self._commit(out)

    def event(self, ident: str, kind: str, **data: Any) -> Event:
        """An event received now."""
        return Event(ident, kind, self.wall, self.wall, self.now, data, site=DEVICES[ident].site)

    def answers(self, ident: str, command: str, status: str = "done", detail: str = "") -> None:
        """A device answers a command."""
        out = self._batch()
        self.desk.result(ident, CommandResult(command, status, detail), self.now, self.wall, out)
        self._commit(out)

    def asks(self, value: str, ident: str = "barrier-1", event: Event | None = None, **more: Any) -> Decision:
        """A device asks whether something may pass."""
        question = Question(kind=more.pop("kind", "plate"), value=value, **more)
        out = self._batch()
        decision = self.desk.decide(question, DEVICES[ident], event, self.now, self.wall, out)
        self._commit(out)
        return decision

    def tale(self) -> list[str]:
        """The audit so far, for failed expectations."""
        return [f"{one.time - START:.0f}s {one.actor} {one.action} {one.target} {one.outcome}" for one in self.audit]

    def actions(self) -> list[str]:
        """The audit's actions in order."""
        return [one.action for one in self.audit]


def states_of(steps: Iterable[Any]) -> dict[str, str]:
    """Each step's state by its id."""
    return {step.id: str(step.state) for step in steps}
