"""The shipped catalogue: one YAML file a domain, read once at start."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from gateway.model.catalogue import Catalogue, Kind


@cache
def load_catalogue() -> Catalogue:
    """All kinds of the YAML files beside this module, read once.

    Raises `msgspec.ValidationError` naming the field on bad data.
    """
    kinds: list[Kind] = []
    for file in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".yaml"):
            document = msgspec.yaml.decode(file.read_bytes())
            kinds += [msgspec.convert({"name": name, **body}, Kind) for name, body in document.items()]
    return Catalogue(kinds)
