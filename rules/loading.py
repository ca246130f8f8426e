"""Packs: YAML files of rules, each read whole or refused whole with everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from itertools import starmap
from pathlib import Path

from gateway.catalogue import load_catalogue
from gateway.model.catalogue import Catalogue
from rules.coherence import complete
from rules.document import Document, Node
from rules.errors import PackError, Problem
from rules.inhibition import named
from rules.language import Inhibition, Rule, RuleSet
from rules.overrides import CHANGE, DISABLE, SITE_WORDS, Base
from rules.reading import WORDS, read_rule
from rules.timeline import Timeline, read_timelines

_SHIPPED_ID = re.compile(r"^- id: (\S+)", re.MULTILINE)


class Pack:
    """What one file holds: its rules, their tests, and what is wrong with it.

    A shipped pack has no `base`; a site's has the shipped rules, which it may change.
    """

    def __init__(self, document: Document, catalogue: Catalogue, base: Base | None = None) -> None:
        self.file = document.file
        self.shipped = base is None
        self.rules: list[Rule] = []
        self.timelines: list[Timeline] = []
        self._document = document
        self._catalogue = catalogue
        self._base = base
        self.places: dict[str, Node] = {}
        self.inhibitions: dict[str, Node] = {}
        root = document.root()
        if root is None:
            return
        if not root.is_list:
            root.problem("a pack is a list of rules", "begin each with `- id: …`")
            return
        for node in root.items():
            self._read(node)

    @property
    def problems(self) -> list[Problem]:
        """Everything wrong with it, in the order of the file."""
        return sorted(self._document.problems)

    def _read(self, node: Node) -> None:
        before = len(self._document.problems)
        words = node.words(WORDS if self._base is None else (*WORDS, *SITE_WORDS), "a rule")
        if not words:
            return
        if self._base is not None and DISABLE in words:
            if len(words) > 1:
                words[DISABLE].problem("`disable` stands alone", "write `- disable: [a.rule, another.rule]`")
            self._base.disable(words[DISABLE])
            return
        rule, where = self._rule(words, node)
        if rule is None:
            return
        if rule.id in self.places:
            where.problem(f"'{rule.id}' is already the id of the rule in line {self.places[rule.id].line}")
        elif rule.id:
            self.places[rule.id] = where
            if "inhibited_by" in words:
                self.inhibitions[rule.id] = words["inhibited_by"]
        timelines = read_timelines(words["tests"], rule, self._catalogue) if "tests" in words else []
        if len(self._document.problems) == before:
            self.rules.append(rule)
            self.timelines += timelines

    def _rule(self, words: dict[str, Node], node: Node) -> tuple[Rule | None, Node]:
        """A rule as it is written here, or a shipped one with words of this pack; and where its id stands."""
        if self._base is not None and CHANGE in words:
            return self._base.change(words, node, self._catalogue, self.file), words[CHANGE]
        rule = complete(read_rule(words, node, self._catalogue, self.file), words, node, self._catalogue)
        return rule, words.get("id", node)


def read_packs(
    sources: Mapping[str, str] | Iterable[Path | str], catalogue: Catalogue, shipped: Mapping[str, str] | None = None
) -> list[Pack]:
    """Packs from texts by name, or from files; a folder stands for its `*.yaml` files in the order of their names.

    `shipped` are the texts of packs that those may change; they come first in what is returned. Files may always change
    the product's packs, whether those are among them or not. An id that two packs use is a problem of the second,
    unless a shipped rule is replaced by it.
    """
    if isinstance(sources, Mapping):
        product = list(starmap(Document, (shipped or {}).items()))
        own, base = list(starmap(Document, sources.items())), product
    else:
        documents, folder = list(_read_files(sources)), str(_shipped_folder())
        product = [document for document in documents if document.file.startswith(folder)]
        own = [document for document in documents if not document.file.startswith(folder)]
        base = list(_read_files(shipped_packs())) if own else []
    theirs = Base(base)
    packs = [*(Pack(document, catalogue) for document in product), *(Pack(one, catalogue, theirs) for one in own)]
    seen: dict[tuple[bool, str], str] = {}
    for pack in packs:
        for rule, node in pack.places.items():
            before = seen.setdefault((pack.shipped, rule), pack.file)
            if before != pack.file:
                node.problem(f"'{rule}' is already the id of a rule in {before}", "choose another id")
            elif not pack.shipped:
                theirs.touched.add(rule)
    for pack in packs:
        if pack.shipped:
            pack.rules = [rule for rule in pack.rules if rule.id not in theirs.touched]
            pack.inhibitions = {rule: node for rule, node in pack.inhibitions.items() if rule not in theirs.touched}
    _check_causes(packs)
    return packs


def _check_causes(packs: list[Pack]) -> None:
    """Whether the rules named by `inhibited_by` exist, and none explains itself by way of others."""
    inhibiting = {rule.id: rule.inhibited_by for pack in packs for rule in pack.rules if rule.inhibited_by is not None}
    if not inhibiting:
        return
    known = {rule for pack in packs for rule in pack.places}
    for pack in packs:
        for rule, node in pack.inhibitions.items():
            for pattern in inhibiting[rule].rules if rule in inhibiting else ():
                if any(named(pattern, other) for other in known) or any(named(pattern, one) for one in shipped_ids()):
                    continue
                close = get_close_matches(pattern, known | shipped_ids(), n=1, cutoff=0.5)
                node.problem(f"no rule is called '{pattern}'", f"did you mean '{close[0]}'?" if close else "", pattern)
            circle = _circle(rule, inhibiting)
            if circle:
                node.problem(f"the rule inhibits itself: {' by '.join(circle)}", "leave one of them out")


def _circle(rule: str, inhibiting: Mapping[str, Inhibition]) -> list[str]:
    """The way from a rule over its causes back to it; empty where there is none. A rule may name itself: see docs."""
    paths = [[rule]]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        words = inhibiting.get(path[-1])
        for other in inhibiting if words is not None else ():
            if words is None or other == path[-1] or not any(named(pattern, other) for pattern in words.rules):
                continue
            if other == rule:
                return [*path, rule]
            if other not in seen:
                seen.add(other)
                paths.append([*path, other])
    return []


def load_packs(
    sources: Mapping[str, str] | Iterable[Path | str],
    catalogue: Catalogue | None = None,
    shipped: Mapping[str, str] | None = None,
) -> RuleSet:
    """The rules of several packs, in their order. Raises `PackError` with all problems of all of them.

    `shipped` are the texts of packs that come before them, and that they may change.
    """
    packs = read_packs(sources, catalogue or load_catalogue(), shipped)
    problems = [problem for pack in packs for problem in pack.problems]
    if problems:
        raise PackError(problems)
    return RuleSet(rule for pack in packs for rule in pack.rules)


def check(paths: Iterable[Path | str], catalogue: Catalogue | None = None) -> list[Problem]:
    """Everything wrong with the packs at `paths`, in order; empty where they may be loaded."""
    return [problem for pack in read_packs(paths, catalogue or load_catalogue()) for problem in pack.problems]


def shipped_packs() -> list[Path]:
    """The packs that come with the product."""
    return sorted(_shipped_folder().glob("*.yaml"))


def _shipped_folder() -> Path:
    return Path(str(files("rules"))) / "packs"


@cache
def shipped_ids() -> frozenset[str]:
    """The ids of the rules that come with the product, without reading the packs whole."""
    found = (_SHIPPED_ID.findall(path.read_text(encoding="utf-8")) for path in shipped_packs())
    return frozenset(name for names in found for name in names)


def _read_files(paths: Iterable[Path | str]) -> Iterator[Document]:
    for path in map(Path, paths):
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            try:
                yield Document(str(file), file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                unread = Document(str(file), "")
                unread.note(1, 1, f"cannot be read: {error}", suggestion="give a folder or a UTF-8 file")
                yield unread
