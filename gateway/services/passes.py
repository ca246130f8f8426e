"""Passes, and the decision at a barrier or a door: in the core, at once, with a named reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from gateway.errors import GatehouseError, Invalid, NotFound
from gateway.model import Actor, Command, Decision, DecisionRecord, Device, Event, Pass, Question, Role
from gateway.services.arguments import NAME, Arguments
from gateway.services.commands import Commands
from gateway.services.common import Common
from gateway.services.moment import Moment
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
        self._common = common
        self._commands = commands

    def restore(self, passes: Iterable[Pass]) -> None:
        """Takes over all stored passes."""
        self.all.clear()
        self._by_value.clear()
        for one in passes:
            self._index(one)

    # Deciding

    def decide(self, question: Question, device: Device, event: Event | None, moment: Moment) -> Decision:
        """Answers the device, and sends the command that opens the way if the answer is yes."""
        decision = self._judge(question, device, event, moment)
        command = self._open(question, device, decision, moment) if decision.allowed else None
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
            misfit = _misfit(one, places, moment.wall)
            if misfit is None and one.blocked:
                return Decision(allowed=False, reason="blocked", pass_id=ident)
            if misfit is None:
                allowed = allowed or one
            elif not one.blocked and reason != "outside_window":
                # A pass for this very place, at another hour, explains more than one for another place.
                reason, nearest = misfit, ident
        if allowed is not None:
            return Decision(allowed=True, reason="pass", pass_id=allowed.id)
        return Decision(allowed=False, reason=reason, pass_id=nearest)

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
        """`pass.put{id?, site, kind, value, name?, zones?, from_at?, until_at?, blocked?, visitor?, note?, version?}`.

        Makes a pass, or replaces the one with that id.
        """
        ident, version = args.maybe_ident("id"), args.version()
        site, kind = args.ident("site"), args.choice("kind", KINDS)
        value, name, note = args.text("value", NAME), args.maybe_text("name", NAME), args.maybe_text("note")
        zones = args.idents("zones", 100)
        from_at, until_at = args.maybe_number("from_at", 0, 1e11), args.maybe_number("until_at", 0, 1e11)
        blocked, visitor = args.flag("blocked"), args.flag("visitor")
        args.end()
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
        )
        if old is not None:
            self._unindex(old)
        self._index(one)
        moment.out.put(one)
        moment.note(actor.name, "pass.put", one.id, kind=kind, site=site, blocked=blocked or None)
        return one

    def remove(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.remove{id}`."""
        ident = args.ident("id")
        args.end()
        one = self.all.get(ident)
        if one is None:
            raise NotFound("pass", ident)
        demand_sight(actor, one.site, "pass", ident)
        demand(actor, Role.OPERATOR, "removing a pass")
        self._unindex(one)
        moment.out.remove(replace(one, version=one.version + 1))
        moment.note(actor.name, "pass.remove", ident, kind=one.kind, site=one.site)
        return {"id": ident, "removed": True}

    def _index(self, one: Pass) -> None:
        self.all[one.id] = one
        key = (one.kind, normal(one.kind, one.value))
        self._by_value[key] = (*self._by_value.get(key, ()), one.id)

    def _unindex(self, one: Pass) -> None:
        del self.all[one.id]
        key = (one.kind, normal(one.kind, one.value))
        left = tuple(ident for ident in self._by_value[key] if ident != one.id)
        if left:
            self._by_value[key] = left
        else:
            del self._by_value[key]


def _misfit(one: Pass, places: tuple[str, ...], wall: float) -> str | None:
    """Why the pass does not count here and now, or None."""
    if one.zones and not any(zone in places for zone in one.zones):
        return "wrong_zone"
    return None if _in_window(one, wall) else "outside_window"


def _in_window(one: Pass, wall: float) -> bool:
    return not (one.from_at is not None and wall < one.from_at) and not (
        one.until_at is not None and wall >= one.until_at
    )
