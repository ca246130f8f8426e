"""All adapters by name: the built-in ones of the table below, those of installed packages, and a site's own mappings.

Built-in and foreign adapters come through the same door: a name and a function without arguments that makes the
adapter. Other packages offer theirs through the entry-point group `gatehouse.adapters`; whoever runs a site puts
mapping files into `HOME/mappings/*.yaml` and fault tables into `HOME/mappings/profiles/ADAPTER/*.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from adapters.liftfault import create as create_liftfault
from adapters.mapping import MappingError, load_mapping, read_profile
from adapters.mapping.profiles import Tables
from gateway.contract import Adapter
from gateway.errors import GatehouseError

BUILT_IN: tuple[tuple[str, str], ...] = (
    ("cloudevents", "adapters.cloudevents:create"),
    ("mqttface", "adapters.mqttface:create"),
    ("vzenith", "adapters.vzenith:create"),
    ("liftfault", "adapters.liftfault:create"),
    ("dlt645", "adapters.dlt645:create"),
    ("tasmota", "adapters.tasmota:create"),
)
"""The one table of built-in adapters: name, and `module:function` as in an entry point."""

ENTRY_POINT_GROUP = "gatehouse.adapters"


class AdapterError(GatehouseError):
    """An adapter cannot be loaded: names it, where it comes from, and what to do."""

    code = "adapter"
    exit_code = 2


def load_adapters(extra_mappings: Path | None = None) -> dict[str, Adapter]:
    """Every adapter by its own name. `extra_mappings` is a folder of mapping files, which may be absent.

    Raises `MappingError` for a file that is wrong and `AdapterError` for a name that is taken or a broken package.
    """
    folder = extra_mappings if extra_mappings is not None and extra_mappings.is_dir() else None
    found: dict[str, Adapter] = {}
    sources: dict[str, str] = {}
    for source, adapter in _all(folder):
        for taken in (adapter.manifest.name, *adapter.manifest.aliases):
            if taken in sources:
                raise AdapterError(f"{source}: the name {taken!r} is taken by {sources[taken]}; choose another")
            sources[taken] = source
        found[adapter.manifest.name] = adapter
    return found


def find_adapter(adapters: Mapping[str, Adapter], name: str) -> Adapter | None:
    """The adapter called `name`, or having it as an alias (`native` is `cloudevents`); None if there is none."""
    if name in adapters:
        return adapters[name]
    return next((adapter for adapter in adapters.values() if name in adapter.manifest.aliases), None)


def _all(folder: Path | None) -> Iterator[tuple[str, Adapter]]:
    for name, place in BUILT_IN:
        profiles = _profiles(folder / "profiles" / name) if folder is not None else {}
        yield f"the built-in adapter {name}", _made(place, profiles if name == "liftfault" else None)
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        try:
            adapter = cast(Adapter, point.load()())
            _ = adapter.manifest.name
        except Exception as error:
            raise AdapterError(
                f"adapter {point.name!r} ({point.value}): {error}; repair or uninstall that package"
            ) from error
        yield f"the package that offers {point.value}", adapter
    if folder is not None:
        for file in sorted(folder.glob("*.yaml")):
            yield str(file), load_mapping(_text(file), str(file), None, _profiles(folder / "profiles" / file.stem))


def _made(place: str, profiles: dict[str, Tables] | None) -> Adapter:
    if profiles:
        return create_liftfault(profiles)
    module, _, function = place.partition(":")
    return cast(Adapter, getattr(import_module(module), function)())


def _profiles(folder: Path) -> dict[str, Tables]:
    if not folder.is_dir():
        return {}
    return {file.stem: read_profile(_text(file), str(file)) for file in sorted(folder.glob("*.yaml"))}


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise MappingError(str(file), 1, 1, f"not UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise AdapterError(f"{file}: cannot be read: {error.strerror}") from error


__all__ = ["BUILT_IN", "ENTRY_POINT_GROUP", "AdapterError", "MappingError", "find_adapter", "load_adapters"]
