"""Passes, and the decision at a barrier or a door: in the core, at once, with a named reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from gateway.errors import GatehouseError, Invalid, NotFound
from gateway.model import Actor, Command, Decision, DecisionRecord, Device, Event, Pass, Question, Role
from gateway.services.arguments import NAME, Arguments
from gateway.services.commands import Commands
from gateway.services.common import Common
from gateway.services.decision_reasons import REASONS
from gateway.services.moment import Moment
from gateway.services.pass_csv import MOST_ROWS
from gateway.services.pass_windows import weekly
from gateway.services.permission import demand, demand_fresh, demand_sight

KINDS = ("plate", "card", "person")

_PLATE_FILL = re.compile(r"[\s.\-·•・]+")
_SPACE = re.compile(r"\s+")


def normal(kind: str, value: str) -> str:
    """The value as it is compared: narrow letters, plates upper-case without spaces, dots and dashes."""
    text = unicodedata.normalize("NFKC", value).strip()
    if kind == "plate":
        return _PLATE_FILL.sub("", text).upper()
    return _SPACE.sub("", text).upper() if kind == "card" else _SPACE.sub(" ", text)


class Passes:
    """All passes of all sites, found by kind and value."""

    def __init__(self, common: Common, commands: Commands) -> None:
        self.all: dict[str, Pass] = {}
        self._by_value: dict[tuple[str, str], tuple[str, ...]] = {}
        self._households: dict[tuple[str, str], set[str]] = {}
        self._common = common
        self._commands = commands

    def restore(self, passes: Iterable[Pass]) -> None:
        """Takes over all stored passes."""
        self.all.clear()
        self._by_value.clear()
        self._households.clear()
        for one in passes:
            self._index(one)

    # Deciding

    def decide(self, question: Question, device: Device, event: Event | None, moment: Moment) -> Decision:
        """Answers the device, and sends the command that opens the way if the answer is yes."""
        decision = self._judge(question, device, event, moment)
        command = self._open(question, device, decision, moment) if decision.allowed else None
        if command is not None and decision.pass_id is not None:
            self._went(self.all[decision.pass_id], question.direction, moment)
        moment.out.decide(
            DecisionRecord(
                site=device.site,
                device=device.id,
                kind=question.kind,
                value=question.value[:NAME],
                direction=question.direction,
                allowed=decision.allowed,
                reason=decision.reason,
                pass_id=decision.pass_id,
                command=command.id if command is not None else None,
                time=moment.wall,
            )
        )
        return decision

    def knows(self, site: str, kind: str, value: str, wall: float) -> bool:
        """Whether a plate, card or person has a pass of the site that is in force, wherever it leads."""
        known = (self.all[ident] for ident in self._by_value.get((kind, normal(kind, value)), ()))
        return any(one.site == site and not one.blocked and _in_window(one, wall) for one in known)

    def _judge(self, question: Question, device: Device, event: Event | None, moment: Moment) -> Decision:
        if event is not None and event.replay:
            return Decision(allowed=False, reason="replay")
        if event is not None and (event.late or moment.now - event.at > self._common.settings.question_stale):
            return Decision(allowed=False, reason="late")
        value = normal(question.kind, question.value)
        if not value:
            return Decision(allowed=False, reason="unread")
        reason, nearest = "no_pass", None
        allowed: Pass | None = None
        places = self._common.world.places(device)
        for ident in self._by_value.get((question.kind, value), ()):
            one = self.all[ident]
            if one.site != device.site:
                continue
            misfit = self._misfit(one, places, moment.wall)
            if misfit is None and one.blocked:
                return Decision(allowed=False, reason="blocked", pass_id=ident)
            if misfit is None:
                allowed = allowed or one
            elif not one.blocked and reason not in ("outside_window", "outside_hours"):
                # A pass for this very place, at another hour, explains more than one for another place.
                reason, nearest = misfit, ident
        if allowed is not None:
            full = self._full(allowed) if question.direction == "in" else None
            return Decision(allowed=full is None, reason=full or "pass", pass_id=allowed.id)
        return Decision(allowed=False, reason=reason, pass_id=nearest)

    def _misfit(self, one: Pass, places: tuple[str, ...], wall: float) -> str | None:
        """Why the pass does not count here and now, or None."""
        if one.zones and not any(zone in places for zone in one.zones):
            return "wrong_zone"
        if not _in_window(one, wall):
            return "outside_window"
        site = self._common.world.sites.get(one.site)
        zone = site.timezone if site is not None else "UTC"
        weekly_ = bool(one.days or one.hours)
        return "outside_hours" if weekly_ and not weekly(one.days, one.hours).inside(wall, zone) else None

    def _full(self, one: Pass) -> str | None:
        """Why it may not come in although its pass is good. Nobody is ever kept from leaving by this."""
        if one.anti_passback and one.inside:
            return "already_inside"
        others = [self.all[ident] for ident in self._households.get((one.site, one.household), ()) if ident != one.id]
        spaces = max((other.spaces for other in (one, *others) if other.spaces is not None), default=None)
        if one.household and spaces is not None and sum(other.inside for other in others) >= spaces:
            return "no_space"
        return None

    def _went(self, one: Pass, direction: str, moment: Moment) -> None:
        """It was let in or out: kept where that decides about the next one."""
        if direction not in ("in", "out") or not (one.anti_passback or one.household):
            return
        self._replace(one, replace(one, inside=direction == "in", inside_at=moment.wall), moment)

    def _replace(self, old: Pass | None, new: Pass, moment: Moment) -> None:
        if old is not None:
            self._unindex(old)
        self._index(new)
        moment.out.put(new)

    def check(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.check{device, kind, value, direction?}`: what would be answered now, and why. Nothing opens."""
        device, kind = self._common.world.device(args.ident("device"), actor), args.choice("kind", KINDS)
        value, direction = args.text("value", NAME), args.choice("direction", ("in", "out", ""), "")
        args.end()
        demand(actor, Role.OPERATOR, "asking about a pass")
        found = self._judge(Question(kind=kind, value=value, direction=direction), device, None, moment)
        moment.note(actor.name, "pass.check", device.id, found.reason, kind=kind)
        return {
            "allowed": found.allowed, "reason": found.reason, "pass_id": found.pass_id,
            "text": dict(REASONS[found.reason]),
        }  # fmt: skip

    def outside(self, args: Arguments, actor: Actor, moment: Moment) -> Pass:
        """`pass.outside{id}`: it has left unseen; its space is free and it may enter again."""
        one = self._seen(args.ident("id"), actor)
        args.end()
        demand(actor, Role.OPERATOR, "changing a pass")
        new = replace(one, inside=False, inside_at=moment.wall, version=one.version + 1)
        self._replace(one, new, moment)
        moment.note(actor.name, "pass.outside", one.id)
        return new

    def import_(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.import{site, rows}`: all of them or none; a value that has a pass of the site keeps its id."""
        site, rows = args.ident("site"), args.items("rows", MOST_ROWS)
        args.end()
        self._common.world.site(site, actor)
        made: list[tuple[Pass | None, Pass]] = []
        for number, row in enumerate(rows, 2):
            if not isinstance(row, Mapping):
                raise Invalid("rows", f"line {number}: expected names with values")
            kind, value = str(row.get("kind")), str(row.get("value"))
            same = self._by_value.get((kind, normal(kind, value)), ())
            known = next((ident for ident in same if self.all[ident].site == site), None)
            try:
                made.append(self._made(Arguments({**row, "site": site, "id": known}), actor, moment))
            except Invalid as error:
                raise Invalid("csv", f"line {number}: {error.message}") from error
        for old, new in made:
            self._replace(old, new, moment)
        moment.note(actor.name, "pass.import", site, count=len(made))
        return {"imported": len(made), "changed": sum(old is not None for old, _ in made)}

    def _open(self, question: Question, device: Device, decision: Decision, moment: Moment) -> Command | None:
        draft = Command(
            id="",
            site=device.site,
            device=device.id,
            name=question.command,
            args=dict(question.args),
            by=f"pass:{decision.pass_id}",
            reason=decision.reason,
        )
        try:
            return self._commands.order(draft, moment, present=True)
        except GatehouseError:
            # Refused by an interlock or because the device is disabled; the audit has it.
            return None

    # Keeping

    def put(self, args: Arguments, actor: Actor, moment: Moment) -> Pass:
        """`pass.put{id?, site, kind, value, version?, …}`: makes a pass, or replaces the one with that id."""
        old, one = self._made(args, actor, moment)
        self._replace(old, one, moment)
        moment.note(actor.name, "pass.put", one.id, kind=one.kind, site=one.site, blocked=one.blocked or None)
        return one

    def _made(self, args: Arguments, actor: Actor, moment: Moment) -> tuple[Pass | None, Pass]:
        """The pass that is asked for, and the one it replaces. Nothing is changed."""
        ident, version = args.maybe_ident("id"), args.version()
        site, kind = args.ident("site"), args.choice("kind", KINDS)
        value, name, note = args.text("value", NAME), args.maybe_text("name", NAME), args.maybe_text("note")
        zones = args.idents("zones", 100)
        from_at, until_at = args.maybe_number("from_at", 0, 1e11), args.maybe_number("until_at", 0, 1e11)
        blocked, visitor, once = args.flag("blocked"), args.flag("visitor"), args.flag("anti_passback")
        days, hours = args.maybe_text("days", 100).lower(), args.maybe_text("hours", 200)
        household, spaces = args.maybe_text("household", 64), args.maybe_number("spaces", 0, 1000)
        args.end()
        weekly(days, hours)
        world = self._common.world
        world.site(site, actor)
        demand(actor, Role.OPERATOR, "changing a pass")
        if not normal(kind, value):
            raise Invalid("value", f"nothing is left of it as a {kind}")
        for zone in zones:
            if zone not in world.zones or world.zones[zone].site != site:
                raise Invalid("zones", f"site '{site}' has no zone '{zone}'")
        if from_at is not None and until_at is not None and from_at >= until_at:
            raise Invalid("until_at", "is not after from_at")
        old = self.all.get(ident) if ident is not None else None
        if old is not None:
            if old.site != site:
                demand_sight(actor, old.site, "pass", old.id)
                raise Invalid("site", f"pass '{old.id}' belongs to site '{old.site}'")
            demand_fresh("pass", old.id, old.version, version)
        one = Pass(
            id=ident or self._common.ids.next("ps"),
            site=site,
            kind=kind,
            value=value,
            name=name,
            zones=zones,
            from_at=from_at,
            until_at=until_at,
            blocked=blocked,
            visitor=visitor,
            note=note,
            created_at=old.created_at if old is not None else moment.wall,
            created_by=old.created_by if old is not None else actor.name,
            version=old.version + 1 if old is not None else 1,
            days=days,
            hours=hours,
            household=household,
            spaces=int(spaces) if spaces is not None else None,
            anti_passback=once,
            inside=old.inside if old is not None else False,
            inside_at=old.inside_at if old is not None else None,
        )
        return old, one

    def remove(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.remove{id}`."""
        ident = args.ident("id")
        args.end()
        one = self._seen(ident, actor)
        demand(actor, Role.OPERATOR, "removing a pass")
        self._unindex(one)
        moment.out.remove(replace(one, version=one.version + 1))
        moment.note(actor.name, "pass.remove", ident, kind=one.kind, site=one.site)
        return {"id": ident, "removed": True}

    def _seen(self, ident: str, actor: Actor) -> Pass:
        one = self.all.get(ident)
        if one is None:
            raise NotFound("pass", ident)
        demand_sight(actor, one.site, "pass", ident)
        return one

    def _index(self, one: Pass) -> None:
        self.all[one.id] = one
        if one.household:
            self._households.setdefault((one.site, one.household), set()).add(one.id)
        key = (one.kind, normal(one.kind, one.value))
        self._by_value[key] = (*self._by_value.get(key, ()), one.id)

    def _unindex(self, one: Pass) -> None:
        del self.all[one.id]
        self._households.get((one.site, one.household), set()).discard(one.id)
        key = (one.kind, normal(one.kind, one.value))
        left = tuple(ident for ident in self._by_value[key] if ident != one.id)
        if left:
            self._by_value[key] = left
        else:
            del self._by_value[key]


def _in_window(one: Pass, wall: float) -> bool:
    return not (one.from_at is not None and wall < one.from_at) and not (
        one.until_at is not None and wall >= one.until_at
    )
