"""What a gateway is loaded with: the catalogue, the rules, the plans and the adapters, shipped and the site's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from adapters import load_adapters
from gateway.catalogue import load_catalogue
from gateway.config import Home
from gateway.contract import Adapter
from gateway.errors import ConfigError
from gateway.model import Catalogue
from gateway.services.plan_book import PlanBook
from gateway.services.plan_reading import read_plans
from rules import RuleSet, load_packs, shipped_packs


class LoadedDefinitions(msgspec.Struct, frozen=True):
    """Everything a gateway knows before its first message. `adapters` are keyed by name and by alias."""

    catalogue: Catalogue
    rules: RuleSet
    plans: PlanBook
    adapters: dict[str, Adapter]

    @property
    def command_words(self) -> dict[str, tuple[str, ...]]:
        """The command words that each adapter can carry, by its name and by its aliases."""
        return {name: adapter.manifest.commands for name, adapter in self.adapters.items()}


def load_definitions(home: Home) -> LoadedDefinitions:
    """All of them. Raises `PackError`, `PlanBookError`, `MappingError` with everything wrong in a file."""
    catalogue = load_catalogue()
    adapters = load_adapters(home.mappings)
    named = {alias: adapter for adapter in adapters.values() for alias in adapter.manifest.aliases}
    return LoadedDefinitions(
        catalogue,
        load_packs([*shipped_packs(), *sorted(home.rules.glob("*.yaml"))], catalogue),
        _plans(sorted(home.plans.glob("*.yaml"))),
        {**named, **adapters},
    )


def shipped_plans() -> PlanBook:
    """The emergency plans that come with the product."""
    return _plans([])


def _plans(own: list[Path]) -> PlanBook:
    folder = files("rules") / "plans"
    texts = {f"plans/{file.name}": file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".yaml")}
    shipped = dict(sorted(texts.items()))
    try:
        return read_plans({**shipped, **{str(path): path.read_text("utf-8") for path in own}})
    except UnicodeDecodeError as error:
        raise ConfigError(", ".join(map(str, own)), str(error), "plans as UTF-8 text") from error
