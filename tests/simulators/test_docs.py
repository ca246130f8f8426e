"""docs/simulators.md names everything there is, and its example works."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from simulators.chaos import ChaosOptions
from simulators.cli import _arguments, load
from simulators.device import COMMON_FAULTS
from simulators.load import _arguments as load_arguments
from simulators.plant import SYSTEMS
from simulators.scenario import (
    GroupSpec,
    IncidentSpec,
    ItemSpec,
    Model,
    Place,
    Scenario,
    Terminal,
    Utility,
    Wire,
    parse,
)
from simulators.simulation import Simulation

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "simulators.md").read_text(encoding="utf-8")


def words() -> set[str]:
    """Every word in backquotes, and the keys of the example."""
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    quoted = set(re.findall(r"[\w./-]+", " ".join(re.findall(r"`([^`]+)`", prose))))
    return quoted | set(re.findall(r"(\w+):", TEXT.split("```yaml")[1].split("```")[0]))


def test_every_key_word_fault_and_option_is_documented() -> None:
    known = {
        key.encode_name
        for struct in (Scenario, GroupSpec, ItemSpec, IncidentSpec)
        for key in msgspec.structs.fields(struct)
    }
    known |= {word for kind in (Model, Wire, Place, Terminal, Utility) for word in get_args(kind)}
    known |= {field.name for field in fields(ChaosOptions)} | set(COMMON_FAULTS)
    for device in load("demo").community.devices.values():
        known |= set(device.faults)
    for name, system in SYSTEMS.items():
        known |= {name, *system.faults}
    for parser in (_arguments(), load_arguments()):
        known |= {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    missing = known - words() - {"--help"}
    assert not missing, f"docs/simulators.md says nothing of {sorted(missing)}"


def test_example_scenario_plays() -> None:
    example = TEXT.split("```yaml")[1].split("```")[0]
    simulation = Simulation(*parse("docs/simulators.md", example))
    simulation.start(0.0)
    assert len(simulation.community.devices) == 2 + 2 * 2 + 1 + 8 + 2
    assert simulation.advance(1.0)


@pytest.mark.parametrize("parser", [_arguments(), load_arguments()])
def test_help_has_an_example(parser: object) -> None:
    assert "example" in parser.format_help()  # type: ignore[attr-defined]
