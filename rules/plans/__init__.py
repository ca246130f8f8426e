"""The shipped emergency plans 应急预案: one YAML file each, as text for the plan reader."""

from __future__ import annotations

from importlib.resources import files


def plan_texts() -> dict[str, str]:
    """Name and text of each shipped plan file, in the order of the names."""
    found = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".yaml")]
    return {f"rules/plans/{entry.name}": entry.read_text("utf-8") for entry in sorted(found, key=lambda one: one.name)}
