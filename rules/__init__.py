"""Rules: the language, the engine that judges events by it, and the packs that ship with the product.

Pure: no clock, no network, no state but what `Engine.snapshot` returns. Files are read only by `rules.loading`.
"""

from rules.engine import Engine
from rules.errors import PackError, Problem
from rules.language import Rule, RuleSet
from rules.loading import check, load_packs, shipped_packs

__all__ = ["Engine", "PackError", "Problem", "Rule", "RuleSet", "check", "load_packs", "shipped_packs"]
