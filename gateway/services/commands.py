"""Commands: at most once, or not at all, and it is always said which (promise P8).

`pending` waits for an offline device, until it expires. `sent` is final for us: it is never sent again. What a device
never answered becomes `unknown`, and so does, after a restart, everything that was under way.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from gateway.errors import Conflict, Invalid, NotFound, TooMany
from gateway.model import Actor, Command, CommandResult, CommandState, Device
from gateway.services.alerts import Alerts
from gateway.services.arguments import NAME, Arguments
from gateway.services.command_words import Word, check_interlock, interlock, word_of
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.permission import demand
from gateway.services.templates import plain

EXPIRY = "command.expiry"

_OUTCOMES = {"done": CommandState.DONE, "rejected": CommandState.REJECTED, "failed": CommandState.FAILED}
#: A device that floods us with results nobody asked for fills a line of the audit this often, in seconds.
_STRAY_EVERY = 10.0


class Commands:
    """All commands that are not final, and the lately finished ones. `finished` is called with each that becomes so."""

    def __init__(self, common: Common, alerts: Alerts, finished: Callable[[Command, Moment], None]) -> None:
        self.under_way: dict[str, Command] = {}
        self.final: OrderedDict[str, Command] = OrderedDict()
        self._keys: OrderedDict[str, Command] = OrderedDict()
        self._opens: dict[str, deque[float]] = {}
        self._strays: dict[str, float] = {}
        self._common = common
        self._alerts = alerts
        self._finished = finished

    def restore(self, commands: Iterable[Command]) -> None:
        """Takes over stored commands: those under way, and those whose idempotency keys must be remembered."""
        self.under_way.clear()
        self.final.clear()
        self._keys.clear()
        self._opens.clear()
        self._strays.clear()
        unique = {command.id: command for command in commands}.values()
        for command in sorted(unique, key=lambda command: (command.requested_at, command.id)):
            self._keep(command)
            if word_of(command.name).opens and not _automatic(command.by):
                requested = command.expires_due - (command.expires - command.requested_at)
                self._opens.setdefault(command.by, deque()).append(requested)

    def recover(self, moment: Moment) -> None:
        """After a restart: what was sent may have been done or not. It is said so, and nothing is sent again."""
        for command in list(self.under_way.values()):
            if command.state is CommandState.SENT:
                reason = (
                    "the gateway was restarted before the device answered: look at the device; it is not sent again"
                )
                self._finish(command, CommandState.UNKNOWN, reason, moment)

    def get(self, ident: str) -> Command:
        """A command under way or finished lately. Raises `NotFound`."""
        command = self.under_way.get(ident) or self.final.get(ident)
        if command is None:
            raise NotFound("command", ident)
        return command

    # Asking

    def request(self, args: Arguments, actor: Actor, moment: Moment) -> Command:
        """`command.request{device, name, args?, expires_in?, idempotency_key?, reason?}`."""
        settings = self._common.settings
        ident, name = args.ident("device"), args.text("name", NAME)
        arguments, reason = args.mapping("args"), args.maybe_text("reason")
        key = args.maybe_text("idempotency_key", NAME) or None
        expires_in = args.maybe_number("expires_in", 0.001, settings.command_longest)
        args.end()
        device = self._common.world.device(ident, actor)
        word = word_of(name)
        demand(actor, word.role, f"'{name}'")
        draft = Command(
            id="",
            site=device.site,
            device=device.id,
            name=name,
            args=arguments,
            by=actor.name,
            reason=reason,
            idempotency_key=key,
        )
        same = self._same(draft)
        if same is not None:
            return same
        if word.weighty and not reason:
            raise Invalid("reason", f"'{name}' is weighty: say why")
        try:
            self._check(draft, device)
            self._limit(actor.name, word, moment)
        except (Conflict, TooMany) as error:
            moment.note(actor.name, "command.request", device.id, "refused", name=name, why=error.message)
            raise
        return self._issue(draft, device, expires_in or settings.command_expires_in, moment)

    def order(self, draft: Command, moment: Moment, *, present: bool = False) -> Command:
        """A command made by a rule, a plan or a pass; its id, times and state are filled in here.

        `present` says that the device has just spoken. Raises `NotFound` and `Conflict` as for people.
        """
        device = self._common.world.devices.get(draft.device)
        if device is None:
            raise NotFound("device", draft.device)
        try:
            self._check(draft, device)
        except Conflict as error:
            moment.note(draft.by, "command.request", device.id, "refused", name=draft.name, why=error.message)
            raise
        draft = replace(draft, site=device.site)
        return self._issue(draft, device, self._common.settings.command_expires_in, moment, present=present)

    def _same(self, draft: Command) -> Command | None:
        """The command that was asked for with the same key. Raises `Conflict` where the key was for another one."""
        if draft.idempotency_key is None:
            return None
        first = self._keys.get(draft.idempotency_key)
        if first is None:
            return None
        if (first.by, first.device, first.name, first.args) != (draft.by, draft.device, draft.name, draft.args):
            raise Conflict(
                f"idempotency key '{draft.idempotency_key}' was used for another command: each needs its own"
            )
        return self.under_way.get(first.id) or self.final.get(first.id) or first

    def _check(self, draft: Command, device: Device) -> None:
        if not device.enabled:
            raise Conflict(f"device '{device.id}' is disabled: enable it first")
        check_interlock(draft.name, device, self._common.world, self._alerts)

    def _limit(self, by: str, word: Word, moment: Moment) -> None:
        """FAULTS 81: counts the actor's openings in the window. Raises `TooMany`."""
        if not word.opens:
            return
        settings = self._common.settings
        times = self._opens.setdefault(by, deque())
        while times and times[0] <= moment.now - settings.opens_window:
            times.popleft()
        if len(times) >= settings.opens_limit:
            raise TooMany(f"openings by {by}", max(1.0, times[0] + settings.opens_window - moment.now))
        times.append(moment.now)

    def _issue(
        self, draft: Command, device: Device, expires_in: float, moment: Moment, *, present: bool = False
    ) -> Command:
        command = replace(
            draft,
            id=self._common.ids.next("cm"),
            state=CommandState.PENDING,
            requested_at=moment.wall,
            expires=moment.wall + expires_in,
            expires_due=moment.now + expires_in,
        )
        there = present or self._common.world.online.get(device.id, True)
        if there:
            command = replace(command, state=CommandState.SENT, sent_at=moment.wall)
        moment.note(
            command.by,
            "command.request",
            command.id,
            str(command.state),
            device=device.id,
            name=command.name,
            args=command.args,
            reason=command.reason,
        )
        self._keep(command)
        if there:
            moment.out.dispatch(command)
        else:
            moment.out.put(command)
        return command

    # What happens to it

    def came_online(self, ident: str, moment: Moment) -> None:
        """The device is there: sends what waits for it and has neither expired nor become dangerous meanwhile."""
        waiting = [one for one in self.under_way.values() if one.device == ident and one.state is CommandState.PENDING]
        for command in waiting:
            device = self._common.world.devices.get(ident)
            if command.expires_due <= moment.now:
                continue
            reason = "the device was removed" if device is None else None
            if device is not None:
                reason = interlock(command.name, device, self._common.world, self._alerts)
            if reason is not None:
                self._finish(command, CommandState.REJECTED, f"not sent: {reason}", moment)
                continue
            sent = replace(command, state=CommandState.SENT, sent_at=moment.wall, version=command.version + 1)
            moment.note(command.by, "command.send", command.id, device=ident, name=command.name)
            self._keep(sent)
            moment.out.dispatch(sent)

    def expired(self, ident: str, moment: Moment) -> None:
        """The timer: what was never sent has expired; what was sent and not answered is unknown."""
        command = self.under_way.get(ident)
        if command is None:
            return
        if command.state is CommandState.PENDING:
            reason = "the device was offline until the command expired: it was never sent"
            self._finish(command, CommandState.EXPIRED, reason, moment)
        else:
            reason = "sent, and the device did not answer: look at the device; it is not sent again"
            self._finish(command, CommandState.UNKNOWN, reason, moment)

    def result(self, device: str, result: CommandResult, moment: Moment) -> None:
        """A device's answer. Only the commanded device's word counts, and only its first."""
        command = self.under_way.get(result.command) or self.final.get(result.command)
        if command is None or command.device != device or command.state is CommandState.PENDING:
            self._stray(device, result, "no such command was sent to it", moment)
            return
        state = _OUTCOMES.get(result.status)
        if command.state is not CommandState.SENT:
            if state is not command.state:
                self._stray(device, result, f"the command is already {command.state}", moment)
            return
        detail = plain(result.detail, 500)
        if state is None:
            state, detail = CommandState.FAILED, plain(f"answered '{result.status}'; {detail}", 500)
        self._finish(command, state, detail, moment)

    def _stray(self, device: str, result: CommandResult, why: str, moment: Moment) -> None:
        if moment.now - self._strays.get(device, float("-inf")) < _STRAY_EVERY:
            return
        if len(self._strays) >= self._common.settings.remembered:
            self._strays.clear()
        self._strays[device] = moment.now
        status, ident = plain(result.status, 20), plain(result.command, 128)
        moment.note(f"device:{device}", "command.result", ident, "ignored", status=status, why=why)

    def _finish(self, command: Command, state: CommandState, detail: str, moment: Moment) -> None:
        final = replace(command, state=state, detail=detail, finished_at=moment.wall, version=command.version + 1)
        self._keep(final)
        moment.out.put(final)
        by = f"device:{command.device}" if state in _OUTCOMES.values() else "system"
        moment.note(by, "command.result", final.id, str(state), device=final.device, name=final.name, detail=detail)
        self._finished(final, moment)

    # Keeping

    def _keep(self, command: Command) -> None:
        settings = self._common.settings
        if command.idempotency_key is not None:
            self._keys[command.idempotency_key] = command
            while len(self._keys) > settings.keys_remembered:
                self._keys.popitem(last=False)
        if not command.state.final:
            self.under_way[command.id] = command
            waits = command.state is CommandState.SENT
            due = command.expires_due + (word_of(command.name).answered_within if waits else 0.0)
            self._common.timers.set(EXPIRY, command.id, due)
            return
        self.under_way.pop(command.id, None)
        self._common.timers.set(EXPIRY, command.id, None)
        self.final[command.id] = command
        while len(self.final) > settings.remembered:
            self.final.popitem(last=False)


def _automatic(by: str) -> bool:
    return by.startswith(("rule:", "plan:", "pass:"))
