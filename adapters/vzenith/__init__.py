"""Vzenith plate cameras over MQTT and HTTP. mapping.yaml holds the format, `codecs` how plates are written."""

from adapters.built_in import mapping_of
from adapters.mapping import MappingAdapter
from adapters.vzenith.codecs import plate, plate_base64


def create() -> MappingAdapter:
    """The adapter, for the table of adapters."""
    return mapping_of(__name__, {"plate": plate, "plate_base64": plate_base64})
