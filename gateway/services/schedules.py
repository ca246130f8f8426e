"""Schedules 计划: maintenance by calendar, cycles and running hours; rounds; drills; what other rooms hook in.

A calendar time that passed while the gateway was down, or was stepped over by the wall clock, is run once when it can
be, however late (APScheduler's `coalesce` without a grace time); never twice. The wall clock is looked at every minute
by the steady one, so that a step of it, in either direction, neither starves a schedule nor makes a storm of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from gateway.errors import Conflict, GatehouseError, NotFound
from gateway.model import Actor, Event, Role, Schedule
from gateway.services.arguments import NAME, Arguments
from gateway.services.common import Common
from gateway.services.counting import counted
from gateway.services.moment import Moment
from gateway.services.permission import demand, demand_sight
from gateway.services.schedule_book import ScheduleBook, ScheduleDefinition, next_time, times_between

TICK = "schedule.tick"
#: How often the wall clock is looked at, in steady seconds.
LOOK_EVERY = 60.0
#: A wall clock before this (1 January 2020) has not been set: no calendar is kept by it.
PLAUSIBLE = 1_577_836_800.0
#: What passed longer ago than this is not made good: the clock was set, nobody missed it.
MADE_GOOD = 40 * 86_400.0
#: A run that lies further ahead than this after a step back was of a wrong clock.
AHEAD = 2 * 86_400.0
#: Counters are written this often while they move; what came since is counted again after a crash.
WRITE_EVERY = 60.0

Hook = Callable[[ScheduleDefinition, float, Moment], str]


class Schedules:
    """All schedules and where they stand. `hooks` does what each word of `does` means."""

    def __init__(self, common: Common, book: ScheduleBook, hooks: dict[str, Hook]) -> None:
        self.book = book
        self.states: dict[str, Schedule] = {}
        self.hooks = hooks
        self._common = common
        self._written: dict[str, float] = {}
        self._by_kind = _counted_by_kind(book)

    def take(self, book: ScheduleBook, moment: Moment) -> None:
        """Other schedules from now on. One that stays goes on counting; one that comes back goes on where it stood."""
        self.book = book
        self._by_kind = _counted_by_kind(book)
        self._common.timers.set(TICK, "", moment.now if len(book) else None)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of events that are counted."""
        return frozenset(self._by_kind)

    def restore(self, states: Iterable[Schedule]) -> None:
        """Takes over where they stood, also those of schedules that are no more: they may come back."""
        self.states = {state.id: state for state in states}
        self._written.clear()

    def uncounted(self) -> dict[str, int]:
        """The kinds that are counted, each with the newest event that every counter of it holds."""
        found: dict[str, int] = {}
        for kind, definitions in self._by_kind.items():
            held = [self.states[one.id].counted for one in definitions if one.id in self.states]
            if held:
                found[kind] = min(held)
        return found

    def recover(self, moment: Moment) -> None:
        """Once after a start: new and changed schedules get their times, and what was missed is made good."""
        self._common.timers.set(TICK, "", moment.now if len(self.book) else None)

    # Time

    def tick(self, _ident: str, moment: Moment) -> None:
        """Looks at the wall clock: runs what is due, and reckons anew where the clock was stepped."""
        wait = LOOK_EVERY
        if moment.wall >= PLAUSIBLE:
            for definition in self.book:
                if definition.at:
                    self._look(definition, moment)
                    following = self.states[definition.id].next_at
                    if following is not None:
                        wait = min(wait, max(following - moment.wall, 0.05))
                elif definition.id not in self.states:
                    self._put(self._fresh(definition, moment), moment)
        self._common.timers.set(TICK, "", moment.now + wait)

    def _look(self, definition: ScheduleDefinition, moment: Moment) -> None:
        state = self.states.get(definition.id)
        if state is None or state.fingerprint != definition.fingerprint:
            state = self._fresh(definition, moment)
            self._put(state, moment)
        state = self._within_reach(definition, state, moment)
        if state.next_at is None or state.next_at > moment.wall or state.paused:
            return
        zone = self._zone(definition)
        recent = max(state.next_at - 1e-3, moment.wall - MADE_GOOD)
        passed = times_between(definition.at, recent, moment.wall, zone)
        following = next_time(definition.at, moment.wall, zone)
        if not passed:
            self._put(replace(state, next_at=following), moment)
            return
        state = replace(state, next_at=following, missed=state.missed + len(passed) - 1)
        self._run(definition, state, passed[-1], moment)

    def _within_reach(self, definition: ScheduleDefinition, state: Schedule, moment: Moment) -> Schedule:
        """The state with its next time reckoned anew where the clock was stepped back."""
        last = state.last_at
        floor = moment.wall if last is None or last - moment.wall > AHEAD else max(moment.wall, last)
        following = next_time(definition.at, floor, self._zone(definition))
        if state.next_at is None or (following is not None and following < state.next_at):
            state = replace(state, next_at=following)
            self._put(state, moment)
        return state

    def _fresh(self, definition: ScheduleDefinition, moment: Moment) -> Schedule:
        known = self.states.get(definition.id)
        following = next_time(definition.at, moment.wall, self._zone(definition)) if definition.at else None
        state = known or Schedule(id=definition.id, site=definition.site, version=0)
        return replace(state, site=definition.site, next_at=following, fingerprint=definition.fingerprint)

    def _zone(self, definition: ScheduleDefinition) -> str:
        site = self._common.world.sites.get(definition.site)
        return site.timezone if site is not None else "UTC"

    # Counting

    def observe(self, event: Event, moment: Moment) -> None:
        """Counts an event, and runs what has become due by it."""
        for definition in self._by_kind.get(event.kind, ()):
            if definition.counts is None or (definition.devices and event.device not in definition.devices):
                continue
            if event.site != definition.site or event.late or event.replay:
                continue
            state = self.states.get(definition.id) or self._fresh(definition, moment)
            if event.seq and event.seq <= state.counted:
                continue
            count = counted(definition.counts, state.counts.get(event.device), event)
            due = count.total >= definition.counts.every and not state.paused
            count = replace(count, total=count.total - definition.counts.every) if due else count
            state = replace(
                state,
                counts={**state.counts, event.device: count},
                counted=max(state.counted, event.seq),
                fingerprint=definition.fingerprint,
            )
            self.states[definition.id] = state
            if due:
                self._run(definition, state, moment.wall, moment, device=event.device)
            elif moment.now - self._written.get(definition.id, 0.0) >= WRITE_EVERY:
                self._put(state, moment)

    # Running

    def _run(
        self, definition: ScheduleDefinition, state: Schedule, planned: float, moment: Moment, device: str = ""
    ) -> Schedule:
        """Does what the schedule is for. What fails is told, and never stops the others."""
        if device:
            definition = replace(definition, devices=(device,))
        problem = result = ""
        try:
            result = self.hooks[definition.does](definition, planned, moment)
        except GatehouseError as error:
            problem = error.message
        outcome = "failed" if problem else "done"
        moment.note("system", "schedule.run", definition.id, outcome, does=definition.does, why=problem, result=result)
        state = replace(state, last_at=planned, ran=state.ran + 1, problem=problem, result=result)
        return self._put(state, moment)

    def _put(self, state: Schedule, moment: Moment) -> Schedule:
        state = replace(state, version=state.version + 1)
        self.states[state.id] = state
        self._written[state.id] = moment.now
        moment.out.put(state)
        return state

    # What people do

    def actions(self) -> dict[str, Callable[[Arguments, Actor, Moment], Any]]:
        """The actions it answers."""
        return {"schedule.run": self.run, "schedule.pause": self.pause, "schedule.resume": self.resume}

    def run(self, args: Arguments, actor: Actor, moment: Moment) -> Schedule:
        """`schedule.run{schedule}`: now, besides its times; what fails is in its `problem`."""
        definition, state = self._found(args, actor, moment)
        moment.note(actor.name, "schedule.run_now", definition.id)
        return self._run(definition, state, moment.wall, moment)

    def pause(self, args: Arguments, actor: Actor, moment: Moment) -> Schedule:
        """`schedule.pause{schedule, reason}`: its times pass until it is resumed, and are not made good."""
        reason = args.text("reason", NAME)
        definition, state = self._found(args, actor, moment)
        moment.note(actor.name, "schedule.pause", definition.id, reason=reason)
        return self._put(replace(state, paused=reason), moment)

    def resume(self, args: Arguments, actor: Actor, moment: Moment) -> Schedule:
        """`schedule.resume{schedule}`."""
        definition, state = self._found(args, actor, moment)
        if not state.paused:
            raise Conflict(f"schedule '{definition.id}' is not paused")
        moment.note(actor.name, "schedule.resume", definition.id)
        following = next_time(definition.at, moment.wall, self._zone(definition)) if definition.at else None
        return self._put(replace(state, paused="", next_at=following), moment)

    def _found(self, args: Arguments, actor: Actor, moment: Moment) -> tuple[ScheduleDefinition, Schedule]:
        ident = args.ident("schedule")
        args.end()
        definition = self.book.get(ident)
        demand_sight(actor, definition.site, "schedule", ident)
        demand(actor, Role.ENGINEER, "changing a schedule")
        if definition.site not in self._common.world.sites:
            raise NotFound("site", definition.site)
        return definition, self.states.get(ident) or self._fresh(definition, moment)


def _counted_by_kind(book: ScheduleBook) -> dict[str, list[ScheduleDefinition]]:
    found: dict[str, list[ScheduleDefinition]] = {}
    for definition in book:
        if definition.counts is not None:
            found.setdefault(definition.counts.kind, []).append(definition)
    return found
