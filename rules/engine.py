"""The engine: a pure, deterministic state machine, keyed by rule and scope.

`process` shows it an event, `advance` tells it the time; both return what changed, and nothing else happens. Timers
fire at their due time, in order, whenever the clock passes them, so it makes no difference how often `advance` is
called, how events are batched, or whether the engine was snapshotted and restored in between. docs/rules.md says
exactly what it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from gateway.model.catalogue import Catalogue
from gateway.model.event import Event
from gateway.model.judgement import Cleared, RuleChange
from gateway.model.place import Device
from rules import snapshot as snapshots
from rules.calendar import TOLERATED, Calendar
from rules.conditions import CompiledRule, Effect, Sight, Silent, Track
from rules.conditions.silent import overheard
from rules.conditions.track import AVAILABILITY
from rules.expressions import Getter
from rules.judging import Judge
from rules.language import RuleSet
from rules.past import NO_PAST, Past
from rules.plan import Entry, Index, Plan, covers

#: Kinds of a device for which it is remembered who looks at them. More only comes from a device that invents kinds.
MOST_PLANS = 500


class Engine:
    """Judges events by rules. Times are seconds of the steady clock (`Event.at`), which never goes back."""

    def __init__(
        self,
        rules: RuleSet,
        catalogue: Catalogue,
        topology: Mapping[str, Device],
        zones: Mapping[str, str] | None = None,
    ) -> None:
        """`zones` are the time zones of the sites, by site."""
        self._catalogue = catalogue
        self._devices = dict(topology)
        self._calendar = Calendar(zones or {})
        self._unheard: dict[str, None] = {}
        self._pasts: dict[tuple[str, str], Past] = {}
        self._heard: dict[str, float] = {}
        self._pending: list[RuleChange] = []
        self._now: float | None = None
        self._compile(rules, {})

    @property
    def now(self) -> float | None:
        """The latest moment it was told of; None before the first."""
        return self._now

    def process(self, event: Event) -> list[RuleChange]:
        """What the event changes. Timers due by then fire first. An event from before `now` counts as of `now`."""
        now = self._now
        at = event.at if now is None or event.at > now else now
        # With nearly every event nothing is due, no clock was set, nothing stirs: then nothing of all this is called.
        due = self._timers.heap
        if self._pending or self._unheard or (due and due[0][0] <= at):
            changes = self.advance(at)
        else:
            changes, self._now = [], at
        if self._dated:
            lag = self._calendar.lag
            if lag is None or abs(event.received - at - lag) > TOLERATED:
                self._calendar.follow(event.received, at)
                for rule in self._calendar.scheduled():
                    self._judge.turn(self._compiled[rule], at, event.received, changes)
        try:
            plan = self._plans[event.device][event.kind]
        except KeyError:
            plan = self._plan(event)
        if event.late or event.replay:
            self._process_old(event, at, plan, changes)
            return changes
        if plan.heeded:
            self._heed(event, at, plan, changes)
        if plan.speaks and (event.kind != AVAILABILITY or event.data.get("online") is not False):
            self._heard[event.device] = at
        return changes

    def _heed(self, event: Event, at: float, plan: Plan, changes: list[RuleChange]) -> None:
        """Shows an event to the rules that ask for what it says."""
        get = event.data.get
        past = self._past(event, plan, at) if plan.looks_back else NO_PAST
        for entry in plan.silences:
            track = entry.rule.tracks.get(entry.scope)
            if track is not None and (event.kind == AVAILABILITY or not overheard(track, at, event.received)):
                sight = Sight(event, at, plan.device, get, past, None, entry.covered)
                self._judge.judge(entry.rule, entry.scope, sight, plan.site, changes)
        try:
            stirred = plan.stirs(get, past)
        except (TypeError, ArithmeticError, ValueError):
            stirred = True
        quiet = not stirred and not any(plan.tracks)
        for entry in plan.measured if quiet else _concerned(plan, stirred, get, past):
            sight = Sight(event, at, plan.device, get, past, None, entry.covered)
            self._judge.judge(entry.rule, entry.scope, sight, plan.site, changes)
        if plan.read:
            self._judge_read(event, at, plan, past, changes)
        if plan.looks_back:
            past.pass_on(event.data)

    def hear(self, device: str, at: float) -> list[RuleChange]:
        """The device was heard of without an event, as by a heartbeat: silences end, holds find their data unbroken."""
        at = at if self._now is None or at > self._now else self._now
        changes = self.advance(at)
        self._heard[device] = at
        for rule in self._silences:
            track = rule.tracks.get(device)
            if track is not None and isinstance(rule.condition, Silent) and not rule.rule.on:
                if rule.condition.hear(track, at) is Effect.WENT and track.active:
                    self._judge.outcomes.went(rule, device, track, at, "cleared", changes)
                self._judge.settle(rule, device, track)
        return changes

    def advance(self, now: float) -> list[RuleChange]:
        """What the passing of time up to `now` changes, timer by timer in the order of their due times."""
        changes, self._pending = self._pending, []
        if self._unheard:
            self._listen(now)
        while (due := self._judge.timers.pop(now)) is not None:
            self._judge.fire(due[1], due[0], changes)
        if self._now is None or now > self._now:
            self._now = now
        return changes

    def compiled(self, rule: str) -> CompiledRule:
        """A rule with its tracks, to be looked at. Raises `KeyError` where there is none."""
        return self._compiled[rule]

    def device(self, name: str) -> Device | None:
        """A device as it is known."""
        return self._devices.get(name)

    def past_of(self, device: str, kind: str) -> Past | None:
        """What is looked back on, to be looked at."""
        return self._pasts.get((device, kind))

    def heard_at(self, device: str) -> float | None:
        """When the device was last heard of."""
        return self._heard.get(device)

    def inside(self, rule: str, site: str) -> bool:
        """Whether the rule's schedule has begun at the site."""
        return self._calendar.inside(rule, site)

    def next_due(self) -> float | None:
        """When `advance` will next have something to do; None for never, if nothing is heard."""
        if self._pending or self._unheard:
            return self._now or 0.0
        return self._judge.timers.next_due()

    def set_topology(
        self, devices: Iterable[Device], now: float | None = None, zones: Mapping[str, str] | None = None
    ) -> None:
        """Devices that were added or changed, as of `now`, and the sites' time zones. What is as it was costs nothing.

        What stood open for one that is now disabled ends: the next `process` or `advance` says so.
        """
        at = now if now is not None else self._now or 0.0
        if zones is not None and self._calendar.set_zones(zones):
            self._judge.turn_all(at, self._pending)
        disabled: set[str] = set()
        for device in devices:
            if self._devices.get(device.id) == device:
                continue
            self._devices[device.id] = device
            self._plans.pop(device.id, None)
            self._judge.outcomes.inhibition.topology_changed()
            if not device.enabled:
                disabled.add(device.id)
            elif self._silences:
                self._unheard[device.id] = None
        if disabled:
            self._forget(disabled, at)
        if now is not None and self._unheard:
            self._listen(now)

    def set_rules(self, rules: RuleSet, now: float) -> list[RuleChange]:
        """Other rules from `now` on. A rule whose condition is the same keeps its state; what else stood open ends."""
        changes = self.advance(now)
        before = {
            name: snapshots.RuleMemory(rule.rule.fingerprint, rule.tracks, rule.places)
            for name, rule in self._compiled.items()
        }
        changes += self._compile(rules, before, now)
        self._judge.turn_all(now, changes)
        return changes

    def excuse(self, seconds: float, now: float) -> None:
        """Nobody listened for `seconds` up to `now`: what was not heard in that time counts against no device."""
        for device, at in self._heard.items():
            self._heard[device] = min(now, at + seconds)
        for name, rule in self._compiled.items():
            for scope, track in rule.tracks.items():
                rule.condition.excuse(track, seconds, now)
                self._judge.timers.set((name, scope), track.due)

    def snapshot(self) -> bytes:
        """All it remembers. An engine of the same rules that restores it goes on exactly as this one."""
        pasts: dict[str, dict[str, dict[str, tuple[object, float]]]] = {}
        for (device, kind), past in self._pasts.items():
            pasts.setdefault(device, {})[kind] = past.values
        lag, schedules = self._calendar.memory()
        return snapshots.encode(
            snapshots.Snapshot(
                version=snapshots.VERSION,
                now=self._now,
                rules={
                    name: snapshots.RuleMemory(rule.rule.fingerprint, rule.tracks, rule.places)
                    for name, rule in self._compiled.items()
                    if rule.tracks or rule.places
                },
                pasts=pasts,
                heard=self._heard,
                lag=lag,
                schedules=schedules,
            )
        )

    def restore(self, data: bytes) -> list[RuleChange]:
        """Takes over what another engine remembered. Raises `msgspec.ValidationError` where the bytes are no snapshot.

        What stood open under a rule that is gone, or whose condition is another now, ends: those changes are returned.
        """
        loaded = snapshots.decode(data)
        self._now = loaded.now
        at = loaded.now or 0.0
        self._heard = loaded.heard
        self._pasts = {}
        for device, kinds in loaded.pasts.items():
            for kind, values in kinds.items():
                self._pasts[device, kind] = past = Past(())
                past.values = values
        self._calendar.recall(loaded.lag, loaded.schedules, loaded.now)
        changes = self._compile(self.rules, loaded.rules, at)
        self._forget({device.id for device in self._devices.values() if not device.enabled}, at)
        return changes

    def _compile(
        self, rules: RuleSet, memories: Mapping[str, snapshots.RuleMemory], at: float = 0.0
    ) -> list[RuleChange]:
        """Makes `rules` the ones in force, with what is remembered of those whose condition is the same."""
        self.rules = rules
        self._compiled = {rule.id: CompiledRule(rule, self._catalogue) for rule in rules}
        self._index = Index(self._compiled.values())
        self._plans: dict[str, dict[str, Plan]] = {}
        self._silences = [rule for rule in self._compiled.values() if isinstance(rule.condition, Silent)]
        self._unheard = dict.fromkeys(self._devices) if self._silences else {}
        self._calendar.take(self._compiled.values())
        self._dated = any(rule.dated for rule in self._compiled.values())
        changes: list[RuleChange] = []
        for name, memory in memories.items():
            rule = self._compiled.get(name)
            if rule is not None and rule.rule.fingerprint == memory.fingerprint:
                rule.tracks.update(memory.tracks)
                rule.places.update(memory.places)
                continue
            reason = "rule_removed" if rule is None else "rule_changed"
            reported = memory.places or memory.tracks
            standing = [scope for scope, track in reported.items() if track.active]
            changes += [Cleared(rule=name, scope=scope, at=at, reason=reason) for scope in standing]
        for (_, kind), past in self._pasts.items():
            past.fields = self._index.looked_back_on(kind)
            past.values = {field: value for field, value in past.values.items() if field in past.fields}
        self._judge = Judge(self._compiled, self._devices, self._calendar, self._heard)
        self._timers = self._judge.timers
        self._judge.outcomes.reconcile(at, changes)
        return changes

    def _plan(self, event: Event) -> Plan:
        device = self._devices.get(event.device)
        plan = self._index.plan(event.device, event.kind, device, event.site)
        plans = self._plans.setdefault(event.device, {})
        if len(plans) >= MOST_PLANS:
            plans.clear()
        plans[event.kind] = plan
        return plan

    def _past(self, event: Event, plan: Plan, at: float) -> Past:
        past = self._pasts.get((event.device, event.kind))
        if past is None:
            past = self._pasts[event.device, event.kind] = Past(plan.looks_back)
        past.at = at
        return past

    def _judge_read(self, event: Event, at: float, plan: Plan, past: Past, changes: list[RuleChange]) -> None:
        """The rules whose scope stands in the event."""
        get = event.data.get
        for entry in plan.read:
            scope = _scope(entry, get, past)
            if scope and (scope in entry.rule.tracks or _wakes(entry, get, past)):
                sight = Sight(event, at, plan.device, get, past, None, entry.covered)
                # What the gateway says of a thing without a device (a step of a plan) belongs where the thing is.
                self._judge.judge(entry.rule, scope, sight, event.site or plan.site, changes)

    def _process_old(self, event: Event, at: float, plan: Plan, changes: list[RuleChange]) -> None:
        """A late event is shown to the rules that ask for it, a replayed one to none; both prove the device speaks."""
        get = event.data.get
        past = self._past(event, plan, at) if plan.looks_back else NO_PAST
        wanted = plan.silences if event.kind != AVAILABILITY else ()
        if event.late and not event.replay:
            wanted += plan.late
        for entry in wanted:
            scope = _scope(entry, get, past)
            if scope and (scope in entry.rule.tracks or _wakes(entry, get, past)):
                sight = Sight(event, at, plan.device, get, past, None, entry.covered)
                self._judge.judge(entry.rule, scope, sight, plan.site, changes)
        if plan.speaks and event.kind != AVAILABILITY:
            self._heard[event.device] = at

    def _listen(self, at: float) -> None:
        """Starts listening to devices that have not been listened to, or whose record changed."""
        devices = [self._devices[name] for name in self._unheard]
        self._unheard = {}
        for rule in self._silences:
            if not isinstance(rule.condition, Silent):
                continue
            for device in devices:
                allowed = rule.condition.allowed(device)
                track = rule.tracks.get(device.id)
                if device.enabled and allowed and covers(rule, device, device.site):
                    if track is None:
                        track = rule.tracks[device.id] = Track(site=device.site, device=device.id)
                    rule.condition.begin(track, at, allowed)
                    self._judge.settle(rule, device.id, track)
                elif track is not None and not track.active:
                    del rule.tracks[device.id]
                    self._judge.timers.set((rule.rule.id, device.id), None)

    def _forget(self, devices: Set[str], at: float) -> None:
        """Ends whatever stands open because of devices that are no longer listened to."""
        for name in devices:
            self._unheard.pop(name, None)
        for rule in self._compiled.values():
            for scope in [scope for scope, track in rule.tracks.items() if track.device in devices]:
                track = rule.tracks[scope]
                if track.active:
                    self._judge.outcomes.went(rule, scope, track, at, "device_disabled", self._pending)
                del rule.tracks[scope]
                self._judge.timers.set((rule.rule.id, scope), None)


def _concerned(plan: Plan, stirred: bool, get: Getter, past: Past) -> Sequence[Entry]:
    """The fixed entries that have to look at the event: a figure is worked out from it, something stands open in their
    scope, or begins with it. `stirred` is whether it begins something anywhere, as one function for all of them said.
    """
    if stirred:
        return [entry for entry in plan.fixed if entry.scope in entry.rule.tracks or _wakes(entry, get, past)]
    return [entry for entry in plan.fixed if entry.scope in entry.rule.tracks or entry.rule.measure is not None]


def _wakes(entry: Entry, get: Getter, past: Past) -> bool:
    """Whether the event begins something in a scope where nothing stands open."""
    try:
        return entry.wakes(get, past)
    except (TypeError, ArithmeticError, ValueError):
        return False


def _scope(entry: Entry, get: Getter, past: Past) -> str:
    """The scope of an event, as far as it stands in the event; "" where that is not known."""
    if entry.rule.scope_by is None:
        return entry.scope
    try:
        part = entry.rule.scope_by(get, past)
    except (TypeError, ArithmeticError, ValueError):
        return ""
    return "" if part is None else f"{entry.scope}/{part}"
