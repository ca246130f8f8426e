"""Stage one: which adapter reads a topic, and what it may ask while it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.contract import Adapter
from gateway.core.registry import Registry
from gateway.core.states import States
from gateway.model import Device

#: Topics whose adapter is remembered. More only come from abuse; then the memory is begun anew.
MOST_TOPICS = 100_000


def matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT filter matches a topic (MQTT 3.1.1, section 4.7)."""
    wanted, levels = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


class Router:
    """Finds the adapter of a topic. Where two match, the one whose filter is listed first."""

    def __init__(self, adapters: Iterable[Adapter]) -> None:
        self._filters = [(pattern, adapter) for adapter in adapters for pattern in adapter.manifest.topics]
        self._known: dict[str, Adapter | None] = {}

    @property
    def filters(self) -> list[str]:
        """All filters to subscribe to, each once."""
        return list(dict.fromkeys(pattern for pattern, _ in self._filters))

    def adapter_of(self, topic: str) -> Adapter | None:
        """The adapter that reads `topic`, or None."""
        try:
            return self._known[topic]
        except KeyError:
            if len(self._known) >= MOST_TOPICS:
                self._known.clear()
            found = next((adapter for pattern, adapter in self._filters if matches(pattern, topic)), None)
            self._known[topic] = found
            return found


class DecodeContext:
    """What one adapter may ask. One object an adapter, set before each message."""

    def __init__(self, adapter: str, registry: Registry, states: States) -> None:
        self._adapter = adapter
        self._registry = registry
        self._states = states
        self.received = 0.0
        self.retain = False

    def device(self, external_id: str) -> Device | None:
        """The adapter's device with that serial."""
        return self._registry.find(self._adapter, external_id)

    def timezone(self, external_id: str) -> str:
        """The zone in which that device's local times are meant."""
        return self._registry.timezone(self.device(external_id))

    def shadow(self, external_id: str) -> Mapping[str, Any]:
        """The device's merged state so far."""
        device = self.device(external_id)
        state = self._states.devices.get(device.id) if device is not None else None
        return state.shadow if state is not None else {}
