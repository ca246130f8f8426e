"""DL/T 645-2007 and -1997 meters behind a transparent MQTT unit: `dtu/{unit}/up` and `dtu/{unit}/down`."""

from adapters.dlt645.adapter import Dlt645

__all__ = ["Dlt645", "create"]


def create() -> Dlt645:
    """The adapter, for the table of adapters."""
    return Dlt645()
