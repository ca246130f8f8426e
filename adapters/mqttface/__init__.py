"""The MQTT face terminal: `mqtt/face/...`, records, questions and `Unlock`. All of it is in mapping.yaml."""

from adapters.built_in import mapping_of
from adapters.mapping import MappingAdapter


def create() -> MappingAdapter:
    """The adapter, for the table of adapters."""
    return mapping_of(__name__)
