"""Mappings: any JSON format described in one YAML file. See docs/adapters.md for the language."""

from adapters.mapping.document import MappingError
from adapters.mapping.engine import MappingAdapter, load_mapping
from adapters.mapping.profiles import read_profile

__all__ = ["MappingAdapter", "MappingError", "load_mapping", "read_profile"]
