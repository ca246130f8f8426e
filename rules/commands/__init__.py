"""What comes with the product about the safety of commands: interlocks, and what proves that a command was done."""

from __future__ import annotations

from importlib.resources import files


def safety_texts() -> dict[str, str]:
    """Name and text of each shipped file, in the order of the names."""
    found = [entry for entry in files(__name__).iterdir() if entry.name.endswith(".yaml")]
    ordered = sorted(found, key=lambda one: one.name)
    return {f"rules/commands/{entry.name}": entry.read_text("utf-8") for entry in ordered}
