"""What a gateway is loaded with: the catalogue, the rules, the plans and the adapters, shipped and the site's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from adapters import load_adapters
from gateway.app.channels import Alarms, load_alarms
from gateway.catalogue import load_catalogue
from gateway.config import Home
from gateway.contract import Adapter
from gateway.errors import ConfigError
from gateway.model import Catalogue
from gateway.services.plan_book import PlanBook
from gateway.services.plan_reading import read_plans
from gateway.services.safety import Safety
from gateway.services.safety_reading import read_safety
from gateway.services.schedule_book import ScheduleBook
from gateway.services.schedule_reading import read_schedules
from gateway.services.team_reading import read_teams
from gateway.services.teams import TeamBook
from rules import RuleSet, load_packs, shipped_packs
from rules.commands import safety_texts


class LoadedDefinitions(msgspec.Struct, frozen=True):
    """Everything a gateway knows before its first message, but for its rules: those are in the core's keeping.

    `adapters` are keyed by name and by alias.
    """

    catalogue: Catalogue
    plans: PlanBook
    teams: TeamBook
    schedules: ScheduleBook
    adapters: dict[str, Adapter]
    safety: Safety
    alarms: Alarms

    @property
    def command_words(self) -> dict[str, tuple[str, ...]]:
        """The command words that each adapter can carry, by its name and by its aliases."""
        return {name: adapter.manifest.commands for name, adapter in self.adapters.items()}


def load_definitions(home: Home) -> LoadedDefinitions:
    """All of them. Raises `PlanBookError`, `SafetyError`, `MappingError` with all that is wrong."""
    catalogue = load_catalogue()
    adapters = load_adapters(home.mappings)
    named = {alias: adapter for adapter in adapters.values() for alias in adapter.manifest.aliases}
    return LoadedDefinitions(
        catalogue,
        _plans(sorted(home.plans.glob("*.yaml"))),
        load_teams(home.teams),
        read_schedules(_own(sorted(home.schedules.glob("*.yaml")), "schedules")),
        {**named, **adapters},
        read_safety({**safety_texts(), **_own(sorted(home.commands.glob("*.yaml")), "interlocks")}, catalogue),
        load_alarms(home),
    )


def shipped_safety(catalogue: Catalogue) -> Safety:
    """The interlocks and proofs that come with the product."""
    return read_safety(safety_texts(), catalogue)


def load_teams(own: Path | None = None) -> TeamBook:
    """The shipped teams, and the site's own where there is such a file. Raises `TeamBookError`."""
    texts = {"teams.yaml": (files("gateway.services") / "teams.yaml").read_text("utf-8")}
    if own is not None and own.exists():
        try:
            texts[str(own)] = own.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(str(own), str(error), "teams as UTF-8 text") from error
    return read_teams(texts)


def load_rules(home: Home, catalogue: Catalogue) -> RuleSet:
    """The rules of the product's packs and of the files in the home. Raises `PackError` with all that is wrong."""
    return load_packs([*shipped_packs(), *sorted(home.rules.glob("*.yaml"))], catalogue)


def shipped_rules() -> dict[str, str]:
    """The texts of the rule packs that come with the product, by name."""
    return {path.stem: path.read_text("utf-8") for path in shipped_packs()}


def shipped_plans() -> PlanBook:
    """The emergency plans that come with the product."""
    return _plans([])


def _plans(own: list[Path]) -> PlanBook:
    folder = files("rules") / "plans"
    texts = {f"plans/{file.name}": file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".yaml")}
    shipped = dict(sorted(texts.items()))
    return read_plans({**shipped, **_own(own, "plans")})


def _own(paths: list[Path], what: str) -> dict[str, str]:
    """The site's own files by name. Raises `ConfigError` where one is no text."""
    try:
        return {str(path): path.read_text("utf-8") for path in paths}
    except UnicodeDecodeError as error:
        raise ConfigError(", ".join(map(str, paths)), str(error), f"{what} as UTF-8 text") from error
