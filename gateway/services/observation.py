"""Whether a device that answered "done" is seen to have done it (FAULTS 80).

A command whose word has a proof is `waiting` from the device's answer, then `observed` or `missing`. Only a device that
says the state at all is waited for. What is missing is told to the rules as `gateway.command_unconfirmed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from gateway.model import Command, CommandState
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.safety import Feedback, Safety, verdict

OBSERVATION = "command.observation"
UNCONFIRMED = "gateway.command_unconfirmed"


class Observations:
    """The done commands whose proof is awaited, by device."""

    def __init__(self, common: Common, safety: Safety, keep: Callable[[Command, Moment], None]) -> None:
        self._common = common
        self.safety = safety
        self._keep = keep
        self._waiting: dict[str, dict[str, Command]] = {}

    def clear(self) -> None:
        """Forgets all."""
        self._waiting.clear()

    def restore(self, command: Command) -> None:
        """Takes over a stored command; one that is not waiting is passed over."""
        if command.observation == "waiting":
            self._wait(command)

    def begin(self, command: Command, moment: Moment) -> Command:
        """The command as it is kept after the device's answer: `observed`, `waiting`, or left as it is."""
        if command.state is not CommandState.DONE:
            return command
        device = self._common.world.devices.get(command.device)
        if device is None:
            return command
        told = [(proof, self._seen(proof, command.device)) for proof in self.safety.proofs(command.name, device)]
        if any(seen for _, seen in told):
            return replace(command, observation="observed", observed_at=moment.wall)
        within = max(
            (proof.within or self._common.settings.observe_within for proof, seen in told if seen is not None),
            default=None,
        )
        if within is None:
            return command
        self._supersede(command, moment)
        command = replace(command, observation="waiting", observe_due=moment.now + within)
        self._wait(command)
        return command

    def seen(self, ident: str, kind: str, data: Mapping[str, Any], moment: Moment) -> None:
        """What a device said: it may be the proof that is awaited."""
        waiting = self._waiting.get(ident)
        device = self._common.world.devices.get(ident)
        if not waiting or device is None:
            return
        for command in list(waiting.values()):
            proofs = [proof for proof in self.safety.proofs(command.name, device) if proof.kind == kind]
            if any(verdict(proof.when, data) for proof in proofs):
                done = replace(
                    command, observation="observed", observed_at=moment.wall, observe_due=None,
                    version=command.version + 1,
                )  # fmt: skip
                self._end(done, moment)

    def overdue(self, ident: str, moment: Moment) -> None:
        """The timer: the device said that it did it, and its state says otherwise."""
        command = next((held[ident] for held in self._waiting.values() if ident in held), None)
        if command is None:
            return
        missing = replace(command, observation="missing", observe_due=None, version=command.version + 1)
        moment.note("system", "command.unconfirmed", ident, "failed", device=command.device, name=command.name)
        moment.out.tell(command.device, UNCONFIRMED, {"command": command.name, "id": command.id})
        self._end(missing, moment)

    def _supersede(self, newer: Command, moment: Moment) -> None:
        """A later command takes the place of the ones before it: raise, then lower, is no failure of the first."""
        for command in list(self._waiting.get(newer.device, {}).values()):
            self._end(replace(command, observation="", observe_due=None, version=command.version + 1), moment)

    def _seen(self, proof: Feedback, device: str) -> bool | None:
        data = self._common.world.newest(device, proof.kind)
        return None if data is None else verdict(proof.when, data)

    def _wait(self, command: Command) -> None:
        self._waiting.setdefault(command.device, {})[command.id] = command
        self._common.timers.set(OBSERVATION, command.id, command.observe_due)

    def _end(self, command: Command, moment: Moment) -> None:
        held = self._waiting[command.device]
        del held[command.id]
        if not held:
            del self._waiting[command.device]
        self._common.timers.set(OBSERVATION, command.id, None)
        self._keep(command, moment)
