"""What people do with passes: make, change and take away, import, give out codes, and ask why somebody is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from gateway.errors import Conflict, Invalid, NotFound, SheetRefused, Unavailable
from gateway.model import Actor, Pass, Question, Role
from gateway.services.arguments import NAME, Arguments
from gateway.services.common import Common
from gateway.services.decision_reasons import REASONS
from gateway.services.moment import Moment
from gateway.services.pass_csv import MOST_ROWS
from gateway.services.pass_windows import weekly
from gateway.services.passes import KINDS, Passes, normal
from gateway.services.permission import demand, demand_fresh, demand_sight
from gateway.services.visitor_codes import LONGEST, Code, KeyRing, sign

#: A scanned code is longer than a name.
_CODE = 600


class PassActions:
    """The actions that concern passes."""

    def __init__(self, passes: Passes, common: Common) -> None:
        self._passes = passes
        self._common = common

    def put(self, args: Arguments, actor: Actor, moment: Moment) -> Pass:
        """`pass.put{id?, site, kind, value, version?, …}`: makes a pass, or replaces the one with that id."""
        old, one = self._made(args, actor, moment)
        self._passes.replace(old, one, moment)
        moment.note(actor.name, "pass.put", one.id, kind=one.kind, site=one.site, blocked=one.blocked or None)
        return one

    def remove(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.remove{id}`."""
        one = self._seen(args.ident("id"), actor)
        args.end()
        demand(actor, Role.OPERATOR, "removing a pass")
        self._passes.remove(one, moment)
        moment.note(actor.name, "pass.remove", one.id, kind=one.kind, site=one.site)
        return {"id": one.id, "removed": True}

    def outside(self, args: Arguments, actor: Actor, moment: Moment) -> Pass:
        """`pass.outside{id}`: it has left unseen; its space is free and it may enter again."""
        one = self._seen(args.ident("id"), actor)
        args.end()
        demand(actor, Role.OPERATOR, "changing a pass")
        new = replace(one, inside=False, inside_at=moment.wall, went_by="", version=one.version + 1)
        self._passes.replace(one, new, moment)
        moment.note(actor.name, "pass.outside", one.id)
        return new

    def check(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.check{device, kind, value, direction?}`: what would be answered now, and why. Nothing opens."""
        device, kind = self._common.world.device(args.ident("device"), actor), args.choice("kind", KINDS)
        value = args.text("value", _CODE if kind == "qr" else NAME)
        direction = args.choice("direction", ("in", "out", ""), "")
        args.end()
        demand(actor, Role.OPERATOR, "asking about a pass")
        question = Question(kind=kind, value=value, direction=direction)
        found = self._passes.judge(question, device, None, moment)
        moment.note(actor.name, "pass.check", device.id, found.reason, kind=kind)
        return {
            "allowed": found.allowed, "reason": found.reason, "pass_id": found.pass_id,
            "text": dict(REASONS[found.reason]),
        }  # fmt: skip

    def import_(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.import{site, rows}`: all of them or none; a value that has a pass of the site keeps its id.

        Raises `SheetRefused` with every wrong line.
        """
        site, rows = args.ident("site"), args.items("rows", MOST_ROWS)
        args.end()
        self._common.world.site(site, actor)
        made: list[tuple[Pass | None, Pass]] = []
        wrong: list[tuple[int, str]] = []
        for number, given in enumerate(rows, 2):
            row = dict(given) if isinstance(given, Mapping) else {}
            line = row.pop("line", number)
            try:
                made.append(self._row(row, site, actor, moment))
            except Invalid as error:
                wrong.append((line if isinstance(line, int) else number, error.message))
        if wrong:
            raise SheetRefused(wrong)
        for old, new in made:
            self._passes.replace(old, new, moment)
        moment.note(actor.name, "pass.import", site, count=len(made))
        return {"imported": len(made), "changed": sum(old is not None for old, _ in made)}

    def _row(self, row: dict[str, Any], site: str, actor: Actor, moment: Moment) -> tuple[Pass | None, Pass]:
        same = self._passes.of_value(str(row.get("kind")), str(row.get("value") or ""))
        known = next((ident for ident in same if self._passes.all[ident].site == site), None)
        return self._made(Arguments({**row, "site": site, "id": known}), actor, moment)

    # Codes

    def code(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.code{id}`: the text of the visitor's QR code. It opens doors: it is in no log and no audit."""
        one = self._visitor(args.ident("id"), actor)
        args.end()
        demand(actor, Role.OPERATOR, "giving out a visitor's code")
        until = min(one.until_at or float("inf"), moment.wall + LONGEST)
        if until <= moment.wall:
            raise Conflict(f"pass '{one.id}' is over: give it a later end first")
        text = sign(Code(one.id, one.issue, int(until)), self._keys().keys())
        moment.note(actor.name, "pass.code", one.id, issue=one.issue)
        return {"code": text, "until_at": until, "issue": one.issue}

    def renew(self, args: Arguments, actor: Actor, moment: Moment) -> Pass:
        """`pass.renew{id}`: the codes given out so far are void, the next one is good."""
        one = self._visitor(args.ident("id"), actor)
        args.end()
        demand(actor, Role.OPERATOR, "renewing a visitor's code")
        new = replace(one, issue=one.issue + 1, version=one.version + 1)
        self._passes.replace(one, new, moment)
        moment.note(actor.name, "pass.renew", one.id, issue=new.issue)
        return new

    def rotate_keys(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`pass.rotate_keys{at_once?}`: codes are signed by a new key; with `at_once` all codes given out are void."""
        at_once = args.flag("at_once")
        args.end()
        demand(actor, Role.ADMIN, "replacing the key of the visitors' codes")
        if actor.sites:
            raise NotFound("key", "visitors")
        self._keys().rotate(moment.wall, at_once=at_once)
        moment.note(actor.name, "pass.rotate_keys", "visitors", at_once=at_once or None)
        return {"keys": len(self._keys().keys()), "at_once": at_once}

    def _keys(self) -> KeyRing:
        if self._passes.key_ring is None:
            raise Unavailable("this gateway has no key for visitors' codes")
        return self._passes.key_ring

    def _visitor(self, ident: str, actor: Actor) -> Pass:
        one = self._seen(ident, actor)
        if one.kind != "qr":
            raise Conflict(f"pass '{one.id}' is of kind {one.kind}: only passes of kind qr have a code")
        return one

    # Making

    def _made(self, args: Arguments, actor: Actor, moment: Moment) -> tuple[Pass | None, Pass]:
        """The pass that is asked for, and the one it replaces. Nothing is changed."""
        ident, version = args.maybe_ident("id"), args.version()
        site, kind = args.ident("site"), args.choice("kind", KINDS)
        value = args.maybe_text("value", NAME) if kind == "qr" else args.text("value", NAME)
        wanted = self._wanted(args)
        args.end()
        world = self._common.world
        world.site(site, actor)
        demand(actor, Role.OPERATOR, "changing a pass")
        for zone in wanted["zones"]:
            if zone not in world.zones or world.zones[zone].site != site:
                raise Invalid("zones", f"site '{site}' has no zone '{zone}'")
        old = self._passes.all.get(ident) if ident is not None else None
        if old is not None:
            if old.site != site:
                demand_sight(actor, old.site, "pass", old.id)
                raise Invalid("site", f"pass '{old.id}' belongs to site '{old.site}'")
            demand_fresh("pass", old.id, old.version, version)
            if (old.kind == "qr") != (kind == "qr"):
                raise Invalid("kind", f"pass '{old.id}' is of kind {old.kind}: make another pass for the other kind")
        ident = ident or self._common.ids.next("ps")
        if kind == "qr":
            if value not in ("", ident):
                raise Invalid("value", "a pass of kind qr has none: its code is made for it")
            value = ident
        if not normal(kind, value):
            raise Invalid("value", f"nothing is left of it as a {kind}")
        if old is not None:
            return old, replace(old, kind=kind, value=value, version=old.version + 1, **wanted)
        made = Pass(
            id=ident, site=site, kind=kind, value=value, created_at=moment.wall, created_by=actor.name, **wanted
        )  # fmt: skip
        return None, made

    @staticmethod
    def _wanted(args: Arguments) -> dict[str, Any]:
        """What a person says of a pass, beside its kind and value. Raises `Invalid`."""
        from_at, until_at = args.maybe_number("from_at", 0, 1e11), args.maybe_number("until_at", 0, 1e11)
        days, hours = args.maybe_text("days", 100).lower(), args.maybe_text("hours", 200)
        spaces, entries = args.maybe_number("spaces", 0, 1000), args.maybe_number("entries", 1, 100_000)
        wanted = {
            "name": args.maybe_text("name", NAME),
            "note": args.maybe_text("note"),
            "zones": args.idents("zones", 100),
            "from_at": from_at,
            "until_at": until_at,
            "blocked": args.flag("blocked"),
            "visitor": args.flag("visitor"),
            "anti_passback": args.flag("anti_passback"),
            "days": days,
            "hours": hours,
            "household": args.maybe_text("household", 64),
            "spaces": int(spaces) if spaces is not None else None,
            "host": args.maybe_text("host", NAME),
            "picture": _picture(args.maybe_text("picture", 500)),
            "entries": int(entries) if entries is not None else None,
        }
        weekly(days, hours)
        if from_at is not None and until_at is not None and from_at >= until_at:
            raise Invalid("until_at", "is not after from_at")
        return wanted

    def _seen(self, ident: str, actor: Actor) -> Pass:
        one = self._passes.all.get(ident)
        if one is None:
            raise NotFound("pass", ident)
        demand_sight(actor, one.site, "pass", ident)
        return one


def _picture(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s<>\"]{3,}", text):
        raise Invalid("picture", "expected the address of a photograph that the terminals can fetch: https://…")
    return text
