"""What people and programs do with commands: select, confirm, be the second person, withdraw."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import msgspec

from gateway.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from gateway.model import DIRECT, Actor, Command, CommandState, Device
from gateway.services.alerts import Alerts
from gateway.services.arguments import NAME, Arguments
from gateway.services.command_words import LIST_WORDS, Word, word_of
from gateway.services.commands import Commands
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.permission import demand, demand_fresh
from gateway.services.selections import Selection, Selections

_SELECT_FIRST = (
    "missing: select the command first, look, and confirm it in time with the token of the selection; a program may "
    f"command in one step with a token that has the scope '{DIRECT}'"
)


class CommandActions:
    """The actions `command.*`."""

    def __init__(self, commands: Commands, alerts: Alerts, common: Common) -> None:
        self.selections = Selections()
        self._commands = commands
        self._alerts = alerts
        self._common = common

    def select(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`command.select{device, name, args?, confirm, session}`: what would happen, and until when to confirm it.

        `confirm` is the hash of the token with which it will be confirmed. Where something forbids the command, the
        answer says what, and nothing is selected.
        """
        draft, device, word = self._draft(args, actor)
        token, session = args.text("confirm", NAME), args.text("session", NAME)
        args.end()
        settings = self._common.settings
        blocks = self._commands.blocks(draft.name, device)
        if not blocks:
            selection = self._asked(draft, session, moment.now + settings.confirm_within)
            self.selections.put(token, selection)
        return {
            "device": device.id,
            "name": draft.name,
            "args": draft.args,
            "confirm_by": None if blocks else moment.wall + settings.confirm_within,
            "confirm_within": settings.confirm_within,
            "blocked": [msgspec.to_builtins(block) for block in blocks],
            "needs_reason": word.weighty,
            "needs_second": self._second(draft.name, word, device),
            "online": self._common.world.online.get(device.id),
        }

    def request(self, args: Arguments, actor: Actor, moment: Moment) -> Command:
        """`command.request{device, name, args?, expires_in?, idempotency_key?, reason?, confirm?, session?}`.

        Confirms what was selected, or, for a program with the scope for it, commands in one step.
        """
        settings = self._common.settings
        draft, device, word = self._draft(args, actor)
        reason, key = args.maybe_text("reason"), args.maybe_text("idempotency_key", NAME) or None
        expires_in = args.maybe_number("expires_in", 0.001, settings.command_longest)
        token, session = args.maybe_text("confirm", NAME), args.maybe_text("session", NAME)
        args.end()
        draft = msgspec.structs.replace(draft, reason=reason, idempotency_key=key)
        same = self._commands.same(draft)
        if same is not None:
            return same
        if not token and DIRECT not in actor.scopes:
            raise Invalid("confirm", _SELECT_FIRST)
        if word.weighty and not reason:
            raise Invalid("reason", f"'{draft.name}' is weighty: say why")
        try:
            if token:
                self.selections.take(token, self._asked(draft, session, 0.0), moment.now)
            self._commands.check(draft.name, device)
            if not self._released(word, device):
                self._commands.openings.count(actor.name, word, moment)
        except (Conflict, TooMany) as error:
            moment.note(actor.name, "command.request", device.id, "refused", name=draft.name, why=error.message)
            raise
        if self._second(draft.name, word, device):
            draft = msgspec.structs.replace(draft, needs_second=True)
        return self._commands.issue(draft, device, expires_in or settings.command_expires_in, moment)

    def approve(self, args: Arguments, actor: Actor, moment: Moment) -> Command:
        """`command.approve{command, version?}`: another person confirms; the interlocks are asked again."""
        ident, version = args.ident("command"), args.version()
        args.end()
        command, device = self._waiting(ident, actor, "confirming a command as the second person")
        if not actor.name.startswith(("user:", "cli")):
            raise Forbidden("the second person must be a person, not a program")
        if actor.name == command.by:
            raise Forbidden("the second person must be another one than the first")
        demand_fresh("command", ident, command.version, version)
        demand(actor, word_of(command.name).role, f"'{command.name}'")
        try:
            self._commands.check(command.name, device)
        except Conflict as error:
            moment.note(actor.name, "command.approve", ident, "refused", name=command.name, why=error.message)
            raise
        moment.note(actor.name, "command.approve", ident, device=device.id, name=command.name)
        return self._commands.confirm(command, actor.name, moment)

    def withdraw(self, args: Arguments, actor: Actor, moment: Moment) -> Command:
        """`command.withdraw{command, reason?}`: takes back, or refuses as the second person, what was not yet sent."""
        ident, reason = args.ident("command"), args.maybe_text("reason", 300)
        args.end()
        command, _ = self._waiting(ident, actor, "withdrawing a command")
        moment.note(actor.name, "command.withdraw", ident, name=command.name, reason=reason)
        detail = f"withdrawn by {actor.name}: it was never sent" + (f" ({reason})" if reason else "")
        return self._commands.withdraw(command, detail, moment)

    def _draft(self, args: Arguments, actor: Actor) -> tuple[Command, Device, Word]:
        ident, name, arguments = args.ident("device"), args.text("name", NAME), args.mapping("args")
        device = self._common.world.device(ident, actor)
        if name in LIST_WORDS:
            raise Invalid("name", f"'{name}' is the gateway's own word: change the passes, and the list follows")
        word = word_of(name)
        demand(actor, word.role, f"'{name}'")
        draft = Command(id="", site=device.site, device=device.id, name=name, args=arguments, by=actor.name)
        return draft, device, word

    def _asked(self, draft: Command, session: str, until: float) -> Selection:
        return Selection(
            by=draft.by, session=session, device=draft.device, name=draft.name, args=draft.args, until_due=until
        )

    def _released(self, word: Word, device: Device) -> bool:
        """Whether nothing may hold it back: it releases people, and there is a fire alert."""
        return word.releases and self._alerts.fire(device.site) is not None

    def _second(self, name: str, word: Word, device: Device) -> bool:
        named = (name, f"{name}:{device.type}")
        patterns = self._common.settings.second_person
        wanted = any(fnmatchcase(one, pattern) for one in named for pattern in patterns)
        return wanted and not self._released(word, device)

    def _waiting(self, ident: str, actor: Actor, what: str) -> tuple[Command, Device]:
        command = self._commands.get(ident)
        if not actor.may_see(command.site):
            raise NotFound("command", ident)
        demand(actor, word_of(command.name).role, what)
        if command.state is not CommandState.PENDING or not command.waits_for_second:
            raise Conflict(f"command '{ident}' is {command.state}: it waits for no second person", state=command.state)
        return command, self._common.world.device(command.device, actor)
