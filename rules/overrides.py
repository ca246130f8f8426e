"""How a site's pack changes the shipped rules: it takes one out, changes words of one, or puts its own in its place.

- disable: [access.tamper]
- change: meter.overvoltage
  for: 5m
- id: parking.fire-lane        # the id of a shipped rule: this one stands in its place
  ...
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from gateway.model.catalogue import Catalogue
from rules.coherence import complete
from rules.document import Document, Node
from rules.language import Rule
from rules.reading import WORDS, read_rule

DISABLE, CHANGE = "disable", "change"
SITE_WORDS = (CHANGE, DISABLE)
"""The words that only a site's pack may use."""


class Base:
    """The shipped rules as they are written, for a site's pack to change. `touched` are those it has changed so far."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._written: dict[str, tuple[Document, dict[str, Node]]] = {}
        self.touched: set[str] = set()
        for document in documents:
            root = document.root()
            # What is wrong with a shipped rule is told by its own pack.
            before = len(document.problems)
            for node in root.items() if root is not None and root.is_list else ():
                words = node.words(WORDS, "a rule") if node.is_mapping else {}
                if "id" in words:
                    self._written[words["id"].shown] = (document, words)
            del document.problems[before:]

    def has(self, rule: str) -> bool:
        """Whether a shipped rule has that id."""
        return rule in self._written

    def disable(self, node: Node) -> None:
        """Takes out the rules that `node` lists."""
        for item in node.items():
            name = item.text("a rule's id")
            if name is not None and self._known(item, name):
                self.touched.add(name)

    def change(self, words: dict[str, Node], node: Node, catalogue: Catalogue, pack: str) -> Rule | None:
        """The shipped rule that `words` name, with the other words in place of its own; its tests are not taken over.

        None where there is no such rule. What does not fit together is a problem of the site's pack.
        """
        own = dict(words)
        named = own.pop(CHANGE)
        name = named.text("a rule's id")
        if name is None or not self._known(named, name):
            return None
        if "id" in own:
            own.pop("id").problem("a changed rule keeps its id", "to replace it whole, write it out with its id")
        document, shipped = self._written[name]
        before = len(document.problems)
        merged = {**{word: value for word, value in shipped.items() if word != "tests"}, **own, "id": named}
        rule = complete(read_rule(merged, node, catalogue, pack), merged, node, catalogue)
        for problem in document.problems[before:]:
            hint = problem.suggestion or f"see the rule's other words in {problem.file}, line {problem.line}"
            named.problem(f"with these words: {problem.message}", hint)
        del document.problems[before:]
        self.touched.add(name)
        return rule

    def _known(self, node: Node, name: str) -> bool:
        if name in self.touched:
            node.problem(f"'{name}' is changed or disabled already", "a shipped rule is changed in one place")
            return False
        if name in self._written:
            return True
        close = get_close_matches(name, list(self._written), n=1, cutoff=0.5)
        node.problem(f"no shipped rule is called '{name}'", f"did you mean '{close[0]}'?" if close else "")
        return False
