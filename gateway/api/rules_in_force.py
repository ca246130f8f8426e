"""The rules that are in force, as the API shows them: read anew when the core has others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.api.settings import Definitions
from gateway.store.queries import Reader

Rules = tuple[Mapping[str, Any], ...]


class RulesInForce:
    """Asks the database which packs are in force; what they make is remembered. May be used by several threads."""

    def __init__(self, definitions: Definitions, reader: Reader) -> None:
        self._definitions = definitions
        self._reader = reader
        self._known: tuple[tuple[tuple[str, str], ...], Rules] | None = None

    def all(self) -> Rules:
        """The rules in the order of their packs."""
        if self._definitions.rules_with is None:
            return self._definitions.rules
        packs, known = self._reader.packs_in_force(), self._known
        if known is None or known[0] != packs:
            self._known = known = (packs, self._definitions.rules_with(packs))
        return known[1]

    def get(self, rule: str) -> Mapping[str, Any] | None:
        """One rule, or None."""
        return next((entry for entry in self.all() if entry.get("id") == rule), None)
