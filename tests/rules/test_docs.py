"""docs/rules.md: every example is loaded and its tests are run; every word of the language stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.catalogue import load_catalogue
from rules import testing
from rules.conditions.aggregate import FUNCTIONS as FIGURES
from rules.expressions.checking import FUNCTIONS
from rules.reading import PLACES, WORDS
from rules.reading.conditions import BOUNDS, DIRECTIONS
from rules.reading.schedule import SPAN
from rules.timeline import OUTCOMES, TEST

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_of_the_page_loads_and_its_tests_pass(text: str) -> None:
    report = testing.run({"docs/rules.md": text}, load_catalogue())
    assert report.passed, report.text()


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 10


INNER = ("distinct", "in_a_row", "intervals", "needs_proof", "period", "deviation", "learn", "samples", "settle")


@pytest.mark.parametrize(
    "word", [*WORDS, *PLACES, *FUNCTIONS, *FIGURES, *BOUNDS, *DIRECTIONS, *SPAN, *TEST, *OUTCOMES, *INNER]
)
def test_every_word_of_the_language_stands_on_the_page(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", PAGE), f"docs/rules.md does not explain '{word}'"
