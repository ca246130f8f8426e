"""One entry of `commands`: the arguments a command word takes, and the messages that carry it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.mapping.coercion import COERCIONS
from adapters.mapping.conditions import Condition, compile_when
from adapters.mapping.document import Part
from adapters.mapping.messages import to_bytes
from adapters.mapping.scope import MISSING, Scope
from adapters.mapping.templates import Template, compile_body, compile_text
from gateway.contract import Packet
from gateway.errors import Invalid
from gateway.model.command import Command
from gateway.model.place import Device

_WORDS = ("args", "send")
_ARG_WORDS = ("as", "default", "minimum", "maximum", "values", "required")
_SEND_WORDS = ("when", "topic", "payload")


class _Argument:
    """One argument: its type, its bounds and what it is where nobody says."""

    def __init__(self, part: Part) -> None:
        words = part.words(_ARG_WORDS, "an argument")
        self._coerce = COERCIONS[words["as"].choice("as", sorted(COERCIONS))] if "as" in words else COERCIONS["text"]
        self._default = words["default"].value() if "default" in words else MISSING
        self._minimum = words["minimum"].number("minimum") if "minimum" in words else None
        self._maximum = words["maximum"].number("maximum") if "maximum" in words else None
        self._values = tuple(item.value() for item in words["values"].items()) if "values" in words else ()
        self._required = "required" in words and words["required"].flag("required")

    def read(self, name: str, given: Any) -> Any:
        """The value to send, or MISSING. Raises `Invalid` naming the argument."""
        if given is MISSING or given is None:
            if self._required:
                raise Invalid(f"args.{name}", "missing")
            return self._default
        try:
            value = self._coerce(given)
        except ValueError as error:
            raise Invalid(f"args.{name}", str(error)) from None
        if self._values and value not in self._values:
            raise Invalid(f"args.{name}", f"{value!r} is not one of {', '.join(map(str, self._values))}")
        if self._minimum is not None and value < self._minimum:
            raise Invalid(f"args.{name}", f"{value} is below {self._minimum:g}")
        if self._maximum is not None and value > self._maximum:
            raise Invalid(f"args.{name}", f"{value} is above {self._maximum:g}")
        return value


class CommandMaker:
    """A compiled entry. Of several messages under `send`, the first whose `when` holds is sent."""

    def __init__(self, part: Part) -> None:
        words = part.words(_WORDS, "a command")
        if "send" not in words:
            raise part.wrong("a command needs `send`")
        arguments = words["args"].pairs() if "args" in words else iter(())
        self._arguments = {name: _Argument(inner) for name, _, inner in arguments}
        self._sends = [_send(item) for item in words["send"].items()]

    def packets(self, command: Command, device: Device) -> tuple[Packet, ...]:
        """The message that carries `command`. Raises `Invalid`."""
        unknown = [name for name in command.args if name not in self._arguments]
        if unknown:
            known = f"{command.name} takes {', '.join(self._arguments)}" if self._arguments else "it takes none"
            raise Invalid(f"args.{unknown[0]}", f"unknown; {known}")
        scope = command_scope(command, device)
        scope.args = {
            name: argument.read(name, command.args.get(name, MISSING)) for name, argument in self._arguments.items()
        }
        for when, topic, body in self._sends:
            if when is None or when(scope):
                place, filled = topic(scope), body(scope)
                if place is MISSING or filled is MISSING:
                    raise Invalid("command", f"{command.name}: a part of the message to send is missing")
                return (Packet(place, to_bytes(filled)),)
        raise Invalid("command", f"{command.name}: the device's settings fit none of the messages it may be sent as")


def command_scope(command: Command, device: Device) -> Scope:
    """What templates of commands can see. `command.time` is when it was sent, in whole Unix seconds."""
    scope = Scope(MISSING, {}, None)
    scope.settings = device.settings
    scope.device = {"id": device.id, "site": device.site, "external_id": device.external_id}
    moment = command.sent_at if command.sent_at is not None else command.requested_at
    scope.command = {"id": command.id, "name": command.name, "time": int(moment)}
    return scope


def _send(part: Part) -> tuple[Condition | None, Template, Template]:
    words = part.words(_SEND_WORDS, "a message to send")
    for needed in ("topic", "payload"):
        if needed not in words:
            raise part.wrong(f"a message to send needs a `{needed}`")
    when = compile_when(words["when"]) if "when" in words else None
    return when, words["topic"].compiled(compile_text, "topic"), compile_body(words["payload"])


def read_commands(part: Part) -> Mapping[str, CommandMaker]:
    """All commands by their word."""
    return {name: CommandMaker(inner) for name, _, inner in part.pairs()}
