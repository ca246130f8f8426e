"""What every reader needs: texts in several languages, kinds of the catalogue, suggestions."""

from __future__ import annotations

from difflib import get_close_matches

from gateway.model.catalogue import Catalogue
from rules.document import Node
from rules.language import Text

LANGUAGES = ("en", "zh")
PLACES = ("device", "zone", "building", "site")


def read_text(node: Node) -> Text | None:
    """A sentence by language; one without a language serves for all."""
    if not node.is_mapping:
        text = node.text("the sentence")
        return None if text is None else dict.fromkeys(LANGUAGES, text)
    found = node.words(LANGUAGES, "a sentence in several languages")
    return {language: text for language, part in found.items() if (text := part.text("the sentence")) is not None}


def read_kinds(node: Node, catalogue: Catalogue) -> tuple[str, ...]:
    """One kind of the catalogue, or a list of them."""
    for item in node.items():
        name = item.text("a kind")
        if name is not None and catalogue.get(name) is None:
            close = catalogue.suggest(name)
            item.problem(f"the catalogue has no kind '{name}'", f"did you mean '{close}'?" if close else "")
    return tuple(dict.fromkeys(node.texts("a kind")))


def nearest(name: str, names: tuple[str, ...] | list[str]) -> str:
    """A suggestion out of `names`, or the list of them."""
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"there are {', '.join(names)}"
