"""The decision at a barrier or a door: in the core, at once, with a named reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from gateway.errors import GatehouseError
from gateway.model import Command, CommandState, Decision, DecisionRecord, Device, Event, Pass, Question
from gateway.model.visitor import shown_code
from gateway.services.arguments import NAME
from gateway.services.commands import Commands
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.pass_windows import weekly
from gateway.services.visitor_codes import REPEAT, KeyRing, Unreadable, read

KINDS = ("plate", "card", "person", "qr")
#: Reasons that explain more than that a pass is for another place.
_NEAR = ("outside_window", "outside_hours", "used_up")
#: A command that ended so has opened nothing.
_SHUT = (CommandState.REJECTED, CommandState.FAILED, CommandState.EXPIRED)

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

    def __init__(self, common: Common, commands: Commands, keys: KeyRing | None = None) -> None:
        """Without `keys` no code is read."""
        self.all: dict[str, Pass] = {}
        self._by_value: dict[tuple[str, str], tuple[str, ...]] = {}
        self._households: dict[tuple[str, str], set[str]] = {}
        self._common = common
        self._commands = commands
        self.key_ring = keys
        self.on_change: Callable[[Pass | None, Pass | None, Moment], None] = lambda old, new, moment: None
        """Called with each pass that was made, changed or taken away."""

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
        decision = self.judge(question, device, event, moment)
        command = self._open(question, device, decision, moment) if decision.allowed else None
        if command is not None and decision.pass_id is not None:
            self._went(self.all[decision.pass_id], question.direction, command, moment)
        moment.out.decide(
            DecisionRecord(
                site=device.site,
                device=device.id,
                kind=question.kind,
                value=shown_code(question.value) if question.kind == "qr" else question.value[:NAME],
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

    def judge(self, question: Question, device: Device, event: Event | None, moment: Moment) -> Decision:
        """The answer and its reason. Nothing changes and nothing opens."""
        if event is not None and event.replay:
            return Decision(allowed=False, reason="replay")
        if event is not None and (event.late or moment.now - event.at > self._common.settings.question_stale):
            return Decision(allowed=False, reason="late")
        if question.kind == "qr":
            return self._judge_code(question, device, moment)
        value = normal(question.kind, question.value)
        if not value:
            return Decision(allowed=False, reason="unread")
        reason, nearest = "no_pass", None
        allowed: Pass | None = None
        places = self._common.world.places(device)
        for ident in sorted(self._by_value.get((question.kind, value), ())):
            one = self.all[ident]
            if one.site != device.site:
                continue
            misfit = self._misfit(one, places, moment.wall)
            if misfit is None and one.blocked:
                return Decision(allowed=False, reason="blocked", pass_id=ident)
            misfit = misfit or _spent(one, question.direction)
            if misfit is None:
                allowed = allowed or one
            elif not one.blocked and reason not in _NEAR:
                # A pass for this very place, at another hour, explains more than one for another place.
                reason, nearest = misfit, ident
        if allowed is None:
            return Decision(allowed=False, reason=reason, pass_id=nearest)
        full = self._full(allowed, question.direction)
        return Decision(allowed=full is None, reason=full or "pass", pass_id=allowed.id)

    def _judge_code(self, question: Question, device: Device, moment: Moment) -> Decision:
        """A code that was scanned: first whose it is, then what its pass says."""
        if not question.value.strip():
            return Decision(allowed=False, reason="unread")
        try:
            code = read(question.value, self.key_ring.keys() if self.key_ring is not None else ())
        except Unreadable:
            return Decision(allowed=False, reason="bad_code")
        one = self.all.get(code.pass_id)
        if one is None or one.kind != "qr" or one.site != device.site or one.issue != code.issue:
            return Decision(allowed=False, reason="void_code")
        reason = "blocked" if one.blocked else "code_over" if moment.wall >= code.until else None
        reason = (
            reason
            or self._misfit(one, self._common.world.places(device), moment.wall)
            or _spent(one, question.direction)
            or (_shown_again(one, moment.wall) if question.direction != "out" else None)
            or self._full(one, question.direction)
        )
        return Decision(allowed=reason is None, reason=reason or "pass", pass_id=one.id)

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

    def _full(self, one: Pass, direction: str) -> str | None:
        """Why it may not come in although its pass is good. Nobody is ever kept from leaving by this."""
        if direction != "in":
            return None
        if one.anti_passback and one.inside:
            return "already_inside"
        others = [self.all[ident] for ident in self._households.get((one.site, one.household), ()) if ident != one.id]
        spaces = max((other.spaces for other in (one, *others) if other.spaces is not None), default=None)
        if one.household and spaces is not None and sum(other.inside for other in others) >= spaces:
            return "no_space"
        return None

    def _went(self, one: Pass, direction: str, command: Command, moment: Moment) -> None:
        """It was let in or out: kept where that decides about the next one."""
        new = one
        if direction in ("in", "out") and (one.anti_passback or one.household):
            new = replace(new, inside=direction == "in", inside_at=moment.wall)
        if direction != "out" and (one.entries is not None or one.kind == "qr"):
            new = replace(new, used=one.used + 1, used_at=moment.wall)
        if new is not one:
            self.replace(one, replace(new, went_by=command.id, went_before=one.inside), moment)

    def not_opened(self, command: Command, moment: Moment) -> None:
        """Nothing opened after all: who was let through still stands there, and neither space nor entry is used.

        What nobody answered is `unknown`, and may have opened: that counts.
        """
        if command.state not in _SHUT or not command.by.startswith("pass:"):
            return
        one = self.all.get(command.by.removeprefix("pass:"))
        if one is not None and one.went_by == command.id:
            used = one.used - 1 if one.used_at == command.requested_at else one.used
            self.replace(one, replace(one, inside=one.went_before, used=used, used_at=None, went_by=""), moment)

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

    def replace(self, old: Pass | None, new: Pass, moment: Moment) -> None:
        """Keeps a pass, in the place of the one before."""
        if old is not None:
            self._unindex(old)
        self._index(new)
        moment.out.put(new)
        self.on_change(old, new, moment)

    def remove(self, one: Pass, moment: Moment) -> None:
        """Forgets a pass."""
        self._unindex(one)
        moment.out.remove(replace(one, version=one.version + 1))
        self.on_change(one, None, moment)

    def of_value(self, kind: str, value: str) -> tuple[str, ...]:
        """The ids of all passes with that value, of whatever site."""
        return self._by_value.get((kind, normal(kind, value)), ())

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


def _spent(one: Pass, direction: str) -> str | None:
    """Whether it has entered as often as it may. To leave costs nothing."""
    return "used_up" if one.entries is not None and one.used >= one.entries and direction != "out" else None


def _shown_again(one: Pass, wall: float) -> str | None:
    return "just_used" if one.used_at is not None and 0 <= wall - one.used_at < REPEAT else None


def _in_window(one: Pass, wall: float) -> bool:
    return not (one.from_at is not None and wall < one.from_at) and not (
        one.until_at is not None and wall >= one.until_at
    )
