"""The escalation chains that ship with the product."""

from __future__ import annotations

from importlib.resources import files


def shipped_chains() -> str:
    """The text of the shipped `escalation.yaml`."""
    return (files("rules.escalation") / "default.yaml").read_text("utf-8")
