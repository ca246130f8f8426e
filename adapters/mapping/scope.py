"""What the expressions of a mapping can see while one message, one item or one command is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.contract import Context


class Missing:
    """The answer of a path that leads nowhere."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing()


class Scope:
    """The roots of paths: `$` payload, `item`, `keys`, `topic`, `settings`, `device`, `command`, `args`, `shadow`.

    `topic` holds the captures by name and the whole topic under "". `place` is the path of the item within the
    payload, so that errors can say `$.list[3].key` for `item.key`.
    """

    __slots__ = (
        "args",
        "command",
        "context",
        "device",
        "external_id",
        "item",
        "keys",
        "payload",
        "place",
        "settings",
        "shadow",
        "tables",
        "topic",
    )

    def __init__(self, payload: Any, topic: Any, context: Context | None) -> None:
        self.payload = payload
        self.topic = topic
        self.context = context
        self.external_id = ""
        self.item: Any = MISSING
        self.keys: tuple[str, ...] = ()
        self.place = "item"
        self.settings: Mapping[str, Any] = {}
        self.device: Any = MISSING
        self.command: Any = MISSING
        self.args: Any = MISSING
        self.shadow: Any = MISSING
        self.tables: Mapping[str, Mapping[str, Any]] = {}

    def speak_for(self, external_id: str) -> None:
        """From here on the device with that serial speaks: its settings and its zone count."""
        self.external_id = external_id
        device = self.context.device(external_id) if self.context is not None else None
        if device is None:
            self.device = {"external_id": external_id}
            self.settings = {}
        else:
            self.device = {"external_id": external_id, "id": device.id, "site": device.site}
            self.settings = device.settings

    def timezone(self) -> str:
        """IANA name of the zone of the device's local times."""
        return self.context.timezone(self.external_id) if self.context is not None else "UTC"

    def received(self) -> float:
        """When the message was received, Unix seconds."""
        return self.context.received if self.context is not None else 0.0

    def locate(self, path: str) -> str:
        """`path` as seen from the payload's root."""
        return self.place + path[len("item") :] if path.startswith("item") else path
