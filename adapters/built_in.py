"""How a built-in mapping is read from the folder of its adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from adapters.mapping import MappingAdapter, load_mapping, read_profile
from adapters.mapping.profiles import Tables


def mapping_of(
    package: str,
    codecs: Mapping[str, Callable[[Any], Any]] | None = None,
    more_profiles: Mapping[str, Tables] | None = None,
) -> MappingAdapter:
    """The adapter of `package`, from its `mapping.yaml` and the tables in its folder `profiles`, if it has one."""
    folder = files(package)
    profiles: dict[str, Tables] = {}
    shelf = folder / "profiles"
    if shelf.is_dir():
        for file in sorted(shelf.iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".yaml"):
                profiles[file.name.removesuffix(".yaml")] = read_profile(file.read_text("utf-8"), file.name)
    profiles.update(more_profiles or {})
    text = (folder / "mapping.yaml").read_text("utf-8")
    return load_mapping(text, f"{package}/mapping.yaml", codecs, profiles)
