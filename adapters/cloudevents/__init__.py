"""The native format: CloudEvents 1.0 in structured JSON, over MQTT or HTTP."""

from adapters.cloudevents.adapter import CloudEvents

__all__ = ["CloudEvents", "create"]


def create() -> CloudEvents:
    """The adapter, for the table of adapters."""
    return CloudEvents()
