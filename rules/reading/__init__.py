"""From YAML to rules: one file for the rule, and one each for its conditions, its schedule and what it starts."""

from rules.reading.common import LANGUAGES, PLACES, nearest, read_kinds, read_text
from rules.reading.rule import WORDS, read_rule

__all__ = ["LANGUAGES", "PLACES", "WORDS", "nearest", "read_kinds", "read_rule", "read_text"]
