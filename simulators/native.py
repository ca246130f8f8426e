"""Devices that speak the native format: CloudEvents in, commands and results, availability as the last will."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from simulators.device import Device
from simulators.wire import Message, Now, rfc3339, to_json

Status = Literal["done", "rejected", "failed"]
REMEMBERED_COMMANDS = 256


def native_topics(site: str, device: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The topics a native device publishes on, and those it reads."""
    root = f"gatehouse/v1/{site}/{device}"
    return (f"{root}/events", f"{root}/availability", f"{root}/results"), (f"{root}/commands",)


class NativeDevice(Device):
    """A device of the native format. Subclasses say which commands they obey through `obey`.

    A command is executed at most once: a repeated id gets the first answer again, an expired one is rejected.
    """

    def __init__(self, identity: Any, seed: object = 0) -> None:
        super().__init__(identity, seed)
        self._root = f"gatehouse/v1/{identity.site}/{identity.id}"
        self._sequence = 0
        self._answers: OrderedDict[str, tuple[Status, str] | None] = OrderedDict()

    @property
    def will(self) -> Message | None:
        """`offline`, retained."""
        return Message(f"{self._root}/availability", b"offline", self.id, "will", retain=True)

    def connected(self, now: Now) -> list[Message]:
        """Announces `online`, retained."""
        super().connected(now)
        return [Message(f"{self._root}/availability", b"online", self.id, "availability", retain=True)]

    def step(self, now: Now) -> list[Message]:
        """As for every device. What a silent device keeps to itself gets no number, so it leaves no gap behind."""
        before = self._sequence
        messages = super().step(now)
        if self.suffers("silent"):
            self._sequence = before
        return messages

    def event(self, kind: str, data: Mapping[str, object], now: Now) -> Message:
        """One CloudEvent of this device. Ids are unique over restarts: the start time and a running number.

        `sequence` (a CloudEvents extension) counts on without a gap within one `boot`.
        """
        self._sequence += 1
        boot = f"{(self.boot or int(now.wall)):x}"
        identifier = f"{boot}-{self._sequence}"
        envelope = {
            "specversion": "1.0",
            "id": identifier,
            "source": self.id,
            "type": kind,
            "time": rfc3339(self.clock(now)),
            "sequence": self._sequence,
            "boot": boot,
            "data": data,
        }
        return Message(f"{self._root}/events", to_json(envelope), self.id, identifier)

    def command(self, topic: str, payload: bytes, now: Now) -> list[Message]:
        """Obeys one command and answers on the results topic; what is no command at all is ignored."""
        try:
            body = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            return []
        if not isinstance(body, dict) or not isinstance(body.get("id"), str):
            return []
        identifier = body["id"]
        if identifier in self._answers:
            earlier = self._answers[identifier]
            return [] if earlier is None else [self._result(identifier, *earlier)]
        if _expired(body.get("expires"), self.clock(now)):
            answer: tuple[Status, str] | None = ("rejected", "expired before it arrived")
        else:
            args = body.get("args")
            answer = self.obey(identifier, str(body.get("command")), args if isinstance(args, dict) else {}, now)
        self._remember(identifier, answer)
        return [] if answer is None else [self._result(identifier, *answer)]

    def obey(self, identifier: str, command: str, args: Mapping[str, Any], now: Now) -> tuple[Status, str] | None:
        """Does what `command` says. None means that the answer follows later through `finish`."""
        return "rejected", f"this device has no command {command!r}"

    def finish(self, identifier: str, status: Status, detail: str) -> Message:
        """The late answer to a command that took a while."""
        self._remember(identifier, (status, detail))
        return self._result(identifier, status, detail)

    def _remember(self, identifier: str, answer: tuple[Status, str] | None) -> None:
        self._answers[identifier] = answer
        while len(self._answers) > REMEMBERED_COMMANDS:
            self._answers.popitem(last=False)

    def _result(self, identifier: str, status: Status, detail: str) -> Message:
        body = {"id": identifier, "status": status, "detail": detail}
        return Message(f"{self._root}/results", to_json(body), self.id, f"result:{identifier}")


def _expired(expires: object, wall: float) -> bool:
    """Whether a command's `expires` (RFC 3339 or Unix seconds) has passed; an unreadable one counts as passed."""
    if expires is None:
        return False
    if isinstance(expires, int | float):
        return wall > expires
    try:
        moment = datetime.fromisoformat(str(expires).replace("Z", "+00:00"))
    except ValueError:
        return True
    return moment.tzinfo is None or wall > moment.timestamp()
