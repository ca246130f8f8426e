"""Commands: at most once, or not at all, and it is always said which (promise P8).

`pending` waits for an offline device, until it expires. `sent` is final for us: it is never sent again. What a device
never answered becomes `unknown`, and so does, after a restart, everything that was under way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from gateway.errors import Conflict, NotFound
from gateway.model import Command, CommandResult, CommandState, Device
from gateway.services.alerts import Alerts
from gateway.services.command_words import word_of
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.observation import Observations
from gateway.services.openings import Openings
from gateway.services.safety import Block, Safety
from gateway.services.templates import plain

EXPIRY = "command.expiry"
STRAY = "gateway.command_stray"

_OUTCOMES = {"done": CommandState.DONE, "rejected": CommandState.REJECTED, "failed": CommandState.FAILED}
#: A device that floods us with results nobody asked for fills a line of the audit this often, in seconds.
_STRAY_EVERY = 10.0


class Commands:
    """All commands that are not final, and the lately finished ones. `finished` is called with each that becomes so."""

    def __init__(
        self, common: Common, alerts: Alerts, safety: Safety | None, finished: Callable[[Command, Moment], None]
    ) -> None:
        """Without `safety` nothing but what releases people is commanded."""
        self.under_way: dict[str, Command] = {}
        self.final: OrderedDict[str, Command] = OrderedDict()
        self.openings = Openings(common.settings)
        self._keys: OrderedDict[str, Command] = OrderedDict()
        self._strays: dict[str, float] = {}
        self._common = common
        self._alerts = alerts
        self._safety = safety
        self._finished = finished
        self.on_observed: Callable[[Command, Moment], None] = lambda command, moment: None
        """Called with each whose proof was seen, or was not seen in time."""
        self.observations = Observations(common, safety or Safety(), self._observed)
        if safety is not None:
            common.world.watch(safety.kinds)

    def take_safety(self, safety: Safety) -> None:
        """Other interlocks and proofs from now on, also for what is under way."""
        self._safety = self.observations.safety = safety
        self._common.world.watch(safety.kinds)

    def restore(self, commands: Iterable[Command]) -> None:
        """Takes over stored commands: those under way, and those whose idempotency keys must be remembered."""
        self.under_way.clear()
        self.final.clear()
        self._keys.clear()
        self._strays.clear()
        self.openings.clear()
        self.observations.clear()
        unique = {command.id: command for command in commands}.values()
        for command in sorted(unique, key=lambda command: (command.requested_at, command.id)):
            self._keep(command)
            self.observations.restore(command)
            if word_of(command.name).opens and not _automatic(command.by):
                self.openings.restore(command.by, command.requested_due)

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

    def order(self, draft: Command, moment: Moment, *, present: bool = False) -> Command:
        """A command made by a rule, a plan or a pass; its id, times and state are filled in here.

        `present` says that the device has just spoken. Raises `NotFound` and `Conflict` as for people.
        """
        device = self._common.world.devices.get(draft.device)
        if device is None:
            raise NotFound("device", draft.device)
        try:
            self.check(draft.name, device)
        except Conflict as error:
            moment.note(draft.by, "command.request", device.id, "refused", name=draft.name, why=error.message)
            raise
        draft = replace(draft, site=device.site)
        return self.issue(draft, device, self._common.settings.command_expires_in, moment, present=present)

    def same(self, draft: Command) -> Command | None:
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

    def blocks(self, name: str, device: Device) -> tuple[Block, ...]:
        """What forbids the command now: interlocks, a disabled device, a gateway without interlocks."""
        if not device.enabled:
            why = f"device '{device.id}' is disabled: enable it first"
            return (Block(id="disabled", reason={"en": why, "zh": f"设备 {device.id} 已停用，请先启用"}),)
        if self._safety is None:
            if word_of(name).releases:
                return ()
            why = "no interlocks are loaded: only what releases people is commanded"
            return (Block(id="no-interlocks", reason={"en": why, "zh": "未加载联锁条件：仅允许释放类指令"}),)
        return self._safety.blocks(name, device, self._common.world, self._alerts)

    def check(self, name: str, device: Device) -> None:
        """Raises `Conflict` where something forbids the command."""
        for block in self.blocks(name, device):
            reason = block.reason["en"]
            if block.id == "disabled":
                raise Conflict(reason)
            raise Conflict(
                f"'{name}' on '{device.id}' is blocked: {reason}",
                interlock=reason, interlock_id=block.id, reason=block.reason, device=device.id,
            )  # fmt: skip

    def issue(
        self, draft: Command, device: Device, expires_in: float, moment: Moment, *, present: bool = False
    ) -> Command:
        """Records the command, and sends it if the device is there and no second person is awaited."""
        lasts = self._common.settings.second_within if draft.waits_for_second else expires_in
        command = replace(
            draft,
            id=self._common.ids.next("cm"),
            state=CommandState.PENDING,
            requested_at=moment.wall,
            requested_due=moment.now,
            expires=moment.wall + lasts,
            expires_due=moment.now + lasts,
            expires_in=expires_in,
        )
        there = not command.waits_for_second and (present or self._common.world.online.get(device.id, True))
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

    def confirm(self, command: Command, by: str, moment: Moment) -> Command:
        """The second person has confirmed it: from now on it has its force, and is sent if the device is there."""
        command = replace(
            command,
            second_by=by,
            expires=moment.wall + command.expires_in,
            expires_due=moment.now + command.expires_in,
            version=command.version + 1,
        )
        if self._common.world.online.get(command.device, True):
            return self._send(command, moment)
        self._keep(command)
        moment.out.put(command)
        return command

    def withdraw(self, command: Command, detail: str, moment: Moment) -> Command:
        """Ends one that was not sent."""
        return self._finish(command, CommandState.REJECTED, detail, moment)

    # What happens to it

    def came_online(self, ident: str, moment: Moment) -> None:
        """The device is there: sends what waits for it and has neither expired nor become dangerous meanwhile."""
        waiting = [one for one in self.under_way.values() if one.device == ident and one.state is CommandState.PENDING]
        for command in waiting:
            device = self._common.world.devices.get(ident)
            if command.expires_due <= moment.now or command.waits_for_second:
                continue
            reason = "the device was removed" if device is None else None
            if device is not None:
                reason = next((block.reason["en"] for block in self.blocks(command.name, device)), None)
            if reason is not None:
                self._finish(command, CommandState.REJECTED, f"not sent: {reason}", moment)
                continue
            self._send(command, moment)

    def _send(self, command: Command, moment: Moment) -> Command:
        sent = replace(command, state=CommandState.SENT, sent_at=moment.wall, version=command.version + 1)
        moment.note(command.by, "command.send", command.id, device=command.device, name=command.name)
        self._keep(sent)
        moment.out.dispatch(sent)
        return sent

    def expired(self, ident: str, moment: Moment) -> None:
        """The timer: what was never sent has expired; what was sent and not answered is unknown."""
        command = self.under_way.get(ident)
        if command is None:
            return
        if command.waits_for_second:
            reason = "no second person confirmed it in time: it was never sent"
            self._finish(command, CommandState.EXPIRED, reason, moment)
        elif command.state is CommandState.PENDING:
            reason = "the device was offline until the command expired: it was never sent"
            self._finish(command, CommandState.EXPIRED, reason, moment)
        else:
            reason = "sent, and the device did not answer: look at the device; it is not sent again"
            self._finish(command, CommandState.UNKNOWN, reason, moment)

    def result(self, device: str, result: CommandResult, moment: Moment) -> None:
        """A device's answer. Only the commanded device's word counts, and only its first."""
        command = self.under_way.get(result.command) or self.final.get(result.command)
        if command is None or command.device != device or command.state is CommandState.PENDING:
            if self._stray(device, result, "no such command was sent to it", moment):
                # Somebody else may have commanded it: a captured command that was played again (FAULTS 75).
                moment.out.tell(device, STRAY, {"id": plain(result.command, 128), "status": plain(result.status, 20)})
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

    def _stray(self, device: str, result: CommandResult, why: str, moment: Moment) -> bool:
        """Writes it into the audit, unless it did so a moment ago."""
        if moment.now - self._strays.get(device, float("-inf")) < _STRAY_EVERY:
            return False
        if len(self._strays) >= self._common.settings.remembered:
            self._strays.clear()
        self._strays[device] = moment.now
        status, ident = plain(result.status, 20), plain(result.command, 128)
        moment.note(f"device:{device}", "command.result", ident, "ignored", status=status, why=why)
        return True

    def _finish(self, command: Command, state: CommandState, detail: str, moment: Moment) -> Command:
        final = replace(command, state=state, detail=detail, finished_at=moment.wall, version=command.version + 1)
        final = self.observations.begin(final, moment)
        self._keep(final)
        moment.out.put(final)
        by = f"device:{command.device}" if state in _OUTCOMES.values() else "system"
        moment.note(by, "command.result", final.id, str(state), device=final.device, name=final.name, detail=detail)
        self._finished(final, moment)
        return final

    def _observed(self, command: Command, moment: Moment) -> None:
        """What was seen of a command that is done."""
        self._keep(command)
        moment.out.put(command)
        self.on_observed(command, moment)

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
