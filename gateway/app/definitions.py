"""What a gateway is loaded with: the catalogue, the rules, the plans and the adapters, shipped and the site's own."""

from __future__ import annotations

import msgspec

from adapters import load_adapters
from gateway.app.channels import Alarms
from gateway.app.site_files import PARTS, Texts, read_part, shipped_teams
from gateway.catalogue import load_catalogue
from gateway.config import Home
from gateway.contract import Adapter
from gateway.model import Catalogue
from gateway.services.plan_book import PlanBook
from gateway.services.plan_reading import read_plans
from gateway.services.safety import Safety
from gateway.services.safety_reading import read_safety
from gateway.services.schedule_book import ScheduleBook
from gateway.services.team_reading import read_teams
from gateway.services.teams import TeamBook
from rules import RuleSet, load_packs, shipped_packs
from rules.commands import safety_texts
from rules.plans import plan_texts


class LoadedDefinitions(msgspec.Struct, frozen=True):
    """Everything a gateway knows before its first message, but for its rules: those are in the core's keeping.

    `adapters` are keyed by name and by alias; `texts` are those of the site's own files, by part and path.
    """

    catalogue: Catalogue
    plans: PlanBook
    teams: TeamBook
    schedules: ScheduleBook
    adapters: dict[str, Adapter]
    safety: Safety
    alarms: Alarms
    texts: dict[str, Texts] = {}

    @property
    def command_words(self) -> dict[str, tuple[str, ...]]:
        """The command words that each adapter can carry, by its name and by its aliases."""
        return {name: adapter.manifest.commands for name, adapter in self.adapters.items()}


def load_definitions(home: Home, *, kept: bool = False) -> LoadedDefinitions:
    """All of them. Raises `PlanBookError`, `SafetyError`, `MappingError`... with all that is wrong.

    With `kept`, what was last in force stands in for files that were broken meanwhile.
    """
    catalogue = load_catalogue()
    adapters = load_adapters(home.mappings)
    named = {alias: adapter for adapter in adapters.values() for alias in adapter.manifest.aliases}
    read = {part.name: read_part(part, home, catalogue, kept=kept) for part in PARTS}
    parts = {name: made for name, (made, _) in read.items()}
    return LoadedDefinitions(
        catalogue=catalogue,
        plans=parts["plans"],
        teams=parts["teams"],
        schedules=parts["schedules"],
        adapters={**named, **adapters},
        safety=parts["commands"],
        alarms=parts["alarms"],
        texts={name: texts for name, (_, texts) in read.items()},
    )


def shipped_safety(catalogue: Catalogue) -> Safety:
    """The interlocks and proofs that come with the product."""
    return read_safety(safety_texts(), catalogue)


def load_teams() -> TeamBook:
    """The teams that come with the product."""
    return read_teams(shipped_teams())


def load_rules(home: Home, catalogue: Catalogue) -> RuleSet:
    """The rules of the product's packs and of the files in the home. Raises `PackError` with all that is wrong."""
    return load_packs([*shipped_packs(), *sorted(home.rules.glob("*.yaml"))], catalogue)


def shipped_rules() -> dict[str, str]:
    """The texts of the rule packs that come with the product, by name."""
    return {path.stem: path.read_text("utf-8") for path in shipped_packs()}


def shipped_plans() -> PlanBook:
    """The emergency plans that come with the product."""
    return read_plans(plan_texts())
